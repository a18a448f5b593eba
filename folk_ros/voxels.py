"""Voxelisation: points on a regular grid, colours and positions averaged per voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud, Voxels

AXIS_BITS = 16  # of a voxel's key; the student's keys hold as many
GRID_LIMIT = 1 << AXIS_BITS  # cells along one axis
FAR_M = 1e6  # beyond, float32 metres are coarser than a voxel


def voxelize(cloud: PointCloud, size_m: float) -> Voxels:
    """
    Put a cloud on a grid of cells of `size_m` metres.

    Raises ValueError if the cloud spans more than 65,535 cells along one axis, which is a stray
    point or a cloud in millimetres, or lies where float32 is coarser than a cell.
    """
    if len(cloud) == 0:
        return _empty(size_m)
    low, high = cloud.xyz.min(axis=0).astype(np.float64), cloud.xyz.max(axis=0).astype(np.float64)
    _check_extent(low, high, (GRID_LIMIT - 1) * size_m)
    origin = np.floor(low / size_m) * size_m  # [3]
    # axis by axis, in float64: large clouds are many times larger than what is kept of them
    keys = np.zeros(len(cloud), np.int64)
    for axis in range(3):
        cells = np.floor((cloud.xyz[:, axis].astype(np.float64) - origin[axis]) / size_m)
        keys = (keys << AXIS_BITS) | cells.astype(np.int64)
    unique, point_to_voxel = np.unique(keys, return_inverse=True)  # [V], [N]
    point_to_voxel = point_to_voxel.reshape(-1).astype(np.int64, copy=False)
    mask = GRID_LIMIT - 1
    parts = [unique >> 2 * AXIS_BITS, unique >> AXIS_BITS & mask, unique & mask]
    coords = np.stack(parts, 1).astype(np.int32)
    centres = _mean(cloud.xyz, point_to_voxel, origin) + origin
    rgb = np.full((len(coords), 3), 0.5, np.float32)
    if cloud.rgb is not None:
        rgb = (_mean(cloud.rgb, point_to_voxel, np.zeros(3)) / 255.0).astype(np.float32)
    return Voxels(
        coords=coords,
        rgb=rgb,
        has_colour=cloud.rgb is not None,
        centres=centres.astype(np.float32),
        point_to_voxel=point_to_voxel,
        origin=origin,
        size_m=size_m,
    )


def _check_extent(low: NDArray[np.float64], high: NDArray[np.float64], most_m: float) -> None:
    reach = f'cloud reaches from {low.round(2).tolist()} to {high.round(2).tolist()} m: expected '
    if (high - low).max() >= most_m:
        raise ValueError(
            f'{reach}at most {most_m:.0f} m across; is it in millimetres, or is there a stray '
            'point? Scale it to metres, or take the stray away'
        )
    if np.abs([low, high]).max() > FAR_M:
        raise ValueError(
            f'{reach}at most {FAR_M / 1000:.0f} km from the origin; are these georeferenced? '
            'Subtract a place nearby from every point'
        )


def _mean(values: NDArray, groups: NDArray, origin: NDArray) -> NDArray[np.float64]:
    """Average rows [N, 3], counted from an origin, by group; returns [V, 3]."""
    count = np.bincount(groups)  # [V], at least 1 each
    columns = (values[:, k].astype(np.float64) - origin[k] for k in range(3))
    return np.stack([np.bincount(groups, column) / count for column in columns], 1)


def _empty(size_m: float) -> Voxels:
    return Voxels(
        coords=np.zeros((0, 3), np.int32),
        rgb=np.zeros((0, 3), np.float32),
        has_colour=False,
        centres=np.zeros((0, 3), np.float32),
        point_to_voxel=np.zeros(0, np.int64),
        origin=np.zeros(3, np.float64),
        size_m=size_m,
    )
