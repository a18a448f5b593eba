"""Doors, windows and what hangs before them; the lamp under the ceiling."""

from __future__ import annotations

from folk_ros.training.scenes.rooms.room import as_item, Item, Placed, Room


def openings(room: Room, curtains: float = 0.5, blinds: float = 0.1) -> None:
    """Give the room a door, a window or two, perhaps with curtains or blinds and a radiator."""
    way_in(room)
    for _ in range(int(room.rng.integers(1, 3))):
        window = room.on_wall('window', (0.85, 1.05))
        if window is None:
            continue
        dressed = room.rng.random()
        if dressed < curtains:
            hang_curtains(room, window)
        elif dressed < curtains + blinds:
            hang_blinds(room, window)
        room.keep_clear(window, 0.35)
        if room.chance(0.5):
            room.at('radiator', window, (0.0, 0.0), -window.place[2] + 0.02)


def way_in(room: Room) -> None:
    """Give the room a door and keep the way through it free."""
    door = room.on_wall('door', (0.0, 0.0))
    if door is not None:
        room.keep_clear(door, 0.75)


def hang_light(room: Room) -> None:
    """Hang a lamp from the ceiling of some rooms."""
    if room.chance(0.6):
        item = room.make('ceiling light')
        x, y = (size * room.rng.uniform(0.42, 0.58) for size in room.size[:2])
        room.put(item, (x, y, room.size[2] - item.high[2]), 0.0)


def hang_curtains(room: Room, window: Placed) -> None:
    """Hang a curtain on either side of a window, both alike, a little higher than it."""
    item = room.make('curtain')
    z = max(window.place[2] + window.item.high[2] + 0.1 - item.high[2], 0.02)
    for side in (-1, 1):
        x, y = window.to_world(0.0, side * (window.item.high[1] + item.high[1] - 0.06))
        room.put(item, (x, y, z), window.yaw, anyway=True)


def hang_blinds(room: Room, window: Placed) -> None:
    """Hang blinds as wide as a window before its upper part."""
    item = of_width(room.make('blinds'), 2 * window.item.high[1] - 0.16)
    front = 0.055  # before the frame, above the sill
    z = window.item.high[2] - item.high[2] + float(room.rng.uniform(0.02, 0.1))
    x, y = window.to_world(front, 0.0)
    low = max(z, 0.06)
    room.put(item, (x, y, window.place[2] + low), window.yaw, anyway=True)


def of_width(item: Item, width: float) -> Item:
    """Return an object made as wide as wanted along y."""
    return as_item(item.category, item.made.stretched(width / (item.high[1] - item.low[1])))
