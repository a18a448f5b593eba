"""Things on walls and under the ceiling."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    BLACK,
    Blueprint,
    Category,
    DARK,
    finish,
    metal,
    Rng,
    shaded,
    STEEL,
    wooden,
)
from folk_ros.training.scenes.rendering.primitives import (
    ball,
    box,
    cone,
    FABRIC,
    GRILL,
    lying,
    Material,
    Part,
    PICTURE,
    rod,
    slab,
    SPECKLE,
    TEXT,
    turn,
)

EYE = np.eye(3)
WALL = ('something on the wall',)


def frame(material: Material, w: float, h: float, thick: float, deep: float) -> list[Part]:
    """Build a frame on a wall: back at x = 0, bottom at z = 0."""
    return [
        slab(material, (0, -w / 2, 0), (deep, w / 2, thick)),
        slab(material, (0, -w / 2, h - thick), (deep, w / 2, h)),
        slab(material, (0, -w / 2, 0), (deep, -w / 2 + thick, h)),
        slab(material, (0, w / 2 - thick, 0), (deep, w / 2, h)),
    ]


def picture(rng: Rng) -> Blueprint:
    """Build a framed picture."""
    rim = (
        wooden(rng) if rng.random() < 0.5 else finish(rng, ('black', 'white', 'silver'), 'framed')
    )
    w, h = rng.uniform(0.3, 0.9), rng.uniform(0.3, 0.7)
    art = Material(
        (0.5, 0.5, 0.5), (0.95, 0.94, 0.9), PICTURE, 0.1, 0.3, 0.0, int(rng.integers(1 << 30))
    )
    deep, thick = rng.uniform(0.03, 0.05), rng.uniform(0.015, 0.05)
    if rng.random() < 0.2:  # a canvas without a frame
        return Blueprint([slab(art, (0, -w / 2, 0), (deep, w / 2, h))], 'colourful', 'canvas')
    parts = [slab(art, (0, -w / 2 + 0.01, 0.01), (deep * 0.6, w / 2 - 0.01, h - 0.01))]
    parts += frame(rim.material, w, h, thick, deep)
    return Blueprint(parts, rim.colour, 'framed')


def poster(rng: Rng) -> Blueprint:
    """Build a poster without a frame."""
    w, h = rng.uniform(0.42, 0.65), rng.uniform(0.6, 0.9)
    art = Material(
        (0.5, 0.5, 0.5), (0.9, 0.9, 0.9), PICTURE, 0.1, 0.2, 0.02, int(rng.integers(1 << 30))
    )
    return Blueprint([slab(art, (0, -w / 2, 0), (0.008, w / 2, h))], 'colourful', 'paper')


def whiteboard(rng: Rng) -> Blueprint:
    """Build a white board with writing and a pen tray."""
    w, h = rng.uniform(1.0, 1.9), rng.uniform(0.8, 1.1)
    pen = finish(rng, ('blue', 'black', 'red', 'green'), 'ink').material.colour
    ink = Material(
        (0.94, 0.95, 0.95),
        pen,
        TEXT,
        rng.uniform(0.08, 0.14),
        0.6,
        0.02,
        int(rng.integers(1 << 30)),
    )
    parts = [slab(ink, (0, -w / 2, 0), (0.03, w / 2, h)), *frame(STEEL, w, h, 0.02, 0.038)]
    parts.append(slab(STEEL, (0, -w / 4, 0.0), (0.08, w / 4, 0.015)))
    return Blueprint(parts, 'white', 'shiny')


def blackboard(rng: Rng) -> Blueprint:
    """Build a chalk board in a wooden frame."""
    w, h = rng.uniform(1.1, 1.9), rng.uniform(0.8, 1.1)
    slate = (0.1, 0.2, 0.15) if rng.random() < 0.6 else (0.1, 0.1, 0.11)
    chalk = Material(
        slate,
        (0.85, 0.87, 0.85),
        TEXT,
        rng.uniform(0.08, 0.14),
        0,
        0.25,
        int(rng.integers(1 << 30)),
    )
    rim = wooden(rng)
    parts = [
        slab(chalk, (0, -w / 2, 0), (0.02, w / 2, h)),
        *frame(rim.material, w, h, 0.045, 0.035),
    ]
    parts.append(slab(rim.material, (0, -w / 2, 0), (0.09, w / 2, 0.02)))
    return Blueprint(parts, 'green' if slate[1] > 0.15 else 'black', 'chalk')


def bulletin_board(rng: Rng) -> Blueprint:
    """Build a cork board with notes."""
    w, h = rng.uniform(0.6, 1.1), rng.uniform(0.5, 0.8)
    cork = Material((0.72, 0.52, 0.32), (0.5, 0.33, 0.18), SPECKLE, 0.008, 0, 0.1, 7)
    parts = [
        slab(cork, (0, -w / 2, 0), (0.025, w / 2, h)),
        *frame(wooden(rng).material, w, h, 0.03, 0.035),
    ]
    for _ in range(int(rng.integers(4, 9))):
        base = finish(
            rng, ('white', 'yellow', 'pink', 'light blue', 'white'), 'paper'
        ).material.colour
        note = Material(base, (0.25, 0.25, 0.3), TEXT, 0.02, 0, 0, int(rng.integers(99)))
        y, z = rng.uniform(-w / 2 + 0.12, w / 2 - 0.12), rng.uniform(0.13, h - 0.13)
        parts.append(
            box(
                note,
                (0.028, y, z),
                (0.004, rng.uniform(0.1, 0.18), rng.uniform(0.1, 0.18)),
                turn('x', rng.normal(0, 0.1)),
            )
        )
    return Blueprint(parts, 'brown', 'cork')


def mirror(rng: Rng) -> Blueprint:
    """Build a wall mirror, square or round; depth cameras see its plane."""
    rim = wooden(rng) if rng.random() < 0.5 else metal(rng)
    w, h = rng.uniform(0.4, 0.7), rng.uniform(0.5, 1.1)
    glass = Material((0.62, 0.7, 0.74), (0.75, 0.82, 0.86), FABRIC, 0.1, 1.0, 0.0)
    if rng.random() < 0.3:
        w = h = rng.uniform(0.46, 0.7)
        discs = ((rim.material, 0.05, w / 2), (glass, 0.053, w / 2 - 0.03))
        parts: list[Part] = [
            lying(cone(m, (0, 0, 0), deep, r), 'x').moved(EYE, (0, 0, w / 2))
            for m, deep, r in discs
        ]
        return Blueprint(parts, rim.colour, 'framed', form='round')
    parts = [slab(glass, (0, -w / 2, 0), (0.025, w / 2, h))]
    parts += frame(rim.material, w, h, rng.uniform(0.015, 0.05), 0.05)
    return Blueprint(parts, rim.colour, 'framed', form='tall' if h > 0.9 else '')


def radiator(rng: Rng) -> Blueprint:
    """Build a ribbed radiator under a sill."""
    body = metal(rng, ('white', 'white', 'cream', 'grey'))
    w, h = rng.uniform(0.6, 1.2), rng.uniform(0.5, 0.65)
    count = round(w / 0.07)
    parts = []
    for k in range(count):
        y = -w / 2 + (k + 0.5) * w / count
        parts.append(
            slab(body.material, (0.04, y - w / count * 0.33, 0.1), (0.13, y + w / count * 0.33, h))
        )
    for z in (0.15, h - 0.06):
        parts.append(rod(shaded(body, 0.85), (0.085, -w / 2, z), (0.085, w / 2, z), 0.025))
    parts.append(rod(body.material, (0.085, w / 2, 0), (0.085, w / 2, 0.15), 0.012))
    parts.append(rod(STEEL, (0.085, w / 2, 0.15), (0.14, w / 2 + 0.03, 0.15), 0.02))
    return Blueprint(parts, body.colour, body.stuff)


def fireplace(rng: Rng) -> Blueprint:
    """Build a fireplace with a mantelpiece."""
    stone = finish(rng, ('white', 'grey', 'beige', 'cream'), 'stone')
    w, h = rng.uniform(1.0, 1.3), rng.uniform(0.95, 1.1)
    m = stone.material
    parts = [
        slab(m, (0, -w / 2 - 0.06, h - 0.08), (0.32, w / 2 + 0.06, h)),
        slab(m, (0, -w / 2, h * 0.68), (0.25, w / 2, h - 0.08)),
    ]
    parts += [
        slab(m, (0, s * w * 0.39 - w * 0.11, 0), (0.25, s * w * 0.39 + w * 0.11, h * 0.7))
        for s in (-1, 1)
    ]
    parts.append(slab(BLACK, (0, -w / 2, 0), (0.06, w / 2, h * 0.7)))
    for k in range(3):
        parts.append(
            rod(
                Material((0.3, 0.18, 0.1), wear=0.3),
                (0.14, -0.15, 0.06 + 0.05 * k),
                (0.12, 0.16, 0.06 + 0.06 * k),
                0.04,
            )
        )
    parts.append(
        slab(
            Material((0.12, 0.1, 0.1), (0.3, 0.3, 0.3), GRILL, 0.03),
            (0.1, -w * 0.2, 0),
            (0.2, w * 0.2, 0.03),
        )
    )
    return Blueprint(parts, stone.colour, stone.stuff)


def ceiling_light(rng: Rng) -> Blueprint:
    """Build a lamp under the ceiling: hanging shade or globe, or flat; its lowest point z = 0."""
    cover = finish(rng, ('white', 'black', 'yellow', 'cream', 'silver', 'red', 'green'), 'metal')
    bright = Material((1.0, 0.98, 0.88), gloss=0, wear=0)
    style, r = rng.random(), rng.uniform(0.14, 0.22)
    parts: list[Part]
    if style < 0.35:
        h = rng.uniform(0.14, 0.22)
        parts = [cone(cover.material, (0, 0, 0), h, r, 0.3, 2), cone(DARK, (0, 0, h), 0.3, 0.008)]
        parts.append(ball(bright, (0, 0, h * 0.35), 0.05))
        return Blueprint(parts, cover.colour, cover.stuff, form='hanging')
    if style < 0.55:
        parts = [ball(bright, (0, 0, r), r), cone(DARK, (0, 0, 2 * r - 0.005), 0.25, 0.008)]
        return Blueprint(parts, 'white', 'glass', form='round')
    if style < 0.8:
        parts = [
            cone(bright, (0, 0, 0), 0.06, r, 1.1),
            cone(cover.material, (0, 0, 0.06), 0.03, r),
        ]
        return Blueprint(parts, 'white', 'glass', form='flat')
    long, wide = rng.uniform(0.9, 1.25), rng.uniform(0.1, 0.3)
    parts = [slab(bright, (-wide / 2, -long / 2, 0), (wide / 2, long / 2, 0.04))]
    lid = (-wide / 2 - 0.02, -long / 2 - 0.02, 0.035), (wide / 2 + 0.02, long / 2 + 0.02, 0.08)
    parts.append(slab(cover.material, *lid))
    return Blueprint(parts, cover.colour, cover.stuff, form='long')


CATEGORIES = (
    Category('picture', picture, ('painting', 'framed picture', 'framed photo'),
             (*WALL, 'a decoration to look at'), (0.01, 0.28, 0.28), (0.06, 0.95, 0.75)),
    Category('poster', poster, ('wall poster', 'print'), (*WALL, 'a paper picture on the wall'),
             (0.004, 0.4, 0.55), (0.03, 0.7, 0.95)),
    Category('whiteboard', whiteboard, ('dry erase board', 'marker board'),
             ('something to write on with pens',), (0.02, 0.95, 0.75), (0.12, 1.95, 1.15)),
    Category('blackboard', blackboard, ('chalkboard', 'chalk board'),
             ('something to write on with chalk',), (0.02, 1.05, 0.75), (0.12, 1.95, 1.15)),
    Category('bulletin board', bulletin_board, ('pin board', 'notice board', 'cork board'),
             ('where notes are pinned',), (0.01, 0.55, 0.45), (0.06, 1.15, 0.85)),
    Category('mirror', mirror, ('wall mirror', 'looking glass'), ('something to see yourself in',),
             (0.01, 0.38, 0.45), (0.06, 0.75, 1.2)),
    Category('radiator', radiator, ('heater', 'heating radiator'),
             ('something that warms the room',), (0.08, 0.55, 0.45), (0.2, 1.4, 0.7)),
    Category('ceiling light', ceiling_light, ('ceiling lamp', 'overhead light'),
             ('something that gives light',), (0.1, 0.26, 0.07), (0.5, 1.35, 0.75)),
    Category('fireplace', fireplace, ('hearth', 'chimney piece'), ('where logs burn',),
             (0.28, 1.05, 0.9), (0.4, 1.5, 1.15)),
)  # fmt: skip
