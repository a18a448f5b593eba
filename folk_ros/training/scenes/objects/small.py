"""Small things that stand on tables, shelves and floors."""

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
from folk_ros.training.scenes.objects.tableware import tray_walls
from folk_ros.training.scenes.rendering.primitives import (
    ball,
    BOOKS,
    BOTTOM,
    box,
    CHECKS,
    CLOSED,
    cone,
    DOTS,
    FABRIC,
    Material,
    Part,
    PICTURE,
    PLAIN,
    rod,
    slab,
    soft,
    STRIPES,
    TEXT,
    turn,
)


def book(rng: Rng) -> Blueprint:
    """Build one book, a stack of books lying, or a few standing side by side."""
    style = rng.random()
    if style < 0.35:
        w, d, h = rng.uniform(0.12, 0.3), rng.uniform(0.14, 0.18), rng.uniform(0.2, 0.27)
        spines = Material(
            (0.5, 0.4, 0.3), (0.9, 0.9, 0.8), BOOKS, 0.035, 0.1, 0.03, int(rng.integers(1 << 30))
        )
        row = [box(spines, (0, 0, h / 2), (d, w, h))]
        if rng.random() < 0.5:  # the last one leans
            last = finish(rng, ANY, 'paper').material
            row.append(box(last, (0, w / 2 + 0.055, h * 0.47), (d, 0.025, h), turn('x', 0.28)))
        return Blueprint(row, 'colourful', 'paper', form='upright')
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
    stack = len(parts) > 3
    supports = (Support((-0.05, -0.07), (0.05, 0.07), z + 0.001, 0.3, 'box'),) if stack else ()
    return Blueprint(parts, words, 'paper', supports, 'stacked' if stack else '')


def paper(rng: Rng) -> Blueprint:
    """Build a few printed sheets."""
    parts = []
    for k in range(int(rng.integers(1, 4))):
        sheet = Material(
            (0.95, 0.95, 0.93), (0.2, 0.2, 0.25), TEXT, 0.012, 0, 0.01, int(rng.integers(99))
        )
        size = (0.297, 0.21, 0.006)
        place = (rng.normal(0, 0.02), rng.normal(0, 0.02), 0.003 + 0.006 * k)
        parts.append(box(sheet, place, size, turn('z', rng.normal(0, 0.2))))
    return Blueprint(parts, 'white', 'printed')


def carton(rng: Rng) -> Blueprint:
    """Build a cardboard box, taped shut or open, or a coloured parcel."""
    plain = rng.random() < 0.7
    side = finish(rng, ('brown', 'beige'), 'cardboard') if plain else finish(rng, ANY, 'cardboard')
    if plain:
        side = Finish(
            Material((0.66, 0.5, 0.33), (0.5, 0.36, 0.22), FABRIC, 0.1, 0, 0.1),
            'brown',
            'cardboard',
        )
    d, w, h = rng.uniform(0.2, 0.42), rng.uniform(0.24, 0.5), rng.uniform(0.1, 0.4)
    m = side.material
    if rng.random() < 0.6:
        parts = [slab(m, (-d / 2, -w / 2, 0), (d / 2, w / 2, h))]
        tape = Material((0.8, 0.7, 0.5), gloss=0.5)
        parts.append(
            slab(tape, (-0.025, -w / 2 - 0.001, h - 0.08), (0.025, w / 2 + 0.001, h + 0.001))
        )
        if rng.random() < 0.5:
            label = Material((0.95, 0.95, 0.92), (0.1, 0.1, 0.1), TEXT, 0.016, 0, 0, 5)
            parts.append(box(label, (d / 2, w * 0.15, h * 0.6), (0.003, 0.12, 0.08)))
        low, high = (-d / 2 + 0.02, -w / 2 + 0.02), (d / 2 - 0.02, w / 2 - 0.02)
        supports = (Support(low, high, h + 0.001, 1, 'box'),)
        return Blueprint(parts, side.colour, side.stuff, supports, 'closed')
    parts = tray_walls(m, (d, w, h), 0.008)
    for sign in (-1, 1):
        flap = box(m, (0, 0, d / 4), (0.006, w - 0.01, d / 2))
        parts.append(flap.moved(turn('y', sign * rng.uniform(0.4, 1.3)), (sign * d / 2, 0, h)))
    return Blueprint(parts, side.colour, side.stuff, form='open')


def storage_bin(rng: Rng) -> Blueprint:
    """Build a plastic storage box with a lid."""
    body = plastic(rng)
    lid = plastic(rng)
    d, w, h = rng.uniform(0.28, 0.4), rng.uniform(0.36, 0.55), rng.uniform(0.2, 0.34)
    parts = [slab(body.material, (-d / 2, -w / 2, 0), (d / 2, w / 2, h))]
    parts.append(
        slab(
            lid.material,
            (-d / 2 - 0.015, -w / 2 - 0.015, h),
            (d / 2 + 0.015, w / 2 + 0.015, h + 0.03),
        )
    )
    for side in (-1, 1):
        parts.append(box(lid.material, (0, side * (w / 2 + 0.01), h - 0.03), (0.1, 0.02, 0.08)))
    low, high = (-d / 2 + 0.02, -w / 2 + 0.02), (d / 2 - 0.02, w / 2 - 0.02)
    supports = (Support(low, high, h + 0.03, 1, 'box'),)
    return Blueprint(parts, body.colour, body.stuff, supports, 'lidded')


def trash_can(rng: Rng) -> Blueprint:
    """Build a round or square waste bin, open or with a lid."""
    body = (
        metal(rng)
        if rng.random() < 0.5
        else plastic(rng, ('black', 'grey', 'white', 'blue', 'green'))
    )
    r, h = rng.uniform(0.12, 0.18), rng.uniform(0.28, 0.5)
    m = body.material
    style = rng.random()
    if style < 0.2:
        return _pedal_bin(body, r, h)
    if style < 0.45:
        parts = tray_walls(m, (r * 1.7, r * 2, h), 0.008)
    else:
        parts = [cone(m, (0, 0, 0), h, r * 0.85, 1.18, BOTTOM)]
        parts.append(cone(shaded(body, 0.7), (0, 0, h - 0.015), 0.015, r, 1.01, 0))
        if rng.random() < 0.4:
            parts.append(ball(m, (0, 0, h), (r, r, 0.06)))
            return Blueprint(parts, body.colour, body.stuff)
    parts.append(cone(Material((0.85, 0.85, 0.85), wear=0.2), (0, 0, 0.02), h * 0.5, r * 0.75))
    return Blueprint(parts, body.colour, body.stuff)


def _pedal_bin(body: Finish, r: float, h: float) -> Blueprint:
    parts: list[Part] = [cone(BLACK, (0, 0, 0), 0.03, r * 1.03)]
    parts.append(cone(body.material, (0, 0, 0.03), h - 0.03, r))
    parts.append(cone(shaded(body, 0.85), (0, 0, h), 0.03, r * 1.02, 0.9))
    parts.append(box(STEEL, (r + 0.03, 0, 0.02), (0.08, 0.08, 0.012)))
    return Blueprint(parts, body.colour, body.stuff, form='pedal')


def bucket(rng: Rng) -> Blueprint:
    """Build a bucket with a wire handle."""
    body = plastic(rng, (*BRIGHT, 'black'))
    r, h = rng.uniform(0.12, 0.16), rng.uniform(0.24, 0.3)
    parts = [cone(body.material, (0, 0, 0), h, r * 0.72, 1.38, BOTTOM)]
    ring = [
        (0.1 * np.sin(a), r * np.cos(a), h - 0.02 + 0.06 * np.sin(a))
        for a in np.linspace(0, np.pi, 7)
    ]
    parts += [rod(DARK, a, b, 0.005) for a, b in zip(ring[:-1], ring[1:], strict=True)]
    parts.append(cone(shaded(body, 0.8), (0, 0, h - 0.02), 0.02, r, 1.03, 0))
    return Blueprint(parts, body.colour, body.stuff)


def tissue_box(rng: Rng) -> Blueprint:
    """Build a box of paper handkerchiefs, one pulled out."""
    pattern = int(rng.choice([PLAIN, DOTS, CHECKS, PICTURE]))
    side = finish(rng, (*BRIGHT, 'white'), 'cardboard', pattern, 0.05)
    parts = [box(side.material, (0, 0, 0.05), (0.12, 0.23, 0.1))]
    parts.append(cone(WHITE, (0, 0, 0.1), 0.06, (0.01, 0.03), 1.9))
    return Blueprint(parts, side.colour, side.stuff)


def toy_ball(rng: Rng) -> Blueprint:
    """Build a ball to play with."""
    skin = finish(
        rng, (*BRIGHT, 'white'), 'rubber', int(rng.choice([PLAIN, STRIPES, CHECKS])), 0.12
    )
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
    return Blueprint(page, leaf.colour, leaf.stuff)


def hat(rng: Rng) -> Blueprint:
    """Build a brimmed hat."""
    felt = cloth(rng, ('black', 'brown', 'beige', 'grey', 'red', 'dark blue'))
    parts = [cone(felt.material, (0, 0, 0), 0.015, (0.17, 0.15))]
    parts.append(cone(felt.material, (0, 0, 0.01), 0.1, (0.1, 0.085), 0.85))
    parts.append(cone(BLACK, (0, 0, 0.012), 0.028, (0.102, 0.087), 1, CLOSED))
    return Blueprint(parts, felt.colour, felt.stuff)


CATEGORIES = (
    Category('book', book, ('volume', 'books'), ('something to read',),
             (0.1, 0.1, 0.015), (0.32, 0.46, 0.3)),
    Category('paper', paper, ('sheet of paper', 'documents', 'papers'), ('something to write on',),
             (0.25, 0.18, 0.004), (0.5, 0.5, 0.03)),
    Category('box', carton, ('cardboard box', 'carton', 'parcel'),
             ('something to pack things in',), (0.15, 0.2, 0.09), (0.8, 0.55, 0.68)),
    Category('storage bin', storage_bin, ('plastic box', 'storage box', 'tote'),
             ('something to keep things in',), (0.25, 0.34, 0.18), (0.48, 0.65, 0.42)),
    Category('trash can', trash_can, ('waste bin', 'rubbish bin', 'garbage can', 'wastebasket'),
             ('where rubbish is thrown',), (0.18, 0.2, 0.25), (0.46, 0.4, 0.6)),
    Category('bucket', bucket, ('pail',), ('something to carry water in',), (0.2, 0.2, 0.2),
             (0.4, 0.4, 0.4)),
    Category('tissue box', tissue_box, ('box of tissues', 'kleenex box'),
             ('something to blow your nose with',), (0.08, 0.18, 0.1), (0.16, 0.28, 0.2)),
    Category('ball', toy_ball, ('toy ball', 'rubber ball'),
             ('something to play with', 'a round toy'), (0.16, 0.16, 0.16), (0.28, 0.28, 0.28)),
    Category('shoe', shoe, ('pair of shoes', 'footwear'),
             ('something to wear on the feet',), (0.22, 0.18, 0.08), (0.36, 0.3, 0.16)),
    Category('calendar', calendar, ('desk calendar',), ('something that shows the date',),
             (0.08, 0.16, 0.1), (0.2, 0.26, 0.2)),
    Category('hat', hat, ('fedora', 'brimmed hat'), ('something to wear on the head',),
             (0.28, 0.25, 0.08), (0.4, 0.36, 0.16), novel=True),
)  # fmt: skip
