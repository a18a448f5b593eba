"""Cups, bowls and what else is set on a table."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    BLACK,
    Blueprint,
    BRIGHT,
    Category,
    Finish,
    finish,
    metal,
    plastic,
    Rng,
    shaded,
    Support,
    WHITE,
)
from folk_ros.training.scenes.rendering.primitives import (
    ball,
    BOTTOM,
    cone,
    DOTS,
    lying,
    Material,
    Part,
    PLAIN,
    rod,
    slab,
    STRIPES,
    turn,
)

DRINK = ('something to drink from',)


def ceramic(rng: Rng) -> Finish:
    """Pick glazed ware: plain, striped, dotted or chequered."""
    pattern = int(rng.choice([PLAIN, PLAIN, PLAIN, STRIPES, DOTS]))
    return finish(rng, ('white', 'white', *BRIGHT, 'black', 'dark blue'), 'ceramic', pattern, 0.03)


def cup(rng: Rng) -> Blueprint:
    """Build a mug with a handle, or a paper cup with a lid."""
    r, h = rng.uniform(0.036, 0.046), rng.uniform(0.085, 0.12)
    if rng.random() < 0.25:
        paper = finish(rng, ('white', 'brown', 'red', 'green'), 'paper')
        parts = [cone(paper.material, (0, 0, 0), h * 1.2, r * 0.75, 1.3)]
        parts.append(
            cone(WHITE if rng.random() < 0.5 else BLACK, (0, 0, h * 1.2), 0.012, r * 1.02)
        )
        return Blueprint(parts, paper.colour, paper.stuff, form='lidded')
    if rng.random() < 0.2:
        return _tumbler(rng, r, h)
    glaze = ceramic(rng)
    m = glaze.material
    parts = [cone(m, (0, 0, 0), h, r, rng.uniform(1.0, 1.15), BOTTOM)]
    parts.append(cone(Material((0.25, 0.13, 0.06)), (0, 0, 0.01), h * 0.7, r * 0.97))
    ring = [
        (0, r + 0.03 * np.sin(a), h * 0.5 + 0.3 * h * np.cos(a)) for a in np.linspace(0, np.pi, 8)
    ]
    parts += [rod(m, a, b, 0.007) for a, b in zip(ring[:-1], ring[1:], strict=True)]
    return Blueprint(parts, glaze.colour, glaze.stuff)


def _tumbler(rng: Rng, r: float, h: float) -> Blueprint:
    """Build a beaker without a handle, drink in it or not."""
    body = finish(rng, ('light blue', 'green', 'orange', 'red', 'white'), 'plastic')
    parts: list[Part] = [cone(body.material, (0, 0, 0), h, r * 0.85, 1.25, BOTTOM)]
    if rng.random() < 0.6:
        drink = finish(rng, ('orange', 'red', 'light blue', 'brown'), 'liquid').material
        parts.append(cone(drink, (0, 0, 0.008), h * 0.65, r * 0.83, 1.15))
    return Blueprint(parts, body.colour, body.stuff, form='handleless')


def bottle(rng: Rng) -> Blueprint:
    """Build a bottle with neck, cap and label."""
    glass = finish(rng, ('green', 'brown', 'light blue', 'white', 'dark green', 'red'), 'glass')
    r, h = rng.uniform(0.03, 0.045), rng.uniform(0.22, 0.32)
    slender = rng.random() < 0.3
    body = h * (rng.uniform(0.3, 0.4) if slender else rng.uniform(0.55, 0.65))
    m = glass.material
    shoulder = h * (0.32 if slender else 0.16)
    parts = [cone(m, (0, 0, 0), body, r), cone(m, (0, 0, body), shoulder, r, 0.4)]
    parts.append(cone(m, (0, 0, body + shoulder), h - body - shoulder - 0.015, r * 0.4))
    parts.append(cone(plastic(rng).material, (0, 0, h - 0.025), 0.025, r * 0.46))
    label = finish(rng, ('white', 'yellow', 'red', 'cream'), 'paper', STRIPES, 0.05)
    parts.append(cone(label.material, (0, 0, body * 0.25), body * 0.45, r * 1.02, 1, 0))
    return Blueprint(parts, glass.colour, glass.stuff)


def water_bottle(rng: Rng) -> Blueprint:
    """Build a drinking bottle for sport or water."""
    body = plastic(rng) if rng.random() < 0.5 else metal(rng, (*BRIGHT, 'silver'))
    r, h = rng.uniform(0.033, 0.042), rng.uniform(0.17, 0.25)
    if rng.random() < 0.35:
        return _pet_bottle(rng, r, h)
    parts = [
        cone(body.material, (0, 0, 0), h * 0.85, r),
        cone(body.material, (0, 0, h * 0.85), 0.02, r, 0.7),
    ]
    parts.append(cone(BLACK, (0, 0, h * 0.85 + 0.02), h * 0.15 - 0.01, r * 0.62))
    parts.append(rod(BLACK, (0, -0.018, h + 0.01), (0, 0.018, h + 0.01), 0.006))
    return Blueprint(parts, body.colour, body.stuff)


def _pet_bottle(rng: Rng, r: float, h: float) -> Blueprint:
    """Build a clear plastic bottle of water with a paper band."""
    clear = finish(rng, ('light blue', 'white', 'light grey'), 'plastic')
    band = finish(rng, BRIGHT, 'paper')
    parts: list[Part] = [cone(clear.material, (0, 0, 0), h * 0.75, r)]
    parts.append(cone(clear.material, (0, 0, h * 0.75), h * 0.15, r, 0.42))
    parts.append(cone(band.material, (0, 0, h * 0.92), 0.02, r * 0.42))
    parts.append(cone(clear.material, (0, 0, h * 0.88), h * 0.06, r * 0.36))
    parts.append(cone(band.material, (0, 0, h * 0.35), h * 0.25, r * 1.02, 1, 0))
    return Blueprint(parts, clear.colour, clear.stuff)


def bowl(rng: Rng) -> Blueprint:
    """Build a bowl, empty or with fruit."""
    glaze = ceramic(rng)
    r, h = rng.uniform(0.08, 0.15), rng.uniform(0.05, 0.09)
    parts = [cone(glaze.material, (0, 0, 0), h, r * 0.5, 2.0, BOTTOM)]
    if rng.random() < 0.5:
        for k in range(int(rng.integers(3, 6))):
            fruit = finish(rng, ('red', 'green', 'yellow', 'orange'), 'fruit').material
            a = 2.1 * k
            parts.append(ball(fruit, (0.4 * r * np.cos(a), 0.4 * r * np.sin(a), h * 0.8), 0.036))
    return Blueprint(parts, glaze.colour, glaze.stuff)


def plate(rng: Rng) -> Blueprint:
    """Build a plate with a raised rim."""
    glaze = ceramic(rng)
    r = rng.uniform(0.09, 0.14)
    parts = [cone(glaze.material, (0, 0, 0), 0.006, r * 0.65)]
    parts.append(cone(glaze.material, (0, 0, 0.002), 0.02, r * 0.65, 1.54, 0))
    return Blueprint(parts, glaze.colour, glaze.stuff)


def water_pitcher(rng: Rng) -> Blueprint:
    """Build a jug with a handle and a spout."""
    glaze = ceramic(rng)
    m = glaze.material
    r, h = rng.uniform(0.055, 0.075), rng.uniform(0.2, 0.27)
    parts = [
        cone(m, (0, 0, 0), h * 0.5, r * 0.8, 1.25),
        cone(m, (0, 0, h * 0.5), h * 0.5, r, 0.7, 0),
    ]
    parts.append(rod(m, (r * 0.55, 0, h * 0.85), (r * 1.2, 0, h), 0.022, 0.6))
    ring = [
        (-r * 0.7 - 0.05 * np.sin(a), 0, h * 0.55 + h * 0.35 * np.cos(a))
        for a in np.linspace(0, np.pi, 5)
    ]
    parts += [rod(m, a, b, 0.009) for a, b in zip(ring[:-1], ring[1:], strict=True)]
    return Blueprint(parts, glaze.colour, glaze.stuff)


def tray_walls(material: Material, size: tuple[float, float, float], thick: float) -> list[Part]:
    """Build an open box: a bottom and four walls."""
    d, w, h = size
    return [
        slab(material, (-d / 2, -w / 2, 0), (d / 2, w / 2, thick)),
        slab(material, (-d / 2, -w / 2, 0), (-d / 2 + thick, w / 2, h)),
        slab(material, (d / 2 - thick, -w / 2, 0), (d / 2, w / 2, h)),
        slab(material, (-d / 2, -w / 2, 0), (d / 2, -w / 2 + thick, h)),
        slab(material, (-d / 2, w / 2 - thick, 0), (d / 2, w / 2, h)),
    ]


def tray(rng: Rng) -> Blueprint:
    """Build a serving tray with a low rim."""
    body = plastic(rng)
    d, w = rng.uniform(0.25, 0.32), rng.uniform(0.36, 0.46)
    low, high = (-d / 2 + 0.02, -w / 2 + 0.02), (d / 2 - 0.02, w / 2 - 0.02)
    supports = (Support(low, high, 0.01, 1, 'box'),)
    parts = tray_walls(body.material, (d, w, 0.035), 0.01)
    return Blueprint(parts, body.colour, body.stuff, supports)


def candle(rng: Rng) -> Blueprint:
    """Build a thick candle on a dish."""
    wax = finish(rng, ('white', 'cream', 'red', 'purple', 'green'), 'wax')
    r, h = rng.uniform(0.03, 0.045), rng.uniform(0.09, 0.18)
    parts = [cone(metal(rng).material, (0, 0, 0), 0.012, r * 1.6)]
    parts += [cone(wax.material, (0, 0, 0.01), h, r), cone(BLACK, (0, 0, h + 0.01), 0.015, 0.003)]
    return Blueprint(parts, wax.colour, wax.stuff)


def coffee_kettle(rng: Rng) -> Blueprint:
    """Build a kettle with a spout and a bow handle."""
    body = metal(rng, ('silver', 'red', 'black', 'white', 'turquoise'))
    m = body.material
    r = rng.uniform(0.085, 0.11)
    parts = [cone(m, (0, 0, 0), 0.07, r), cone(m, (0, 0, 0.07), 0.08, r, 0.55)]
    parts.append(ball(BLACK, (0, 0, 0.165), 0.016))
    parts.append(rod(m, (r * 0.8, 0, 0.05), (r * 1.7, 0, 0.15), 0.022, 0.5))
    bow = [
        (0, r * 0.85 * np.cos(a), 0.1 + 0.15 * np.sin(a))
        for a in np.linspace(0.15, np.pi - 0.15, 7)
    ]
    parts += [rod(BLACK, a, b, 0.009) for a, b in zip(bow[:-1], bow[1:], strict=True)]
    return Blueprint(parts, body.colour, body.stuff)


def paper_towel_roll(rng: Rng) -> Blueprint:
    """Build a roll of kitchen paper standing on a holder."""
    foot = metal(rng)
    parts = [cone(foot.material, (0, 0, 0), 0.015, 0.075)]
    roll = Material((0.94, 0.94, 0.92), (0.75, 0.8, 0.9), STRIPES, 0.06, 0, 0.03)
    parts += [cone(roll, (0, 0, 0.015), 0.24, 0.06), cone(foot.material, (0, 0, 0.25), 0.05, 0.01)]
    parts.append(ball(foot.material, (0, 0, 0.305), 0.016))
    return Blueprint(parts, 'white', 'paper')


def dish_rack(rng: Rng) -> Blueprint:
    """Build a wire rack with plates in it."""
    wire = metal(rng, ('silver', 'white', 'black'))
    d, w = rng.uniform(0.28, 0.36), rng.uniform(0.38, 0.46)
    parts: list[Part] = tray_walls(shaded(wire, 0.9), (d, w, 0.02), 0.006)
    for k in range(6):
        y = -w / 2 + (k + 0.5) * w / 6
        parts.append(rod(wire.material, (-d / 2, y, 0.09), (d / 2, y, 0.09), 0.004))
        parts += [
            rod(wire.material, (s * d / 2, y, 0.01), (s * d / 2, y, 0.09), 0.004) for s in (-1, 1)
        ]
        if k < 4:
            dish = lying(cone(WHITE, (0, 0, -0.006), 0.012, 0.11), 'y')
            parts.append(dish.moved(turn('x', 0.15), (0, y, 0.125)))
    return Blueprint(parts, wire.colour, wire.stuff)


CATEGORIES = (
    Category('cup', cup, ('mug', 'coffee mug', 'teacup'), (*DRINK, 'a cup for coffee or tea'),
             (0.06, 0.06, 0.08), (0.12, 0.16, 0.17)),
    Category('bottle', bottle, ('glass bottle', 'flagon'),
             (*DRINK, 'a tall vessel with a narrow neck'), (0.05, 0.05, 0.2), (0.11, 0.11, 0.35)),
    Category('water bottle', water_bottle, ('drinking bottle', 'sports bottle', 'flask'), DRINK,
             (0.05, 0.05, 0.16), (0.1, 0.1, 0.32)),
    Category('bowl', bowl, ('round dish', 'salad bowl'), ('something to eat from',),
             (0.14, 0.14, 0.04), (0.32, 0.32, 0.13)),
    Category('plate', plate, ('dinner plate', 'dish'),
             ('something to eat from', 'a flat round dish'), (0.16, 0.16, 0.015),
             (0.3, 0.3, 0.04)),
    Category('water pitcher', water_pitcher, ('jug', 'pitcher', 'carafe'),
             ('something to pour water from',), (0.12, 0.08, 0.16), (0.3, 0.2, 0.33)),
    Category('tray', tray, ('serving tray',), ('something to carry cups on',), (0.2, 0.3, 0.02),
             (0.35, 0.5, 0.06)),
    Category('candle', candle, ('wax candle',), ('something that burns and gives light',),
             (0.06, 0.06, 0.08), (0.16, 0.16, 0.24)),
    Category('coffee kettle', coffee_kettle, ('kettle', 'tea kettle', 'teapot'),
             ('something to boil water in',), (0.15, 0.15, 0.2), (0.36, 0.26, 0.3), novel=True),
    Category('paper towel roll', paper_towel_roll, ('kitchen roll', 'kitchen paper'),
             ('something to wipe with',), (0.12, 0.12, 0.25), (0.18, 0.18, 0.36)),
    Category('dish rack', dish_rack, ('drying rack', 'plate rack'), ('where washed plates dry',),
             (0.24, 0.34, 0.1), (0.42, 0.52, 0.3)),
)  # fmt: skip
