"""What stands in which kind of room."""

from __future__ import annotations

from collections.abc import Callable

from folk_ros.training.scenes.arrangements import (
    clutter,
    CROCKERY,
    dining,
    fill_shelf,
    hang_light,
    HEIGHTS,
    openings,
    scatter,
    seats,
    sleeping_place,
    some,
    STATIONERY,
    walls,
    workplace,
)
from folk_ros.training.scenes.objects.catalog import CATEGORIES
from folk_ros.training.scenes.rooms import Room


def office(room: Room) -> None:
    """Furnish an office."""
    openings(room, 0.2)
    for _ in range(int(room.rng.integers(1, 4))):
        workplace(room)
    for name in some(room, ('bookshelf', 'file cabinet', 'cabinet', 'copier', 'coat rack'), 1, 3):
        room.against_wall(name)
    if room.chance(0.5):
        fill_shelf(room)
    if room.chance(0.6):
        side = room.against_wall('table')
        if side is not None and room.chance(0.7):
            room.on_top('printer', side)
        scatter(room, side, ('coffee maker', *STATIONERY), 1, 4)
    walls(room, ('picture', 'whiteboard', 'clock', 'bulletin board', 'poster', 'blinds'), 1, 4)
    clutter(room, ('trash can', 'plant', 'box', 'backpack', 'bag', 'power strip'), 1, 4)


def living_room(room: Room) -> None:
    """Furnish a living room."""
    openings(room, 0.7)
    stand = room.against_wall('tv stand')
    if stand is not None and room.chance(0.85):
        room.at('tv', stand, (0.0, 0.0), stand.made.supports[0].z)
        scatter(room, stand, ('speaker', 'potted plant', 'book', 'candle'), 0, 2)
    seats(room)
    for name in some(room, ('bookshelf', 'cabinet', 'fireplace', 'dresser', 'bench'), 1, 2):
        scatter(room, room.against_wall(name), (*CROCKERY, 'lamp', 'alarm clock'), 1, 3)
    if room.chance(0.5):
        fill_shelf(room)
    if room.chance(0.4):
        room.on_floor('floor lamp')
    if room.chance(0.35):
        dining(room)
    walls(room, ('picture', 'picture', 'clock', 'mirror', 'poster'), 1, 4)
    clutter(room, ('plant', 'basket', 'stool', 'ball', 'bag', 'blanket', 'shoe', 'box'), 1, 4)


def bedroom(room: Room) -> None:
    """Furnish a bedroom."""
    openings(room, 0.7)
    sleeping_place(room)
    for name in some(
        room, ('wardrobe', 'dresser', 'bookshelf', 'bench', 'armchair', 'laundry basket'), 1, 4
    ):
        scatter(
            room,
            room.against_wall(name),
            ('lamp', 'potted plant', 'box', 'book', 'hat' if room.novel else 'bag', 'candle'),
            0,
            2,
        )
    if room.chance(0.4):
        workplace(room)
    if room.chance(0.3):
        room.against_wall('mattress')
    walls(room, ('picture', 'mirror', 'poster', 'clock', 'picture'), 1, 3)
    clutter(
        room,
        (
            'clothes',
            'shoe',
            'backpack',
            'bag',
            'plant',
            'mat',
            'trash can',
            'ball',
            'stool',
            'storage bin',
        ),
        1,
        4,
    )


ON_COUNTER = ('microwave', 'coffee maker', 'dish rack', 'paper towel roll', 'bowl', 'bottle',
              'plate', 'cup', 'water pitcher', 'tray', 'soap dispenser')  # fmt: skip


def kitchen(room: Room) -> None:
    """Furnish a kitchen."""
    room.on_wall('door', (0.0, 0.0))
    line = some(
        room, ('refrigerator', 'dishwasher', 'oven', 'washing machine', 'kitchen counter'), 1, 4
    )
    for name in ('kitchen counter', 'kitchen sink', 'stove', *line):
        made = room.against_wall(name, 0.0)
        if made is None:
            continue
        if name == 'stove' and room.chance(0.7):
            room.above('range hood', made, 1.5)
        if name == 'kitchen counter':
            if room.chance(0.6):
                room.above('kitchen cabinet', made, 1.45)
            scatter(room, made, ON_COUNTER, 2, 5)
    if room.chance(0.6):
        room.on_wall('window', (1.0, 1.15))
    if room.chance(0.8):
        dining(room)
    if room.chance(0.3):
        fill_shelf(room)
    walls(room, ('clock', 'picture', 'kitchen cabinet', 'towel', 'bulletin board'), 1, 3)
    clutter(room, ('trash can', 'bucket', 'crate', 'box', 'cart', 'plant', 'mat', 'bag'), 1, 3)


def bathroom(room: Room) -> None:
    """Furnish a bathroom."""
    room.on_wall('door', (0.0, 0.0))
    tub = room.against_wall('bathtub', 0.0)
    if tub is not None and room.chance(0.4):
        room.at('shower curtain', tub, (0.42, -0.3), 0.25)
    basin = room.against_wall('sink', 0.0)
    if basin is not None:
        room.above('mirror', basin, 1.15)
    if room.against_wall('toilet', 0.0) and room.chance(0.8):
        room.on_wall('toilet paper', HEIGHTS['toilet paper'])
    if room.chance(0.45):
        scatter(
            room,
            room.against_wall('washing machine'),
            ('soap dispenser', 'box', 'basket', 'bottle'),
            1,
            2,
        )
    for name in some(room, ('cabinet', 'shelf', 'laundry basket', 'radiator', 'stool'), 1, 4):
        things = (
            'soap dispenser',
            'bottle',
            'tissue box',
            'basket',
            'potted plant',
            'candle',
            'cup',
        )
        scatter(room, room.against_wall(name), things, 2, 4)
    if room.chance(0.5):
        room.on_wall('window', (1.1, 1.3))
    walls(room, ('towel', 'towel', 'towel', 'picture', 'clock'), 1, 4)
    clutter(room, ('mat', 'trash can', 'bucket', 'clothes', 'plant', 'shoe'), 1, 4)


def classroom(room: Room) -> None:
    """Furnish a class or meeting room."""
    openings(room, 0.2)
    room.on_wall('whiteboard' if room.chance(0.5) else 'blackboard', (0.9, 1.0))
    for _ in range(int(room.rng.integers(1, 4))):
        table = room.on_floor('table') if room.chance(0.6) else room.against_wall('table')
        if table is not None:
            room.around('chair', table, int(room.rng.integers(1, 4)))
            scatter(
                room,
                table,
                ('book', 'paper', 'laptop', 'cup', 'water bottle', 'projector', 'bag'),
                1,
                4,
            )
    for name in some(
        room, ('cabinet', 'bookshelf', 'counter', 'bench', 'file cabinet', 'coat rack'), 1, 3
    ):
        scatter(room, room.against_wall(name), STATIONERY, 0, 2)
    walls(room, ('poster', 'poster', 'clock', 'bulletin board', 'blinds', 'picture'), 1, 4)
    clutter(room, ('backpack', 'backpack', 'trash can', 'bag', 'ball', 'box', 'plant'), 1, 4)


def workshop(room: Room) -> None:
    """Furnish a workshop or store."""
    room.on_wall('door', (0.0, 0.0))
    for _ in range(int(room.rng.integers(1, 3))):
        bench = room.against_wall('table' if room.chance(0.6) else 'counter')
        scatter(
            room,
            bench,
            (
                'box',
                'bottle',
                'bucket',
                'lamp',
                'paper',
                'cup',
                'storage bin',
                'power strip',
                'speaker',
            ),
            2,
            5,
        )
        if bench is not None and room.chance(0.7):
            room.in_front('stool', bench, 0.0)
    for _ in range(int(room.rng.integers(1, 4))):
        fill_shelf(room)
    for name in some(room, ('file cabinet', 'cabinet', 'cart', 'copier', 'washing machine'), 1, 3):
        room.against_wall(name)
    walls(room, ('clock', 'bulletin board', 'whiteboard', 'poster'), 1, 3)
    clutter(
        room,
        ('box', 'box', 'crate', 'bucket', 'storage bin', 'trash can', 'stool', 'cart', 'shoe'),
        3,
        6,
    )


KINDS: dict[str, Callable[[Room], None]] = {
    'office': office, 'living room': living_room, 'bedroom': bedroom, 'kitchen': kitchen,
    'bathroom': bathroom, 'classroom': classroom, 'workshop': workshop,
}  # fmt: skip
AT_WALL = ('piano', 'water cooler', 'folded chair', 'guitar', 'fan')
ON_TOP = ('toaster', 'coffee kettle', 'telephone', 'headphones', 'hat', 'stuffed animal')


def add_novel(room: Room) -> None:
    """Place a few objects of the categories that training rooms never hold."""
    names = [name for name, category in CATEGORIES.items() if category.novel]
    for name in some(room, names, 4, 8):
        if name in AT_WALL:
            room.against_wall(name)
        elif name in ON_TOP:
            bases = list(room.tops('top', 'desk', 'shelf', 'seat'))
            for k in room.rng.permutation(len(bases))[:4]:
                if room.on_top(name, bases[k], 0.5):
                    break
        else:
            room.on_floor(name)


def furnish(room: Room, kind: str) -> None:
    """Furnish a room of one kind, novel categories included where the room may hold them."""
    if kind not in KINDS:
        raise ValueError(f"no room kind '{kind}'; there are {sorted(KINDS)}")
    hang_light(room)
    KINDS[kind](room)
    if room.novel:
        add_novel(room)
