"""Kitchen appliances and what stands beside them."""

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
    Support,
    WHITE,
)
from folk_ros.training.scenes.rendering.primitives import (
    box,
    cone,
    firm,
    GRILL,
    KEYS,
    lying,
    Material,
    Part,
    rod,
    slab,
)

EYE = np.eye(3)
APPLIANCE = ('white', 'white', 'silver', 'black', 'grey')
COOK = ('something to cook with',)


def refrigerator(rng: Rng) -> Blueprint:
    """Build a fridge with freezer door and long handles."""
    body = metal(rng, APPLIANCE)
    d, w, h = rng.uniform(0.58, 0.68), rng.uniform(0.55, 0.75), rng.uniform(1.45, 1.85)
    style = rng.random()
    if style < 0.2:
        return _double_fridge(body, (d, w + 0.15, h))
    split = h * (0.68 if style < 0.7 else 0.35)
    parts = [slab(shaded(body, 0.85), (-d / 2, -w / 2, 0), (d / 2 - 0.06, w / 2, h))]
    for low, high in ((0.05, split - 0.006), (split + 0.006, h)):
        parts.append(slab(body.material, (d / 2 - 0.055, -w / 2, low), (d / 2, w / 2, high)))
        y = w / 2 - 0.05
        middle = high - 0.2 if low < 0.1 else low + 0.2
        parts.append(
            rod(STEEL, (d / 2 + 0.03, y, middle - 0.13), (d / 2 + 0.03, y, middle + 0.13), 0.012)
        )
    if rng.random() < 0.4:
        for _ in range(3):
            note = finish(rng, ('yellow', 'pink', 'white', 'light blue'), 'paper').material
            place = (d / 2 + 0.002, rng.uniform(-0.2, 0.1), rng.uniform(split - 0.4, split - 0.1))
            parts.append(box(note, place, (0.004, 0.08, 0.09)))
    return Blueprint(parts, body.colour, body.stuff)


def _double_fridge(body: Finish, size: tuple[float, float, float]) -> Blueprint:
    """Build a wide fridge with two tall doors side by side."""
    d, w, h = size
    parts = [slab(shaded(body, 0.85), (-d / 2, -w / 2, 0), (d / 2 - 0.06, w / 2, h))]
    for side in (-1, 1):
        low, high = sorted((side * 0.004, side * w / 2))
        parts.append(slab(body.material, (d / 2 - 0.055, low, 0.05), (d / 2, high, h)))
        bar = (d / 2 + 0.03, side * 0.05)
        parts.append(rod(STEEL, (*bar, h * 0.35), (*bar, h * 0.8), 0.012))
    parts.append(slab(BLACK, (d / 2, -w * 0.38, h * 0.55), (d / 2 + 0.006, -w * 0.2, h * 0.75)))
    return Blueprint(parts, body.colour, body.stuff, form='double door')


def stove(rng: Rng) -> Blueprint:
    """Build a cooker: oven door below, four rings above, knobs between."""
    body = metal(rng, APPLIANCE)
    d, w, h = 0.6, rng.uniform(0.5, 0.62), rng.uniform(0.85, 0.92)
    parts = [slab(body.material, (-d / 2, -w / 2, 0), (d / 2 - 0.02, w / 2, h))]
    parts.append(
        slab(BLACK, (-d / 2 + 0.02, -w / 2 + 0.015, h), (d / 2 - 0.04, w / 2 - 0.015, h + 0.008))
    )
    for x in (-0.14, 0.12):
        for y in (-0.13, 0.13):
            parts.append(cone(Material((0.3, 0.08, 0.06)), (x, y, h + 0.006), 0.008, 0.09))
            parts.append(cone(DARK, (x, y, h + 0.008), 0.008, 0.075))
    parts += _oven_front(rng, body, d / 2 - 0.02, w, (0.12, h - 0.16))
    for k in range(5):
        knob = lying(cone(DARK, (0, 0, 0), 0.03, 0.02), 'x')
        parts.append(knob.moved(EYE, (d / 2 - 0.02, (k - 2) * w / 6, h - 0.08)))
    return Blueprint(parts, body.colour, body.stuff)


def _oven_front(rng: Rng, body: Finish, x: float, w: float, z: tuple[float, float]) -> list[Part]:
    low, high = z
    parts = [slab(shaded(body, 0.95), (x, -w / 2 + 0.015, low), (x + 0.025, w / 2 - 0.015, high))]
    middle = (x + 0.026, 0, low + (high - low) * 0.45)
    parts.append(box(BLACK, middle, (0.006, w * 0.7, (high - low) * 0.55)))
    bar = x + 0.055
    parts.append(rod(STEEL, (bar, -w * 0.38, high - 0.04), (bar, w * 0.38, high - 0.04), 0.012))
    return parts


def oven(rng: Rng) -> Blueprint:
    """Build a built-in oven in a tall case."""
    body = metal(rng, ('silver', 'black', 'white'))
    case = board(rng)
    d, w, h = 0.6, 0.6, rng.uniform(1.3, 1.5)
    parts = [slab(case.material, (-d / 2, -w / 2, 0), (d / 2 - 0.025, w / 2, h))]
    parts += _oven_front(rng, body, d / 2 - 0.025, w - 0.04, (0.55, 1.05))
    parts.append(
        slab(body.material, (d / 2 - 0.025, -w / 2 + 0.03, 1.06), (d / 2, w / 2 - 0.03, 1.16))
    )
    for side in (-1, 1):
        knob = lying(cone(STEEL, (0, 0, 0), 0.03, 0.022), 'x')
        parts.append(knob.moved(EYE, (d / 2, side * 0.18, 1.11)))
    parts.append(box(Material((0.1, 0.5, 0.3)), (d / 2 + 0.001, 0, 1.11), (0.004, 0.1, 0.04)))
    parts.append(
        slab(
            shaded(case, 0.92),
            (d / 2 - 0.025, -w / 2 + 0.01, 0.06),
            (d / 2 - 0.005, w / 2 - 0.01, 0.52),
        )
    )
    return Blueprint(parts, body.colour, body.stuff)


def microwave(rng: Rng) -> Blueprint:
    """Build a microwave oven: dark window left, buttons right."""
    body = metal(rng, ('white', 'black', 'silver'))
    d, w, h = rng.uniform(0.33, 0.4), rng.uniform(0.44, 0.54), rng.uniform(0.26, 0.31)
    x = d / 2
    parts = [slab(body.material, (-x, -w / 2, 0.012), (x, w / 2, h))]
    parts += [cone(BLACK, (a, b, 0), 0.014, 0.015) for a in (-0.12, 0.12) for b in (-0.18, 0.18)]
    parts.append(box(BLACK, (x, -w * 0.13, h / 2), (0.008, w * 0.62, h * 0.7)))
    pad = Material((0.1, 0.1, 0.1), (0.8, 0.8, 0.8), KEYS, 0.03, 0, 0)
    parts.append(box(pad, (x, w * 0.37, h * 0.42), (0.008, w * 0.2, h * 0.5)))
    parts.append(
        box(Material((0.1, 0.6, 0.35)), (x, w * 0.37, h * 0.82), (0.008, w * 0.18, h * 0.12))
    )
    parts.append(rod(STEEL, (x + 0.025, w * 0.22, h * 0.2), (x + 0.025, w * 0.22, h * 0.85), 0.01))
    return Blueprint(parts, body.colour, body.stuff)


def _front_loader(rng: Rng, colours: tuple[str, ...]) -> Blueprint:
    body = metal(rng, colours)
    d, w, h = rng.uniform(0.55, 0.62), 0.6, rng.uniform(0.83, 0.88)
    x = d / 2
    parts: list[Part] = [slab(body.material, (-x, -w / 2, 0), (x, w / 2, h))]
    for material, r, reach in (
        (STEEL, 0.2, 0.02),
        (BLACK, 0.165, 0.03),
        (Material((0.15, 0.2, 0.28), gloss=0.9), 0.14, 0.035),
    ):
        disc = lying(cone(material, (0, 0, 0), reach, r), 'x')
        parts.append(disc.moved(EYE, (x, 0, h * 0.45)))
    parts.append(
        slab(shaded(body, 0.85), (x, -w / 2 + 0.01, h - 0.13), (x + 0.01, w / 2 - 0.01, h - 0.01))
    )
    knob = lying(cone(STEEL, (0, 0, 0), 0.035, 0.03), 'x')
    parts.append(knob.moved(EYE, (x + 0.01, 0.08, h - 0.07)))
    parts.append(box(WHITE, (x + 0.012, -w / 2 + 0.12, h - 0.07), (0.01, 0.18, 0.09)))
    parts.append(box(BLACK, (x + 0.012, w / 2 - 0.12, h - 0.07), (0.01, 0.1, 0.05)))
    top = Support((-x + 0.05, -w / 2 + 0.05), (x - 0.05, w / 2 - 0.05), h)
    return Blueprint(parts, body.colour, body.stuff, (top,))


def washing_machine(rng: Rng) -> Blueprint:
    """Build a front-loading washing machine with its round door."""
    return _front_loader(rng, ('white', 'white', 'silver', 'grey'))


def dishwasher(rng: Rng) -> Blueprint:
    """Build a dishwasher: one flat door with a bar."""
    body = metal(rng, APPLIANCE)
    d, w, h = 0.58, rng.uniform(0.45, 0.6), rng.uniform(0.82, 0.88)
    x = d / 2
    parts = [slab(shaded(body, 0.8), (-x, -w / 2, 0), (x - 0.03, w / 2, h))]
    parts.append(slab(body.material, (x - 0.03, -w / 2 + 0.01, 0.1), (x, w / 2 - 0.01, h - 0.12)))
    parts.append(
        slab(shaded(body, 0.7), (x - 0.03, -w / 2 + 0.01, h - 0.11), (x, w / 2 - 0.01, h - 0.005))
    )
    parts.append(rod(STEEL, (x + 0.025, -w * 0.4, h - 0.16), (x + 0.025, w * 0.4, h - 0.16), 0.01))
    top = Support((-x + 0.05, -w / 2 + 0.05), (x - 0.05, w / 2 - 0.05), h)
    return Blueprint(parts, body.colour, body.stuff, (top,))


def range_hood(rng: Rng) -> Blueprint:
    """Build a cooker hood with its flue, back at the wall."""
    body = metal(rng, ('silver', 'white', 'black'))
    w, h = rng.uniform(0.55, 0.8), rng.uniform(0.6, 0.75)
    parts = [slab(body.material, (0, -w / 2, 0), (0.45, w / 2, 0.06))]
    parts.append(cone(body.material, (0.22, 0, 0.06), 0.2, (0.22, w / 2 - 0.02), 0.45))
    parts.append(slab(body.material, (0.08, -0.14, 0.2), (0.36, 0.14, h)))
    parts.append(
        slab(
            Material((0.1, 0.1, 0.1), (0.4, 0.4, 0.4), GRILL, 0.03),
            (0.05, -w / 2 + 0.05, 0.004),
            (0.4, w / 2 - 0.05, 0.008),
        )
    )
    return Blueprint(parts, body.colour, body.stuff)


def coffee_maker(rng: Rng) -> Blueprint:
    """Build a filter coffee machine with a glass jug."""
    body = plastic(rng, ('black', 'silver', 'white', 'red'))
    h = rng.uniform(0.3, 0.38)
    m = body.material
    parts = [
        slab(m, (-0.12, -0.09, 0), (0.12, 0.09, 0.035)),
        slab(m, (-0.12, -0.09, 0), (-0.03, 0.09, h)),
    ]
    parts.append(slab(m, (-0.12, -0.09, h - 0.1), (0.1, 0.09, h)))
    jug = Material((0.2, 0.1, 0.05), gloss=0.9)
    parts.append(cone(jug, (0.045, 0, 0.04), h * 0.38, 0.065, 0.75))
    parts.append(rod(BLACK, (0.12, 0, 0.06), (0.12, 0, h * 0.42), 0.01))
    return Blueprint(parts, body.colour, body.stuff)


def toaster(rng: Rng) -> Blueprint:
    """Build a toaster with two slots and bread in them."""
    body = metal(rng, ('silver', 'black', 'red', 'white'))
    parts: list[Part] = [firm(body.material, (0, 0, 0.1), (0.18, 0.3, 0.19))]
    parts.append(slab(BLACK, (-0.08, -0.14, 0), (0.08, 0.14, 0.02)))
    for x in (-0.035, 0.035):
        parts.append(box(BLACK, (x, 0, 0.185), (0.03, 0.22, 0.022)))
        parts.append(
            box(Material((0.75, 0.52, 0.25), wear=0.2), (x, 0, 0.19), (0.014, 0.13, 0.06))
        )
    parts.append(box(BLACK, (0, 0.155, 0.12), (0.04, 0.03, 0.015)))
    return Blueprint(parts, body.colour, body.stuff)


CATEGORIES = (
    Category('refrigerator', refrigerator, ('fridge', 'icebox', 'fridge freezer'),
             ('something that keeps food cold',), (0.58, 0.52, 1.4), (0.78, 0.92, 1.9)),
    Category('stove', stove, ('cooker', 'kitchen range', 'cooking stove'),
             (*COOK, 'where pots are heated'), (0.58, 0.48, 0.82), (0.7, 0.65, 0.98)),
    Category('oven', oven, ('built-in oven', 'baking oven'), (*COOK, 'where bread is baked'),
             (0.58, 0.55, 1.2), (0.7, 0.65, 1.55)),
    Category('microwave', microwave, ('microwave oven',), ('something to warm food in',),
             (0.3, 0.4, 0.22), (0.48, 0.58, 0.35)),
    Category('washing machine', washing_machine, ('washer', 'laundry machine'),
             ('something that washes clothes',), (0.54, 0.58, 0.8), (0.7, 0.62, 0.92)),
    Category('dishwasher', dishwasher, ('dish washer',), ('something that washes dishes',),
             (0.56, 0.43, 0.8), (0.65, 0.62, 0.9)),
    Category('range hood', range_hood, ('extractor hood', 'cooker hood'),
             ('something that takes away kitchen steam',), (0.4, 0.5, 0.55), (0.5, 0.85, 0.8)),
    Category('coffee maker', coffee_maker, ('coffee machine', 'filter coffee machine'),
             ('something that makes coffee',), (0.2, 0.15, 0.26), (0.32, 0.22, 0.42)),
    Category('toaster', toaster, ('bread toaster',), ('something that browns bread',),
             (0.14, 0.26, 0.16), (0.22, 0.36, 0.26), novel=True),
)  # fmt: skip
