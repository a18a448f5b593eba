"""Basins with taps, for hands and for dishes."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    BLACK,
    Blueprint,
    board,
    Category,
    DARK,
    Finish,
    finish,
    Rng,
    shaded,
    STEEL,
    Support,
)
from folk_ros.training.scenes.objects.tableware import tray_walls
from folk_ros.training.scenes.rendering.primitives import box, cone, Part, rod, slab, SPECKLE

EYE = np.eye(3)


def porcelain(rng: Rng) -> Finish:
    """Pick glazed white or tinted ware."""
    return finish(rng, ('white', 'white', 'white', 'cream', 'light grey'), 'ceramic')


def tap(place: tuple[float, float, float], height: float) -> list[Part]:
    """Build a tap with a bent spout towards +x."""
    x, y, z = place
    top = z + height
    return [
        cone(STEEL, place, height, 0.016),
        rod(STEEL, (x, y, top), (x + 0.13, y, top + 0.01), 0.013),
        rod(STEEL, (x + 0.13, y, top + 0.01), (x + 0.135, y, top - 0.04), 0.012),
        rod(STEEL, (x, y, top), (x - 0.02, y, top + 0.05), 0.009),
    ]


def sink(rng: Rng) -> Blueprint:
    """Build a wash basin on a column or cupboard, with a tap."""
    ware = porcelain(rng)
    d, w, h = rng.uniform(0.42, 0.52), rng.uniform(0.5, 0.65), rng.uniform(0.8, 0.88)
    m = ware.material
    cupboard = rng.random() < 0.45
    if cupboard:
        body = board(rng)
        parts = [
            slab(
                body.material,
                (-d / 2, -w / 2 + 0.02, 0.06),
                (d / 2 - 0.03, w / 2 - 0.02, h - 0.14),
            )
        ]
        for side in (-1, 1):
            parts.append(
                box(
                    shaded(body, 0.9),
                    (d / 2 - 0.025, side * w / 4, h * 0.45),
                    (0.02, w / 2 - 0.05, h * 0.7),
                )
            )
            parts.append(box(STEEL, (d / 2 - 0.005, side * 0.04, h * 0.5), (0.02, 0.012, 0.1)))
        parts.append(slab(BLACK, (-d / 2, -w / 2 + 0.05, 0), (d / 2 - 0.08, w / 2 - 0.05, 0.06)))
    else:
        parts = [cone(m, (-d / 4, 0, 0), h - 0.12, 0.09, 0.8)]
    parts += [p.moved(EYE, (0, 0, h - 0.15)) for p in tray_walls(m, (d, w, 0.15), 0.035)]
    parts.append(slab(m, (-d / 2, -w / 2, h - 0.15), (-d / 2 + 0.12, w / 2, h)))
    parts.append(cone(DARK, (0.05, 0, h - 0.116), 0.006, 0.025))
    parts += tap((-d / 2 + 0.06, 0, h), 0.16)
    edge = Support((-d / 2 + 0.01, -w / 2 + 0.02), (-d / 2 + 0.11, w / 2 - 0.02), h)
    form = 'fitted' if cupboard else 'pedestal'
    return Blueprint(parts, ware.colour, ware.stuff, (edge,), form)


def kitchen_sink(rng: Rng) -> Blueprint:
    """Build a base cupboard with a steel basin let in and a tap."""
    body = board(rng, ('white', 'cream', 'grey', 'dark blue', 'green'))
    stone = finish(rng, ('grey', 'dark grey', 'beige', 'white'), 'stone', SPECKLE, 0.012)
    d, w, h = 0.6, rng.uniform(0.7, 0.95), rng.uniform(0.86, 0.92)
    parts = [slab(body.material, (-d / 2, -w / 2, 0.09), (d / 2 - 0.03, w / 2, h - 0.18))]
    parts.append(slab(shaded(body, 0.4), (-d / 2, -w / 2, 0), (d / 2 - 0.09, w / 2, 0.09)))
    for side in (-1, 1):
        parts.append(
            box(
                shaded(body, 0.92),
                (d / 2 - 0.02, side * w / 4, h * 0.5),
                (0.02, w / 2 - 0.02, h * 0.75),
            )
        )
        parts.append(box(STEEL, (d / 2, side * 0.06, h * 0.8), (0.02, 0.014, 0.12)))
    rim = 0.09
    parts += [
        p.moved(EYE, (0, 0, h - 0.18)) for p in tray_walls(stone.material, (d, w, 0.18), rim)
    ]
    inner = (d - 2 * rim + 0.02, w - 2 * rim + 0.02, 0.185)
    parts += [p.moved(EYE, (0, 0, h - 0.18)) for p in tray_walls(STEEL, inner, 0.012)]
    parts += tap((-d / 2 + 0.05, 0, h), 0.24)
    return Blueprint(parts, 'silver', 'steel')


CATEGORIES = (
    Category('sink', sink, ('wash basin', 'washbasin', 'bathroom sink'),
             ('where hands are washed', 'a basin with a tap'), (0.38, 0.46, 0.9),
             (0.6, 0.7, 1.15)),
)  # fmt: skip

KITCHEN_SINK = Category(
    'sink', kitchen_sink, ('kitchen sink', 'basin'),
    ('where dishes are washed', 'a basin with a tap'), (0.55, 0.65, 1.0),
    (0.65, 1.0, 1.3))  # fmt: skip
