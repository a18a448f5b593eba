"""Placing objects in a room: against walls, on tops, beside others, never through each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.objects.blueprint import Blueprint, Category, Rng, Support
from folk_ros.training.scenes.objects.catalog import CATEGORIES, VARIANTS
from folk_ros.training.scenes.rendering.primitives import moved, Part, turn

TRIES = 14
SCAN_M = 0.15  # a wall is searched in such steps for what found no place by chance
TOUCH_M = 0.004  # parts that overlap by less are in contact, not in collision
NOWHERE = np.zeros((0, 3))


@dataclass(frozen=True)
class Item:
    """An object that has no place yet."""

    category: Category
    made: Blueprint
    corners: NDArray[np.float64]  # [M, 8, 3] of its parts, own frame
    low: NDArray[np.float64]  # [3] of the box around all of them
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Placed:
    """One object that stands in the room."""

    item: Item
    parts: list[Part]  # world frame
    place: NDArray[np.float64]  # [3] its support point
    yaw: float

    @property
    def category(self) -> Category:
        """What kind of object it is."""
        return self.item.category

    @property
    def made(self) -> Blueprint:
        """The object in its own frame."""
        return self.item.made

    def to_world(self, x: float, y: float) -> tuple[float, float]:
        """Turn a point of the object's own plan into the room's."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        return self.place[0] + cos * x - sin * y, self.place[1] + sin * x + cos * y


@dataclass
class Room:
    """A room being furnished; x in [0, size[0]], y in [0, size[1]], floor at z = 0."""

    rng: Rng
    size: tuple[float, float, float]
    novel: bool  # may hold categories that training rooms never hold
    placed: list[Placed] = field(default_factory=list)
    low: NDArray[np.float64] = field(default_factory=NOWHERE.copy)  # boxes of all parts
    high: NDArray[np.float64] = field(default_factory=NOWHERE.copy)
    clear_low: NDArray[np.float64] = field(default_factory=NOWHERE.copy)  # boxes to keep free
    clear_high: NDArray[np.float64] = field(default_factory=NOWHERE.copy)

    def chance(self, share: float) -> bool:
        """Toss a coin."""
        return bool(self.rng.random() < share)

    def make(self, name: str, style: int | None = None) -> Item:
        """Build an object by its category or variant name; those of one style are alike."""
        category = VARIANTS.get(name) or CATEGORIES[name]
        if category.novel and not self.novel:
            raise ValueError(f"'{name}' is a novel category: not for training rooms")
        made = category.make(self.rng if style is None else np.random.default_rng(style))
        return as_item(category, made)

    def style(self) -> int:
        """Draw what makes objects alike."""
        return int(self.rng.integers(1 << 30))

    def free(
        self, low: NDArray[np.float64], high: NDArray[np.float64], anyway: bool = False
    ) -> bool:
        """
        Tell whether boxes [M, 3] lie inside the room and meet nothing in it.

        What is to be kept clear, such as the way through a door, counts unless `anyway`.
        """
        if (low.min(0) < -TOUCH_M).any() or (high.max(0) > np.array(self.size) + TOUCH_M).any():
            return False
        thin = np.minimum(TOUCH_M, (high - low) / 2)
        a, b = low + thin, high - thin
        if not anyway and _meet(a, b, self.clear_low, self.clear_high):
            return False
        return not _meet(a, b, self.low, self.high)

    def put(
        self, item: Item, place: Sequence[float], yaw: float, anyway: bool = False
    ) -> Placed | None:
        """Stand an object at a place if it is free there."""
        corners = item.corners @ turn('z', yaw).T + np.asarray(place, float)
        low, high = corners.min(1), corners.max(1)
        if not self.free(low, high, anyway):
            return None
        parts = moved(item.made.parts, place, yaw)
        placed = Placed(item, parts, np.asarray(place, float), yaw)
        self.placed.append(placed)
        self.low = np.concatenate([self.low, low])
        self.high = np.concatenate([self.high, high])
        return placed

    def keep_clear(self, base: Placed, depth: float) -> None:
        """Keep the space before an object on a wall clear of furniture."""
        low, high = base.item.low, base.item.high
        x = np.array([low[0], high[0] + depth])
        ends = np.array([base.to_world(a, b) for a in x for b in (low[1], high[1])])
        z = base.place[2] + np.array([low[2], high[2]])
        self.clear_low = np.vstack([self.clear_low, [*ends.min(0), z[0]]])
        self.clear_high = np.vstack([self.clear_high, [*ends.max(0), z[1]]])

    def wall_spot(self, wall: int, along: float, off: float) -> tuple[float, float, float]:
        """Return (x, y, yaw) at a wall (0 x=0, 1 y=0, 2 x=max, 3 y=max), facing the room."""
        x, y, _ = self.size
        spots = ((off, along), (along, off), (x - off, along), (along, y - off))
        return (*spots[wall], wall * np.pi / 2)

    def _wall_spots(self, item: Item, margin: float) -> Iterator[tuple[int, float]]:
        """Go through places along the walls: some by chance, then all there are."""
        reach = max(-item.low[1], item.high[1]) + margin
        lengths = [self.size[1 - wall % 2] for wall in range(4)]
        walls = [wall for wall in range(4) if lengths[wall] >= 2 * reach]
        for _ in range(TRIES if walls else 0):
            wall = walls[int(self.rng.integers(len(walls)))]
            along = self.rng.uniform(reach, lengths[wall] - reach)
            if self.chance(0.3):
                along = reach if self.chance(0.5) else lengths[wall] - reach
            yield wall, along
        spots = [(w, a) for w in walls for a in np.arange(reach, lengths[w] - reach, SCAN_M)]
        for k in self.rng.permutation(len(spots)):
            yield spots[k]

    def against_wall(
        self, name: str, gap: float = 0.02, loose: float = 0.03, style: int | None = None
    ) -> Placed | None:
        """Stand an object with its back to a wall, anywhere along the walls where it fits."""
        item = self.make(name, style)
        off = gap + float(self.rng.uniform(0, loose)) - item.low[0]
        for wall, along in self._wall_spots(item, 0.03):
            x, y, yaw = self.wall_spot(wall, along, off)
            placed = self.put(item, (x, y, 0), yaw)
            if placed:
                return placed
        return None

    def on_wall(self, name: str, height: tuple[float, float]) -> Placed | None:
        """Hang an object on a wall, its lowest point at a height from the range."""
        item = self.make(name)
        z = min(self.rng.uniform(*height), self.size[2] - item.high[2] - 0.02)
        for wall, along in self._wall_spots(item, 0.05):
            x, y, yaw = self.wall_spot(wall, along, 0.0)
            placed = self.put(item, (x, y, max(z, 0.0)), yaw)
            if placed:
                return placed
        return None

    def above(self, item: Item, below: Placed, height: float) -> Placed | None:
        """Hang an object on the wall right over one that stands against it."""
        wall = round(below.yaw / (np.pi / 2)) % 4
        along = below.place[1] if wall % 2 == 0 else below.place[0]
        x, y, yaw = self.wall_spot(wall, float(along), 0.0)
        return self.put(item, (x, y, height), yaw)

    def on_top(self, name: str, base: Placed, facing: float = 0.2) -> Placed | None:
        """Stand an object on one of the level places of another, facing about the same way."""
        if not base.made.supports:
            return None
        item = self.make(name)
        for _ in range(TRIES):
            support = base.made.supports[int(self.rng.integers(len(base.made.supports)))]
            if item.high[2] > support.room_above:
                continue
            x, y = self._spot_on(support, item.high - item.low)
            yaw = base.yaw + float(self.rng.normal(0, facing))
            spot = (*base.to_world(x, y), base.place[2] + support.z)
            placed = self.put(item, spot, yaw, anyway=True)
            if placed:
                return placed
        return None

    def _spot_on(self, support: Support, size: NDArray[np.float64]) -> tuple[float, float]:
        spot = []
        for k in range(2):
            middle = (support.low[k] + support.high[k]) / 2
            slack = max((support.high[k] - support.low[k] - size[k]) / 2, 0.0)
            spot.append(float(self.rng.uniform(middle - slack, middle + slack)))
        return spot[0], spot[1]

    def at(
        self, name: str, base: Placed, spot: tuple[float, float], z: float, turned: float = 0.0
    ) -> Placed | None:
        """Put an object at a point of another's own plan and height, turned against it."""
        place = (*base.to_world(*spot), base.place[2] + z)
        return self.put(self.make(name), place, base.yaw + turned, anyway=True)

    def in_front(
        self, item: Item, base: Placed, gap: float, along: float = 0.0, loose: float = 0.15
    ) -> Placed | None:
        """Stand an object before another, looking at it; a negative gap tucks it under."""
        reach = base.item.high[0] + item.high[0]
        for extra in (0.0, 0.08, 0.2, 0.35):
            turned = np.pi + float(self.rng.normal(0, loose))
            x, y = base.to_world(reach + gap + extra, along)
            placed = self.put(item, (x, y, 0), base.yaw + turned)
            if placed:
                return placed
        return None

    def beside(self, name: str, base: Placed) -> Placed | None:
        """Stand an object on the floor close to the left or right of another."""
        item = self.make(name)
        back, front = base.item.low[0] - item.low[0], base.item.high[0] - item.high[0]
        for side in (*self.rng.permutation((-1, 1)), *self.rng.permutation((-1, 1))):
            gap = float(self.rng.uniform(0.01, 0.12))
            right = base.item.high[1] - item.low[1] + gap
            y = right if side > 0 else base.item.low[1] - item.high[1] - gap
            x = float(self.rng.uniform(back, max(front, back)))
            yaw = base.yaw + float(self.rng.normal(0, 0.15))
            placed = self.put(item, (*base.to_world(x, y), 0), yaw)
            if placed:
                return placed
        return None

    def on_floor(self, name: str, aligned: float = 0.0) -> Placed | None:
        """Stand an object anywhere on the floor; a share of them in line with the walls."""
        item = self.make(name)
        reach = float(np.hypot(*np.maximum(-item.low, item.high)[:2])) + 0.02
        reach = min(reach, min(self.size[:2]) / 2)
        for _ in range(2 * TRIES):
            x = self.rng.uniform(reach, self.size[0] - reach)
            y = self.rng.uniform(reach, self.size[1] - reach)
            yaw = float(self.rng.uniform(-np.pi, np.pi))
            if self.chance(aligned):
                yaw = round(yaw / (np.pi / 2)) * np.pi / 2 + float(self.rng.normal(0, 0.03))
            placed = self.put(item, (x, y, 0), yaw)
            if placed:
                return placed
        return None

    def tops(self, *kinds: str) -> Iterator[Placed]:
        """Go through placed objects that have a level place of one of these kinds."""
        for placed in list(self.placed):
            if any(s.kind in kinds for s in placed.made.supports):
                yield placed


def as_item(category: Category, made: Blueprint) -> Item:
    """Measure an object."""
    corners = np.stack([part.corners() for part in made.parts])
    return Item(category, made, corners, corners.min((0, 1)), corners.max((0, 1)))


def _meet(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> bool:
    """Tell whether any of the boxes from a to b [M, 3] shares space with one of the others."""
    near = (high > a.min(0)).all(1) & (low < b.max(0)).all(1)
    ours = (high[near][None] > a[:, None]) & (low[near][None] < b[:, None])
    return bool(ours.all(2).any())
