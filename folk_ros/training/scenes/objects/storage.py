"""Case furniture: shelves, cabinets, drawers."""

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
    legs,
    metal,
    Rng,
    shaded,
    STEEL,
    Support,
)
from folk_ros.training.scenes.objects.tables import drawers
from folk_ros.training.scenes.rendering.primitives import (
    ball,
    BOOKS,
    box,
    cone,
    Material,
    Part,
    rod,
    slab,
    WEAVE,
)

EYE = np.eye(3)
PANE = Material((0.5, 0.6, 0.64), gloss=0.9, wear=0.05)
MIRROR = Material((0.62, 0.7, 0.74), gloss=1.0, wear=0.0)
KEEP = ('something to keep things in',)


def _rows(rng: Rng, low: tuple[float, float], z: float, clear: float, depth: float) -> list[Part]:
    """Stand rows of books of different lengths and heights on a shelf board from y to y."""
    parts, y = [], low[0] + 0.01
    while y < low[1] - 0.08:
        length = min(rng.uniform(0.08, 0.3), low[1] - 0.01 - y)
        if rng.random() < 0.75:
            height, deep = clear * rng.uniform(0.55, 0.9), depth * rng.uniform(0.6, 0.85)
            material = Material((0.5, 0.4, 0.3), (0.9, 0.9, 0.8), BOOKS, rng.uniform(0.022, 0.04),
                                0.1, 0.05, int(rng.integers(1 << 30)))  # fmt: skip
            x = -depth / 2 + 0.02
            parts.append(slab(material, (x, y, z), (x + deep, y + length, z + height)))
        y += length + rng.uniform(0.004, 0.03)
    return parts


def _rack(
    body: Finish, size: tuple[float, float, float], levels: int, back: bool, base: float
) -> tuple[list[Part], list[float]]:
    """Build sides, back and boards of an open shelf; return parts and the boards' upper faces."""
    d, w, h = size
    m, thick = body.material, 0.022
    parts = [
        slab(m, (-d / 2, -w / 2, 0), (d / 2, -w / 2 + thick, h)),
        slab(m, (-d / 2, w / 2 - thick, 0), (d / 2, w / 2, h)),
    ]
    if back:
        parts.append(slab(shaded(body, 0.8), (-d / 2, -w / 2, 0.02), (-d / 2 + 0.01, w / 2, h)))
    tops = np.linspace(base + thick, h, levels + 1).tolist()
    for z in tops:
        low = (-d / 2, -w / 2 + thick, z - thick)
        parts.append(slab(m, low, (d / 2, w / 2 - thick, z)))
    return parts, tops


def bookshelf(rng: Rng) -> Blueprint:
    """Build a shelf full of books."""
    body = board(rng)
    d, w, h = rng.uniform(0.26, 0.36), rng.uniform(0.6, 1.1), rng.uniform(1.1, 2.0)
    levels = max(3, round(h / 0.36))
    parts, tops = _rack(body, (d, w, h), levels, rng.random() < 0.8, 0.05)
    clear = tops[1] - tops[0] - 0.022
    bare = []
    for z in tops[:-1]:
        if rng.random() < 0.8:
            parts += _rows(rng, (-w / 2 + 0.03, w / 2 - 0.03), z, clear, d)
        else:
            bare.append(z)
    top = Support((-d / 2 + 0.03, -w / 2 + 0.04), (d / 2 - 0.03, w / 2 - 0.04), h)
    supports = [top] if h < 1.5 else []
    x, y = d / 2 - 0.03, w / 2 - 0.05
    supports += [Support((-x, -y), (x, y), z, clear - 0.01, 'shelf') for z in bare]
    form = 'tall' if h > 1.6 else 'low' if h < 1.3 else ''
    return Blueprint(parts, body.colour, body.stuff, tuple(supports), form)


def shelf(rng: Rng) -> Blueprint:
    """Build an open shelf, of wood or of metal posts, on which other things may stand."""
    d, w, h = rng.uniform(0.3, 0.45), rng.uniform(0.7, 1.2), rng.uniform(0.9, 1.8)
    levels = int(rng.integers(3, 5))
    if rng.random() < 0.5:
        body = board(rng)
        parts, tops = _rack(body, (d, w, h), levels, rng.random() < 0.3, 0.08)
    else:
        body = metal(rng)
        parts = legs(body.material, (d, w), h, 0.03)
        if rng.random() < 0.5:  # braced behind
            for a in (-1, 1):
                ends = (-d / 2, a * w / 2, 0.15), (-d / 2, -a * w / 2, h - 0.05)
                parts.append(rod(body.material, *ends, 0.008))
        tops = np.linspace(0.15, h, levels + 1).tolist()
        parts += [box(body.material, (0, 0, z - 0.012), (d, w, 0.024)) for z in tops]
    clear = tops[1] - tops[0] - 0.03
    x, y = d / 2 - 0.04, w / 2 - 0.06
    supports = tuple(Support((-x, -y), (x, y), z, clear, 'shelf') for z in tops[:-1])
    return Blueprint(parts, body.colour, body.stuff, supports)


def cabinet(rng: Rng) -> Blueprint:
    """Build a cupboard, waist or head high: with doors, with panes, with drawers beside."""
    body = board(rng)
    d, w = rng.uniform(0.36, 0.5), rng.uniform(0.6, 1.2)
    h = rng.uniform(0.75, 1.05) if rng.random() < 0.7 else rng.uniform(1.4, 1.8)
    base = rng.uniform(0.03, 0.12)
    parts = legs(body.material, (d, w), base, 0.05)
    style, form = rng.random(), ''
    if style < 0.25 and w > 0.8:
        third = w / 3
        parts += [
            q.moved(EYE, (0, -third / 2, 0))
            for q in _doored(body, (d, w - third, h), base, max(1, round(w / 0.6)))
        ]
        parts.append(slab(body.material, (-d / 2, w / 2 - third, base), (d / 2 - 0.02, w / 2, h)))
        face = (d / 2 - 0.02, w / 2 - third / 2)
        rows = 3 if h < 1.2 else 5
        parts += drawers(shaded(body, 0.92), face, third, (base + 0.02, h - 0.025), rows)
    else:
        count = max(1, round(w / 0.45))
        parts += _doored(body, (d, w, h), base, count)
        if style > 0.75:
            form = 'glass fronted'
            for k in range(count):
                y = -w / 2 + w * (k + 0.5) / count
                low = (d / 2 - 0.01, y - w / count * 0.36, base + (h - base) * 0.3)
                high = (d / 2 + 0.004, y + w / count * 0.36, h - 0.09)
                parts.append(slab(PANE, low, high))
    top = Support((-d / 2 + 0.04, -w / 2 + 0.04), (d / 2 - 0.05, w / 2 - 0.04), h)
    return Blueprint(parts, body.colour, body.stuff, (top,) if h < 1.3 else (), form)


def _doored(body: Finish, size: tuple[float, float, float], base: float, doors: int) -> list[Part]:
    d, w, h = size
    parts = [slab(body.material, (-d / 2, -w / 2, base), (d / 2 - 0.02, w / 2, h))]
    front = shaded(body, 0.92)
    for k in range(doors):
        a, b = -w / 2 + w * k / doors, -w / 2 + w * (k + 1) / doors
        low, high = (d / 2 - 0.02, a + 0.01, base + 0.02), (d / 2, b - 0.01, h - 0.025)
        parts.append(slab(front, low, high))
        y = b - 0.05 if k % 2 == 0 else a + 0.05
        parts.append(box(STEEL, (d / 2 + 0.012, y, (base + h) / 2), (0.02, 0.014, 0.12)))
    return parts


def wardrobe(rng: Rng) -> Blueprint:
    """Build a tall cupboard for clothes: hinged doors, sliding mirrors, or drawers below."""
    body = board(rng)
    d, w, h = rng.uniform(0.5, 0.6), rng.uniform(0.8, 1.5), rng.uniform(1.75, 2.1)
    style, form = rng.random(), ''
    low = 0.05
    if style < 0.3:
        form = 'sliding door'
        parts = [slab(body.material, (-d / 2, -w / 2, low), (d / 2 - 0.05, w / 2, h))]
        for k, (a, b) in enumerate(((-w / 2, 0.02), (-0.02, w / 2))):
            x = d / 2 - 0.05 + 0.022 * k
            front = MIRROR if rng.random() < 0.5 else shaded(body, 0.9 + 0.1 * k)
            parts.append(slab(front, (x, a, low + 0.02), (x + 0.022, b, h - 0.02)))
    elif style < 0.55:
        split = 0.5
        parts = [q.moved(EYE, (0, 0, split)) for q in
                 _doored(body, (d, w, h - split), 0.0, max(2, round(w / 0.5)))]  # fmt: skip
        parts.append(slab(body.material, (-d / 2, -w / 2, low), (d / 2 - 0.02, w / 2, split)))
        parts += drawers(shaded(body, 0.92), (d / 2 - 0.02, 0), w, (low, split), 2)
    else:
        parts = _doored(body, (d, w, h), low, max(2, round(w / 0.5)))
    parts.append(slab(shaded(body, 0.6), (-d / 2, -w / 2, 0), (d / 2 - 0.04, w / 2, low)))
    near, far = (-d / 2 + 0.04, -w / 2 + 0.05), (d / 2 - 0.05, w / 2 - 0.05)
    top = Support(near, far, h, 0.6, 'high')
    return Blueprint(parts, body.colour, body.stuff, (top,), form)


def dresser(rng: Rng) -> Blueprint:
    """Build a chest of drawers in one or two columns."""
    body = board(rng)
    d, w, h = rng.uniform(0.42, 0.52), rng.uniform(0.75, 1.3), rng.uniform(0.75, 1.1)
    base = 0.08
    parts = legs(body.material, (d, w), base, 0.05)
    parts.append(slab(body.material, (-d / 2, -w / 2, base), (d / 2 - 0.02, w / 2, h)))
    columns = 2 if w > 0.95 else 1
    rows = int(rng.integers(3, 5))
    for k in range(columns):
        y = (k + 0.5) * w / columns - w / 2
        face = (d / 2 - 0.02, y)
        parts += drawers(shaded(body, 0.9), face, w / columns, (base + 0.02, h - 0.03), rows)
    top = Support((-d / 2 + 0.04, -w / 2 + 0.05), (d / 2 - 0.06, w / 2 - 0.05), h)
    return Blueprint(parts, body.colour, body.stuff, (top,))


def tv_stand(rng: Rng) -> Blueprint:
    """Build a long low board with open bays."""
    body = board(rng)
    d, w, h = rng.uniform(0.36, 0.46), rng.uniform(1.0, 1.6), rng.uniform(0.4, 0.58)
    parts, _ = _rack(body, (d, w, h), 1, True, 0.06)
    parts.append(box(body.material, (0, 0, (h + 0.06) / 2), (d, 0.022, h - 0.08)))
    if rng.random() < 0.6:
        y = w / 4 * (1 if rng.random() < 0.5 else -1)
        parts += drawers(shaded(body, 0.9), (d / 2 - 0.018, y), w / 2 - 0.03, (0.09, h - 0.03), 2)
    parts.append(box(BLACK, (0.02, -w / 4, 0.12), (d * 0.6, w * 0.25, 0.07)))
    top = Support((-d / 2 + 0.03, -w / 2 + 0.05), (d / 2 - 0.03, w / 2 - 0.05), h, 1.2, 'tv')
    return Blueprint(parts, body.colour, body.stuff, (top,))


def file_cabinet(rng: Rng) -> Blueprint:
    """Build a steel cabinet with deep drawers."""
    body = metal(rng, ('grey', 'light grey', 'black', 'beige', 'white'))
    d, w = rng.uniform(0.48, 0.6), rng.uniform(0.38, 0.46)
    rows = int(rng.integers(2, 5))
    h = rows * rng.uniform(0.29, 0.33) + 0.04
    parts = [slab(body.material, (-d / 2, -w / 2, 0), (d / 2 - 0.02, w / 2, h))]
    parts += drawers(shaded(body, 0.93), (d / 2 - 0.02, 0), w, (0.03, h - 0.01), rows)
    for k in range(rows):
        z = 0.03 + (k + 0.72) * (h - 0.04) / rows
        parts.append(box(Material((0.95, 0.95, 0.9)), (d / 2, 0, z), (0.006, 0.08, 0.035)))
    top = Support((-d / 2 + 0.05, -w / 2 + 0.04), (d / 2 - 0.05, w / 2 - 0.04), h)
    return Blueprint(parts, body.colour, body.stuff, (top,) if h < 1.2 else ())


def kitchen_cabinet(rng: Rng) -> Blueprint:
    """Build a row of wall cupboards."""
    body = board(rng, ('white', 'cream', 'grey', 'dark blue', 'green'))
    d, w, h = rng.uniform(0.3, 0.36), rng.uniform(0.8, 1.6), rng.uniform(0.55, 0.75)
    parts = [part.moved(np.eye(3), (d / 2, 0, 0)) for part in
             _doored(body, (d, w, h), 0.0, max(2, round(w / 0.42)))]  # fmt: skip
    return Blueprint(parts, body.colour, body.stuff)


def basket(rng: Rng) -> Blueprint:
    """Build a wicker basket, open at the top."""
    cane = finish(rng, ('beige', 'brown', 'white', 'grey'), 'wicker', WEAVE, 0.03)
    r, h = rng.uniform(0.14, 0.22), rng.uniform(0.18, 0.32)
    parts = [cone(cane.material, (0, 0, 0), h, (r * 0.8, r * rng.uniform(0.8, 1.1)), 1.2, 1)]
    if rng.random() < 0.5:
        parts.append(rod(cane.material, (0, -r, h), (0, -r * 0.5, h + 0.12), 0.012))
        parts.append(rod(cane.material, (0, -r * 0.5, h + 0.12), (0, r * 0.5, h + 0.12), 0.012))
        parts.append(rod(cane.material, (0, r * 0.5, h + 0.12), (0, r, h), 0.012))
    return Blueprint(parts, cane.colour, cane.stuff)


def laundry_basket(rng: Rng) -> Blueprint:
    """Build a tall basket for washing, with cloth looking out."""
    side = finish(rng, ('white', 'beige', 'grey', 'light blue'), 'plastic', WEAVE, 0.05)
    r, h = rng.uniform(0.19, 0.25), rng.uniform(0.45, 0.62)
    linen = finish(rng, ('white', 'light blue', 'pink', 'grey', 'red'), 'fabric')
    parts = [
        cone(side.material, (0, 0, 0), h, r * 0.85, 1.18, 1),
        ball(linen.material, (0, 0, h - 0.06), (r * 0.8, r * 0.8, 0.1)),
        cone(DARK, (0, 0, h - 0.02), 0.02, r, 1.02, 0),
    ]
    return Blueprint(parts, side.colour, side.stuff)


CATEGORIES = (
    Category('bookshelf', bookshelf, ('bookcase', 'book shelf', 'shelf full of books'),
             ('where books are kept', 'rows of books on boards'), (0.24, 0.55, 1.05),
             (0.38, 1.15, 2.05)),
    Category('shelf', shelf, ('shelving unit', 'storage shelf', 'shelves'),
             (*KEEP, 'open boards to put things on'), (0.28, 0.65, 0.85), (0.47, 1.25, 1.85)),
    Category('cabinet', cabinet, ('cupboard', 'sideboard', 'storage cabinet'),
             (*KEEP, 'a piece of furniture with doors'), (0.34, 0.55, 0.7), (0.55, 1.25, 1.85)),
    Category('wardrobe', wardrobe, ('armoire', 'clothes cupboard', 'clothes closet'),
             ('where clothes are kept', 'a tall cupboard for clothes'), (0.48, 0.75, 1.7),
             (0.65, 1.55, 2.15)),
    Category('dresser', dresser, ('chest of drawers', 'bureau', 'drawers'),
             (*KEEP, 'drawers for clothes'), (0.4, 0.7, 0.7), (0.58, 1.35, 1.15)),
    Category('tv stand', tv_stand, ('tv bench', 'media console', 'tv cabinet'),
             ('what the television stands on', 'a long low cabinet'), (0.34, 0.95, 0.35),
             (0.52, 1.65, 0.62)),
    Category('file cabinet', file_cabinet, ('filing cabinet', 'drawer cabinet'),
             ('where papers are filed', 'a steel cabinet with drawers'), (0.45, 0.36, 0.55),
             (0.65, 0.48, 1.4)),
    Category('kitchen cabinet', kitchen_cabinet, ('wall cupboard', 'kitchen cupboard'),
             ('where dishes are kept', 'cupboards hanging on the wall'), (0.28, 0.75, 0.5),
             (0.42, 1.65, 0.8)),
    Category('basket', basket, ('wicker basket', 'woven basket'), (*KEEP, 'a woven container'),
             (0.2, 0.2, 0.15), (0.55, 0.6, 0.5)),
    Category('laundry basket', laundry_basket, ('washing basket', 'hamper'),
             ('where dirty clothes go',), (0.3, 0.3, 0.4), (0.6, 0.6, 0.75)),
)  # fmt: skip
