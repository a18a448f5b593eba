"""Voxelisation: points on a regular grid, colours and positions averaged per voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud, Voxels

GRID_LIMIT = 1 << 16  # cells along one axis: what the student's keys hold
FAR_M = 1e6  # beyond, float32 metres are coarser than a voxel


def voxelize(cloud: PointCloud, size_m: float) -> Voxels:
    """
    Put a cloud on a grid of cells of `size_m` metres.

    Raises ValueError if the cloud spans more than 65,535 cells along one axis, which is a stray
    point or a cloud in millimetres.
    """
    if len(cloud) == 0:
        return _empty(size_m)
    low, high = cloud.xyz.min(axis=0).astype(np.float64), cloud.xyz.max(axis=0).astype(np.float64)
    if (high - low).max() >= (GRID_LIMIT - 1) * size_m or np.abs([low, high]).max() > FAR_M:
        raise ValueError(
            f'cloud reaches from {low.tolist()} to {high.tolist()} m: expected at most '
            f'{GRID_LIMIT * size_m:.0f} m across and {FAR_M:.0e} m from the origin; is it in '
            'millimetres, or is there a stray point?'
        )
    origin = np.floor(low / size_m) * size_m  # [3]
    grid = np.floor((cloud.xyz - origin) / size_m).astype(np.int64)  # [N, 3]
    keys = (grid[:, 0] << 32) | (grid[:, 1] << 16) | grid[:, 2]
    unique, point_to_voxel = np.unique(keys, return_inverse=True)  # [V], [N]
    point_to_voxel = point_to_voxel.reshape(-1).astype(np.int64)
    mask = GRID_LIMIT - 1
    coords = np.stack([unique >> 32, (unique >> 16) & mask, unique & mask], 1).astype(np.int32)
    count = np.bincount(point_to_voxel)  # [V], at least 1 each
    local = cloud.xyz - origin  # float64: sums of far coordinates would lose millimetres
    centres = _mean(local, point_to_voxel, count) + origin
    rgb = np.full((len(coords), 3), 0.5, np.float32)
    if cloud.rgb is not None:
        rgb = (_mean(cloud.rgb, point_to_voxel, count) / 255.0).astype(np.float32)
    return Voxels(
        coords=coords,
        rgb=rgb,
        has_colour=cloud.rgb is not None,
        centres=centres.astype(np.float32),
        point_to_voxel=point_to_voxel,
        origin=origin,
        size_m=size_m,
    )


def _mean(values: NDArray, groups: NDArray, count: NDArray) -> NDArray[np.float64]:
    """Average rows [N, 3] by group; returns [V, 3]."""
    sums = [np.bincount(groups, weights=values[:, k]) for k in range(3)]
    return np.stack(sums, 1) / count[:, None]


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
