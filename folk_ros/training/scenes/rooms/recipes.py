"""What stands in which kind of room."""

from __future__ import annotations

from collections.abc import Callable

from folk_ros.training.scenes.rooms.arrangements import (
    around,
    CROCKERY,
    desk_rows,
    dining,
    equip,
    fill_shelf,
    island_of_desks,
    long_table,
    seats,
    sleeping_place,
    STATIONERY,
    workplace,
)
from folk_ros.training.scenes.rooms.kitchens import kitchen_line
from folk_ros.training.scenes.rooms.novelties import add_novel
from folk_ros.training.scenes.rooms.openings import hang_light, openings, way_in
from folk_ros.training.scenes.rooms.placing import clutter, HEIGHTS, scatter, some, walls
from folk_ros.training.scenes.rooms.room import Room

IN_BATH = ('soap dispenser', 'bottle', 'tissue box', 'basket', 'potted plant', 'candle', 'cup',
           'box')  # fmt: skip
ON_BENCH = ('box', 'bottle', 'bucket', 'lamp', 'paper', 'cup', 'storage bin', 'power strip',
            'speaker', 'crate', 'book', 'tray')  # fmt: skip


def office(room: Room) -> None:
    """Furnish an office."""
    openings(room, 0.15, 0.45)
    if not (room.chance(0.25) and island_of_desks(room)):
        style = room.style() if room.chance(0.5) else None
        for _ in range(int(room.rng.integers(1, 4))):
            workplace(room, style)
    for name in some(room, ('bookshelf', 'file cabinet', 'cabinet', 'copier', 'coat rack'), 1, 3):
        scatter(room, room.against_wall(name), ('box', 'book', 'potted plant', 'paper'), 4)
    if room.chance(0.5):
        fill_shelf(room)
    if room.chance(0.5):
        side = room.against_wall('table')
        if side is not None and room.chance(0.7):
            room.on_top('printer', side)
        scatter(room, side, ('coffee maker', *STATIONERY), 6)
    walls(room, ('picture', 'whiteboard', 'clock', 'bulletin board', 'poster'), 1, 4)
    clutter(room, ('trash can', 'plant', 'box', 'backpack', 'bag', 'power strip'), 1, 4)


def living_room(room: Room) -> None:
    """Furnish a living room."""
    openings(room, 0.7)
    stand = room.against_wall('tv stand')
    if stand is not None:
        if room.chance(0.85):
            room.at('tv', stand, (0.0, 0.0), stand.made.supports[0].z)
        scatter(room, stand, ('speaker', 'potted plant', 'book', 'candle', 'bowl'), 4)
    seats(room)
    for name in some(room, ('bookshelf', 'cabinet', 'fireplace', 'dresser', 'bench'), 1, 2):
        scatter(room, room.against_wall(name), (*CROCKERY, 'lamp', 'alarm clock'), 7)
    if room.chance(0.5):
        fill_shelf(room)
    if room.chance(0.3):
        room.against_wall('floor lamp', 0.1)
    if room.chance(0.4):
        dining(room)
    walls(room, ('picture', 'picture', 'clock', 'mirror', 'poster'), 1, 4)
    clutter(room, ('plant', 'basket', 'stool', 'ball', 'bag', 'blanket', 'shoe', 'box'), 1, 4)


def bedroom(room: Room) -> None:
    """Furnish a bedroom."""
    openings(room, 0.7, 0.2)
    sleeping_place(room)
    wardrobe = room.against_wall('wardrobe')
    scatter(room, wardrobe, ('box', 'box', 'bag', 'storage bin', 'blanket'), 4)
    things = ('lamp', 'potted plant', 'box', 'book', 'hat', 'bag', 'candle', 'bottle')
    for name in some(room, ('dresser', 'bookshelf', 'bench', 'armchair', 'laundry basket'), 1, 3):
        scatter(room, room.against_wall(name), things, 7)
    if room.chance(0.4):
        workplace(room)
    if room.chance(0.2):
        room.against_wall('mattress')
    walls(room, ('picture', 'mirror', 'poster', 'clock', 'picture'), 1, 3)
    names = ('clothes', 'shoe', 'backpack', 'bag', 'plant', 'mat', 'trash can', 'ball', 'stool',
             'storage bin', 'clothes')  # fmt: skip
    clutter(room, names, 1, 4)


def kitchen(room: Room) -> None:
    """Furnish a kitchen."""
    way_in(room)
    if room.chance(0.7):
        window = room.on_wall('window', (1.1, 1.2))
        if window is not None:
            room.keep_clear(window, 0.5)
    kitchen_line(room)
    if room.chance(0.85):
        dining(room)
    if room.chance(0.4):
        fill_shelf(room)
    walls(room, ('clock', 'picture', 'towel', 'bulletin board', 'towel'), 1, 3)
    clutter(room, ('trash can', 'bucket', 'crate', 'box', 'cart', 'plant', 'mat', 'bag'), 1, 3)


def wash_place(room: Room) -> None:
    """Stand tub, basin and toilet in a bathroom, with what belongs to them."""
    tub = room.against_wall('bathtub', 0.0, 0.0)
    if tub is not None:
        if room.chance(0.4):
            room.at('shower curtain', tub, (0.42, -0.3), 0.25)
        if room.chance(0.6):
            room.in_front(room.make('mat'), tub, 0.03, loose=0.1)
    basin = room.against_wall('sink', 0.0, 0.0)
    if basin is not None:
        room.above(room.make('mirror'), basin, 1.15)
        scatter(room, basin, ('soap dispenser', 'cup', 'bottle'), 30)
        if room.chance(0.4):
            room.in_front(room.make('mat'), basin, 0.03, loose=0.1)
    if room.against_wall('toilet', 0.0, 0.0) and room.chance(0.8):
        room.on_wall('toilet paper', HEIGHTS['toilet paper'])


def bathroom(room: Room) -> None:
    """Furnish a bathroom."""
    way_in(room)
    if room.chance(0.6):
        window = room.on_wall('window', (1.1, 1.3))
        if window is not None and room.chance(0.3):
            room.keep_clear(window, 0.3)
    wash_place(room)
    if room.chance(0.45):
        washer = room.against_wall('washing machine', 0.0)
        scatter(room, washer, ('soap dispenser', 'box', 'basket', 'bottle', 'bottle'), 10)
    for name in some(room, ('cabinet', 'shelf', 'laundry basket', 'radiator', 'stool'), 1, 4):
        scatter(room, room.against_wall(name), IN_BATH, 8)
    walls(room, ('towel', 'towel', 'towel', 'picture', 'clock'), 1, 4)
    clutter(room, ('trash can', 'bucket', 'clothes', 'plant', 'shoe', 'basket'), 1, 4)


def classroom(room: Room) -> None:
    """Furnish a class or meeting room."""
    board = room.on_wall('whiteboard' if room.chance(0.5) else 'blackboard', (0.9, 1.0))
    openings(room, 0.2, 0.5)
    if room.chance(0.45):
        long_table(room)
    elif board is not None:
        desk_rows(room, board)
    if room.chance(0.4):
        table = room.against_wall('table')
        if table is not None:
            around(room, 'chair', table, 2)
            scatter(room, table, ('book', 'paper', 'laptop', 'projector', 'printer'), 6)
    names = ('cabinet', 'bookshelf', 'counter', 'bench', 'file cabinet', 'coat rack')
    for name in some(room, names, 1, 3):
        scatter(room, room.against_wall(name), STATIONERY, 5)
    walls(room, ('poster', 'poster', 'clock', 'bulletin board', 'picture'), 1, 4)
    clutter(room, ('backpack', 'backpack', 'trash can', 'bag', 'ball', 'box', 'plant'), 1, 4)


def workshop(room: Room) -> None:
    """Furnish a workshop or store."""
    way_in(room)
    if room.chance(0.4):
        window = room.on_wall('window', (1.1, 1.3))
        if window is not None:
            room.keep_clear(window, 0.4)
    for _ in range(int(room.rng.integers(1, 3))):
        bench = room.against_wall('table' if room.chance(0.6) else 'counter', 0.0)
        scatter(room, bench, ON_BENCH, 8)
        if bench is not None and room.chance(0.7):
            room.in_front(room.make('stool'), bench, -0.2)
    for _ in range(int(room.rng.integers(1, 4))):
        fill_shelf(room)
    for name in some(room, ('file cabinet', 'cabinet', 'cart', 'copier', 'washing machine'), 1, 3):
        scatter(room, room.against_wall(name), ON_BENCH, 5)
    if room.chance(0.2):
        desk = room.against_wall('desk')
        if desk is not None:
            equip(room, desk)
    walls(room, ('clock', 'bulletin board', 'whiteboard', 'poster'), 1, 3)
    names = ('box', 'box', 'crate', 'bucket', 'storage bin', 'trash can', 'stool', 'cart', 'shoe')
    clutter(room, names, 3, 6)
    for pile in list(room.tops('box'))[:3]:
        scatter(room, pile, ('box', 'box', 'crate', 'shoe', 'bucket'), 8)


KINDS: dict[str, Callable[[Room], None]] = {
    'office': office, 'living room': living_room, 'bedroom': bedroom, 'kitchen': kitchen,
    'bathroom': bathroom, 'classroom': classroom, 'workshop': workshop,
}  # fmt: skip


def furnish(room: Room, kind: str) -> None:
    """Furnish a room of one kind, novel categories included where the room may hold them."""
    if kind not in KINDS:
        raise ValueError(f"no room kind '{kind}'; there are {sorted(KINDS)}")
    hang_light(room)
    KINDS[kind](room)
    if room.novel:
        add_novel(room, kind)
