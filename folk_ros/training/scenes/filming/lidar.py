"""A spinning range scanner, carried through a room: points without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.filming.film import Stage
from folk_ros.training.scenes.rendering.primitives import turn
from folk_ros.training.scenes.rendering.raycast import cast, Floats, Ints, Solids

Rng = np.random.Generator


@dataclass(frozen=True)
class LidarConfig:
    """A spinning scanner and its errors."""

    rings: int = 64
    """Rays above each other."""
    columns: int = 1024
    """Rays around."""
    lowest_deg: float = -45.0
    """Elevation of the lowest ring."""
    highest_deg: float = 35.0
    """Elevation of the highest ring."""
    scans: int = 8
    """Places along the walk from which it looks around."""
    noise_m: float = 0.01
    """Range noise (one sigma), the same at any range."""
    nearest_m: float = 0.4
    """Ranges below are not measured."""
    range_m: float = 30.0
    """Ranges beyond are not measured."""
    loss: float = 0.02
    """Share of rays that do not come back from a dull surface."""
    tilt_deg: float = 4.0
    """How crooked it is carried (one sigma)."""

    def __post_init__(self) -> None:
        if not (4 <= self.rings <= 256 and 16 <= self.columns <= 8192 and self.scans >= 1):
            raise ValueError(
                'a scanner has 4 to 256 rings, 16 to 8192 columns and scans at least once, got '
                f'{self.rings}, {self.columns} and {self.scans}'
            )
        if not -90 < self.lowest_deg < self.highest_deg < 90:
            raise ValueError(
                'lowest_deg must lie below highest_deg, both between -90 and 90, got '
                f'{self.lowest_deg} and {self.highest_deg}'
            )


@dataclass(frozen=True)
class Scanner:
    """A scanner at a place; its frame is x ahead, z up; rows go down, columns to the left."""

    width: int
    elevation: NDArray[np.float64]  # [H] radians, from the highest ring down
    T_world_camera: NDArray[np.float64]  # [4, 4]

    @property
    def height(self) -> int:
        """Count the rings."""
        return len(self.elevation)

    def rays(self) -> Floats:
        """Return ray directions [H * W, 3] of unit length, scanner frame."""
        yaw = -np.pi + 2 * np.pi * np.arange(self.width) / self.width
        up, flat = np.sin(self.elevation)[:, None], np.cos(self.elevation)[:, None]
        grid = [
            flat * np.cos(yaw),
            flat * np.sin(yaw),
            np.broadcast_to(up, (self.height, len(yaw))),
        ]
        return np.stack(grid, -1).reshape(-1, 3).astype(np.float32)

    def boxes(self, solids: Solids) -> Ints:
        """Return (column, row, width, height) [P, 4] of the rays that may meet each solid."""
        R, o = self.T_world_camera[:3, :3], self.T_world_camera[:3, 3]
        x, y, z = ((solids.centre - o) @ R).T
        flat, distance = np.hypot(x, y), np.linalg.norm(solids.centre - o, axis=1)
        radius = np.linalg.norm(solids.half, axis=1)
        wide = np.arcsin(np.clip(radius / np.maximum(flat, 1e-9), 0, 1))
        tall = np.arcsin(np.clip(radius / np.maximum(distance, 1e-9), 0, 1))
        columns = self.width / (2 * np.pi)
        middle = (np.arctan2(y, x) + np.pi) * columns
        first, last = np.floor(middle - wide * columns), np.ceil(middle + wide * columns)
        # what reaches over the seam, or above or below the scanner, may be met by any column
        whole = (first < 0) | (last >= self.width) | (flat <= radius)
        first, last = np.where(whole, 0, first), np.where(whole, self.width - 1, last)
        up = np.arctan2(z, flat)
        descending = -self.elevation
        top = np.searchsorted(descending, -(up + tall))
        bottom = np.searchsorted(descending, -(up - tall), side='right')
        inside = distance <= radius
        top, bottom = np.where(inside, 0, top), np.where(inside, self.height, bottom)
        return np.stack([first, top, last - first + 1, bottom - top], 1).astype(np.int64)


def scan(
    rng: Rng,
    stage: Stage,
    poses: Sequence[NDArray[np.float64]],
    config: LidarConfig,
    cell_m: float,
) -> tuple[PointCloud, NDArray[np.int32]]:
    """
    Look around from some of the poses [4, 4]; return the cloud, without colour, and instances [N].

    Of the points in one cell of `cell_m` one is kept.
    """
    points, instances = [np.zeros((0, 3))], [np.zeros(0, np.int32)]
    chosen = np.linspace(0, len(poses) - 1, min(config.scans, len(poses))).round().astype(int)
    for number in chosen:
        xyz, instance = _look_around(rng, stage, poses[number], config)
        points.append(xyz)
        instances.append(instance)
    xyz, instance = np.concatenate(points), np.concatenate(instances)
    order = rng.permutation(len(xyz))
    _, first = np.unique(np.floor(xyz[order] / cell_m), axis=0, return_index=True)
    kept = order[first]
    return PointCloud(xyz[kept].astype(np.float32), None, 'world'), instance[kept]


def _look_around(
    rng: Rng, stage: Stage, pose: NDArray[np.float64], config: LidarConfig
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    tilt = np.deg2rad(config.tilt_deg) * rng.normal(0, 1, 2)
    own = np.eye(4)
    own[:3, :3] = turn('z', rng.uniform(-np.pi, np.pi)) @ turn('x', tilt[0]) @ turn('y', tilt[1])
    own[:3, 3] = pose[:3, 3]
    elevation = np.deg2rad(np.linspace(config.highest_deg, config.lowest_deg, config.rings))
    scanner = Scanner(config.columns, elevation, own)
    distance, solid = (values.reshape(-1) for values in cast(stage.solids, scanner))
    gloss = np.where(solid >= 0, stage.looks.gloss[solid], 0)
    back = rng.random(len(distance)) > config.loss + 0.9 * np.clip((gloss - 0.4) / 0.5, 0, 1)
    measured = distance + config.noise_m * rng.normal(0, 1, len(distance))
    back &= (solid >= 0) & (measured > config.nearest_m) & (measured < config.range_m)
    rays = scanner.rays()[back].astype(np.float64)
    xyz = (rays * measured[back, None]) @ own[:3, :3].T + own[:3, 3]
    return xyz, stage.owner[solid[back]].astype(np.int32)
