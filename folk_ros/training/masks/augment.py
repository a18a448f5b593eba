"""Changes that make one labelled cloud many; lengths are in voxels, so they suit any grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator


@dataclass(frozen=True)
class AugmentConfig:
    """How much clouds are changed."""

    scale: tuple[float, float] = (0.9, 1.1)
    tilt_deg: float = 1.0  # one sigma; gravity is never known exactly
    jitter: float = 0.1  # one sigma at most, of each point
    elastic: float = 0.5  # bends by waves this high at most
    holes: float = 0.3  # share of samples with missing regions
    optical: float = 0.0  # share of samples turned into the frame of a camera that looks down
    points_kept: tuple[float, float] = (0.5, 1.0)
    colour_dropped: float = 0.1
    colour_spread: float = 0.2  # of the gain of each channel


def turned(xyz: NDArray[np.float32], rng: Rng) -> NDArray[np.float32]:
    """Turn points [N, 3] about gravity, mirror, scale, and shift them a little."""
    shift = rng.normal(0, 0.003, xyz.shape) + rng.uniform(0, 0.1, 3)
    return (xyz @ turn_about_gravity(rng).T * rng.uniform(0.9, 1.1) + shift).astype(np.float32)


def turn_about_gravity(rng: Rng) -> NDArray[np.float64]:
    """Draw a rotation [3, 3] about z, half of them mirrored."""
    angle = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    if rng.random() < 0.5:
        turn[0] *= -1
    return turn


def distorted(
    xyz: NDArray[np.float32], voxel_m: float, config: AugmentConfig, rng: Rng
) -> NDArray[np.float32]:
    """Bend, turn, tilt, scale and shake points [N, 3]; the grid falls elsewhere, too."""
    points = xyz - xyz.mean(0)
    points = points + _waves(points / voxel_m, config.elastic, rng) * voxel_m
    turn = turn_about_gravity(rng)
    a, b = np.deg2rad(rng.normal(0, config.tilt_deg, 2))
    turn = np.array([[1, 0, a], [0, 1, b], [-a, -b, 1]]) @ turn  # small angles
    if rng.random() < config.optical:
        turn = _optical(rng) @ turn
    turn *= rng.uniform(*config.scale)
    noise = rng.normal(0, rng.uniform(0, config.jitter) * voxel_m, xyz.shape)
    return (points @ turn.T + noise + rng.uniform(0, 1, 3) * voxel_m).astype(np.float32)


def _waves(points: NDArray[np.float64], height: float, rng: Rng) -> NDArray[np.float64]:
    """Return displacements [N, 3] by three plane waves of 20 to 100 voxels, in voxels."""
    length = np.exp(rng.uniform(np.log(20), np.log(100), 3))
    direction = rng.normal(0, 1, (3, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True) * length[:, None]
    swing = rng.normal(0, height / 3, (3, 3))
    phase = points @ (2 * np.pi * direction.T) + rng.uniform(0, 2 * np.pi, 3)
    return np.asarray(np.sin(phase) @ swing)


def _optical(rng: Rng) -> NDArray[np.float64]:
    """Draw the rotation [3, 3] from a z-up frame to that of a camera: x right, y down, z ahead."""
    tilt = np.deg2rad(rng.uniform(15, 70))
    cos, sin = np.cos(tilt), np.sin(tilt)
    return np.array([[0, -1, 0], [-sin, 0, -cos], [cos, 0, -sin]])


def missing(
    xyz: NDArray[np.float32], voxel_m: float, config: AugmentConfig, rng: Rng
) -> NDArray[np.bool_]:
    """Return which points [N] stay when balls and upright strips are cut out of a cloud."""
    stay = np.ones(len(xyz), np.bool_)
    if not len(xyz) or rng.random() >= config.holes:
        return stay
    for _ in range(int(rng.integers(1, 4))):
        middle = xyz[rng.integers(len(xyz))]
        if rng.random() < 0.5:  # as if something thin stood before it
            angle = rng.uniform(0, np.pi)
            away = (xyz[:, :2] - middle[:2]) @ np.array([np.cos(angle), np.sin(angle)])
            stay &= np.abs(away) > rng.uniform(1, 3.5) * voxel_m
        else:
            away = np.linalg.norm(xyz - middle, axis=1)
            stay &= away > rng.uniform(2, 8) * voxel_m
    return stay


def recoloured(rgb: NDArray[np.uint8], config: AugmentConfig, rng: Rng) -> NDArray[np.uint8]:
    """Change the light on colours [N, 3]: gain, shift, grey and noise."""
    gain = rng.uniform(1 - config.colour_spread, 1 + config.colour_spread, 3)
    value = rgb * gain + rng.uniform(-15, 15, 3) + rng.normal(0, 4, rgb.shape)
    if rng.random() < 0.1:
        value = np.repeat(value.mean(1, keepdims=True), 3, axis=1)
    return np.clip(value, 0, 255).astype(np.uint8)
