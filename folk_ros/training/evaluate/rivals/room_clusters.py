"""The simplest rival in rooms: take floor and walls away; what hangs together is one object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.rivals.grid import Cells, components

CELL_M = 0.05  # cells that touch hang together
THICK_M = 0.04  # to each side of a plane
SHELL = 0.03  # share of the cells that floor or wall has at least
BEYOND = 0.1  # share that may lie behind it: a table top is no floor, but rooms have corners
TRIES = 400  # planes through three cells drawn at random
JUDGES = 4000  # cells that planes are judged by, drawn at random
MOST_PLANES = 12
MIN_POINTS = 100  # as the benchmark counts them

Floats = NDArray[np.float64]


def room_clusters(xyz: NDArray[np.floating], seed: int = 0) -> NDArray[np.int32]:
    """Segment a room's cloud [N, 3], metres: object of each point, -1 for none."""
    cells = Cells.of(xyz, CELL_M)
    result = np.full(len(xyz), -1, np.int32)
    inner = np.flatnonzero(~shell(cells.centres, np.random.default_rng(seed)))
    if not len(inner):
        return result
    row = np.full(len(cells), -1)
    row[inner] = np.arange(len(inner))
    pairs = row[cells.touching]
    group = np.full(len(cells), -1)
    group[inner] = components(pairs[(pairs >= 0).all(1)], len(inner))
    owner = group[cells.cell_of]
    large = np.bincount(owner[owner >= 0], minlength=group.max() + 1) >= MIN_POINTS
    number = np.where(large, np.cumsum(large) - 1, -1)
    result[owner >= 0] = number[owner[owner >= 0]]
    return result


def shell(points: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Tell which points [V, 3] lie on planes that have nearly all others on one side."""
    taken = np.zeros(len(points), bool)
    judges = points[rng.permutation(len(points))[:JUDGES]]
    left = judges
    for _ in range(MOST_PLANES):
        plane = _largest(left, judges, rng) if len(left) >= 3 else None
        if plane is None:
            break
        taken |= np.abs(points @ plane[:3] - plane[3]) < THICK_M
        left = left[np.abs(left @ plane[:3] - plane[3]) >= THICK_M]
    return taken


def _largest(left: Floats, judges: Floats, rng: np.random.Generator) -> Floats | None:
    """Return normal and distance [4] of the shell's plane with the most of what is left."""
    corners = left[rng.integers(0, len(left), (TRIES, 3))]  # [T, 3, 3]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1)
    flat = length > 1e-6
    normal = normal[flat] / length[flat, None]
    offset = (normal * corners[flat, 0]).sum(1)
    counts = (np.abs(left @ normal.T - offset) < THICK_M).sum(0)
    for best in np.argsort(-counts, kind='stable'):
        if counts[best] < SHELL * len(judges):
            return None
        side = judges @ normal[best] - offset[best]
        if min((side > THICK_M).mean(), (side < -THICK_M).mean()) <= BEYOND:
            return _fitted(np.append(normal[best], offset[best]), judges)
    return None


def _fitted(plane: Floats, points: Floats) -> Floats:
    """Return the plane of the points near a plane: three cells alone leave it askew."""
    for _ in range(3):
        near = points[np.abs(points @ plane[:3] - plane[3]) < THICK_M]
        middle = near.mean(0)
        normal = np.linalg.svd(near - middle, full_matrices=False)[2][2]
        plane = np.append(normal, normal @ middle)
    return plane
