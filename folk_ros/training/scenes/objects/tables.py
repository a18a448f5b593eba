"""Tables, desks and counters: level tops on which other things stand."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    Blueprint,
    board,
    Category,
    Finish,
    finish,
    legs,
    metal,
    Rng,
    shaded,
    STEEL,
    Support,
    wooden,
)
from folk_ros.training.scenes.rendering.primitives import (
    box,
    cone,
    Material,
    Part,
    rod,
    slab,
    SPECKLE,
)

PUT = ('something to put things on',)


def _top(size: tuple[float, float], z: float, kind: str = 'top') -> Support:
    x, y = size[0] / 2 - 0.04, size[1] / 2 - 0.04
    return Support((-x, -y), (x, y), z, 1.2, kind)


def _plain_table(rng: Rng, depth: float, width: float, height: float) -> Blueprint:
    top = board(rng)
    frame = top if rng.random() < 0.6 else metal(rng)
    thick = rng.uniform(0.02, 0.045)
    parts = [box(top.material, (0, 0, height - thick / 2), (depth, width, thick))]
    style, form = rng.random(), ''
    if style < 0.55:
        leg = rng.uniform(0.035, 0.07)
        parts += legs(frame.material, (depth, width), height - thick, leg, rng.uniform(0, 0.04))
        if rng.random() < 0.5:
            rail = (depth - 0.12, width - 0.12, 0.07)
            parts.append(box(frame.material, (0, 0, height - thick - 0.035), rail))
    elif style < 0.7:
        parts += _trestles(frame.material, (depth, width), height - thick)
        form = 'trestle'
    elif style < 0.82 and height > 0.6:
        parts += _crossed(frame.material, (depth, width), height - thick)
        form = 'folding'
    else:
        size = (depth * 0.85, 0.04, height - thick)
        for side in (-1, 1):
            place = (0, side * (width / 2 - 0.05), (height - thick) / 2)
            parts.append(box(frame.material, place, size))
        rail = (0.03, width - 0.14, height * 0.25)
        parts.append(box(frame.material, (0, 0, height * 0.6), rail))
    return Blueprint(parts, top.colour, top.stuff, (_top((depth, width), height),), form)


def _trestles(material: Material, size: tuple[float, float], height: float) -> list[Part]:
    """Stand two trestles under a top: an A of round bars at either end."""
    x, parts = size[0] * 0.42, []
    for side in (-1, 1):
        y = side * size[1] * 0.36
        for foot in (-1, 1):
            end = (foot * x, y, 0.0)
            parts.append(rod(material, end, (foot * x * 0.25, y, height - 0.04), 0.022))
        parts.append(box(material, (0, y, height - 0.025), (size[0] * 0.8, 0.06, 0.05)))
        parts.append(rod(material, (-x * 0.7, y, height * 0.4), (x * 0.7, y, height * 0.4), 0.014))
    return parts


def _crossed(material: Material, size: tuple[float, float], height: float) -> list[Part]:
    """Cross two bars at either end, as folding tables have them."""
    x, parts = size[0] * 0.44, []
    for side in (-1, 1):
        y = side * (size[1] / 2 - 0.08)
        for foot in (-1, 1):
            lean = (foot * x, y + 0.02 * foot, 0.0), (-foot * x, y + 0.02 * foot, height)
            parts.append(rod(material, *lean, 0.016))
    parts.append(rod(material, (0, -size[1] * 0.4, height / 2), (0, size[1] * 0.4, height / 2),
                     0.012))  # fmt: skip
    return parts


def _round_table(rng: Rng, radius: float, height: float) -> Blueprint:
    top = board(rng)
    foot = top if rng.random() < 0.5 else metal(rng)
    parts: list[Part] = [cone(top.material, (0, 0, height - 0.03), 0.03, radius)]
    if rng.random() < 0.6:
        parts.append(cone(foot.material, (0, 0, 0.03), height - 0.06, 0.045))
        parts.append(cone(foot.material, (0, 0, 0), 0.03, radius * 0.6))
    else:
        for k in range(3):
            a = 2 * np.pi * k / 3
            end = (0.75 * radius * np.cos(a), 0.75 * radius * np.sin(a))
            parts.append(rod(foot.material, (*end, 0), (end[0] * 0.7, end[1] * 0.7, height), 0.02))
    side = radius * 1.35
    return Blueprint(parts, top.colour, top.stuff, (_top((side, side), height),), 'round')


def table(rng: Rng) -> Blueprint:
    """Build a general table."""
    if rng.random() < 0.25:
        return _round_table(rng, rng.uniform(0.4, 0.55), rng.uniform(0.7, 0.76))
    return _plain_table(rng, rng.uniform(0.6, 0.8), rng.uniform(0.8, 1.3), rng.uniform(0.7, 0.77))


def dining_table(rng: Rng) -> Blueprint:
    """Build a table for meals."""
    if rng.random() < 0.25:
        return _round_table(rng, rng.uniform(0.5, 0.65), rng.uniform(0.72, 0.77))
    return _plain_table(
        rng, rng.uniform(0.75, 0.9), rng.uniform(1.2, 1.7), rng.uniform(0.72, 0.77)
    )


def coffee_table(rng: Rng) -> Blueprint:
    """Build a low table."""
    h = rng.uniform(0.34, 0.46)
    if rng.random() < 0.3:
        return _round_table(rng, rng.uniform(0.35, 0.45), h)
    made = _plain_table(rng, rng.uniform(0.45, 0.62), rng.uniform(0.8, 1.2), h)
    if rng.random() < 0.4:
        low, high = made.supports[0].low, made.supports[0].high
        shelf = slab(made.parts[0].material, (*low, 0.12), (*high, 0.14))
        return Blueprint([*made.parts, shelf], made.colour, made.stuff, made.supports)
    return made


def end_table(rng: Rng) -> Blueprint:
    """Build a small side table."""
    h = rng.uniform(0.48, 0.62)
    if rng.random() < 0.5:
        return _round_table(rng, rng.uniform(0.2, 0.28), h)
    side = rng.uniform(0.38, 0.52)
    return _plain_table(rng, side, side, h)


def desk(rng: Rng) -> Blueprint:
    """Build a writing desk: on drawers, on legs, on trestles, or on two lifting columns."""
    top = board(rng)
    body = top if rng.random() < 0.6 else metal(rng, ('grey', 'white', 'black'))
    d, w, h = rng.uniform(0.6, 0.78), rng.uniform(1.0, 1.6), rng.uniform(0.71, 0.77)
    m, under = body.material, h - 0.03
    parts = [box(top.material, (0, 0, h - 0.015), (d, w, 0.03))]
    side = -1 if rng.random() < 0.5 else 1
    style, form = rng.random(), ''
    if style < 0.5:
        block = rng.uniform(0.34, 0.42)
        ends = (side, -side) if w > 1.3 and rng.random() < 0.35 else (side,)
        for end in ends:
            y = end * (w / 2 - block / 2 - 0.02)
            low, high = (-d / 2 + 0.04, y - block / 2, 0.02), (d / 2 - 0.03, y + block / 2, under)
            parts.append(slab(m, low, high))
            face = (d / 2 - 0.03, y)
            parts += drawers(shaded(body, 0.92), face, block, (0.05, h - 0.05), 3)
        if len(ends) == 1:
            parts.append(box(m, (0, -side * (w / 2 - 0.03), under / 2), (d * 0.9, 0.03, under)))
    elif style < 0.7:
        parts += legs(m, (d, w), under, 0.05)
    elif style < 0.85:
        parts += _trestles(m, (d, w), under)
        form = 'trestle'
    else:
        for end in (-1, 1):
            y = end * w * 0.34
            parts.append(box(m, (-0.05, y, under / 2), (0.09, 0.07, under)))
            parts.append(box(m, (0, y, 0.015), (d * 0.9, 0.08, 0.03)))
        form = 'standing'
    if style < 0.7 and rng.random() < 0.5:
        parts.append(box(m, (-d / 2 + 0.03, 0, h * 0.65), (0.02, w - 0.12, h * 0.55)))
    return Blueprint(parts, top.colour, top.stuff, (_top((d, w), h, 'desk'),), form)


def drawers(
    material: Material, face: tuple[float, float], width: float, z: tuple[float, float], count: int
) -> list[Part]:
    """Put drawer fronts with handles on the plane x = face[0], centred at y = face[1]."""
    parts: list[Part] = []
    edges = np.linspace(z[0], z[1], count + 1)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        x, y = face
        front_low = (x, y - width / 2 + 0.012, low + 0.008)
        parts.append(slab(material, front_low, (x + 0.018, y + width / 2 - 0.012, high - 0.008)))
        handle = (x + 0.028, y, (low + high) / 2)
        parts.append(box(STEEL, handle, (0.02, min(0.12, width * 0.4), 0.014)))
    return parts


def nightstand(rng: Rng) -> Blueprint:
    """Build a bedside table with one or two drawers."""
    body = board(rng)
    d, w, h = rng.uniform(0.34, 0.44), rng.uniform(0.38, 0.52), rng.uniform(0.45, 0.62)
    base = 0.1 if rng.random() < 0.5 else 0.03
    parts = legs(body.material, (d, w), base, 0.04)
    parts.append(slab(body.material, (-d / 2, -w / 2, base), (d / 2 - 0.02, w / 2, h)))
    count = int(rng.integers(1, 4))
    parts += drawers(shaded(body, 0.92), (d / 2 - 0.02, 0), w, (base + 0.02, h - 0.03), count)
    return Blueprint(parts, body.colour, body.stuff, (_top((d, w), h),))


def kitchen_counter(rng: Rng) -> Blueprint:
    """Build a work top over a row of base cupboards."""
    body = board(rng, ('white', 'cream', 'grey', 'dark blue', 'green'))
    stone: Finish = finish(rng, ('grey', 'dark grey', 'beige', 'white'), 'stone', SPECKLE, 0.012)
    d, w, h = 0.6, rng.uniform(1.0, 1.8), rng.uniform(0.86, 0.93)
    parts = [slab(body.material, (-d / 2, -w / 2, 0.09), (d / 2 - 0.03, w / 2, h - 0.04))]
    parts.append(slab(shaded(body, 0.4), (-d / 2, -w / 2, 0), (d / 2 - 0.09, w / 2, 0.09)))
    parts.append(slab(stone.material, (-d / 2, -w / 2, h - 0.04), (d / 2, w / 2, h)))
    count = max(2, round(w / 0.5))
    for k in range(count):
        a, b = -w / 2 + w * k / count, -w / 2 + w * (k + 1) / count
        low, high = (d / 2 - 0.03, a + 0.008, 0.11), (d / 2 - 0.012, b - 0.008, h - 0.06)
        parts.append(slab(shaded(body, 0.95), low, high))
        parts.append(box(STEEL, (d / 2, (a + b) / 2, h - 0.12), (0.02, 0.14, 0.014)))
    return Blueprint(parts, body.colour, f'{stone.colour} topped', (_top((d, w), h),))


def counter(rng: Rng) -> Blueprint:
    """Build a tall serving or reception counter, open behind."""
    front = board(rng)
    top = wooden(rng)
    d, w, h = rng.uniform(0.45, 0.6), rng.uniform(1.1, 1.7), rng.uniform(0.95, 1.1)
    parts = [box(top.material, (0, 0, h - 0.02), (d, w, 0.04))]
    parts.append(
        box(front.material, (d / 2 - 0.06, 0, (h - 0.04) / 2), (0.05, w - 0.06, h - 0.04))
    )
    for side in (-1, 1):
        y = side * (w / 2 - 0.05)
        parts.append(box(front.material, (-0.02, y, (h - 0.04) / 2), (d - 0.1, 0.04, h - 0.04)))
    return Blueprint(parts, front.colour, front.stuff, (_top((d, w), h),))


CATEGORIES = (
    Category('table', table, ('work table', 'plain table'), (*PUT, 'a flat top on legs'),
             (0.55, 0.7, 0.66), (1.2, 1.35, 0.8)),
    Category('dining table', dining_table, ('dinner table', 'eating table'),
             (*PUT, 'where people eat their meals'), (0.7, 0.95, 0.68), (1.35, 1.75, 0.8)),
    Category('coffee table', coffee_table, ('low table', 'cocktail table'),
             (*PUT, 'a low table in front of a sofa'), (0.42, 0.65, 0.3), (0.95, 1.25, 0.5)),
    Category('end table', end_table, ('side table', 'small table', 'occasional table'),
             (*PUT, 'a little table beside a seat'), (0.36, 0.36, 0.44), (0.6, 0.6, 0.66)),
    Category('desk', desk, ('writing desk', 'office desk', 'work desk'),
             (*PUT, 'a table to work at', 'somewhere to use a computer'), (0.56, 0.95, 0.68),
             (0.82, 1.65, 0.8)),
    Category('nightstand', nightstand, ('bedside table', 'night table', 'bedside cabinet'),
             (*PUT, 'a small cabinet beside a bed'), (0.3, 0.36, 0.42), (0.48, 0.54, 0.65)),
    Category('kitchen counter', kitchen_counter, ('worktop', 'countertop', 'kitchen worktop'),
             (*PUT, 'where food is prepared'), (0.58, 0.95, 0.84), (0.63, 1.85, 0.95)),
    Category('counter', counter, ('bar counter', 'reception counter', 'service counter'),
             (*PUT, 'a high table to stand at'), (0.43, 1.05, 0.92), (0.62, 1.75, 1.15)),
)  # fmt: skip
