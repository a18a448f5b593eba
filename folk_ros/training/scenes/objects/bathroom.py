"""Bathroom ware."""

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
    metal,
    plastic,
    Rng,
    shaded,
    STEEL,
    WHITE,
)
from folk_ros.training.scenes.objects.kitchen import tap
from folk_ros.training.scenes.objects.tableware import tray_walls
from folk_ros.training.scenes.primitives import (
    BOTTOM,
    box,
    cone,
    FABRIC,
    lying,
    Material,
    Part,
    rod,
    slab,
    STRIPES,
    turn,
)

EYE = np.eye(3)
CARD = Material((0.55, 0.42, 0.3), gloss=0.0)


def porcelain(rng: Rng) -> Finish:
    """Pick glazed white or tinted ware."""
    return finish(rng, ('white', 'white', 'white', 'cream', 'light grey'), 'ceramic')


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
    return Blueprint(parts, ware.colour, ware.stuff)


def toilet(rng: Rng) -> Blueprint:
    """Build a toilet: foot, oval bowl, seat, lid up or down, cistern."""
    ware = porcelain(rng)
    m = ware.material
    seat = shaded(ware, rng.uniform(0.92, 1.0))
    h = rng.uniform(0.39, 0.43)
    parts = [cone(m, (0.03, 0, 0), h - 0.12, (0.19, 0.12), 0.95)]
    parts.append(cone(m, (0.08, 0, h - 0.2), 0.2, (0.17, 0.12), 1.45, BOTTOM))
    parts.append(
        cone(Material((0.55, 0.68, 0.75), gloss=0.8), (0.08, 0, h - 0.1), 0.01, (0.17, 0.12))
    )
    parts.append(cone(seat, (0.08, 0, h - 0.005), 0.03, (0.25, 0.19), 0.86, 0))
    parts.append(slab(m, (-0.34, -0.17, h - 0.14), (-0.12, 0.17, h)))
    parts.append(slab(m, (-0.36, -0.2, h), (-0.2, 0.2, h + 0.36)))
    parts.append(slab(seat, (-0.37, -0.21, h + 0.36), (-0.19, 0.21, h + 0.39)))
    parts.append(cone(STEEL, (-0.28, 0, h + 0.39), 0.01, 0.025))
    if rng.random() < 0.5:
        parts.append(cone(seat, (0.08, 0, h + 0.02), 0.02, (0.25, 0.19)))
    else:
        lid = lying(cone(seat, (0, 0, -0.01), 0.02, (0.22, 0.18)), 'x')
        parts.append(lid.moved(turn('y', -0.15), (-0.14, 0, h + 0.23)))
    return Blueprint([p.moved(EYE, (0.05, 0, 0)) for p in parts], ware.colour, ware.stuff)


def bathtub(rng: Rng) -> Blueprint:
    """Build a bathtub, its long side along y."""
    ware = porcelain(rng)
    d, w, h = rng.uniform(0.68, 0.78), rng.uniform(1.45, 1.7), rng.uniform(0.5, 0.6)
    parts = tray_walls(ware.material, (d, w, h), 0.07)
    parts.append(slab(ware.material, (-d / 2, -w / 2, 0), (d / 2, w / 2, 0.12)))
    if rng.random() < 0.4:
        water = Material((0.5, 0.72, 0.8), gloss=0.9, wear=0.02)
        parts.append(
            slab(
                water,
                (-d / 2 + 0.05, -w / 2 + 0.05, h * 0.6),
                (d / 2 - 0.05, w / 2 - 0.05, h * 0.62),
            )
        )
    pipe = [p.moved(turn('z', np.pi / 2), (0, -w / 2 + 0.04, h)) for p in tap((0, 0, 0), 0.14)]
    return Blueprint([*parts, *pipe], ware.colour, ware.stuff)


def toilet_paper(rng: Rng) -> Blueprint:
    """Build a roll on a wall holder, fuller or emptier, its sheet hanging down."""
    tissue = finish(rng, ('white', 'white', 'cream', 'light blue', 'pink'), 'paper')
    holder = metal(rng, ('silver', 'black', 'white'))
    r, w, z = rng.uniform(0.045, 0.06), rng.uniform(0.09, 0.11), 0.1
    roll = lying(cone(tissue.material, (0, 0, -w / 2), w, r), 'y')
    core = lying(cone(CARD, (0, 0, -w / 2 - 0.001), w + 0.002, 0.02), 'y')
    parts: list[Part] = [part.moved(EYE, (0.08, 0, z)) for part in (roll, core)]
    hang = rng.uniform(0.06, 0.1)
    parts.append(box(tissue.material, (0.08 + r, 0, z - hang / 2), (0.004, w, hang)))
    parts.append(rod(holder.material, (0.08, -0.07, z), (0.08, 0.07, z), 0.008))
    parts.append(rod(holder.material, (0, 0.07, z), (0.08, 0.07, z), 0.008))
    return Blueprint(parts, tissue.colour, tissue.stuff)


def soap_dispenser(rng: Rng) -> Blueprint:
    """Build a pump bottle for soap."""
    body = plastic(rng)
    parts = [
        cone(body.material, (0, 0, 0), 0.12, 0.035),
        cone(body.material, (0, 0, 0.12), 0.02, 0.035, 0.4),
    ]
    parts += [
        cone(WHITE, (0, 0, 0.14), 0.04, 0.008),
        box(WHITE, (0.02, 0, 0.185), (0.06, 0.02, 0.012)),
    ]
    return Blueprint(parts, body.colour, body.stuff)


def mat(rng: Rng) -> Blueprint:
    """Build a bath or door mat."""
    pile = finish(rng, ('blue', 'grey', 'beige', 'green', 'red', 'pink', 'brown'), 'fabric',
                  int(rng.choice([FABRIC, STRIPES])), 0.12)  # fmt: skip
    d, w = rng.uniform(0.4, 0.6), rng.uniform(0.6, 0.95)
    return Blueprint([box(pile.material, (0, 0, 0.011), (d, w, 0.022))], pile.colour, pile.stuff)


CATEGORIES = (
    Category('sink', sink, ('wash basin', 'washbasin', 'bathroom sink'),
             ('where hands are washed', 'a basin with a tap'), (0.38, 0.46, 0.9),
             (0.6, 0.7, 1.15)),
    Category('toilet', toilet, ('lavatory', 'wc', 'toilet bowl'),
             ('something to sit on in a bathroom',), (0.6, 0.36, 0.7), (0.8, 0.46, 0.9)),
    Category('bathtub', bathtub, ('tub', 'bath'), ('something to bathe in',), (0.65, 1.4, 0.5),
             (0.82, 1.75, 0.85)),
    Category('toilet paper', toilet_paper, ('toilet roll', 'bathroom tissue'),
             ('paper used on a toilet',), (0.1, 0.1, 0.08), (0.18, 0.2, 0.2)),
    Category('soap dispenser', soap_dispenser, ('soap pump', 'hand soap'),
             ('something to wash hands with',), (0.05, 0.05, 0.14), (0.1, 0.1, 0.24)),
    Category('mat', mat, ('bath mat', 'door mat', 'small rug'),
             ('something to step on', 'something to dry feet on'), (0.35, 0.55, 0.01),
             (0.65, 1.0, 0.04)),
)  # fmt: skip
