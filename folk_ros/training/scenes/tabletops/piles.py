"""
Putting things on a table so that they stand, lie, lean and pile up as things do.

The pile is a height map. A thing is two patches of such a map, its upper and its lower side;
it is let down, or pushed along the table until it would have to climb. So nothing overlaps, cups
may hold things, and what a thing touches says whether it would stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from folk_ros.training.scenes.rendering.primitives import Part
from folk_ros.training.scenes.rendering.raycast import Camera, cast, pack

CELL_M = 0.004
FAR_M = 50.0  # a camera this far away sees things as from everywhere above
TOUCHING_M = 0.003  # what is this near to each other carries
FLOATING = 1e3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Body:
    """A thing in the pose in which it will lie, lowest point at z = 0, centred on the z axis."""

    parts: Sequence[Part]
    under: Floats  # [H, W] height of its lower side over each cell, FLOATING where there is none
    over: Floats  # [H, W] height of its upper side, -FLOATING where there is none
    centre: Floats  # [3] centre of mass, about

    @property
    def reach_m(self) -> float:
        """Distance from the axis that no part exceeds."""
        return float(np.hypot(*self.under.shape)) * CELL_M / 2

    @property
    def height_m(self) -> float:
        """Height of the highest point."""
        return float(self.over.max())


def make_body(parts: Sequence[Part], rotation: Floats) -> Body:
    """Turn parts and find their upper and lower sides."""
    turned = [part.moved(rotation, (0, 0, 0)) for part in parts]
    corners = np.concatenate([part.corners() for part in turned])
    low, high = corners.min(0), corners.max(0)
    middle = (low + high) / 2
    turned = [part.moved(np.eye(3), -middle) for part in turned]
    cells = np.ceil((high - low)[:2] / 2 / CELL_M).astype(int) * 2 + 3
    over, under = _sides(turned, (int(cells[0]), int(cells[1])))
    bottom = under.min()
    turned = [part.moved(np.eye(3), (0, 0, -bottom)) for part in turned]
    volume = np.array([part.half.prod() for part in turned])
    centre = (np.stack([part.centre for part in turned]) * volume[:, None]).sum(0) / volume.sum()
    seen = under < FLOATING
    return Body(
        turned,
        np.where(seen, under - bottom, FLOATING),
        np.where(seen, over - bottom, -FLOATING),
        centre,
    )


def _sides(parts: Sequence[Part], cells: tuple[int, int]) -> tuple[Floats, Floats]:
    """Look at parts from far above and from far below; x runs along rows, y along columns."""
    focal = FAR_M / CELL_M
    k = np.array([[focal, 0, (cells[1] - 1) / 2], [0, focal, (cells[0] - 1) / 2], [0, 0, 1]])
    solids = pack(parts)
    above, below = np.eye(4), np.eye(4)
    above[:3, :3] = [[0, 1, 0], [1, 0, 0], [0, 0, -1]]  # columns: camera x is y, camera y is x
    above[2, 3] = FAR_M
    below[:3, :3] = [[0, 1, 0], [1, 0, 0], [0, 0, 1]]  # a mirror image, which rays do not mind
    below[2, 3] = -FAR_M
    down, _ = cast(solids, Camera(cells[1], cells[0], k, above))
    up, _ = cast(solids, Camera(cells[1], cells[0], k, below))
    seen = (down > 0) & (up > 0)
    over = np.where(seen, FAR_M - down.astype(np.float64), -FLOATING)
    under = np.where(seen, up.astype(np.float64) - FAR_M, FLOATING)
    return over, under


@dataclass(frozen=True)
class Placed:
    """A body and where its axis stands."""

    body: Body
    place: Floats  # [3]

    def parts(self) -> list[Part]:
        """Return its parts in the world."""
        return [part.moved(np.eye(3), self.place) for part in self.body.parts]


@dataclass
class Pile:
    """What lies on a table of some size around the origin, its top at z = 0."""

    half_m: float = 0.6
    placed: list[Placed] = field(default_factory=list)

    def __post_init__(self) -> None:
        side = 2 * round(self.half_m / CELL_M) + 1
        self.heights = np.zeros((side, side))

    def let_down(self, body: Body, at: ArrayLike) -> Placed | None:
        """Let a body down at a place [2]; None where it would not stay or hangs over."""
        window = self._window(body, at)
        if window is None:
            return None
        ground = self.heights[window]
        z = float((ground - body.under).max())
        near = ground - body.under > z - TOUCHING_M
        spots = np.argwhere(near) - (np.array(near.shape) - 1) / 2
        if not _carries(spots * CELL_M - body.centre[:2]):
            return None
        return self._put(body, window, z)

    def push(
        self, body: Body, start: ArrayLike, goal: ArrayLike, gap_m: float = 0.0
    ) -> Placed | None:
        """
        Push a body along the table from a place [2] towards another until something stops it.

        It stays `gap_m` away from there. None where nothing stops it, or at once.
        """
        start, goal = np.asarray(start, float), np.asarray(goal, float)
        length = float(np.linalg.norm(goal - start))
        way = np.arange(0.0, length, CELL_M)
        last = -1
        for step, distance in enumerate(way):
            window = self._window(body, start + (goal - start) * (distance / length))
            if window is None:
                continue
            if (self.heights[window] - body.under).max() > 0.001:
                break
            last = step
        else:
            return None
        step = last - round(gap_m / CELL_M)
        if step < 0:
            return None
        window = self._window(body, start + (goal - start) * (way[step] / length))
        return None if window is None else self._put(body, window, 0.0)

    def touched(self, body: Body, at: ArrayLike, towards: ArrayLike) -> Floats | None:
        """Return where [2] a body at a place would be stopped on its way; None if nowhere."""
        at, towards = np.asarray(at, float), np.asarray(towards, float)
        ahead = at + (towards - at) / np.linalg.norm(towards - at) * 1.5 * CELL_M
        window = self._window(body, ahead)
        if window is None:
            return None
        hits = np.argwhere(self.heights[window] - body.under > 0.001)
        if not len(hits):
            return None
        return (hits.mean(0) - (np.array(body.under.shape) - 1) / 2) * CELL_M + ahead

    def take_back(self, placed: Placed, before: Floats) -> None:
        """Undo the last placing, given the heights before it."""
        self.placed.remove(placed)
        self.heights = before

    def _window(self, body: Body, at: ArrayLike) -> tuple[slice, slice] | None:
        rows, columns = body.under.shape
        middle = (len(self.heights) - 1) // 2
        spot = np.rint(np.asarray(at, float) / CELL_M).astype(int) + middle
        first = spot - ((rows - 1) // 2, (columns - 1) // 2)
        if first.min() < 0 or (first + (rows, columns) > len(self.heights)).any():
            return None
        return slice(first[0], first[0] + rows), slice(first[1], first[1] + columns)

    def _put(self, body: Body, window: tuple[slice, slice], z: float) -> Placed:
        self.heights[window] = np.maximum(self.heights[window], body.over + z)
        middle = (len(self.heights) - 1) / 2
        spot = [(part.start + part.stop - 1) / 2 - middle for part in window]
        placed = Placed(body, np.array([spot[0] * CELL_M, spot[1] * CELL_M, z]))
        self.placed.append(placed)
        return placed


def _carries(spots: Floats) -> bool:
    """Tell whether contacts [C, 2] lie on all sides of the origin."""
    angles = np.sort(np.arctan2(spots[:, 1], spots[:, 0]))
    if len(angles) < 3:
        return False
    gaps = np.diff(angles, append=angles[0] + 2 * np.pi)
    return bool(gaps.max() < np.pi)
