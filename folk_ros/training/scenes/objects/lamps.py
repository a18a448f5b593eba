"""Lamps on tables and floors."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    Blueprint,
    Category,
    finish,
    metal,
    Rng,
    WHITE,
    wooden,
)
from folk_ros.training.scenes.rendering.primitives import ball, cone, Material, Part, rod

LIGHT = ('something that gives light',)


def lamp(rng: Rng) -> Blueprint:
    """Build a table lamp: foot, stem and shade."""
    return _lamp(rng, rng.uniform(0.35, 0.55), rng.uniform(0.1, 0.17))


def floor_lamp(rng: Rng) -> Blueprint:
    """Build a standing lamp: on a plate, on three legs, or reading light on a bent pole."""
    style = rng.random()
    if style < 0.5:
        return _lamp(rng, rng.uniform(1.3, 1.7), rng.uniform(0.15, 0.22))
    return _tripod(rng) if style < 0.75 else _reading_light(rng)


def _tripod(rng: Rng) -> Blueprint:
    frame = wooden(rng)
    cover = finish(rng, ('white', 'cream', 'beige', 'black', 'red'), 'fabric')
    h, r = rng.uniform(1.35, 1.6), rng.uniform(0.18, 0.23)
    foot = rng.uniform(0.18, 0.24)
    parts: list[Part] = []
    for k in range(3):
        a = 2 * np.pi * k / 3
        end = (foot * np.cos(a), foot * np.sin(a), 0.01)
        parts.append(rod(frame.material, end, (0, 0, h - 0.3), 0.014))
    parts.append(cone(cover.material, (0, 0, h - 0.3), 0.3, r, rng.uniform(0.7, 0.95), 0))
    parts.append(ball(WHITE, (0, 0, h - 0.15), 0.04))
    return Blueprint(parts, cover.colour, cover.stuff, form='three legged')


def _reading_light(rng: Rng) -> Blueprint:
    body = metal(rng, ('black', 'silver', 'white', 'red'))
    m, h = body.material, rng.uniform(1.3, 1.6)
    parts: list[Part] = [cone(m, (-0.15, 0, 0), 0.03, 0.13)]
    path = [(-0.15, 0, 0.02), (-0.15, 0, h - 0.2), (-0.08, 0, h - 0.03), (0.06, 0, h)]
    parts += [rod(m, a, b, 0.012) for a, b in zip(path[:-1], path[1:], strict=True)]
    parts.append(cone(m, (0.1, 0, h - 0.13), 0.14, 0.1, 0.5, 0))
    parts.append(ball(WHITE, (0.1, 0, h - 0.07), 0.03))
    return Blueprint(parts, body.colour, body.stuff, form='bent')


def _lamp(rng: Rng, height: float, radius: float) -> Blueprint:
    foot = metal(rng) if rng.random() < 0.6 else wooden(rng)
    cover = finish(rng, ('white', 'cream', 'beige', 'yellow', 'red', 'blue', 'black'), 'fabric')
    r, g, b = cover.material.colour
    glow = Material((min(r * 1.35, 1), min(g * 1.3, 1), min(b * 1.15, 1)), gloss=0, wear=0.01)
    tall = min(radius * rng.uniform(1.2, 1.7), 0.32)
    parts = [cone(foot.material, (0, 0, 0), 0.025, radius * 0.75, 0.85)]
    if height < 0.8 and rng.random() < 0.5:
        body = rng.uniform(0.05, 0.08)
        parts.append(
            ball(foot.material, (0, 0, 0.02 + height * 0.25), (body, body, height * 0.25))
        )
    parts.append(cone(foot.material, (0, 0, 0.02), height - 0.05, 0.012))
    parts.append(cone(glow, (0, 0, height - tall), tall, radius, rng.uniform(0.55, 0.95), 0))
    parts.append(ball(WHITE, (0, 0, height - tall * 0.5), 0.035))
    return Blueprint(parts, cover.colour, cover.stuff)


def desk_lamp(rng: Rng) -> Blueprint:
    """Build a lamp with a jointed arm."""
    body = metal(rng, ('black', 'white', 'red', 'silver', 'blue'))
    m = body.material
    elbow, head = (-0.1, 0, rng.uniform(0.24, 0.32)), (0.12, 0, rng.uniform(0.36, 0.46))
    parts = [cone(m, (0, 0, 0), 0.025, 0.085), rod(m, (0, 0, 0.02), elbow, 0.01)]
    parts.append(rod(m, elbow, head, 0.01))
    parts.append(
        rod(m, (head[0] - 0.01, 0, head[2] + 0.03), (head[0] + 0.07, 0, head[2] - 0.1), 0.025, 3.0)
    )
    return Blueprint(parts, body.colour, body.stuff)


def any_lamp(rng: Rng) -> Blueprint:
    """Build a lamp for a table or desk."""
    style = rng.random()
    if style < 0.3:
        return desk_lamp(rng)
    return _globe(rng) if style < 0.45 else lamp(rng)


def _globe(rng: Rng) -> Blueprint:
    foot = wooden(rng) if rng.random() < 0.5 else metal(rng)
    glass = finish(rng, ('white', 'white', 'cream', 'orange', 'yellow'), 'glass')
    r = rng.uniform(0.09, 0.13)
    parts = [cone(foot.material, (0, 0, 0), 0.05, r * 0.7, 0.9)]
    rise = rng.uniform(0.06, 0.2)
    parts.append(cone(foot.material, (0, 0, 0.04), rise, 0.016))
    parts.append(ball(glass.material, (0, 0, 0.04 + rise + r * 0.9), r))
    return Blueprint(parts, glass.colour, glass.stuff, form='round')


CATEGORIES = (
    Category('lamp', any_lamp, ('table lamp', 'reading lamp', 'light'),
             (*LIGHT, 'a small lamp to switch on'), (0.12, 0.12, 0.24), (0.5, 0.4, 0.62)),
)  # fmt: skip

FLOOR_LAMP = Category(
    'lamp', floor_lamp, ('floor lamp', 'standing lamp'),
    (*LIGHT, 'a tall lamp on the floor'), (0.2, 0.18, 1.25), (0.5, 0.5, 1.75))  # fmt: skip
