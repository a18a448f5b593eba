"""What an RGB-D camera makes of a perfect image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.rendering.primitives import turn

Floats = NDArray[np.float32]
Rng = np.random.Generator

LUMA = np.array([0.3, 0.59, 0.11], np.float32)


@dataclass(frozen=True)
class SensorConfig:
    """Errors of an RGB-D camera; lengths of depth noise at one metre grow with its square."""

    noise_m: float = 0.0015
    """Depth noise (one sigma) at one metre."""
    step_m: float = 0.0008
    """Depth quantum at one metre."""
    range_m: float = 5.0
    """Depth beyond is not measured."""
    nearest_m: float = 0.3
    """Depth below is not measured."""
    edge_loss: float = 0.4
    """Share of pixels lost at depth edges."""
    edge_mix: float = 0.2
    """Share of pixels at depth edges that measure something between front and back."""
    lateral_px: float = 0.35
    """Error (one sigma) of where in the image a depth is measured, in pixels."""
    glossy_loss: float = 0.6
    """Share of a mirror's pixels lost; dull surfaces lose none."""
    dark_loss: float = 0.5
    """Share of a black surface's pixels lost."""
    pose_drift_m: float = 0.006
    """How far poses drift apart on a walk (one sigma at its end)."""
    pose_drift_deg: float = 0.2
    """How far poses turn apart on a walk (one sigma at its end)."""
    colour_noise: float = 0.008
    """Colour noise (one sigma), white being 1."""
    exposure: float = 0.12
    """Error of the exposure (one sigma, as a share)."""
    white_balance: float = 0.04
    """Colour cast of a walk (one sigma, as a share)."""
    vignette: float = 0.2
    """Light lost in the corners of the image, at most."""
    blur_px: float = 1.2
    """Longest smear by the camera's motion, in pixels."""

    def __post_init__(self) -> None:
        if not 0 < self.nearest_m < self.range_m:
            raise ValueError(
                f'nearest_m must lie between 0 and range_m, got {self.nearest_m}, {self.range_m}'
            )


@dataclass(frozen=True)
class Reflection:
    """How the surfaces in an image [H, W] throw light back."""

    cosine: Floats  # between surface and ray, 1 where seen straight on
    gloss: Floats  # 0 dull to 1 mirror
    light: Floats  # [H, W, 3] linear colour


def measure(rng: Rng, depth: Floats, back: Reflection, config: SensorConfig) -> Floats:
    """Return measured depth [H, W] metres in whole millimetres, 0 where the camera saw none."""
    shape = depth.shape
    edge = depth_edges(depth)
    near = lateral(rng, depth, config.lateral_px)
    other = lateral(rng, depth, 1.0)
    draw = rng.random(shape)
    lost = edge & (draw < config.edge_loss)
    mixed = edge & ~lost & (draw < config.edge_loss + config.edge_mix)
    share = rng.random(shape).astype(np.float32)
    near = np.where(mixed & (near > 0) & (other > 0), near + share * (other - near), near)
    square = near * near
    noise = rng.normal(0, 1, shape).astype(np.float32)
    wander = smooth(rng.normal(0, 1, shape).astype(np.float32))  # neighbours err alike
    noisy = near + config.noise_m * square * (0.7 * noise + 0.7 * wander)
    step = np.maximum(config.step_m * square, 0.001)
    noisy = np.rint(noisy / step) * step
    lost |= (rng.random(shape) < 0.004) | blind(rng, back, config)
    lost |= (noisy < config.nearest_m) | (noisy > config.range_m) | (near <= 0)
    return np.where(lost, 0, np.rint(noisy * 1000) / np.float32(1000)).astype(np.float32)


def lateral(rng: Rng, image: Floats, sigma_px: float) -> Floats:
    """Return an image [H, W] whose pixels are taken from beside their place."""
    rows, columns = np.indices(image.shape, np.int32)
    down, across = np.rint(rng.normal(0, sigma_px, (2, *image.shape))).astype(np.int32)
    rows = np.clip(rows + down, 0, image.shape[0] - 1)
    return image[rows, np.clip(columns + across, 0, image.shape[1] - 1)]


def blind(rng: Rng, back: Reflection, config: SensorConfig) -> NDArray[np.bool_]:
    """Return where [H, W] too little comes back: grazing, dark and mirror-like surfaces."""
    loss = 1 - np.clip((back.cosine - 0.06) / 0.14, 0, 1)
    loss = np.maximum(loss, config.glossy_loss * np.clip((back.gloss - 0.4) / 0.5, 0, 1))
    bright = back.light @ LUMA
    loss = np.maximum(loss, config.dark_loss * np.clip(1 - bright / 0.06, 0, 1))
    return np.asarray(patches(rng, loss.shape) < loss)


def patches(rng: Rng, shape: tuple[int, ...]) -> Floats:
    """Return noise [H, W] in [0, 1] in patches of some pixels, each value as likely as another."""
    coarse = rng.random((shape[0] // 6 + 2, shape[1] // 6 + 2)).astype(np.float32)
    rows, columns = np.arange(shape[0]) / 6, np.arange(shape[1]) / 6
    top, left = rows.astype(int), columns.astype(int)
    down, across = (rows - top)[:, None], (columns - left)[None]
    upper = coarse[top][:, left] * (1 - across) + coarse[top][:, left + 1] * across
    lower = coarse[top + 1][:, left] * (1 - across) + coarse[top + 1][:, left + 1] * across
    value = 0.8 * (upper * (1 - down) + lower * down) + 0.2 * rng.random(shape)
    order = np.argsort(value, axis=None)
    rank = np.empty(value.size, np.float32)
    rank[order] = (np.arange(value.size) + 0.5) / value.size
    return rank.reshape(shape)


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


@dataclass(frozen=True)
class Eye:
    """The colour camera of one walk: what does not change from image to image."""

    cast: Floats  # [3] gain of red, green and blue
    vignette: float

    @classmethod
    def of(cls, rng: Rng, config: SensorConfig) -> Eye:
        """Draw a camera."""
        cast = 1 + config.white_balance * rng.normal(0, 1, 3)
        return cls((cast / cast.mean()).astype(np.float32), config.vignette * rng.random())

    def photograph(self, rng: Rng, light: Floats, config: SensorConfig) -> NDArray[np.uint8]:
        """Expose linear colour [H, W, 3] to a photograph of bytes."""
        height, width = light.shape[:2]
        y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        falling = (1 - self.vignette * (x * x + y * y) / 2).astype(np.float32)
        value = moved(light, *(rng.uniform(-1, 1, 2) * config.blur_px)) * falling[..., None]
        typical = float(np.mean(value @ LUMA))
        gain = (0.46 / max(typical, 0.05)) ** 0.6 * np.exp(config.exposure * rng.normal())
        value = value * (np.float32(gain) * self.cast)
        value = value / (1 + 0.15 * value)  # highlights roll off
        noise = rng.normal(0, config.colour_noise, light.shape).astype(np.float32)
        return (np.clip(value + noise, 0, 1) * 255 + 0.5).astype(np.uint8)


def moved(image: Floats, down: float, across: float) -> Floats:
    """Smear an image [H, W, 3] along a short way, in pixels."""
    steps = int(np.ceil(max(abs(down), abs(across)) * 2)) + 1
    total = np.zeros_like(image)
    for share in np.linspace(-0.5, 0.5, steps):
        rows = np.clip(np.rint(np.arange(image.shape[0]) + share * down), 0, None).astype(int)
        columns = np.clip(np.rint(np.arange(image.shape[1]) + share * across), 0, None)
        rows = np.minimum(rows, image.shape[0] - 1)
        total += image[rows][:, np.minimum(columns.astype(int), image.shape[1] - 1)]
    return total / np.float32(steps)


def drift(rng: Rng, views: int, config: SensorConfig) -> NDArray[np.float64]:
    """Return the errors [K, 4, 4] of tracked poses in the camera's frame: a random walk."""
    sigma = np.array([config.pose_drift_m] * 3 + [np.deg2rad(config.pose_drift_deg)] * 3)
    steps = rng.normal(0, 1, (views, 6)) * sigma / np.sqrt(views)
    off = np.cumsum(steps, axis=0) if views > 1 else steps
    errors = np.tile(np.eye(4), (views, 1, 1))
    for error, (x, y, z, *angles) in zip(errors, off, strict=True):
        for axis, angle in zip('xyz', angles, strict=True):
            error[:3, :3] = error[:3, :3] @ turn(axis, angle)
        error[:3, 3] = x, y, z
    return errors
