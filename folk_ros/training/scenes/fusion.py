"""Posed RGB-D views become one cloud, with the instance of every point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.scene import View


def back_project(view: View) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return world points [M, 3] of the measured pixels, and those pixels' flat indices [M]."""
    pixels = np.flatnonzero(view.depth > 0)
    z = view.depth.reshape(-1)[pixels].astype(np.float64)
    v, u = np.divmod(pixels, view.depth.shape[1])
    k = view.intrinsics.astype(np.float64)
    camera = np.stack([(u - k[0, 2]) / k[0, 0] * z, (v - k[1, 2]) / k[1, 1] * z, z], axis=1)
    T = view.T_world_camera.astype(np.float64)
    return (camera @ T[:3, :3].T + T[:3, 3]).astype(np.float32), pixels


def fuse(
    views: Sequence[View], cell_m: float, min_support: int = 4
) -> tuple[PointCloud, NDArray[np.int32]]:
    """
    Average back-projected pixels in a grid; return the cloud and instances [N], -1 none.

    A cell hit once is kept only if the 27 cells around it were hit `min_support` times in all.
    A point's instance is the one most of its pixels show.
    """
    xyz, rgb, instance = _gather(views)
    if not len(xyz):
        empty = PointCloud(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), 'world')
        return empty, np.zeros(0, np.int32)
    grid = np.floor(xyz / cell_m).astype(np.int64)
    grid -= grid.min(0) - 1
    shape = grid.max(0) + 2
    keys = np.ravel_multi_index(tuple(grid.T), tuple(shape))
    cells, cell_of, hits = np.unique(keys, return_inverse=True, return_counts=True)
    kept = (hits > 1) | (_around(cells, hits, tuple(int(s) for s in shape)) >= min_support)
    total = [np.bincount(cell_of, weights=values) for values in (*xyz.T, *rgb.T)]
    mean = (np.stack(total, axis=1) / hits[:, None])[kept]
    cloud = PointCloud(
        mean[:, :3].astype(np.float32), np.rint(mean[:, 3:]).astype(np.uint8), 'world'
    )
    return cloud, majority(cell_of, instance, len(cells))[kept]


def _gather(
    views: Sequence[View],
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.int32]]:
    points, colours, instances = [np.zeros((0, 3), np.float32)], [np.zeros((0, 3), np.uint8)], []
    instances = [np.zeros(0, np.int32)]
    for view in views:
        xyz, pixels = back_project(view)
        points.append(xyz)
        colours.append(view.rgb.reshape(-1, 3)[pixels])
        shown = np.full(len(pixels), -1, np.int32)
        if view.instance is not None:
            shown = view.instance.reshape(-1)[pixels]
        instances.append(shown)
    return np.concatenate(points), np.concatenate(colours), np.concatenate(instances)


def _around(
    cells: NDArray[np.int64], hits: NDArray[np.int64], shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Sum the hits of the 3 x 3 x 3 cells around each cell; no cell lies on the grid's rim."""
    grid = np.zeros(int(np.prod(shape)), np.uint16)
    grid[cells] = np.minimum(hits, 100)
    total = np.zeros(len(cells), np.int64)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            start = cells + (dx * shape[1] + dy) * shape[2]
            for dz in (-1, 0, 1):
                total += grid[start + dz]
    return total


def majority(group: NDArray[np.int64], value: NDArray[np.int32], groups: int) -> NDArray[np.int32]:
    """Return the most frequent value [groups] within each group; the lowest wins a tie."""
    span = int(value.max(initial=-1)) + 2
    pairs, counts = np.unique(group * span + (value + 1), return_counts=True)
    owner, shown = np.divmod(pairs, span)
    order = np.lexsort((shown, -counts, owner))
    first = np.ones(len(order), np.bool_)
    first[1:] = owner[order][1:] != owner[order][:-1]
    result = np.full(groups, -1, np.int32)
    result[owner[order][first]] = (shown[order][first] - 1).astype(np.int32)
    return result
