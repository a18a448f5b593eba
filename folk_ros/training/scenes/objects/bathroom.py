"""Bathroom ware."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    Blueprint,
    Category,
    Finish,
    finish,
    metal,
    plastic,
    Rng,
    shaded,
    STEEL,
    WHITE,
)
from folk_ros.training.scenes.objects.sinks import porcelain, tap
from folk_ros.training.scenes.objects.tableware import tray_walls
from folk_ros.training.scenes.rendering.primitives import (
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
    if rng.random() < 0.3:
        return _oval_tub(ware, d, w, h)
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


def _oval_tub(ware: Finish, d: float, w: float, h: float) -> Blueprint:
    """Build a bathtub that stands free: an oval bowl with a rolled rim and a tap on a pipe."""
    m = ware.material
    parts: list[Part] = [cone(m, (0, 0, 0), h, (d * 0.39, w * 0.42), 1.19, BOTTOM)]
    parts.append(cone(m, (0, 0, h - 0.03), 0.03, (d * 0.47, w * 0.49), 1.05, 0))
    parts.append(cone(shaded(ware, 0.95), (0, 0, 0.08), 0.02, (d * 0.4, w * 0.43)))
    pipe = [p.moved(EYE, (-d * 0.36, 0, h - 0.02)) for p in tap((0, 0, 0), 0.18)]
    return Blueprint([*parts, *pipe], ware.colour, ware.stuff, form='free standing')


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
