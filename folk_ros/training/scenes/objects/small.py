"""Small things that stand on tables, shelves and floors."""

from __future__ import annotations

from folk_ros.training.scenes.objects.blueprint import (
    ANY, BLACK, Blueprint, BRIGHT, Category, cloth, DARK, finish, Finish, metal, plastic, Rng,
    shaded, WHITE,
)  # fmt: skip
from folk_ros.training.scenes.primitives import (
    ball, BOOKS, BOTTOM, box, CHECKS, CLOCK, CLOSED, cone, DOTS, FABRIC, LEAVES, lying,
    Material, Part, PICTURE, PLAIN, rod, slab, soft, STRIPES, TEXT, turn,
)  # fmt: skip
import numpy as np


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
        parts.append(cone(WHITE if rng.random() < 0.5 else BLACK, (0, 0, h * 1.2), 0.012, r * 1.02))
        return Blueprint(parts, paper.colour, paper.stuff)
    glaze = ceramic(rng)
    m = glaze.material
    parts = [cone(m, (0, 0, 0), h, r, rng.uniform(1.0, 1.15), BOTTOM)]
    parts.append(cone(Material((0.25, 0.13, 0.06)), (0, 0, 0.01), h * 0.7, r * 0.97))
    ring = [(0, r + 0.03 * np.sin(a), h * 0.5 + 0.3 * h * np.cos(a)) for a in np.linspace(0, np.pi, 8)]
    parts += [rod(m, a, b, 0.007) for a, b in zip(ring[:-1], ring[1:], strict=True)]
    return Blueprint(parts, glaze.colour, glaze.stuff)


def bottle(rng: Rng) -> Blueprint:
    """Build a bottle with neck, cap and label."""
    glass = finish(rng, ('green', 'brown', 'light blue', 'white', 'dark green', 'red'), 'glass')
    r, h = rng.uniform(0.03, 0.045), rng.uniform(0.22, 0.32)
    body = h * rng.uniform(0.55, 0.65)
    m = glass.material
    parts = [cone(m, (0, 0, 0), body, r), cone(m, (0, 0, body), h * 0.16, r, 0.4)]
    parts.append(cone(m, (0, 0, body + h * 0.16), h - body - h * 0.16 - 0.015, r * 0.4))
    parts.append(cone(plastic(rng).material, (0, 0, h - 0.025), 0.025, r * 0.46))
    label = finish(rng, ('white', 'yellow', 'red', 'cream'), 'paper', STRIPES, 0.05)
    parts.append(cone(label.material, (0, 0, body * 0.25), body * 0.45, r * 1.02, 1, 0))
    return Blueprint(parts, glass.colour, glass.stuff)


def water_bottle(rng: Rng) -> Blueprint:
    """Build a drinking bottle for sport or water."""
    body = plastic(rng) if rng.random() < 0.5 else metal(rng, (*BRIGHT, 'silver'))
    r, h = rng.uniform(0.033, 0.042), rng.uniform(0.17, 0.25)
    parts = [cone(body.material, (0, 0, 0), h * 0.85, r), cone(body.material, (0, 0, h * 0.85), 0.02, r, 0.7)]
    parts.append(cone(BLACK, (0, 0, h * 0.85 + 0.02), h * 0.15 - 0.01, r * 0.62))
    parts.append(rod(BLACK, (0, -0.018, h + 0.01), (0, 0.018, h + 0.01), 0.006))
    return Blueprint(parts, body.colour, body.stuff)


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
    parts = [cone(m, (0, 0, 0), h * 0.5, r * 0.8, 1.25), cone(m, (0, 0, h * 0.5), h * 0.5, r, 0.7, 0)]
    parts.append(rod(m, (r * 0.55, 0, h * 0.85), (r * 1.2, 0, h), 0.022, 0.6))
    ring = [(-r * 0.7 - 0.05 * np.sin(a), 0, h * 0.55 + h * 0.35 * np.cos(a)) for a in np.linspace(0, np.pi, 5)]
    parts += [rod(m, a, b, 0.009) for a, b in zip(ring[:-1], ring[1:], strict=True)]
    return Blueprint(parts, glaze.colour, glaze.stuff)


def book(rng: Rng) -> Blueprint:
    """Build one book, a stack of books lying, or a few standing side by side."""
    style = rng.random()
    if style < 0.35:
        w, d, h = rng.uniform(0.12, 0.3), rng.uniform(0.14, 0.18), rng.uniform(0.2, 0.27)
        spines = Material((0.5, 0.4, 0.3), (0.9, 0.9, 0.8), BOOKS, 0.035, 0.1, 0.03, int(rng.integers(1 << 30)))
        return Blueprint([box(spines, (0, 0, h / 2), (d, w, h))], 'colourful', 'paper')
    parts, z, words = [], 0.0, ''
    for _ in range(1 if style < 0.6 else int(rng.integers(2, 6))):
        cover = finish(rng, ANY, 'paper')
        words = words or cover.colour
        d, w, h = rng.uniform(0.14, 0.19), rng.uniform(0.2, 0.27), rng.uniform(0.018, 0.045)
        twist = turn('z', rng.normal(0, 0.15))
        parts.append(box(cover.material, (0, 0, z + h / 2), (d, w, h), twist))
        parts.append(box(WHITE, (0.006, 0, z + h / 2), (d - 0.004, w + 0.002, h * 0.7), twist))
        title = Material(cover.material.colour, (0.95, 0.93, 0.85), TEXT, 0.03, 0.2, 0, 1)
        parts.append(box(title, (0, 0, z + h), (d * 0.9, w * 0.9, 0.002), twist))
        z += h
    return Blueprint(parts, words, 'paper')


def paper(rng: Rng) -> Blueprint:
    """Build a few printed sheets."""
    parts = []
    for k in range(int(rng.integers(1, 4))):
        sheet = Material((0.95, 0.95, 0.93), (0.2, 0.2, 0.25), TEXT, 0.012, 0, 0.01, int(rng.integers(99)))
        size = (0.297, 0.21, 0.006)
        place = (rng.normal(0, 0.02), rng.normal(0, 0.02), 0.003 + 0.006 * k)
        parts.append(box(sheet, place, size, turn('z', rng.normal(0, 0.2))))
    return Blueprint(parts, 'white', 'printed')


def carton(rng: Rng) -> Blueprint:
    """Build a cardboard box, taped shut or open, or a coloured parcel."""
    plain = rng.random() < 0.7
    side = finish(rng, ('brown', 'beige'), 'cardboard') if plain else finish(rng, ANY, 'cardboard')
    if plain:
        side = Finish(Material((0.66, 0.5, 0.33), (0.5, 0.36, 0.22), FABRIC, 0.1, 0, 0.1), 'brown', 'cardboard')
    d, w, h = rng.uniform(0.2, 0.42), rng.uniform(0.24, 0.5), rng.uniform(0.15, 0.4)
    m = side.material
    if rng.random() < 0.6:
        parts = [slab(m, (-d / 2, -w / 2, 0), (d / 2, w / 2, h))]
        tape = Material((0.8, 0.7, 0.5), gloss=0.5)
        parts.append(slab(tape, (-0.025, -w / 2 - 0.001, h - 0.08), (0.025, w / 2 + 0.001, h + 0.001)))
        if rng.random() < 0.5:
            label = Material((0.95, 0.95, 0.92), (0.1, 0.1, 0.1), TEXT, 0.016, 0, 0, 5)
            parts.append(box(label, (d / 2, w * 0.15, h * 0.6), (0.003, 0.12, 0.08)))
        return Blueprint(parts, side.colour, side.stuff)
    parts = tray_walls(m, (d, w, h), 0.008)
    for sign in (-1, 1):
        flap = box(m, (0, 0, d / 4), (0.006, w - 0.01, d / 2))
        parts.append(flap.moved(turn('y', sign * rng.uniform(0.4, 1.3)), (sign * d / 2, 0, h)))
    return Blueprint(parts, side.colour, side.stuff)


def tray_walls(
    material: Material, size: tuple[float, float, float], thick: float
) -> list[Part]:
    """Build an open box: a bottom and four walls."""
    d, w, h = size
    return [
        slab(material, (-d / 2, -w / 2, 0), (d / 2, w / 2, thick)),
        slab(material, (-d / 2, -w / 2, 0), (-d / 2 + thick, w / 2, h)),
        slab(material, (d / 2 - thick, -w / 2, 0), (d / 2, w / 2, h)),
        slab(material, (-d / 2, -w / 2, 0), (d / 2, -w / 2 + thick, h)),
        slab(material, (-d / 2, w / 2 - thick, 0), (d / 2, w / 2, h)),
    ]


def storage_bin(rng: Rng) -> Blueprint:
    """Build a plastic storage box with a lid."""
    body = plastic(rng)
    lid = plastic(rng)
    d, w, h = rng.uniform(0.28, 0.4), rng.uniform(0.36, 0.55), rng.uniform(0.2, 0.34)
    parts = [slab(body.material, (-d / 2, -w / 2, 0), (d / 2, w / 2, h))]
    parts.append(slab(lid.material, (-d / 2 - 0.015, -w / 2 - 0.015, h), (d / 2 + 0.015, w / 2 + 0.015, h + 0.03)))
    for side in (-1, 1):
        parts.append(box(lid.material, (0, side * (w / 2 + 0.01), h - 0.03), (0.1, 0.02, 0.08)))
    return Blueprint(parts, body.colour, body.stuff)


def tray(rng: Rng) -> Blueprint:
    """Build a serving tray with a low rim."""
    body = plastic(rng)
    d, w = rng.uniform(0.25, 0.32), rng.uniform(0.36, 0.46)
    return Blueprint(tray_walls(body.material, (d, w, 0.035), 0.01), body.colour, body.stuff)


def trash_can(rng: Rng) -> Blueprint:
    """Build a round or square waste bin, open or with a lid."""
    body = metal(rng) if rng.random() < 0.5 else plastic(rng, ('black', 'grey', 'white', 'blue', 'green'))
    r, h = rng.uniform(0.12, 0.18), rng.uniform(0.28, 0.5)
    m = body.material
    if rng.random() < 0.35:
        parts = tray_walls(m, (r * 1.7, r * 2, h), 0.008)
    else:
        parts = [cone(m, (0, 0, 0), h, r * 0.85, 1.18, BOTTOM)]
        parts.append(cone(shaded(body, 0.7), (0, 0, h - 0.015), 0.015, r, 1.01, 0))
        if rng.random() < 0.4:
            parts.append(ball(m, (0, 0, h), (r, r, 0.06)))
            return Blueprint(parts, body.colour, body.stuff)
    parts.append(cone(Material((0.85, 0.85, 0.85), wear=0.2), (0, 0, 0.02), h * 0.5, r * 0.75))
    return Blueprint(parts, body.colour, body.stuff)


def bucket(rng: Rng) -> Blueprint:
    """Build a bucket with a wire handle."""
    body = plastic(rng, (*BRIGHT, 'black'))
    r, h = rng.uniform(0.12, 0.16), rng.uniform(0.24, 0.3)
    parts = [cone(body.material, (0, 0, 0), h, r * 0.72, 1.38, BOTTOM)]
    ring = [(0.1 * np.sin(a), r * np.cos(a), h - 0.02 + 0.06 * np.sin(a)) for a in np.linspace(0, np.pi, 7)]
    parts += [rod(DARK, a, b, 0.005) for a, b in zip(ring[:-1], ring[1:], strict=True)]
    parts.append(cone(shaded(body, 0.8), (0, 0, h - 0.02), 0.02, r, 1.03, 0))
    return Blueprint(parts, body.colour, body.stuff)


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
    leaf = Material((0.06, 0.18, 0.05), (0.25 * g / 0.5, g, 0.12), LEAVES, height * 0.07, 0.15, 0.1, int(rng.integers(1 << 30)))
    parts = [cone(pot.material, (0, 0, 0), ph, r * 0.75, 1.33), cone(Material((0.2, 0.12, 0.07)), (0, 0, ph - 0.02), 0.022, r * 0.93)]
    crown = height - ph
    style = rng.random()
    if style < 0.45:
        for _ in range(int(rng.integers(14, 24))):
            a, lift = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.0)
            reach = crown * rng.uniform(0.15, 0.45)
            tip = (reach * np.cos(a), reach * np.sin(a), ph + crown * lift)
            blade = rod(leaf, (0, 0, ph), tip, height * 0.012, 0.4)
            parts.append(blade)
            size = (height * 0.09, height * 0.045, height * 0.012)
            tilt = turn('z', a) @ turn('y', rng.uniform(-0.2, 0.9))
            parts.append(ball(leaf, tip, size, tilt))
    else:
        if style > 0.75:
            parts.append(cone(Material((0.35, 0.25, 0.15), wear=0.2), (0, 0, ph), crown * 0.5, height * 0.018))
        for _ in range(int(rng.integers(10, 18))):
            spot = rng.normal(0, 1, 3) * (0.17, 0.17, 0.16) * crown
            spot = np.clip(spot, -0.3 * crown, 0.3 * crown)
            centre = (spot[0], spot[1], ph + crown * 0.62 + spot[2])
            parts.append(ball(leaf, centre, height * rng.uniform(0.06, 0.12)))
    return Blueprint(parts, 'green', 'leafy')


def wall_clock(rng: Rng) -> Blueprint:
    """Build a round clock for a wall."""
    rim = plastic(rng, ('black', 'white', 'red', 'silver', 'brown'))
    r = rng.uniform(0.12, 0.19)
    dial = Material((0.95, 0.95, 0.92), (0.05, 0.05, 0.05), CLOCK, 0.1, 0.1, 0, int(rng.integers(1 << 30)))
    parts = [lying(cone(rim.material, (0, 0, 0), 0.035, r), 'x').moved(np.eye(3), (0, 0, r))]
    parts.append(box(dial, (0.034, 0, r), (0.01, r * 1.3, r * 1.3)))
    parts.append(lying(cone(dial, (0, 0, 0), 0.038, r * 0.92), 'x').moved(np.eye(3), (0, 0, r)))
    return Blueprint([parts[0], parts[2]], rim.colour, rim.stuff)


def alarm_clock(rng: Rng) -> Blueprint:
    """Build a bedside clock with two bells."""
    body = metal(rng, ('red', 'silver', 'black', 'turquoise', 'yellow'))
    dial = Material((0.95, 0.95, 0.9), (0.05, 0.05, 0.05), CLOCK, 0.1, 0.1, 0, int(rng.integers(1 << 30)))
    parts: list[Part] = []
    for material, r, reach in ((body.material, 0.055, 0.05), (dial, 0.049, 0.053)):
        disc = lying(cone(material, (0, 0, -0.025), reach, r), 'x')
        parts.append(disc.moved(np.eye(3), (0, 0, 0.068)))
    for side in (-1, 1):
        parts.append(ball(body.material, (0, side * 0.032, 0.128), (0.022, 0.024, 0.016)))
        parts.append(rod(DARK, (0, side * 0.045, 0.004), (0, side * 0.03, 0.03), 0.006))
    low = min(part.corners()[:, 2].min() for part in parts)
    return Blueprint([q.moved(np.eye(3), (0, 0, -low)) for q in parts], body.colour, body.stuff)


def candle(rng: Rng) -> Blueprint:
    """Build a thick candle on a dish."""
    wax = finish(rng, ('white', 'cream', 'red', 'purple', 'green'), 'wax')
    r, h = rng.uniform(0.03, 0.045), rng.uniform(0.09, 0.18)
    parts = [cone(metal(rng).material, (0, 0, 0), 0.012, r * 1.6)]
    parts += [cone(wax.material, (0, 0, 0.01), h, r), cone(BLACK, (0, 0, h + 0.01), 0.015, 0.003)]
    return Blueprint(parts, wax.colour, wax.stuff)


def tissue_box(rng: Rng) -> Blueprint:
    """Build a box of paper handkerchiefs, one pulled out."""
    pattern = int(rng.choice([PLAIN, DOTS, CHECKS, PICTURE]))
    side = finish(rng, (*BRIGHT, 'white'), 'cardboard', pattern, 0.05)
    parts = [box(side.material, (0, 0, 0.05), (0.12, 0.23, 0.1))]
    parts.append(cone(WHITE, (0, 0, 0.1), 0.06, (0.01, 0.03), 1.9))
    return Blueprint(parts, side.colour, side.stuff)


def toy_ball(rng: Rng) -> Blueprint:
    """Build a ball to play with."""
    skin = finish(rng, (*BRIGHT, 'white'), 'rubber', int(rng.choice([PLAIN, STRIPES, CHECKS])), 0.12)
    r = rng.uniform(0.09, 0.13)
    return Blueprint([ball(skin.material, (0, 0, r), r)], skin.colour, skin.stuff)


def shoe(rng: Rng) -> Blueprint:
    """Build a pair of shoes, toes towards +x."""
    upper = finish(rng, ('black', 'white', 'brown', 'red', 'blue', 'grey'), 'leather')
    sole = WHITE if rng.random() < 0.5 else BLACK
    k = rng.uniform(0.9, 1.1)
    parts: list[Part] = []
    for side in (-1, 1):
        y = side * 0.065 * k
        parts.append(soft(sole, (0, y, 0.015), (0.29 * k, 0.1 * k, 0.03)))
        parts.append(ball(upper.material, (0.05 * k, y, 0.03), (0.095 * k, 0.045 * k, 0.05)))
        parts.append(soft(upper.material, (-0.07 * k, y, 0.06), (0.13 * k, 0.085 * k, 0.09)))
        parts.append(cone(DARK, (-0.08 * k, y, 0.1), 0.012, (0.045 * k, 0.03 * k)))
        parts.append(box(WHITE, (0.02 * k, y, 0.083), (0.05, 0.04, 0.006), turn('y', 0.35)))
    return Blueprint(parts, upper.colour, upper.stuff)


def calendar(rng: Rng) -> Blueprint:
    """Build a desk calendar standing like a tent."""
    leaf = finish(rng, ('white', 'cream'), 'paper', PICTURE)
    tilt = 0.35
    page = [box(leaf.material, (0, 0, 0.07), (0.006, 0.2, 0.14), turn('y', -tilt)),
            box(WHITE, (-0.05, 0, 0.07), (0.006, 0.2, 0.14), turn('y', tilt))]  # fmt: skip
    low = min(part.corners()[:, 2].min() for part in page)
    return Blueprint([q.moved(np.eye(3), (0.02, 0, -low)) for q in page], leaf.colour, leaf.stuff)


def hat(rng: Rng) -> Blueprint:
    """Build a brimmed hat."""
    felt = cloth(rng, ('black', 'brown', 'beige', 'grey', 'red', 'dark blue'))
    parts = [cone(felt.material, (0, 0, 0), 0.015, (0.17, 0.15))]
    parts.append(cone(felt.material, (0, 0, 0.01), 0.1, (0.1, 0.085), 0.85))
    parts.append(cone(BLACK, (0, 0, 0.012), 0.028, (0.102, 0.087), 1, CLOSED))
    return Blueprint(parts, felt.colour, felt.stuff)


DRINK = ('something to drink from',)
CATEGORIES = (
    Category('cup', cup, ('mug', 'coffee mug', 'teacup'), (*DRINK, 'a cup for coffee or tea'),
             (0.06, 0.06, 0.08), (0.12, 0.16, 0.17)),
    Category('bottle', bottle, ('glass bottle', 'wine bottle'), (*DRINK, 'a tall vessel with a narrow neck'),
             (0.05, 0.05, 0.2), (0.11, 0.11, 0.35)),
    Category('water bottle', water_bottle, ('drinking bottle', 'sports bottle', 'flask'), DRINK,
             (0.05, 0.05, 0.16), (0.1, 0.1, 0.32)),
    Category('bowl', bowl, ('dish', 'fruit bowl', 'soup bowl'), ('something to eat from',),
             (0.14, 0.14, 0.04), (0.32, 0.32, 0.13)),
    Category('plate', plate, ('dinner plate', 'dish'), ('something to eat from', 'a flat round dish'),
             (0.16, 0.16, 0.015), (0.3, 0.3, 0.04)),
    Category('water pitcher', water_pitcher, ('jug', 'pitcher', 'carafe'), ('something to pour water from',),
             (0.12, 0.08, 0.16), (0.3, 0.2, 0.33)),
    Category('book', book, ('books', 'novel', 'stack of books'), ('something to read',),
             (0.1, 0.1, 0.015), (0.32, 0.36, 0.3)),
    Category('paper', paper, ('sheet of paper', 'documents', 'papers'), ('something to write on',),
             (0.25, 0.18, 0.004), (0.5, 0.5, 0.03)),
    Category('box', carton, ('cardboard box', 'carton', 'parcel'), ('something to pack things in',),
             (0.15, 0.2, 0.12), (0.8, 0.55, 0.68)),
    Category('storage bin', storage_bin, ('plastic box', 'storage box', 'tote'), ('something to keep things in',),
             (0.25, 0.34, 0.18), (0.48, 0.65, 0.42)),
    Category('tray', tray, ('serving tray',), ('something to carry cups on',), (0.2, 0.3, 0.02), (0.35, 0.5, 0.06)),
    Category('trash can', trash_can, ('waste bin', 'rubbish bin', 'garbage can', 'wastebasket'),
             ('where rubbish is thrown',), (0.18, 0.2, 0.25), (0.4, 0.4, 0.6)),
    Category('bucket', bucket, ('pail',), ('something to carry water in',), (0.2, 0.2, 0.2), (0.4, 0.4, 0.4)),
    Category('plant', plant, ('houseplant', 'indoor tree', 'green plant'), ('something that grows', 'something to water'),
             (0.15, 0.15, 0.42), (1.3, 1.3, 1.5)),
    Category('potted plant', potted_plant, ('small plant', 'plant in a pot', 'flower pot'),
             ('something that grows', 'something to water'), (0.08, 0.08, 0.16), (0.48, 0.48, 0.55)),
    Category('clock', wall_clock, ('wall clock', 'round clock'), ('something that shows the time',),
             (0.02, 0.22, 0.22), (0.08, 0.42, 0.42)),
    Category('alarm clock', alarm_clock, ('bedside clock', 'table clock'), ('something that wakes you up',),
             (0.03, 0.09, 0.1), (0.12, 0.16, 0.2)),
    Category('candle', candle, ('wax candle',), ('something that burns and gives light',),
             (0.06, 0.06, 0.08), (0.16, 0.16, 0.24)),
    Category('tissue box', tissue_box, ('box of tissues', 'kleenex box'), ('something to blow your nose with',),
             (0.08, 0.18, 0.1), (0.16, 0.28, 0.2)),
    Category('ball', toy_ball, ('toy ball', 'rubber ball', 'football'), ('something to play with', 'a round toy'),
             (0.16, 0.16, 0.16), (0.28, 0.28, 0.28)),
    Category('shoe', shoe, ('pair of shoes', 'sneakers', 'footwear'), ('something to wear on the feet',),
             (0.22, 0.18, 0.08), (0.36, 0.3, 0.16)),
    Category('calendar', calendar, ('desk calendar',), ('something that shows the date',),
             (0.08, 0.16, 0.1), (0.2, 0.26, 0.2)),
    Category('hat', hat, ('fedora', 'brimmed hat'), ('something to wear on the head',),
             (0.28, 0.25, 0.08), (0.4, 0.36, 0.16), novel=True),
)  # fmt: skip
