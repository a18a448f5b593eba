"""Groups of things that stand together: a desk with its computer, a table with its chairs."""

from __future__ import annotations

from collections.abc import Sequence

from folk_ros.training.scenes.primitives import bounds
from folk_ros.training.scenes.rooms import Placed, Room


def some(room: Room, names: Sequence[str], low: int, high: int) -> list[str]:
    """Pick between low and high of the names, each at most once."""
    count = min(int(room.rng.integers(low, high + 1)), len(names))
    return [names[k] for k in room.rng.permutation(len(names))[:count]]


def scatter(room: Room, base: Placed | None, names: Sequence[str], low: int, high: int) -> None:
    """Put some of the names on a piece of furniture."""
    if base is not None:
        for name in some(room, names, low, high):
            room.on_top(name, base)


def clutter(room: Room, names: Sequence[str], low: int, high: int) -> None:
    """Put some of the names on the floor."""
    more = round(room.size[0] * room.size[1] / 7)  # large rooms hold more
    for name in some(room, names, low + more // 2, high + more):
        room.on_floor(name)


def walls(room: Room, names: Sequence[str], low: int, high: int) -> None:
    """Hang some of the names on the walls, at heights that suit them."""
    more = round(room.size[0] * room.size[1] / 9)
    for name in some(room, names, low + more // 2, high + more):
        room.on_wall(name, HEIGHTS[name])


HEIGHTS = {
    'picture': (1.2, 1.6), 'poster': (1.0, 1.3), 'clock': (1.6, 1.9), 'mirror': (0.9, 1.2),
    'whiteboard': (0.9, 1.05), 'blackboard': (0.9, 1.0), 'bulletin board': (1.1, 1.4),
    'towel': (0.9, 1.2), 'blinds': (1.0, 1.2), 'toilet paper': (0.6, 0.75),
    'range hood': (1.5, 1.6), 'kitchen cabinet': (1.45, 1.55),
}  # fmt: skip
STATIONERY = ('book', 'book', 'paper', 'cup', 'water bottle', 'calendar', 'tissue box',
              'potted plant', 'box', 'speaker', 'bottle')  # fmt: skip
CROCKERY = ('cup', 'cup', 'bowl', 'plate', 'plate', 'bottle', 'water pitcher', 'candle', 'tray',
            'water bottle', 'book', 'potted plant')  # fmt: skip


def hang_light(room: Room) -> None:
    """Hang a lamp from the ceiling of some rooms."""
    if room.chance(0.4):
        item = room.make('ceiling light')
        x, y = (size * room.rng.uniform(0.42, 0.58) for size in room.size[:2])
        room.put(item, (x, y, room.size[2] - bounds(item[1].parts)[1][2]), 0.0)


def openings(room: Room, curtains: float = 0.5) -> None:
    """Give the room a door, a window or two, perhaps with curtains and a radiator."""
    room.on_wall('door', (0.0, 0.0))
    for _ in range(int(room.rng.integers(1, 3))):
        window = room.on_wall('window', (0.85, 1.05))
        if window is None:
            continue
        if room.chance(curtains):
            hang_curtains(room, window)
        if room.chance(0.4):
            room.at('radiator', window, (0.0, 0.0), -window.place[2] + 0.02)


def hang_curtains(room: Room, window: Placed) -> None:
    """Hang a curtain on either side of a window, both alike, a little higher than it."""
    item = room.make('curtain')
    high = bounds(window.made.parts)[1]
    own = bounds(item[1].parts)[1]
    z = max(window.place[2] + high[2] + 0.1 - own[2], 0.02)
    for side in (-1, 1):
        x, y = window.to_world(0.0, side * (high[1] + own[1] - 0.06))
        room.put(item, (x, y, z), window.yaw)


def workplace(room: Room) -> None:
    """Set up a desk with a computer and a chair."""
    desk = room.against_wall('desk')
    if desk is None:
        return
    z = desk.made.supports[0].z
    y = float(room.rng.uniform(-0.15, 0.15))
    if room.chance(0.75):
        room.at('monitor', desk, (-0.14, y), z, float(room.rng.normal(0, 0.1)))
        room.at('keyboard', desk, (0.17, y), z)
        room.at('mouse', desk, (0.17, y + 0.33), z, float(room.rng.normal(0, 0.2)))
    else:
        room.at('laptop', desk, (0.05, y), z, float(room.rng.normal(0, 0.1)))
    room.in_front('office chair' if room.chance(0.75) else 'chair', desk, -0.2, y)
    if room.chance(0.5):
        room.on_top('lamp', desk)
    scatter(room, desk, STATIONERY, 1, 4)
    if room.chance(0.4):
        room.on_floor('computer tower')


def fill_shelf(room: Room, name: str = 'shelf') -> None:
    """Stand up a shelf and put things in it."""
    base = room.against_wall(name)
    names = ('book', 'book', 'box', 'potted plant', 'bowl', 'basket', 'speaker', 'storage bin',
             'bottle', 'tissue box', 'ball', 'bag', 'alarm clock', 'candle')  # fmt: skip
    scatter(room, base, names, 2, 5)


def seats(room: Room) -> None:
    """Set up a couch with table, cushions and an armchair."""
    couch = room.against_wall('couch', 0.04)
    if couch is None:
        couch = room.against_wall('armchair', 0.04)
    if couch is None:
        return
    for _ in range(int(room.rng.integers(0, 4))):
        width = couch.made.supports[0].high[1]
        y = float(room.rng.uniform(-1, 1)) * max(width - 0.16, 0.0)
        room.at('cushion', couch, (0.1, y), couch.made.supports[0].z)
    table = room.in_front('coffee table', couch, 0.35)
    scatter(room, table, (*CROCKERY, 'laptop', 'tissue box'), 1, 4)
    if room.chance(0.5):
        beside = room.against_wall('end table')
        if beside is not None:
            room.on_top('lamp', beside)
    for _ in range(int(room.rng.integers(0, 3))):
        room.against_wall('armchair', 0.1)
    if room.chance(0.5):
        room.on_floor('ottoman')


def dining(room: Room) -> None:
    """Set a table with chairs around it."""
    table = room.on_floor('dining table' if room.chance(0.6) else 'table')
    if table is None:
        return
    room.around('chair' if room.chance(0.85) else 'stool', table, int(room.rng.integers(2, 6)))
    scatter(room, table, CROCKERY, 2, 6)


BEDSIDE = ('lamp', 'book', 'alarm clock', 'cup', 'tissue box', 'water bottle')


def sleeping_place(room: Room) -> None:
    """Set up a bed with pillows, nightstands beside its head and perhaps a blanket."""
    bed = room.against_wall('bed')
    if bed is None:
        return
    support = bed.made.supports[0]
    middle_x = (support.low[0] + support.high[0]) / 2
    wide = support.high[1] - support.low[1] > 0.8
    for y in (-0.34, 0.34) if wide else (0.0,):
        room.at('pillow', bed, (middle_x, y), support.z, float(room.rng.normal(0, 0.1)))
    for side in room.rng.permutation((-1, 1))[: int(room.rng.integers(3))]:
        stand = room.at('nightstand', bed, (-0.72, float(side) * (support.high[1] + 0.52)), 0.0)
        scatter(room, stand, BEDSIDE, 1, 2)
    if room.chance(0.25):
        room.at('blanket', bed, (0.6, 0.0), support.z + 0.06)
