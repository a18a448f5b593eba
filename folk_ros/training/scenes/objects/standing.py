"""Bags, tools, racks: larger things that stand about."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    ANY,
    BLACK,
    Blueprint,
    BRIGHT,
    Category,
    cloth,
    DARK,
    finish,
    legs,
    metal,
    plastic,
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
    lying,
    Material,
    Part,
    rod,
    slab,
    soft,
    TEXT,
    turn,
)

EYE = np.eye(3)


def backpack(rng: Rng) -> Blueprint:
    """Build a rucksack standing, its pocket in front."""
    sack = finish(rng, (*BRIGHT, 'black', 'grey', 'dark blue'), 'fabric', FABRIC)
    k = rng.uniform(0.85, 1.1)
    m, dark = sack.material, shaded(sack, 0.7)
    parts: list[Part] = [soft(m, (0, 0, 0.23 * k), (0.2 * k, 0.31 * k, 0.46 * k))]
    parts.append(soft(shaded(sack, 0.85), (0.1 * k, 0, 0.15 * k), (0.1 * k, 0.25 * k, 0.24 * k)))
    parts.append(box(dark, (0.145 * k, 0, 0.23 * k), (0.012, 0.2 * k, 0.012)))
    parts.append(rod(dark, (0, -0.04, 0.46 * k), (0, 0.04, 0.5 * k), 0.01))
    for side in (-1, 1):
        y = side * 0.09 * k
        parts.append(rod(dark, (-0.09 * k, y, 0.42 * k), (-0.14 * k, y, 0.25 * k), 0.018))
        parts.append(rod(dark, (-0.14 * k, y, 0.25 * k), (-0.1 * k, y, 0.06 * k), 0.014))
    return Blueprint(parts, sack.colour, sack.stuff)


def bag(rng: Rng) -> Blueprint:
    """Build a shopping or hand bag with two loops."""
    skin = finish(rng, (*ANY,), 'leather' if rng.random() < 0.5 else 'paper')
    w, d, h = rng.uniform(0.28, 0.4), rng.uniform(0.1, 0.16), rng.uniform(0.24, 0.36)
    parts: list[Part]
    slack = rng.random() < 0.4
    if slack:  # cloth, slumped
        skin = cloth(rng)
        parts = [soft(skin.material, (0, 0, h / 2), (d * 1.1, w, h))]
    else:
        parts = [box(skin.material, (0, 0, h / 2), (d, w, h))]
    for x in (-d / 2, d / 2):
        loop = [
            (x, 0.09 * np.cos(a), h - 0.01 + 0.12 * np.sin(a)) for a in np.linspace(0, np.pi, 7)
        ]
        parts += [
            rod(shaded(skin, 0.6), a, b, 0.007) for a, b in zip(loop[:-1], loop[1:], strict=True)
        ]
    if not slack:
        parts.append(box(STEEL, (d / 2, 0, h * 0.75), (0.008, 0.04, 0.025)))
    return Blueprint(parts, skin.colour, skin.stuff, form='soft' if slack else '')


def suitcase(rng: Rng) -> Blueprint:
    """Build a wheeled suitcase with its handle out."""
    shell = plastic(rng, (*BRIGHT, 'black', 'silver'))
    d, w, h = rng.uniform(0.2, 0.27), rng.uniform(0.38, 0.48), rng.uniform(0.52, 0.68)
    parts: list[Part] = [box(shell.material, (0, 0, 0.06 + h / 2), (d, w, h))]
    for k in range(5):
        y = (k - 2) * w / 6
        parts.append(
            slab(shaded(shell, 0.8), (d / 2, y - 0.012, 0.1), (d / 2 + 0.012, y + 0.012, h))
        )
    parts += [
        ball(BLACK, (x * d * 0.4, y * w * 0.42, 0.03), 0.03) for x in (-1, 1) for y in (-1, 1)
    ]
    for side in (-1, 1):
        parts.append(
            rod(STEEL, (-d / 2 + 0.03, side * 0.1, h), (-d / 2 + 0.03, side * 0.1, h + 0.4), 0.01)
        )
    parts.append(
        rod(BLACK, (-d / 2 + 0.03, -0.12, h + 0.4), (-d / 2 + 0.03, 0.12, h + 0.4), 0.018)
    )
    parts.append(rod(BLACK, (0, -0.07, h + 0.08), (0, 0.07, h + 0.08), 0.012))
    return Blueprint(parts, shell.colour, shell.stuff)


def ladder(rng: Rng) -> Blueprint:
    """Build a step ladder standing open."""
    body = (
        metal(rng, ('silver', 'yellow', 'orange', 'blue')) if rng.random() < 0.6 else wooden(rng)
    )
    m = body.material
    h, w = rng.uniform(1.1, 1.7), rng.uniform(0.38, 0.46)
    spread = h * 0.3
    parts: list[Part] = []
    for side in (-1, 1):
        parts.append(rod(m, (spread, side * w / 2, 0.02), (0.04, side * w * 0.36, h), 0.02))
        parts.append(rod(m, (-spread, side * w / 2, 0.02), (-0.04, side * w * 0.36, h), 0.016))
    for k in range(1, round(h / 0.25) + 1):
        share = min(k * 0.25 / h, 1.0)
        x = spread + (0.04 - spread) * share
        parts.append(box(m, (x, 0, h * share), (0.09, w * (1 - 0.28 * share), 0.025)))
    parts.append(
        rod(m, (-spread * 0.6, -w * 0.45, h * 0.42), (-spread * 0.6, w * 0.45, h * 0.42), 0.01)
    )
    return Blueprint(parts, body.colour, body.stuff)


def fire_extinguisher(rng: Rng) -> Blueprint:
    """Build a red extinguisher with hose and lever."""
    red = Material((0.75, 0.06, 0.05), gloss=0.6)
    h = rng.uniform(0.4, 0.5)
    parts = [cone(red, (0, 0, 0), h, 0.08), ball(red, (0, 0, h), (0.08, 0.08, 0.05))]
    parts.append(cone(BLACK, (0, 0, h + 0.03), 0.05, 0.025))
    parts.append(box(BLACK, (0.05, 0, h + 0.09), (0.14, 0.025, 0.015), turn('y', -0.2)))
    hose = [(0.03, 0, h + 0.06), (0.11, 0.03, h - 0.02), (0.11, 0.03, h * 0.4)]
    parts += [rod(BLACK, a, b, 0.012) for a, b in zip(hose[:-1], hose[1:], strict=True)]
    parts.append(
        cone(
            Material((0.95, 0.95, 0.9), (0.1, 0.1, 0.1), TEXT, 0.02),
            (0, 0, h * 0.4),
            h * 0.35,
            0.081,
            1,
            0,
        )
    )
    return Blueprint(parts, 'red', 'metal')


def water_cooler(rng: Rng) -> Blueprint:
    """Build a water dispenser with its bottle on top."""
    body = plastic(rng, ('white', 'grey', 'black'))
    water = Material((0.45, 0.65, 0.85), gloss=0.9)
    parts = [slab(body.material, (-0.16, -0.16, 0), (0.16, 0.16, 0.95))]
    parts.append(slab(shaded(body, 0.5), (0.12, -0.12, 0.6), (0.165, 0.12, 0.82)))
    for y, colour in ((-0.05, (0.8, 0.1, 0.1)), (0.05, (0.1, 0.2, 0.8))):
        parts.append(box(Material(colour), (0.18, y, 0.78), (0.04, 0.03, 0.04)))
    parts.append(slab(DARK, (0.16, -0.1, 0.58), (0.23, 0.1, 0.6)))
    parts += [
        cone(water, (0, 0, 0.95), 0.06, 0.05, 2.6),
        cone(water, (0, 0, 1.01), 0.28, 0.135),
        ball(water, (0, 0, 1.29), (0.135, 0.135, 0.04)),
    ]
    return Blueprint(parts, body.colour, body.stuff)


def vacuum_cleaner(rng: Rng) -> Blueprint:
    """Build a canister vacuum cleaner with hose and pipe."""
    body = plastic(rng, (*BRIGHT, 'black'))
    m = body.material
    parts: list[Part] = [ball(m, (0, 0, 0.13), (0.2, 0.14, 0.12))]
    parts += [
        lying(cone(BLACK, (0, 0, -0.02), 0.04, 0.08), 'y').moved(EYE, (-0.1, s * 0.14, 0.08))
        for s in (-1, 1)
    ]
    path = [(0.18, 0, 0.16), (0.32, 0.05, 0.35), (0.25, 0.2, 0.6), (0.1, 0.3, 0.75)]
    parts += [rod(DARK, a, b, 0.02) for a, b in zip(path[:-1], path[1:], strict=True)]
    parts.append(rod(STEEL, (0.1, 0.3, 0.78), (0.33, 0.34, 0.04), 0.016))
    parts.append(box(BLACK, (0.36, 0.34, 0.025), (0.12, 0.26, 0.05)))
    return Blueprint(parts, body.colour, body.stuff)


def dumbbell(rng: Rng) -> Blueprint:
    """Build a dumbbell with round weights."""
    iron = metal(rng, ('black', 'grey', 'red', 'blue', 'pink'))
    r = rng.uniform(0.05, 0.08)
    bar = rod(STEEL, (0, -0.16, r), (0, 0.16, r), 0.014)
    parts: list[Part] = [bar]
    for side in (-1, 1):
        for k, share in ((0.09, 1.0), (0.125, 0.8)):
            disc = lying(cone(iron.material, (0, 0, -0.016), 0.032, r * share), 'y')
            parts.append(disc.moved(EYE, (0, side * k, r)))
    return Blueprint(parts, iron.colour, iron.stuff)


def cart(rng: Rng) -> Blueprint:
    """Build a trolley with three trays on castors."""
    body = metal(rng, ('white', 'black', 'silver', 'turquoise', 'red'))
    d, w, h = rng.uniform(0.36, 0.45), rng.uniform(0.5, 0.65), rng.uniform(0.75, 0.85)
    parts = [q.moved(EYE, (0, 0, 0.06)) for q in legs(body.material, (d, w), h - 0.06, 0.025)]
    parts += [
        ball(BLACK, (x * (d / 2 - 0.02), y * (w / 2 - 0.02), 0.035), 0.035)
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    for z in (0.15, h * 0.52, h - 0.06):
        parts.append(slab(body.material, (-d / 2, -w / 2, z), (d / 2, w / 2, z + 0.012)))
        for side in (-1, 1):
            parts.append(box(body.material, (side * d / 2, 0, z + 0.03), (0.01, w, 0.05)))
            parts.append(box(body.material, (0, side * w / 2, z + 0.03), (d, 0.01, 0.05)))
    return Blueprint(parts, body.colour, body.stuff)


def crate(rng: Rng) -> Blueprint:
    """Build a slatted wooden crate."""
    wood = wooden(rng)
    d, w, h = rng.uniform(0.28, 0.36), rng.uniform(0.4, 0.5), rng.uniform(0.24, 0.32)
    parts = [slab(wood.material, (-d / 2, -w / 2, 0), (d / 2, w / 2, 0.015))]
    for k in range(3):
        z = 0.01 + k * h / 3
        for side in (-1, 1):
            parts.append(
                slab(
                    wood.material,
                    (side * d / 2 - 0.008, -w / 2, z),
                    (side * d / 2 + 0.008, w / 2, z + h * 0.24),
                )
            )
            parts.append(
                slab(
                    shaded(wood, 0.9),
                    (-d / 2, side * w / 2 - 0.008, z),
                    (d / 2, side * w / 2 + 0.008, z + h * 0.24),
                )
            )
    parts += [
        box(shaded(wood, 0.8), (x * (d / 2 - 0.02), y * (w / 2 - 0.02), h / 2), (0.03, 0.03, h))
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    return Blueprint(parts, wood.colour, wood.stuff)


def coat_rack(rng: Rng) -> Blueprint:
    """Build a coat stand with a coat on it."""
    body = wooden(rng) if rng.random() < 0.6 else metal(rng)
    coat = cloth(rng)
    h = rng.uniform(1.6, 1.8)
    m = body.material
    parts: list[Part] = [cone(m, (0, 0, 0), h, 0.022), cone(m, (0, 0, 0), 0.03, 0.19)]
    for k in range(4):
        a = k * np.pi / 2 + 0.4
        c, s = np.cos(a), np.sin(a)
        parts.append(rod(m, (0, 0, h - 0.15), (0.16 * c, 0.16 * s, h - 0.03), 0.012))
    fall = rng.uniform(0.6, 0.85)
    parts.append(cone(coat.material, (0.1, 0, h - 0.15 - fall), fall, (0.1, 0.25), 0.72))
    parts.append(ball(coat.material, (0.1, 0, h - 0.16), (0.08, 0.2, 0.06)))
    for side in (-1, 1):
        shoulder = (0.1, side * 0.17, h - 0.17)
        parts.append(rod(coat.material, shoulder, (0.13, side * 0.27, h - 0.68), 0.06, 0.8))
    return Blueprint(parts, body.colour, body.stuff)


CATEGORIES = (
    Category('backpack', backpack, ('rucksack', 'knapsack', 'school bag'),
             ('a bag carried on the back',), (0.2, 0.24, 0.38), (0.36, 0.38, 0.62)),
    Category('bag', bag, ('carrier bag', 'bag with two handles'),
             ('something to carry things in',), (0.09, 0.26, 0.3), (0.2, 0.42, 0.52)),
    Category('suitcase', suitcase, ('luggage', 'trolley case', 'travel case'),
             ('something to pack for a journey',), (0.18, 0.35, 0.85), (0.33, 0.52, 1.15),
             novel=True),
    Category('ladder', ladder, ('step ladder', 'stepladder'), ('something to climb on',),
             (0.55, 0.36, 1.0), (1.2, 0.55, 1.85), novel=True),
    Category('fire extinguisher', fire_extinguisher, ('extinguisher',),
             ('something to put out a fire',), (0.12, 0.12, 0.42), (0.28, 0.22, 0.68), novel=True),
    Category('water cooler', water_cooler, ('water dispenser', 'drinking water dispenser'),
             ('where you get cold water',), (0.3, 0.28, 1.2), (0.45, 0.36, 1.45), novel=True),
    Category('vacuum cleaner', vacuum_cleaner, ('hoover', 'vacuum'),
             ('something that cleans the floor',), (0.5, 0.4, 0.6), (0.75, 0.75, 0.95),
             novel=True),
    Category('dumbbell', dumbbell, ('hand weight', 'free weight'),
             ('something to train muscles with',), (0.08, 0.26, 0.08), (0.2, 0.4, 0.2),
             novel=True),
    Category('cart', cart, ('trolley', 'rolling cart', 'serving cart'), ('a table on wheels',),
             (0.34, 0.48, 0.7), (0.5, 0.7, 0.9)),
    Category('crate', crate, ('slatted box', 'wooden crate'), ('something to keep things in',),
             (0.26, 0.38, 0.2), (0.4, 0.55, 0.36)),
    Category('coat rack', coat_rack, ('coat stand', 'hat stand'), ('where coats hang',),
             (0.3, 0.35, 1.5), (0.5, 0.75, 1.9)),
)  # fmt: skip
