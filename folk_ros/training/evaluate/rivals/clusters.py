"""The simplest rival: take the table away; what hangs together in space is one object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.rivals.grid import Cells, components

ABOVE_M = 0.008  # what is lower belongs to the table
GAP_M = 0.01  # cells of this size that touch hang together
MIN_POINTS = 300  # a hand of points on a table is no object


def above_table(xyz: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the points [N, 3] (z up) above the plane fitted to the lowest level one."""
    low = np.flatnonzero(np.abs(xyz[:, 2] - _table_height(xyz)) < 2 * ABOVE_M)
    for _ in range(5):
        plane = np.c_[xyz[low, :2], np.ones(len(low))]
        factors, *_ = np.linalg.lstsq(plane, xyz[low, 2], rcond=None)
        height = xyz[:, 2] - (xyz[:, :2] @ factors[:2] + factors[2])
        low = np.flatnonzero(np.abs(height) < ABOVE_M)
    return np.flatnonzero(height > ABOVE_M)


def _table_height(xyz: NDArray[np.floating]) -> float:
    """Return the height at which most points lie."""
    z = xyz[:, 2]
    counts, edges = np.histogram(z, bins=max(int(np.ptp(z) / ABOVE_M), 1))
    return float(edges[counts.argmax()] + ABOVE_M / 2)


def euclidean_clusters(xyz: NDArray[np.floating]) -> NDArray[np.int64]:
    """Segment a table scan [N, 3], z up: object of each point, -1 for none."""
    result = np.full(len(xyz), -1, np.int64)
    objects = above_table(xyz)
    cells = Cells.of(xyz[objects], GAP_M)
    result[objects] = components(cells.touching, len(cells))[cells.cell_of]
    return large_ones(result)


def large_ones(segment: NDArray[np.int64]) -> NDArray[np.int64]:
    """Drop segments of few points."""
    counts = np.bincount(segment[segment >= 0], minlength=1)
    return np.where((segment >= 0) & (counts[segment] >= MIN_POINTS), segment, -1)
