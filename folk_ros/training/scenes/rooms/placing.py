"""Putting some of many things on tops, walls and the floor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from folk_ros.training.scenes.objects.catalog import CATEGORIES
from folk_ros.training.scenes.rooms.room import Placed, Room

HEIGHTS = {
    'picture': (1.2, 1.6), 'poster': (1.0, 1.3), 'clock': (1.6, 1.9), 'mirror': (0.9, 1.2),
    'whiteboard': (0.9, 1.05), 'blackboard': (0.9, 1.0), 'bulletin board': (1.1, 1.4),
    'towel': (0.9, 1.2), 'blinds': (1.0, 1.2), 'toilet paper': (0.6, 0.75),
    'range hood': (1.5, 1.6), 'kitchen cabinet': (1.45, 1.55),
}  # fmt: skip
SNUG = 0.4  # share of small things that touch, or nearly touch, the one put down before
ONCE = {'coffee maker', 'microwave', 'dish rack', 'paper towel roll', 'printer', 'toaster',
        'coffee kettle', 'telephone', 'projector'}  # fmt: skip
"""Things of which a room has one."""
MOST = 14  # things on one piece of furniture


def some(room: Room, names: Sequence[str], low: int, high: int) -> list[str]:
    """Pick between low and high of the names, each at most once."""
    count = min(int(room.rng.integers(low, high + 1)), len(names))
    return [names[k] for k in room.rng.permutation(len(names))[:count]]


def scatter(room: Room, base: Placed | None, names: Sequence[str], density: float) -> None:
    """
    Put things of the names on a piece of furniture, some of them side by side.

    `density` is the number of things per square metre of its level places, on average.
    """
    if base is None:
        return
    supports = base.made.supports
    area = sum((s.high[0] - s.low[0]) * (s.high[1] - s.low[1]) for s in supports)
    count = round(area * density * float(room.rng.uniform(0.4, 1.6)))
    count = min(max(count, 1), MOST)
    last: Placed | None = None
    for _ in range(2 * count):  # some find no place: too high, too wide
        name = known(room, names)
        placed = None
        if last is not None and room.chance(SNUG):
            placed = next_to(room, name, last, base)
        placed = placed or room.on_top(name, base, 0.35)
        last = placed or last
        count -= placed is not None
        if not count:
            break


def known(room: Room, names: Sequence[str]) -> str:
    """Pick a name that the room may hold, and does not hold yet where one is enough."""
    there = {placed.category.name for placed in room.placed} & ONCE
    allowed = [
        name for name in names if name not in there and (room.novel or not CATEGORIES[name].novel)
    ]
    return allowed[int(room.rng.integers(len(allowed)))]


def next_to(room: Room, name: str, near: Placed, base: Placed) -> Placed | None:
    """Put a small thing beside another one on the same level place, close to touching."""
    item = room.make(name)
    z = near.place[2] - base.place[2]
    for side in room.rng.permutation(4)[:3]:
        axis, sign = side // 2, 1 if side % 2 else -1
        spot = [0.0, 0.0]
        gap = float(room.rng.uniform(0, 0.015))
        if sign > 0:
            spot[axis] = near.item.high[axis] - item.low[axis] + gap
        else:
            spot[axis] = near.item.low[axis] - item.high[axis] - gap
        x, y = near.to_world(*spot)
        cos, sin = np.cos(base.yaw), np.sin(base.yaw)
        own = (np.array([x, y]) - base.place[:2]) @ np.array([[cos, -sin], [sin, cos]])
        for support in base.made.supports:
            inside = (own + item.low[:2] > np.array(support.low) - 0.03).all()
            inside = inside and (own + item.high[:2] < np.array(support.high) + 0.03).all()
            if inside and abs(support.z - z) < 1e-6 and item.high[2] < support.room_above:
                placed = room.put(item, (x, y, near.place[2]), near.yaw, anyway=True)
                if placed:
                    return placed
    return None


def clutter(room: Room, names: Sequence[str], low: int, high: int) -> None:
    """Put some of the names on the floor: beside furniture, along the walls, seldom in the way."""
    more = round(room.size[0] * room.size[1] / 7)  # large rooms hold more
    for name in some(room, names, low + more // 2, high + more):
        on_floor_somewhere(room, name)


def on_floor_somewhere(room: Room, name: str) -> Placed | None:
    """Stand a thing on the floor where such things end up."""
    style = room.rng.random()
    if style < 0.45:
        bases = [b for b in room.placed if b.place[2] == 0 and b.item.high[2] > 0.4]
        for k in room.rng.permutation(len(bases))[:3]:
            placed = room.beside(name, bases[k])
            if placed:
                return placed
    if style < 0.8:
        placed = room.against_wall(name, 0.02, 0.15)
        if placed:
            return placed
    return room.on_floor(name)


def walls(room: Room, names: Sequence[str], low: int, high: int) -> None:
    """Hang some of the names on the walls, at heights that suit them."""
    more = round(room.size[0] * room.size[1] / 9)
    for name in some(room, names, low + more // 2, high + more):
        room.on_wall(name, HEIGHTS[name])
