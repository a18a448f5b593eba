"""Doors, windows and blinds: what is let into walls."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    Blueprint,
    Category,
    Finish,
    finish,
    Rng,
    shaded,
    STEEL,
    wooden,
)
from folk_ros.training.scenes.objects.walls import frame
from folk_ros.training.scenes.rendering.primitives import box, Material, Part, rod, SKY, slab, turn

DUSK = Material((0.12, 0.11, 0.11), wear=0.1)  # what is seen through an open door
PANE = Material((0.55, 0.66, 0.7), gloss=0.9, wear=0.05)
CASING = 0.07


def door(rng: Rng) -> Blueprint:
    """Build a door with handle and casing: panelled, smooth, with a pane, some of them ajar."""
    painted = ('white', 'cream', 'grey', 'blue', 'green', 'red', 'brown')
    leaf = wooden(rng) if rng.random() < 0.55 else finish(rng, painted, 'painted')
    w, h = rng.uniform(0.75, 0.95), rng.uniform(1.95, 2.1)
    side = 1 if rng.random() < 0.5 else -1
    style = int(rng.integers(4))
    parts = _leaf(rng, leaf, (w, h), side, style)
    ajar = rng.random() < 0.15
    if ajar:
        hinge = (0.0, -side * w / 2, 0.0)
        swing = turn('z', -side * rng.uniform(0.3, 1.0))
        back = [part.moved(np.eye(3), (0, side * w / 2, 0)) for part in parts]
        parts = [part.moved(swing, hinge) for part in back]
        parts = [part.moved(np.eye(3), (0.02, 0, 0)) for part in parts]
        parts.append(slab(DUSK, (0, -w / 2, 0), (0.008, w / 2, h)))
    rim = shaded(leaf, 0.75 if rng.random() < 0.5 else 1.15)
    for y0, y1 in ((-w / 2 - CASING, -w / 2), (w / 2, w / 2 + CASING)):
        parts.append(slab(rim, (0, y0, 0), (0.055, y1, h + CASING)))
    parts.append(slab(rim, (0, -w / 2 - CASING, h), (0.055, w / 2 + CASING, h + CASING)))
    form = 'open' if ajar else 'glazed' if style == 3 else 'closed'
    return Blueprint(parts, leaf.colour, leaf.stuff, form=form)


def _leaf(rng: Rng, leaf: Finish, size: tuple[float, float], side: int, style: int) -> list[Part]:
    """Build what swings, its back at x = 0, the handle at `side`."""
    w, h = size
    parts = [slab(leaf.material, (0, -w / 2, 0), (0.035, w / 2, h))]
    raised = shaded(leaf, 0.88)
    if style == 1:  # one above the other
        for k in range(int(rng.integers(1, 4))):
            z = 0.2 + k * 0.6
            high = (0.042, w * 0.34, min(z + 0.48, h - 0.1))
            parts.append(slab(raised, (0.03, -w * 0.34, z), high))
    elif style == 2:  # two by three
        for z in (0.15, 0.8, 1.4):
            for y in (-0.36 * w, 0.04 * w):
                parts.append(slab(raised, (0.03, y, z), (0.043, y + 0.32 * w, z + 0.45)))
    elif style == 3:
        low = rng.uniform(0.9, 1.3)
        parts.append(slab(PANE, (0.02, -w * 0.3, low), (0.04, w * 0.3, h - 0.15)))
    y = side * (w / 2 - 0.08)
    parts.append(rod(STEEL, (0.03, y, 1.02), (0.085, y, 1.02), 0.012))
    parts.append(rod(STEEL, (0.085, y, 1.02), (0.085, y - side * 0.13, 1.02), 0.011))
    return parts


def window(rng: Rng) -> Blueprint:
    """Build a window with bars, a sill and a view."""
    rim = finish(rng, ('white', 'white', 'brown', 'grey'), 'framed')
    w, h = rng.uniform(0.8, 1.5), rng.uniform(0.9, 1.3)
    m = rim.material
    view = Material(
        (0.7, 0.85, 0.98), pattern=SKY, gloss=0.2, wear=0, seed=int(rng.integers(1 << 30))
    )
    parts = [slab(view, (0, -w / 2, 0), (0.012, w / 2, h)), *frame(m, w, h, 0.06, 0.05)]
    parts.append(box(m, (0.02, 0, h / 2), (0.04, 0.05, h)))
    if rng.random() < 0.5:
        parts.append(box(m, (0.02, 0, h * 0.65), (0.035, w, 0.035)))
    parts.append(slab(m, (0, -w / 2 - 0.05, 0), (0.14, w / 2 + 0.05, 0.035)))
    return Blueprint(parts, rim.colour, 'glass')


def blinds(rng: Rng) -> Blueprint:
    """Build blinds hanging before a window: slats more or less turned, or one roller of cloth."""
    slat = finish(rng, ('white', 'cream', 'grey', 'beige', 'brown'), 'slatted')
    w, h = rng.uniform(0.8, 1.4), rng.uniform(0.5, 1.2)
    parts = [slab(slat.material, (0, -w / 2, h - 0.05), (0.06, w / 2, h))]
    if rng.random() < 0.3:
        parts.append(slab(slat.material, (0.025, -w / 2, 0.015), (0.035, w / 2, h - 0.04)))
        parts.append(slab(shaded(slat, 0.85), (0.02, -w / 2, 0), (0.04, w / 2, 0.025)))
        return Blueprint(parts, slat.colour, 'fabric', form='roller')
    count = round((h - 0.05) / rng.uniform(0.055, 0.08))
    tilt = turn('y', rng.uniform(0.2, 0.9))
    for k in range(count):
        z = (k + 0.5) * (h - 0.05) / count
        parts.append(box(shaded(slat, 0.95), (0.03, 0, z), (0.045, w, 0.005), tilt))
    for y in (-w * 0.35, w * 0.35):
        parts.append(rod(STEEL, (0.03, y, 0.0), (0.03, y, h), 0.003))
    return Blueprint(parts, slat.colour, slat.stuff, form='slatted')


CATEGORIES = (
    Category('door', door, ('room door', 'entrance'), ('the way out', 'something to walk through'),
             (0.03, 0.85, 1.9), (1.0, 1.3, 2.25)),
    Category('window', window, ('glass window', 'window pane'),
             ('something to look out of', 'where daylight comes in'), (0.05, 0.8, 0.85),
             (0.2, 1.7, 1.4)),
    Category('blinds', blinds, ('window blind', 'window shade', 'shades'),
             ('something to darken the room',), (0.03, 0.75, 0.45), (0.1, 1.45, 1.35)),
)  # fmt: skip
