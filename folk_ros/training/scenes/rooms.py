"""Placing objects in a room: against walls, on tops, around tables, never through each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.objects.blueprint import Blueprint, Category, Rng, Support
from folk_ros.training.scenes.objects.catalog import CATEGORIES, VARIANTS
from folk_ros.training.scenes.primitives import bounds, Material, moved, Part, slab

TRIES = 14
TOUCH_M = 0.004  # parts that overlap by less are in contact, not in collision


@dataclass(frozen=True)
class Placed:
    """One object that stands in the room."""

    category: Category
    made: Blueprint
    parts: list[Part]  # world frame
    place: NDArray[np.float64]  # [3] its support point
    yaw: float

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
    low: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))  # part boxes
    high: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))

    def chance(self, share: float) -> bool:
        """Toss a coin."""
        return bool(self.rng.random() < share)

    def make(self, name: str) -> tuple[Category, Blueprint]:
        """Build an object by its category or variant name."""
        category = VARIANTS.get(name) or CATEGORIES[name]
        if category.novel and not self.novel:
            raise ValueError(f"'{name}' is a novel category: not for training rooms")
        return category, category.make(self.rng)

    def free(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> bool:
        """Tell whether boxes [M, 3] lie inside the room and meet nothing in it."""
        if (low.min(0) < -TOUCH_M).any() or (high.max(0) > np.array(self.size) + TOUCH_M).any():
            return False
        thin = np.minimum(TOUCH_M, (high - low) / 2)
        a, b = low + thin, high - thin
        near = (self.high > a.min(0)).all(1) & (self.low < b.max(0)).all(1)
        ours = (self.high[near][None] > a[:, None]) & (self.low[near][None] < b[:, None])
        return not ours.all(2).any()

    def put(
        self, item: tuple[Category, Blueprint], place: Sequence[float], yaw: float
    ) -> Placed | None:
        """Stand an object at a place if it is free there."""
        category, made = item
        parts = moved(made.parts, place, yaw)
        corners = np.stack([part.corners() for part in parts])  # [M, 8, 3]
        low, high = corners.min(1), corners.max(1)
        if not self.free(low, high):
            return None
        placed = Placed(category, made, parts, np.asarray(place, float), yaw)
        self.placed.append(placed)
        self.low = np.concatenate([self.low, low])
        self.high = np.concatenate([self.high, high])
        return placed

    def wall_spot(self, wall: int, along: float, off: float) -> tuple[float, float, float]:
        """Return (x, y, yaw) at a wall (0 x=0, 1 y=0, 2 x=max, 3 y=max), facing the room."""
        x, y, _ = self.size
        spots = ((off, along), (along, off), (x - off, along), (along, y - off))
        return (*spots[wall], wall * np.pi / 2)

    def against_wall(self, name: str, gap: float = 0.02) -> Placed | None:
        """Stand an object with its back to a wall, somewhere along it."""
        item = self.make(name)
        low, high = bounds(item[1].parts)
        gap = gap + float(self.rng.uniform(0, 0.03))
        for _ in range(TRIES):
            wall = int(self.rng.integers(4))
            length = self.size[1 - wall % 2]
            reach = max(-low[1], high[1]) + 0.03
            if 2 * reach > length:
                continue
            along = self.rng.uniform(reach, length - reach)
            if self.chance(0.3):
                along = reach if self.chance(0.5) else length - reach
            x, y, yaw = self.wall_spot(wall, along, gap - low[0])
            placed = self.put(item, (x, y, 0), yaw)
            if placed:
                return placed
        return None

    def on_wall(self, name: str, height: tuple[float, float]) -> Placed | None:
        """Hang an object on a wall, its lowest point at a height from the range."""
        item = self.make(name)
        low, high = bounds(item[1].parts)
        for _ in range(TRIES):
            wall = int(self.rng.integers(4))
            length = self.size[1 - wall % 2]
            reach = max(-low[1], high[1]) + 0.05
            if 2 * reach > length:
                continue
            z = min(self.rng.uniform(*height), self.size[2] - high[2] - 0.02)
            spot = self.wall_spot(wall, self.rng.uniform(reach, length - reach), 0.0)
            placed = self.put(item, (spot[0], spot[1], max(z, 0.0)), spot[2])
            if placed:
                return placed
        return None

    def above(self, name: str, below: Placed, height: float) -> Placed | None:
        """Hang an object on the wall right over one that stands against it."""
        item = self.make(name)
        wall = round(below.yaw / (np.pi / 2)) % 4
        along = below.place[1] if wall % 2 == 0 else below.place[0]
        x, y, yaw = self.wall_spot(wall, float(along), 0.0)
        return self.put(item, (x, y, height), yaw)

    def on_top(self, name: str, base: Placed, facing: float = 0.2) -> Placed | None:
        """Stand an object on one of the level places of another, facing about the same way."""
        if not base.made.supports:
            return None
        item = self.make(name)
        low, high = bounds(item[1].parts)
        for _ in range(TRIES // 2):
            support = base.made.supports[int(self.rng.integers(len(base.made.supports)))]
            if high[2] > support.room_above:
                continue
            x, y = self._spot_on(support, high - low)
            yaw = base.yaw + float(self.rng.normal(0, facing))
            placed = self.put(item, (*base.to_world(x, y), base.place[2] + support.z), yaw)
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
        item = self.make(name)
        x, y = base.to_world(*spot)
        return self.put(item, (x, y, base.place[2] + z), base.yaw + turned)

    def in_front(self, name: str, base: Placed, gap: float, along: float = 0.0) -> Placed | None:
        """Stand an object before another, looking at it; a negative gap tucks it under."""
        item = self.make(name)
        reach = bounds(base.made.parts)[1][0] + bounds(item[1].parts)[1][0]
        for extra in (0.0, 0.08, 0.2, 0.35):
            turned = np.pi + float(self.rng.normal(0, 0.15))
            x, y = base.to_world(reach + gap + extra, along)
            placed = self.put(item, (x, y, 0), base.yaw + turned)
            if placed:
                return placed
        return None

    def around(self, name: str, table: Placed, count: int) -> None:
        """Stand seats around a table, looking at it, more or less tucked in."""
        low, high = bounds(table.made.parts)
        style = int(self.rng.integers(1 << 30))
        sides = [(0.0, 1), (np.pi, 1), (np.pi / 2, 0), (-np.pi / 2, 0)]
        spots = []
        for angle, axis in sides:
            width = high[axis] - low[axis]
            places = (-width / 4, width / 4) if width > 1.1 else (0.0,)
            spots += [(angle, axis, p) for p in places]
        for k in self.rng.permutation(len(spots))[:count]:
            angle, axis, along = spots[k]
            saved, self.rng = self.rng, np.random.default_rng(style)  # seats of one set are alike
            item = self.make(name)
            self.rng = saved
            reach = (high[1 - axis] - low[1 - axis]) / 2 + bounds(item[1].parts)[1][0]
            away = reach + self.rng.uniform(-0.22, 0.12)
            out = np.array([np.cos(angle), np.sin(angle)])
            side = np.array([-out[1], out[0]])
            for extra in (0.0, 0.12, 0.3):
                spot = out * (away + extra) + side * along
                x, y = table.to_world(spot[0], spot[1])
                yaw = table.yaw + angle + np.pi + float(self.rng.normal(0, 0.12))
                if self.put(item, (x, y, 0), yaw):
                    break

    def on_floor(self, name: str) -> Placed | None:
        """Stand an object anywhere on the floor, turned anyhow."""
        item = self.make(name)
        low, high = bounds(item[1].parts)
        reach = min(float(np.hypot(*np.maximum(-low, high)[:2])) + 0.02, min(self.size[:2]) / 2)
        for _ in range(TRIES):
            x = self.rng.uniform(reach, self.size[0] - reach)
            y = self.rng.uniform(reach, self.size[1] - reach)
            placed = self.put(item, (x, y, 0), float(self.rng.uniform(-np.pi, np.pi)))
            if placed:
                return placed
        return None

    def tops(self, *kinds: str) -> Iterator[Placed]:
        """Go through placed objects that have a level place of one of these kinds."""
        for placed in list(self.placed):
            if any(s.kind in kinds for s in placed.made.supports):
                yield placed


def shell(
    size: tuple[float, float, float], walls: Sequence[Material], floor: Material, ceiling: Material
) -> list[Part]:
    """Build floor, ceiling and four walls around a room, from outside."""
    x, y, z = size
    t = 0.1
    parts = [slab(floor, (-t, -t, -t), (x + t, y + t, 0))]
    parts.append(slab(ceiling, (-t, -t, z), (x + t, y + t, z + t)))
    parts.append(slab(walls[0], (-t, 0, 0), (0, y, z)))
    parts.append(slab(walls[1], (0, -t, 0), (x, 0, z)))
    parts.append(slab(walls[2], (x, 0, 0), (x + t, y, z)))
    parts.append(slab(walls[3], (0, y, 0), (x, y + t, z)))
    return parts
