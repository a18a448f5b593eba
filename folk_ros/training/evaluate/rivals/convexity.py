"""
The strong rival: supervoxels joined where the surface between them is convex.

After LCCP (Stein et al., CVPR 2014): two patches belong together if their normals open away from
each other, or hardly differ, and a common neighbour agrees. It needs no training, and ends where
an object is split by another one that stands before it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.rivals.clusters import above_table, large_ones
from folk_ros.training.evaluate.rivals.grid import Cells, components

CELL_M = 0.005
PATCH_M = 0.02  # distance between supervoxels at the start
ROUNDS = 6
FLAT_DEG = 20.0  # normals that differ less belong to one surface
SMALLEST = 0.4  # of the median segment: smaller pieces join the neighbour they touch most

Floats = NDArray[np.float64]


def convex_segments(xyz: NDArray[np.floating], eye: NDArray[np.floating]) -> NDArray[np.int64]:
    """Segment a table scan [N, 3], z up, seen from `eye` [3]: object of each point, -1 none."""
    result = np.full(len(xyz), -1, np.int64)
    objects = above_table(xyz)
    if len(objects) == 0:
        return result
    cells = Cells.of(xyz[objects], CELL_M)
    normals = cell_normals(cells, np.asarray(eye, np.float64))
    patch = supervoxels(cells, normals)
    centre, normal = _means(patch, cells.centres), _means(patch, normals)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    pairs = np.unique(np.sort(patch[cells.touching], axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    good = convex(centre, normal, pairs)
    joined = pairs[good & _agreed(pairs, good, len(centre))]
    segment = components(joined, len(centre))[patch]
    segment = absorb(segment, cells.touching)
    result[objects] = segment[cells.cell_of]
    return large_ones(result)


def cell_normals(cells: Cells, eye: Floats) -> Floats:
    """Fit a plane to each cell and two rings around it; unit normals [V, 3] towards `eye`."""
    p = cells.centres - cells.centres.mean(0)
    products = (p[:, :, None] * p[:, None]).reshape(-1, 9)
    moments = np.concatenate([np.ones((len(p), 1)), p, products], 1)
    a, b = cells.touching.T
    for _ in range(2):
        total = moments.copy()
        for column in range(moments.shape[1]):
            total[:, column] += np.bincount(a, moments[b, column], len(p))
            total[:, column] += np.bincount(b, moments[a, column], len(p))
        moments = total
    mean = moments[:, 1:4] / moments[:, :1]
    spread = moments[:, 4:].reshape(-1, 3, 3) / moments[:, :1, None]
    spread -= mean[:, :, None] * mean[:, None]
    normals = np.linalg.eigh(spread)[1][:, :, 0]
    away = (normals * (eye - cells.centres)).sum(1) < 0
    return np.where(away[:, None], -normals, normals)


def supervoxels(cells: Cells, normals: Floats) -> NDArray[np.int64]:
    """Gather cells to patches [V]: near in space, alike in direction, in one piece or nearly."""
    _, patch = np.unique(Cells.of(cells.centres, PATCH_M).cell_of, return_inverse=True)
    patch = patch.reshape(-1)
    a, b = cells.touching.T
    for _ in range(ROUNDS):
        centre, normal = _means(patch, cells.centres), _means(patch, normals)
        best = _strain(cells.centres, normals, centre, normal, np.arange(len(patch)), patch)
        new = patch.copy()
        for here, there in ((a, b), (b, a)):  # take over the patch of a neighbour that fits better
            cost = _strain(cells.centres, normals, centre, normal, here, patch[there])
            order = np.argsort(-cost, kind='stable')
            order = order[cost[order] < best[here[order]]]
            new[here[order]] = patch[there[order]]
            best[here[order]] = cost[order]
        patch = np.unique(new, return_inverse=True)[1].reshape(-1)
    return patch


def _strain(
    points: Floats,
    normals: Floats,
    centre: Floats,
    normal: Floats,
    rows: NDArray[np.int64],
    patch: NDArray[np.int64],
) -> Floats:
    """Return how badly cells [R] would fit into patches [R]."""
    far = np.square(points[rows] - centre[patch]).sum(1) / PATCH_M**2
    return np.asarray(far + 2.0 * (1 - (normals[rows] * normal[patch]).sum(1)))


def _means(patch: NDArray[np.int64], values: Floats) -> Floats:
    sums = np.stack([np.bincount(patch, values[:, k]) for k in range(values.shape[1])], 1)
    return np.asarray(sums / np.bincount(patch)[:, None])


def convex(centre: Floats, normal: Floats, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which pairs [E] of patches bulge outwards or are flat."""
    a, b = pairs.T
    way = centre[a] - centre[b]
    way /= np.linalg.norm(way, axis=1, keepdims=True) + 1e-12
    opening = (normal[a] * way).sum(1) - (normal[b] * way).sum(1)
    alike = (normal[a] * normal[b]).sum(1) > np.cos(np.deg2rad(FLAT_DEG))
    # a step between parallel surfaces is no connection: the line between them leaves both
    step = np.minimum(np.abs((normal[a] * way).sum(1)), np.abs((normal[b] * way).sum(1)))
    return np.asarray((opening > 0) & (step < 0.8) | alike & (step < 0.35))


def _agreed(pairs: NDArray[np.int64], good: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Return which pairs [E] have a common neighbour to whom both are joined, if any at all."""
    joined = np.zeros((count, count), np.bool_)
    near = np.zeros((count, count), np.bool_)
    for table, rows in ((joined, pairs[good]), (near, pairs)):
        table[rows[:, 0], rows[:, 1]] = table[rows[:, 1], rows[:, 0]] = True
    a, b = pairs.T
    both = (joined[a] & joined[b]).any(1)
    return both | ~(near[a] & near[b]).any(1)


def absorb(segment: NDArray[np.int64], touching: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give pieces too small for an object to the neighbour they touch most."""
    for _ in range(3):
        counts = np.bincount(segment)
        large = counts[counts >= 30]
        limit = max(SMALLEST * float(np.median(large)), 12) if len(large) else 0.0
        pairs = segment[touching]
        pairs = np.concatenate([pairs, pairs[:, ::-1]])
        pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & (counts[pairs[:, 0]] < limit)]
        if not len(pairs):
            break
        found, times = np.unique(pairs, axis=0, return_counts=True)
        found = found[np.argsort(times, kind='stable')]
        new = np.arange(len(counts))
        bigger = counts[found[:, 1]] > counts[found[:, 0]]
        new[found[bigger, 0]] = found[bigger, 1]
        segment = np.unique(new[segment], return_inverse=True)[1].reshape(-1)
    return segment
