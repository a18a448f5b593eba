"""Where objects of the categories stand that training rooms never hold."""

from __future__ import annotations

from folk_ros.training.scenes.objects.catalog import CATEGORIES
from folk_ros.training.scenes.rooms.placing import on_floor_somewhere, ONCE, some
from folk_ros.training.scenes.rooms.room import Placed, Room

LIVING = ('living room', 'bedroom')
NOT_IN: dict[str, tuple[str, ...]] = {
    'piano': ('bathroom', 'kitchen', 'workshop'), 'toaster': ('bathroom', 'bedroom'),
    'coffee kettle': ('bathroom', 'bedroom'), 'telephone': ('bathroom',),
    'headphones': ('bathroom', 'kitchen'), 'water cooler': (*LIVING, 'bathroom'),
    'guitar': ('bathroom', 'kitchen'), 'ironing board': ('classroom',),
    'suitcase': ('kitchen',), 'dumbbell': ('kitchen',),
}  # fmt: skip
"""Kinds of rooms where a category would look lost."""
AT_WALL = ('piano', 'water cooler', 'folded chair', 'guitar', 'fan', 'suitcase')
ON_TOP: dict[str, tuple[str, ...]] = {
    'toaster': ('top',), 'coffee kettle': ('top',), 'telephone': ('desk', 'top', 'shelf'),
    'headphones': ('desk', 'top', 'shelf'), 'hat': ('top', 'bed', 'seat', 'shelf', 'desk'),
    'stuffed animal': ('bed', 'seat', 'shelf', 'top'),
}  # fmt: skip
"""Small things, and on which level places they stand."""


def add_novel(room: Room, kind: str) -> None:
    """Place a few objects of the categories that training rooms never hold."""
    there = {placed.category.name for placed in room.placed}
    names = [
        name
        for name, category in CATEGORIES.items()
        if category.novel and kind not in NOT_IN.get(name, ()) and name not in there & ONCE
    ]
    for name in some(room, names, 5, 9):
        if name in ON_TOP:
            _on_top(room, name)
        elif name in AT_WALL:
            room.against_wall(name)
        else:
            on_floor_somewhere(room, name)


def _on_top(room: Room, name: str) -> Placed | None:
    bases = list(room.tops(*ON_TOP[name]))
    for k in room.rng.permutation(len(bases))[:5]:
        placed = room.on_top(name, bases[k], 0.5)
        if placed:
            return placed
    return room.against_wall(name, 0.05, 0.2) if name == 'stuffed animal' else None
