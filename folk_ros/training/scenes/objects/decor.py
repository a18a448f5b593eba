"""Plants, clocks and instruments."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    BLACK,
    Blueprint,
    Category,
    DARK,
    finish,
    metal,
    plastic,
    Rng,
    shaded,
    STEEL,
    WHITE,
    wooden,
)
from folk_ros.training.scenes.rendering.primitives import (
    ball,
    box,
    CLOCK,
    cone,
    LEAVES,
    lying,
    Material,
    Part,
    rod,
    slab,
    TEXT,
    turn,
)

EYE = np.eye(3)


def plant(rng: Rng) -> Blueprint:
    """Build a pot plant: bushy, palm-like or a little tree."""
    return _plant(rng, rng.uniform(0.5, 1.2))


def potted_plant(rng: Rng) -> Blueprint:
    """Build a small plant in a pot, for sills and tables."""
    return _plant(rng, rng.uniform(0.2, 0.4))


def _plant(rng: Rng, height: float) -> Blueprint:
    pot = finish(rng, ('brown', 'orange', 'white', 'grey', 'black', 'blue'), 'ceramic')
    r = height * rng.uniform(0.16, 0.22) if height > 0.45 else height * 0.26
    ph = r * rng.uniform(1.3, 1.8)
    g = rng.uniform(0.35, 0.6)
    leaf = Material(
        (0.06, 0.18, 0.05),
        (0.25 * g / 0.5, g, 0.12),
        LEAVES,
        height * 0.07,
        0.15,
        0.1,
        int(rng.integers(1 << 30)),
    )
    parts = [
        cone(pot.material, (0, 0, 0), ph, r * 0.75, 1.33),
        cone(Material((0.2, 0.12, 0.07)), (0, 0, ph - 0.02), 0.022, r * 0.93),
    ]
    crown = height - ph
    style, form = rng.random(), 'leafy'
    if style < 0.18:
        parts += _blades(rng, leaf, r, (ph, height))
        form = 'sword leaved'
    elif style < 0.5:
        for _ in range(int(rng.integers(9, 15))):
            a, lift = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.0)
            reach = crown * rng.uniform(0.15, 0.45)
            tip = (reach * np.cos(a), reach * np.sin(a), ph + crown * lift)
            blade = rod(leaf, (0, 0, ph), tip, height * 0.012, 0.4)
            parts.append(blade)
            size = (height * 0.1, height * 0.055, height * 0.012)
            tilt = turn('z', a) @ turn('y', rng.uniform(-0.2, 0.9))
            parts.append(ball(leaf, tip, size, tilt))
    else:
        if style > 0.75:
            parts.append(
                cone(
                    Material((0.35, 0.25, 0.15), wear=0.2), (0, 0, ph), crown * 0.5, height * 0.018
                )
            )
        for _ in range(int(rng.integers(10, 18))):
            spot = rng.normal(0, 1, 3) * (0.17, 0.17, 0.16) * crown
            spot = np.clip(spot, -0.3 * crown, 0.3 * crown)
            centre = (spot[0], spot[1], ph + crown * 0.62 + spot[2])
            parts.append(ball(leaf, centre, height * rng.uniform(0.06, 0.12)))
    if height < 0.45 and style > 0.6:
        petal = finish(rng, ('red', 'yellow', 'pink', 'purple', 'white'), 'flower').material
        for _ in range(int(rng.integers(3, 7))):
            x, y, z = rng.normal(0, 0.12, 3) * crown
            parts.append(ball(petal, (x, y, ph + crown * 0.85 + z), height * 0.05))
        form = 'flowering'
    return Blueprint(parts, 'green', form)


def _blades(rng: Rng, leaf: Material, r: float, z: tuple[float, float]) -> list[Part]:
    """Let stiff leaves stand up out of a pot."""
    parts: list[Part] = []
    for _ in range(int(rng.integers(6, 10))):
        a, foot = rng.uniform(0, 2 * np.pi), r * rng.uniform(0.1, 0.6)
        high = (z[1] - z[0]) * rng.uniform(0.65, 1.0)
        lean = turn('z', a) @ turn('y', rng.uniform(0.02, 0.22))
        blade = ball(leaf, (0, 0, high / 2), (0.006, r * 0.28, high / 2))
        parts.append(blade.moved(lean, (foot * np.cos(a), foot * np.sin(a), z[0] - 0.01)))
    return parts


def wall_clock(rng: Rng) -> Blueprint:
    """Build a round clock for a wall."""
    rim = plastic(rng, ('black', 'white', 'red', 'silver', 'brown'))
    r = rng.uniform(0.12, 0.19)
    square = rng.random() < 0.3
    dial = Material(
        (0.95, 0.95, 0.92), (0.05, 0.05, 0.05), CLOCK, 0.1, 0.1, 0, int(rng.integers(1 << 30))
    )
    if square:
        parts = [box(rim.material, (0.0225, 0, r), (0.045, 2 * r, 2 * r))]
        parts.append(box(dial, (0.045, 0, r), (0.006, 1.84 * r, 1.84 * r)))
        return Blueprint(parts, rim.colour, rim.stuff, form='square')
    parts = [lying(cone(rim.material, (0, 0, 0), 0.045, r), 'x').moved(np.eye(3), (0, 0, r))]
    parts.append(lying(cone(dial, (0, 0, 0), 0.048, r * 0.92), 'x').moved(np.eye(3), (0, 0, r)))
    return Blueprint(parts, rim.colour, rim.stuff, form='round')


def alarm_clock(rng: Rng) -> Blueprint:
    """Build a bedside clock with two bells."""
    body = metal(rng, ('red', 'silver', 'black', 'turquoise', 'yellow'))
    if rng.random() < 0.35:
        return _digital_clock(rng)
    dial = Material(
        (0.95, 0.95, 0.9), (0.05, 0.05, 0.05), CLOCK, 0.1, 0.1, 0, int(rng.integers(1 << 30))
    )
    parts: list[Part] = []
    for material, r, reach in ((body.material, 0.055, 0.05), (dial, 0.049, 0.053)):
        disc = lying(cone(material, (0, 0, -0.025), reach, r), 'x')
        parts.append(disc.moved(np.eye(3), (0, 0, 0.068)))
    for side in (-1, 1):
        parts.append(ball(body.material, (0, side * 0.032, 0.128), (0.022, 0.024, 0.016)))
        parts.append(rod(DARK, (0, side * 0.045, 0.004), (0, side * 0.03, 0.03), 0.006))
    return Blueprint(parts, body.colour, body.stuff)


def _digital_clock(rng: Rng) -> Blueprint:
    """Build a flat box with a dark face and bright figures."""
    body = plastic(rng, ('black', 'white', 'silver', 'blue', 'red'))
    w = rng.uniform(0.12, 0.155)
    face = Material((0.03, 0.03, 0.04), (0.9, 0.15, 0.1), TEXT, 0.05, 0.4, 0, 4)
    parts: list[Part] = [slab(body.material, (-0.035, -w / 2, 0), (0.035, w / 2, 0.105))]
    parts.append(slab(face, (0.03, -w / 2 + 0.012, 0.025), (0.038, w / 2 - 0.012, 0.09)))
    return Blueprint(parts, body.colour, body.stuff, form='digital')


def guitar(rng: Rng) -> Blueprint:
    """Build an acoustic guitar on a stand, its strings towards +x."""
    wood = wooden(rng)
    m, dark = wood.material, Material((0.15, 0.09, 0.06))
    parts: list[Part] = []
    for z, r in ((0.22, 0.19), (0.47, 0.14)):
        parts.append(lying(cone(m, (0, 0, -0.05), 0.1, r), 'x').moved(EYE, (0, 0, z + 0.02)))
    parts.append(box(m, (0, 0, 0.36), (0.1, 0.22, 0.2)))
    parts.append(lying(cone(BLACK, (0, 0, 0.045), 0.008, 0.05), 'x').moved(EYE, (0, 0, 0.42)))
    parts.append(box(dark, (0.05, 0, 0.8), (0.03, 0.05, 0.42)))
    parts.append(box(dark, (0.045, 0, 1.06), (0.025, 0.075, 0.14)))
    parts.append(box(dark, (0.055, 0, 0.17), (0.012, 0.12, 0.025)))
    parts.append(box(Material((0.85, 0.85, 0.8)), (0.068, 0, 0.6), (0.003, 0.02, 0.85)))
    for side in (-1, 1):
        parts.append(rod(BLACK, (-0.09, side * 0.17, 0.0), (-0.06, 0, 0.42), 0.01))
        parts.append(rod(BLACK, (-0.07, side * 0.12, 0.14), (0.09, side * 0.1, 0.045), 0.01))
        parts += [ball(STEEL, (0.045, side * 0.05, z), 0.012) for z in (1.02, 1.06, 1.1)]
    return Blueprint(
        [q.moved(turn('y', -0.12), (0, 0, 0.02)) for q in parts], wood.colour, wood.stuff
    )


def piano(rng: Rng) -> Blueprint:
    """Build an upright piano."""
    body = wooden(rng) if rng.random() < 0.5 else finish(rng, ('black', 'white'), 'lacquered')
    m = body.material
    w, h = rng.uniform(1.35, 1.5), rng.uniform(1.1, 1.25)
    parts = [
        slab(m, (-0.28, -w / 2, 0), (0.05, w / 2, h)),
        slab(m, (-0.28, -w / 2, 0.6), (0.3, w / 2, 0.7)),
    ]
    parts.append(slab(WHITE, (0.12, -w / 2 + 0.08, 0.7), (0.27, w / 2 - 0.08, 0.72)))
    for k in range(round((w - 0.2) / 0.06)):
        if k % 7 not in (2, 6):
            y = -w / 2 + 0.13 + 0.06 * k
            parts.append(slab(BLACK, (0.12, y, 0.72), (0.21, y + 0.022, 0.735)))
    parts.append(slab(shaded(body, 0.8), (0.05, -w / 2 + 0.1, 0.78), (0.07, w / 2 - 0.1, h - 0.1)))
    for side in (-1, 1):
        parts.append(
            slab(
                m,
                (0.05, side * (w / 2 - 0.06) - 0.05, 0),
                (0.26, side * (w / 2 - 0.06) + 0.05, 0.6),
            )
        )
    sheet = Material((0.95, 0.95, 0.93), (0.1, 0.1, 0.1), TEXT, 0.03, 0, 0, 2)
    parts.append(box(sheet, (0.1, 0, 0.88), (0.006, 0.4, 0.28), turn('y', -0.2)))
    parts += [slab(STEEL, (0.05, y, 0.06), (0.15, y + 0.03, 0.08)) for y in (-0.12, -0.02, 0.08)]
    return Blueprint(parts, body.colour, body.stuff)


CATEGORIES = (
    Category('plant', plant, ('houseplant', 'indoor tree', 'green plant'),
             ('something that grows', 'something to water'), (0.15, 0.15, 0.42), (1.3, 1.3, 1.5)),
    Category('potted plant', potted_plant, ('small plant', 'plant in a pot', 'flower pot'),
             ('something that grows', 'something to water'), (0.08, 0.08, 0.16),
             (0.48, 0.48, 0.55)),
    Category('clock', wall_clock, ('wall clock', 'timepiece'),
             ('something that shows the time',), (0.02, 0.22, 0.22), (0.08, 0.42, 0.42)),
    Category('alarm clock', alarm_clock, ('bedside clock', 'table clock'),
             ('something that wakes you up',), (0.03, 0.09, 0.1), (0.12, 0.16, 0.2)),
    Category('guitar', guitar, ('acoustic guitar', 'string instrument'),
             ('something to make music with',), (0.15, 0.3, 0.95), (0.45, 0.45, 1.3), novel=True),
    Category('piano', piano, ('upright piano',),
             ('something to make music with', 'an instrument with keys'), (0.5, 1.3, 1.0),
             (0.65, 1.6, 1.35), novel=True),
)  # fmt: skip
