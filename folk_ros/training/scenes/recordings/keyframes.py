"""Which images of a recording belong together, and which of them show something new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class KeyframeConfig:
    """When an image is kept: the camera has moved since the last one that was."""

    distance_m: float = 0.25
    """Keep an image when the camera moved this far since the last kept one, metres."""
    angle_deg: float = 15.0
    """Or when it turned this far, degrees."""
    turn_deg_s: float = 60.0
    """Wait while the camera turns faster, degrees a second: the image is blurred. At twice the
    motion above one is taken all the same."""
    max_delay_s: float = 0.05
    """Longest time between a depth image and its photograph, seconds."""

    def __post_init__(self) -> None:
        for name in ('distance_m', 'angle_deg', 'turn_deg_s', 'max_delay_s'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name}: expected more than 0, got {getattr(self, name)}')


def pair_nearest(
    depth_ns: NDArray[np.int64], rgb_ns: NDArray[np.int64], max_delay_ns: int
) -> NDArray[np.int64]:
    """
    Return rows (depth, rgb) [P, 2] of the images nearest in time, in the order of depth stamps.

    A photograph goes to the one depth image it is nearest to; what has no partner within the
    bound is left out. Stamps may come in any order.
    """
    if not len(depth_ns) or not len(rgb_ns):
        return np.zeros((0, 2), np.int64)
    order = np.argsort(rgb_ns, kind='stable')
    depth_order = np.argsort(depth_ns, kind='stable')
    wanted = depth_ns[depth_order]
    after = np.searchsorted(rgb_ns[order], wanted).clip(1, len(order) - 1 or 1)
    candidates = order[np.stack([after - 1, after.clip(max=len(order) - 1)])]  # [2, P]
    gaps = np.abs(rgb_ns[candidates] - wanted)
    choice = gaps.argmin(0)
    rgb = candidates[choice, np.arange(len(wanted))]
    gap = gaps.min(0)
    by_gap = np.lexsort((np.arange(len(gap)), gap))  # nearest first: it keeps the photograph
    _, first = np.unique(rgb[by_gap], return_index=True)
    kept = np.zeros(len(gap), np.bool_)
    kept[by_gap[first]] = True
    kept &= gap <= max_delay_ns
    return np.stack([depth_order[kept], rgb[kept]], axis=1)


def choose_keyframes(
    poses: NDArray[np.float64], stamps_ns: NDArray[np.int64], config: KeyframeConfig
) -> NDArray[np.int64]:
    """
    Return the rows [K] of poses [P, 4, 4] worth keeping, in order of time; the first always is.

    Stamps must rise. A camera that stands gives one row however long it stands.
    """
    if not len(poses):
        return np.zeros(0, np.int64)
    speeds = turning_speeds(poses, stamps_ns)
    kept = [0]
    for row in range(1, len(poses)):
        last = poses[kept[-1]]
        moved = np.linalg.norm(poses[row, :3, 3] - last[:3, 3]) / config.distance_m
        turned = turn_deg(last, poses[row]) / config.angle_deg
        due = max(moved, turned)
        if due > 2 or (due > 1 and speeds[row] <= config.turn_deg_s):
            kept.append(row)
    return np.array(kept, np.int64)


def turning_speeds(
    poses: NDArray[np.float64], stamps_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how fast the camera turns at each pose [P], degrees a second, between neighbours."""
    speeds = np.zeros(len(poses))
    for row in range(len(poses)):
        before, after = max(row - 1, 0), min(row + 1, len(poses) - 1)
        seconds = (stamps_ns[after] - stamps_ns[before]) / NANOSECONDS
        if seconds > 0:
            speeds[row] = turn_deg(poses[before], poses[after]) / seconds
    return speeds


def turn_deg(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the angle between two poses [4, 4], degrees."""
    cosine = (np.sum(a[:3, :3] * b[:3, :3]) - 1) / 2  # trace of a^T b
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
