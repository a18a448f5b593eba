"""What a depth camera makes of a perfect image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SensorConfig:
    """Errors of an RGB-D camera."""

    noise_m: float = 0.0015
    """Depth noise (one sigma) at one metre; it grows with the square of depth."""
    step_m: float = 0.0008
    """Depth quantum at one metre; it grows with the square of depth."""
    range_m: float = 5.0
    """Depth beyond is not measured."""
    nearest_m: float = 0.3
    """Depth below is not measured."""
    edge_loss: float = 0.5
    """Share of pixels lost at depth edges."""
    colour_noise: float = 0.012
    """Colour noise (one sigma), white being 1."""

    def __post_init__(self) -> None:
        if not 0 < self.nearest_m < self.range_m:
            raise ValueError(
                f'nearest_m must lie between 0 and range_m, got {self.nearest_m}, {self.range_m}'
            )


def measure(
    rng: np.random.Generator, depth: Floats, cosine: Floats, config: SensorConfig
) -> Floats:
    """Return measured depth [H, W] metres in whole millimetres, 0 where the camera saw none."""
    square = depth * depth
    noise = rng.normal(0, 1, depth.shape).astype(np.float32)
    wander = smooth(rng.normal(0, 1, depth.shape).astype(np.float32))  # neighbours err alike
    noisy = depth + config.noise_m * square * (0.7 * noise + 0.7 * wander)
    step = np.maximum(config.step_m * square, 0.001)
    noisy = np.rint(noisy / step) * step
    grazing = rng.random(depth.shape) > np.clip((cosine - 0.06) / 0.12, 0, 1)
    lost = depth_edges(depth) & (rng.random(depth.shape) < config.edge_loss)
    lost |= rng.random(depth.shape) < 0.004
    lost |= grazing | (noisy < config.nearest_m) | (noisy > config.range_m) | (depth <= 0)
    return np.where(lost, 0, np.rint(noisy * 1000) / np.float32(1000)).astype(np.float32)


def depth_edges(depth: Floats, jump: float = 0.04) -> NDArray[np.bool_]:
    """Mark pixels [H, W] beside a jump in depth of more than a share of it."""
    edge = np.zeros(depth.shape, np.bool_)
    across = np.abs(np.diff(depth, axis=1)) > jump * np.minimum(depth[:, 1:], depth[:, :-1])
    down = np.abs(np.diff(depth, axis=0)) > jump * np.minimum(depth[1:], depth[:-1])
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge


def smooth(image: Floats) -> Floats:
    """Blur an image [H, W] over 3 x 3 pixels and keep its variance."""
    padded = np.pad(image, 1, mode='edge')
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 3


def photograph(rng: np.random.Generator, light: Floats, config: SensorConfig) -> NDArray[np.uint8]:
    """Expose linear colour [H, W, 3] to a photograph of bytes, with noise and a colour cast."""
    gain = rng.uniform(0.85, 1.2) * rng.uniform(0.95, 1.05, 3)
    value = np.clip(light * gain.astype(np.float32), 0, None)
    value = value / (1 + 0.15 * value)  # highlights roll off
    noise = rng.normal(0, config.colour_noise, light.shape).astype(np.float32)
    return (np.clip(value + noise, 0, 1) * 255 + 0.5).astype(np.uint8)
