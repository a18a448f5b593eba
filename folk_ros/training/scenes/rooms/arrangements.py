"""Groups of things that stand together: a desk with its computer, a table with its chairs."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.rooms.placing import scatter
from folk_ros.training.scenes.rooms.room import Placed, Room

STATIONERY = ('book', 'book', 'paper', 'paper', 'cup', 'water bottle', 'calendar', 'tissue box',
              'potted plant', 'speaker', 'bottle', 'box')  # fmt: skip
CROCKERY = ('cup', 'cup', 'bowl', 'plate', 'plate', 'bottle', 'water pitcher', 'candle', 'tray',
            'water bottle', 'book', 'potted plant')  # fmt: skip
STORED = (
    'book',
    'book',
    'book',
    'box',
    'potted plant',
    'bowl',
    'basket',
    'speaker',
    'storage bin',
    'bottle',
    'tissue box',
    'ball',
    'bag',
    'alarm clock',
    'candle',
    'hat',
)
BEDSIDE = ('lamp', 'book', 'alarm clock', 'cup', 'tissue box', 'water bottle', 'book')


def workplace(room: Room, style: int | None = None) -> Placed | None:
    """Set up a desk with a computer and a chair; desks of one style are alike."""
    desk = room.against_wall('desk', style=style)
    if desk is not None:
        equip(room, desk)
    return desk


def equip(room: Room, desk: Placed) -> None:
    """Put a computer, a chair and small things at a desk."""
    z = desk.made.supports[0].z
    y = float(room.rng.uniform(-0.15, 0.15))
    if room.chance(0.75):
        screens = (y,) if room.chance(0.75) else (y - 0.32, y + 0.32)
        for place in screens:
            room.at('monitor', desk, (-0.14, place), z, float(room.rng.normal(0, 0.1)))
        room.at('keyboard', desk, (0.17, y), z, float(room.rng.normal(0, 0.04)))
        room.at('mouse', desk, (0.17, y + 0.33), z, float(room.rng.normal(0, 0.2)))
    else:
        room.at('laptop', desk, (0.05, y), z, float(room.rng.normal(0, 0.1)))
    chair = room.make('office chair' if room.chance(0.75) else 'chair')
    room.in_front(chair, desk, float(room.rng.uniform(-0.35, -0.1)), y)
    if room.chance(0.5):
        room.on_top('lamp', desk)
    scatter(room, desk, STATIONERY, 6)
    if room.chance(0.5):
        room.beside('computer tower', desk)
    if room.chance(0.4):
        room.beside('trash can', desk)


def fill_shelf(room: Room, name: str = 'shelf') -> None:
    """Stand up a shelf and put things in it."""
    scatter(room, room.against_wall(name), STORED, 8)


def seats(room: Room) -> None:
    """Set up a couch with table, cushions and an armchair."""
    couch = room.against_wall('couch', 0.04) or room.against_wall('armchair', 0.04)
    if couch is None:
        return
    seat = couch.made.supports[0]
    for side in room.rng.permutation((-1, 1, 0))[: int(room.rng.integers(0, 4))]:
        y = float(side) * max(seat.high[1] - 0.16, 0.0) * float(room.rng.uniform(0.7, 1))
        room.at('cushion', couch, (0.1, y), seat.z, float(room.rng.normal(0, 0.1)))
    if room.chance(0.25):
        room.on_top('blanket', couch)
    table = room.in_front(room.make('coffee table'), couch, 0.35, loose=0.04)
    scatter(room, table, (*CROCKERY, 'laptop', 'tissue box', 'paper'), 8)
    for _ in range(int(room.rng.integers(0, 3))):
        room.against_wall('armchair', 0.1)
    if room.chance(0.6):
        scatter(room, room.beside('end table', couch), ('lamp', 'lamp', 'book', 'cup'), 6)
    if room.chance(0.4):
        room.beside('floor lamp', couch)
    if room.chance(0.5):
        room.beside('ottoman', couch) or room.on_floor('ottoman')


def around(room: Room, name: str, table: Placed, count: int, style: int | None = None) -> None:
    """Stand seats of one kind around a table, looking at it, more or less tucked in."""
    low, high = table.item.low, table.item.high
    item = room.make(name, room.style() if style is None else style)
    spots = []
    for angle, axis in ((0.0, 1), (np.pi, 1), (np.pi / 2, 0), (-np.pi / 2, 0)):
        width = high[axis] - low[axis]
        places = (-width / 4, width / 4) if width > 1.1 else (0.0,)
        spots += [(angle, axis, along) for along in places]
    for k in room.rng.permutation(len(spots))[:count]:
        angle, axis, along = spots[k]
        away = (high[1 - axis] - low[1 - axis]) / 2 + item.high[0]
        away += float(room.rng.uniform(-0.25, 0.1))
        out = np.array([np.cos(angle), np.sin(angle)])
        side = np.array([-out[1], out[0]])
        for extra in (0.0, 0.12, 0.3):
            x, y = table.to_world(*(out * (away + extra) + side * along))
            yaw = table.yaw + angle + np.pi + float(room.rng.normal(0, 0.12))
            if room.put(item, (x, y, 0), yaw):
                break


def dining(room: Room) -> None:
    """Set a table with chairs around it, in line with the walls as a rule."""
    table = room.on_floor('dining table' if room.chance(0.6) else 'table', aligned=0.85)
    if table is None:
        return
    around(room, 'chair' if room.chance(0.85) else 'stool', table, int(room.rng.integers(2, 7)))
    scatter(room, table, CROCKERY, 7)


def sleeping_place(room: Room) -> None:
    """Set up a bed with pillows, nightstands beside its head and perhaps a blanket."""
    bed = room.against_wall('bed')
    if bed is None:
        return
    support = bed.made.supports[0]
    wide = support.high[1] - support.low[1] > 0.8
    style = room.style()
    for y in (-0.34, 0.34) if wide else (0.0,):
        pillow = room.make('pillow', style if room.chance(0.7) else None)
        place = (*bed.to_world(support.low[0] - pillow.low[0], y), support.z)
        askew = bed.yaw + float(room.rng.normal(0, 0.06))
        if not room.put(pillow, place, askew, anyway=True):
            room.put(pillow, place, bed.yaw, anyway=True)
    stands = room.style()
    for side in room.rng.permutation((-1, 1))[: int(room.rng.integers(1, 3))]:
        stand = room.make('nightstand', stands)
        y = float(side) * (bed.item.high[1] + stand.high[1] + 0.04)
        x = bed.item.low[0] - stand.low[0]
        placed = room.put(stand, (*bed.to_world(x, y), 0), bed.yaw)
        scatter(room, placed, BEDSIDE, 14)
    if room.chance(0.35):
        room.at('blanket', bed, (0.6, 0.0), support.z + 0.045, float(room.rng.normal(0, 0.3)))
    if room.chance(0.3):
        room.in_front(room.make('bench'), bed, 0.05, loose=0.02)


def island_of_desks(room: Room) -> bool:
    """Push two desks together back to back, each with its computer and chair."""
    style = room.style()
    first = room.make('desk', style)
    deep = first.high[0] - first.low[0]
    long = first.high[1] - first.low[1]
    if min(room.size[:2]) < long + 1.0 or max(room.size[:2]) < 2 * deep + 2.2:
        return False
    across = room.size[0] > room.size[1]
    middle = np.array(room.size[:2]) * room.rng.uniform(0.42, 0.58, 2)
    yaw = 0.0 if across else np.pi / 2
    placed = False
    for turned in (yaw, yaw + np.pi):
        out = np.array([np.cos(turned), np.sin(turned)]) * (0.002 - first.low[0])
        desk = room.put(room.make('desk', style), (*(middle + out), 0), turned)
        if desk is not None:
            equip(room, desk)
            placed = True
    return placed


def long_table(room: Room) -> None:
    """Push two tables of one kind together, end to end, with chairs around them."""
    style = room.style()
    item = room.make('table', style)
    wide = item.high[1] - item.low[1]
    yaw = 0.0 if room.size[1] > room.size[0] else np.pi / 2
    along = np.array([-np.sin(yaw), np.cos(yaw)])
    middle = np.array(room.size[:2]) * room.rng.uniform(0.44, 0.56, 2)
    tables = []
    for side in (-0.5, 0.5):
        spot = middle + side * (wide + 0.004) * along
        tables.append(room.put(room.make('table', style), (*spot, 0), yaw))
    seat = room.style()
    for table in filter(None, tables):
        around(room, 'chair', table, int(room.rng.integers(2, 5)), seat)
        scatter(room, table, (*STATIONERY, 'laptop', 'projector', 'bag'), 6)


def desk_rows(room: Room, board: Placed) -> None:
    """Stand tables in rows that look at a board, a chair behind each."""
    style, seat = room.style(), room.style()
    item = room.make('table', style)
    wide, deep = item.high[1] - item.low[1], item.high[0] - item.low[0]
    wall = round(board.yaw / (np.pi / 2)) % 4
    length, depth = room.size[1 - wall % 2], room.size[wall % 2]
    columns = int(np.clip((length - 0.4) // (wide + 0.35), 1, 3))
    pitch = (length - 0.2) / columns
    near = 1.3 + deep / 2
    for row in range(2):
        off = near + row * (deep + 0.85)
        if off + deep / 2 + 0.5 > depth:
            break
        for column in range(columns):
            x, y, _ = room.wall_spot(wall, 0.1 + (column + 0.5) * pitch, off)
            table = room.put(room.make('table', style), (x, y, 0), board.yaw)
            if table is None or room.chance(0.1):
                continue
            room.in_front(room.make('chair', seat), table, float(room.rng.uniform(-0.25, 0)))
            scatter(room, table, ('book', 'paper', 'laptop', 'bag', 'water bottle', 'book'), 4)
