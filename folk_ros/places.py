"""
Where objects are, as sets of cells: what is compared to know an object again.

A cell is one number, three coordinates of 21 bits side by side, so that a neighbour is a step away
in the number too. Cells lie on a grid of the fixed frame; the sets are sorted and hold no cell
twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud

Cells = NDArray[np.int64]

LIMIT = 2**20 - 1  # coordinates beyond are held at it; 21 bits each, with the sign
STEPS = np.array([0, 1, -1, 1 << 21, -(1 << 21), 1 << 42, -(1 << 42)])  # here, and the six beside
SAMPLE = 256  # cells of an object that are looked up; their shares are what counts
RING_CELLS = 400  # of the surroundings remembered
REPAINTED = 40.0  # of 255: what differs more in a channel has another colour
THIN = 0.75  # cells from a plane, on average
CLEAR = 0.95  # share of a thin thing's cells clear of others that sets it apart from a support
FEW_CELLS = 3  # fewer cells in view say nothing
RING_REACH = 3  # cells beside an object that count as its surroundings


def cells_of(xyz: NDArray[np.float32], cell_m: float) -> Cells:
    """Return the cell of every point [N], in the points' order."""
    grid = np.floor(xyz * np.float32(1 / cell_m)).clip(-LIMIT, LIMIT).astype(np.int64)
    grid += LIMIT + 1
    return (grid[:, 0] << 42) | (grid[:, 1] << 21) | grid[:, 2]


def contains(cells: Cells, wanted: Cells) -> NDArray[np.bool_]:
    """Return whether each wanted cell, in any shape, is in a sorted set."""
    if not len(cells):
        return np.zeros(wanted.shape, np.bool_)
    at = np.searchsorted(cells, wanted).clip(max=len(cells) - 1)
    return np.asarray(cells[at] == wanted)


def beside(cells: Cells, wanted: Cells) -> NDArray[np.bool_]:
    """Return whether each wanted cell [C], or one of the six beside it, is in a sorted set."""
    return np.asarray(contains(cells, wanted[:, None] + STEPS).any(1))


def in_view(these: Sequence[Cells], occupied: Cells) -> list[Cells]:
    """
    Return what of each set lies in or beside occupied cells, all sorted.

    A set of which (nearly) nothing does stays whole.
    """
    if not these:
        return []
    ends = np.cumsum([len(cells) for cells in these])[:-1]
    every = np.concatenate(these)
    shown = contains(occupied, every)
    shown[~shown] = beside(occupied, every[~shown])  # most are where they were: no need to ask
    return [
        cells[mine] if np.count_nonzero(mine) >= FEW_CELLS else cells
        for cells, mine in zip(these, np.split(shown, ends), strict=True)
    ]


def sampled(cells: Cells, count: int = SAMPLE) -> Cells:
    """Return at most so many of the cells, evenly spread."""
    return cells[:: -(-len(cells) // count)] if len(cells) > count else cells


@dataclass(frozen=True, eq=False)
class CellIndex:
    """The points of a cloud by the cells that they fill."""

    point_cells: Cells  # [N]

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Rows of the points [N], cell by cell."""
        return np.argsort(self.point_cells)

    @cached_property
    def _sorted(self) -> Cells:
        return self.point_cells[self.order]

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """Where each cell begins among the sorted points [C]."""
        return np.flatnonzero(np.diff(self._sorted, prepend=-1))

    @cached_property
    def cells(self) -> Cells:
        """Cells that hold points, sorted [C]."""
        return self._sorted[self._first]

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many points each of the cells holds [C]."""
        return np.diff(self._first, append=len(self._sorted))

    def cells_of(self, points: NDArray[np.integer]) -> Cells:
        """Return the cells, sorted, of which at least half of the points are among these."""
        cells, counts = np.unique(self.point_cells[points], return_counts=True)
        return cells[2 * counts >= self.counts[np.searchsorted(self.cells, cells)]]

    def points_in(self, cells: Cells) -> NDArray[np.int32]:
        """Return the points [M] in a set of cells, rising."""
        at = np.searchsorted(self.cells, cells).clip(max=max(len(self.cells) - 1, 0))
        at = at[contains(self.cells, cells)]
        first, amount = self._first[at], self.counts[at]
        within = np.arange(amount.sum()) - np.repeat(np.cumsum(amount) - amount, amount)
        return np.sort(self.order[np.repeat(first, amount) + within]).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Occupancy:
    """A cloud and the cells that it fills."""

    cloud: PointCloud
    index: CellIndex

    @classmethod
    def of(cls, cloud: PointCloud, cell_m: float) -> Occupancy:
        """Put a cloud on the grid."""
        return cls(cloud, CellIndex(cells_of(cloud.xyz, cell_m)))

    @property
    def cells(self) -> Cells:
        """Cells that hold points, sorted."""
        return self.index.cells


@dataclass(frozen=True, eq=False)
class Place:
    """Where an object was when it was last seen, and what was around it."""

    cells: Cells  # [C] that its points fill
    core: Cells  # those with nothing else in them or beside them: empty for what lies flat
    ring: Cells  # some cells of other things near it
    colour: NDArray[np.float32] | None  # [3] mean, 0 to 255
    thin: bool = False  # about a cell thick, in some direction

    @property
    def buried(self) -> bool:
        """Whether all of it lies in or beside cells of other things."""
        return len(self.core) < max(3, 0.05 * len(self.cells))

    @property
    def flat(self) -> bool:
        """Whether it cannot be told by its shape from what it lies on or hangs at."""
        return self.buried or (self.thin and len(self.core) < CLEAR * len(self.cells))


def place_of(occupancy: Occupancy, points: NDArray[np.integer]) -> Place:
    """Describe where the points of an object are."""
    cells = np.unique(occupancy.index.point_cells[points])
    own = occupancy.index.cells_of(points)  # the rest belongs to other things as well
    near = own[:, None] + STEPS
    other = contains(occupancy.cells, near) & ~contains(own, near)
    ring = surroundings(occupancy.cells, cells) if len(cells) else cells
    colour = mean_colour(occupancy.cloud, points)
    return Place(cells, own[~other.any(1)], ring, colour, is_thin(cells))


def glimpse_of(occupancy: Occupancy, points: NDArray[np.integer]) -> Place:
    """Say in which cells the points of an object are, and its colour: no more, and soon."""
    nothing = np.empty(0, np.int64)
    cells = np.unique(occupancy.index.point_cells[points])
    return Place(cells, nothing, nothing, mean_colour(occupancy.cloud, points))


def is_thin(cells: Cells) -> bool:
    """Whether cells lie close to a plane."""
    if len(cells) < 4:
        return True
    spread = np.linalg.eigvalsh(np.cov(unpacked(sampled(cells)).T.astype(np.float64)))
    return bool(spread[0] < THIN**2)


def mean_colour(cloud: PointCloud, points: NDArray[np.integer]) -> NDArray[np.float32] | None:
    """Return the mean colour [3] of some points, where there are any and they have one."""
    if cloud.rgb is None or not len(points):
        return None
    return np.asarray(cloud.rgb[points[:: len(points) // 4096 + 1]].mean(0), np.float32)


def differs(
    one: NDArray[np.float32] | None, other: NDArray[np.float32] | None, most: float = REPAINTED
) -> bool:
    """Whether two mean colours, where both are known, are clearly not the same."""
    return one is not None and other is not None and float(np.abs(one - other).max()) > most


def same_colour(
    one: NDArray[np.float32] | None, other: NDArray[np.float32] | None, most: float
) -> bool:
    """Whether two mean colours are both known, and no channel of them is further apart."""
    return one is not None and other is not None and float(np.abs(one - other).max()) <= most


def surroundings(cells: Cells, own: Cells) -> Cells:
    """Return some of the filled cells close to an object's own, without those."""
    grid = unpacked(own)
    low, high = grid.min(0) - RING_REACH, grid.max(0) + RING_REACH
    # Cells are sorted by x first: two cuts leave the slab that the object's box lies in.
    ends = np.array([max(low[0], 0) << 42, min(high[0] + 1, 2 * LIMIT + 1) << 42])
    slab = cells[slice(*np.searchsorted(cells, ends))]
    around = unpacked(slab)
    slab = slab[((around >= low) & (around <= high)).all(1)]
    return sampled(slab[~beside(own, slab)], RING_CELLS)


def points_within(cloud: PointCloud, cells: Cells, cell_m: float) -> NDArray[np.int32]:
    """Return the points of a cloud that lie in a set of cells, rising."""
    grid = unpacked(cells) - (LIMIT + 1)
    low, high = (grid.min(0) - 1) * cell_m, (grid.max(0) + 2) * cell_m
    rows = np.arange(len(cloud), dtype=np.int32)
    for axis in range(3):
        values = cloud.xyz[rows, axis]
        rows = rows[(values >= low[axis]) & (values <= high[axis])]
    return rows[contains(cells, cells_of(cloud.xyz[rows], cell_m))]


def centres(cells: Cells, cell_m: float) -> NDArray[np.float64]:
    """Return the middles [C, 3] of cells, metres."""
    return np.asarray((unpacked(cells) - LIMIT - 0.5) * cell_m, np.float64)


def unpacked(cells: Cells) -> NDArray[np.int64]:
    """Return the coordinates [C, 3] of cells, all of them positive."""
    mask = (1 << 21) - 1
    return np.stack([cells >> 42, (cells >> 21) & mask, cells & mask], 1)
