"""A fitted kitchen: units of one style side by side along the walls, cupboards above."""

from __future__ import annotations

from folk_ros.training.scenes.rooms.openings import of_width
from folk_ros.training.scenes.rooms.placing import scatter
from folk_ros.training.scenes.rooms.room import Item, Placed, Room

ON_COUNTER = (
    *('microwave', 'microwave', 'coffee maker', 'coffee maker', 'dish rack', 'paper towel roll'),
    *('bowl', 'bottle', 'plate', 'cup', 'cup', 'water pitcher', 'tray', 'soap dispenser'),
    *('bottle', 'bowl', 'potted plant', 'book', 'toaster', 'coffee kettle'),
)
OVER_COUNTER_M = 1.45
STEP_M = 0.1
CORNER_M = 0.66  # depth of a unit with its handles: where the next wall can begin


def kitchen_line(room: Room) -> list[Placed]:
    """Stand kitchen units along one wall, and on along the next where it is full."""
    style = room.style()
    names = ['sink', 'counter', 'stove', 'counter']
    if room.chance(0.85):
        names.insert(int(room.rng.choice([0, 4])), 'refrigerator')
    for extra in ('dishwasher', 'oven', 'washing machine', 'counter'):
        if room.chance(0.35):
            names.insert(int(room.rng.integers(1, len(names))), extra)
    first, turns = int(room.rng.integers(4)), int(room.rng.choice([-1, 1]))
    placed: list[Placed] = []
    wall, along = first, 0.02
    for name in names:
        for _ in range(3):  # this wall, the next, the one after
            unit, end = _along(room, _unit(room, name, style), wall, along, turns)
            if unit is not None:
                placed.append(unit)
                along = end
                break
            wall, along = (wall + turns) % 4, CORNER_M
    _cupboards(room, placed, style)
    for unit in placed:
        if unit.category.name == 'kitchen counter':
            scatter(room, unit, ON_COUNTER, 9)
    return placed


def _unit(room: Room, name: str, style: int) -> Item:
    """Make a unit; counter and sink of one style have the same fronts, top and height."""
    if name == 'counter':
        return of_width(room.make('kitchen counter', style), float(room.rng.uniform(0.6, 1.5)))
    return room.make('kitchen sink', style) if name == 'sink' else room.make(name)


def _along(
    room: Room, item: Item, wall: int, start: float, turns: int
) -> tuple[Placed | None, float]:
    """Stand a unit at the first free place along a wall; return it and where it ends."""
    length = room.size[1 - wall % 2]
    # count from the corner that the line comes round
    forward = turns > 0 if wall in (1, 2) else turns < 0
    wide = item.high[1] - item.low[1]
    along = start
    while along + wide < length - 0.02:
        middle = along + wide / 2
        x, y, yaw = room.wall_spot(wall, middle if forward else length - middle, -item.low[0])
        placed = room.put(item, (x, y, 0), yaw)
        if placed:
            return placed, along + wide + 0.004
        along += STEP_M
    return None, start


def _cupboards(room: Room, units: list[Placed], style: int) -> None:
    """Hang cupboards over low units, a hood over the stove."""
    for unit in units:
        name = unit.category.name
        if name == 'stove' and room.chance(0.75):
            room.above(room.make('range hood'), unit, float(room.rng.uniform(1.5, 1.6)))
        elif name in ('kitchen counter', 'sink') and room.chance(0.65):
            wide = unit.item.high[1] - unit.item.low[1]
            room.above(of_width(room.make('kitchen cabinet', style), wide), unit, OVER_COUNTER_M)
