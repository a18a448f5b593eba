"""Changing a furnished room: objects are taken away, others pushed to where there is space."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.filming.camera_path import Surroundings
from folk_ros.training.scenes.filming.film import Stage
from folk_ros.training.scenes.objects.blueprint import Rng

Floats = NDArray[np.float64]

TRIES = 200
STEP_M = (0.4, 1.2)  # how far things are pushed
REST_M = 0.02  # between a thing and what it stands on
TOUCH_M = 0.005  # what overlaps by less is in contact, not in collision


@dataclass(frozen=True)
class Change:
    """What was done to a room; objects by their rows."""

    removed: frozenset[int]
    moved: frozenset[int]


@dataclass(frozen=True)
class Furniture:
    """The boxes of all parts of the objects in a room."""

    low: Floats  # [M, 3]
    high: Floats  # [M, 3]
    owner: NDArray[np.int32]  # [M] object
    size: tuple[float, float, float]  # of the room

    def bounds(self, row: int) -> tuple[Floats, Floats]:
        """Return the corners of the box around an object."""
        own = self.owner == row
        return self.low[own].min(0), self.high[own].max(0)

    def rests(self, row: int, shift: Floats) -> bool:
        """Whether an object, shifted, would stand on the floor or on another one."""
        low, high = self.bounds(row)
        if low[2] < REST_M:
            return True
        middle, others = ((low + high) / 2 + shift)[:2], self.owner != row
        under = (self.low[others, :2] < middle).all(1) & (self.high[others, :2] > middle).all(1)
        return bool((under & (np.abs(self.high[others, 2] - low[2]) < REST_M)).any())

    def is_bare(self, row: int) -> bool:
        """Whether nothing stands on an object or hangs over it into its box."""
        low, high = self.bounds(row)
        others = self.owner != row
        a, b = self.low[others], self.high[others]
        within = (a[:, :2] < high[:2]).all(1) & (b[:, :2] > low[:2]).all(1)
        return not (within & (a[:, 2] > low[2] + REST_M) & (a[:, 2] < high[2] + REST_M)).any()

    def fits(self, row: int, shift: Floats) -> bool:
        """Whether an object, shifted, lies inside the room and meets no other."""
        own = self.owner == row
        low, high = self.low[own] + shift + TOUCH_M, self.high[own] + shift - TOUCH_M
        inside = (low[:, :2] > 0).all() and (high[:, :2] < np.array(self.size[:2])).all()
        meets = (low[:, None] < self.high[~own]).all(-1) & (high[:, None] > self.low[~own]).all(-1)
        return bool(inside and not meets.any())

    def shifted(self, row: int, shift: Floats) -> Furniture:
        """Push an object."""
        own = (self.owner == row)[:, None]
        return replace(self, low=self.low + own * shift, high=self.high + own * shift)

    def without(self, rows: frozenset[int]) -> Furniture:
        """Take objects away."""
        keep = ~np.isin(self.owner, list(rows))
        return replace(self, low=self.low[keep], high=self.high[keep], owner=self.owner[keep])


def change(
    rng: Rng, stage: Stage, around: Surroundings, candidates: set[int], removed: int, moved: int
) -> tuple[Stage, Surroundings, Change]:
    """
    Take some objects out of a room and push others; lights and shadows stay.

    Only candidates that stand, and on which nothing stands, are touched; where there are not
    enough of them, or no space, fewer are.
    """
    furniture = Furniture(around.low, around.high, stage.owner[stage.owner >= 0], around.size)
    still = np.zeros(3)
    free = [row for row in sorted(candidates) if furniture.rests(row, still)]
    free = [free[k] for k in rng.permutation(len(free)) if furniture.is_bare(free[k])]
    gone = frozenset(free[:removed])
    pushed: dict[int, Floats] = {}
    for row in free[removed:]:  # not to where something was taken away: it would pass for it
        shift = find_shift(rng, furniture, row) if len(pushed) < moved else None
        if shift is not None:
            furniture = furniture.shifted(row, shift)
            pushed[row] = shift
    furniture = furniture.without(gone)
    stage = changed_stage(stage, gone, pushed)
    around = replace(
        around, low=furniture.low, high=furniture.high, solids=stage.solids, owner=stage.owner
    )
    return stage, around, Change(gone, frozenset(pushed))


def find_shift(rng: Rng, furniture: Furniture, row: int) -> Floats | None:
    """Look for a level shift [3] to where an object may stand; None where there is none."""
    for _ in range(TRIES):
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(*STEP_M)
        shift = np.array([np.cos(angle) * length, np.sin(angle) * length, 0.0])
        if furniture.fits(row, shift) and furniture.rests(row, shift):
            return shift
    return None


def changed_stage(stage: Stage, removed: frozenset[int], pushed: dict[int, Floats]) -> Stage:
    """Return the stage without some objects, and with others elsewhere."""
    centre = stage.solids.centre.copy()
    for row, shift in pushed.items():
        centre[stage.owner == row] += shift
    keep = ~np.isin(stage.owner, list(removed))
    solids, looks = replace(stage.solids, centre=centre), stage.looks
    return replace(
        stage,
        solids=replace(solids, **{k: value[keep] for k, value in vars(solids).items()}),
        looks=replace(looks, **{k: value[keep] for k, value in vars(looks).items()}),
        owner=stage.owner[keep],
    )
