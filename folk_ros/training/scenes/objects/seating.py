"""Things to sit on."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    BLACK,
    Blueprint,
    Category,
    legs,
    metal,
    Rng,
    shaded,
    Support,
    upholstery,
    wooden,
)
from folk_ros.training.scenes.objects.chairs import SIT
from folk_ros.training.scenes.rendering.primitives import (
    ball,
    box,
    cone,
    firm,
    Part,
    rod,
    slab,
    turn,
)


def armchair(rng: Rng) -> Blueprint:
    """Build an upholstered chair with arms: a small sofa, a tub, or cushions in a frame."""
    style = rng.random()
    if style < 0.5:
        return _sofa(rng, rng.uniform(0.75, 0.95), 1)
    return _tub(rng) if style < 0.75 else _framed_chair(rng)


def _tub(rng: Rng) -> Blueprint:
    """Build a round chair whose back runs on into the arms."""
    cover = upholstery(rng)
    r, h, top = rng.uniform(0.37, 0.42), rng.uniform(0.38, 0.43), rng.uniform(0.7, 0.82)
    m = cover.material
    parts: list[Part] = [cone(m, (0, 0, 0.1), h - 0.16, r * 0.96)]
    parts.append(cone(shaded(cover, 1.1), (0.03, 0, h - 0.08), 0.1, r * 0.8))
    for k in range(9):
        a = np.pi / 2 + 0.15 + (np.pi - 0.3) * k / 8
        high = top - 0.14 * abs(k - 4) / 4
        place = (r * 0.88 * np.cos(a), r * 0.88 * np.sin(a), (0.12 + high) / 2)
        parts.append(firm(m, place, (0.13, r * 0.42, high - 0.12), turn('z', a)))
    for k in range(4):
        a = np.pi / 4 + k * np.pi / 2
        end = (r * 0.7 * np.cos(a), r * 0.7 * np.sin(a))
        parts.append(rod(BLACK, (*end, 0), (*end, 0.12), 0.02))
    supports = (Support((-0.12, -0.15), (0.18, 0.15), h + 0.02, 1, 'seat'),)
    return Blueprint(parts, cover.colour, cover.stuff, supports, 'tub')


def _framed_chair(rng: Rng) -> Blueprint:
    """Build a lounge chair: loose cushions in an open wooden frame."""
    frame, cover = wooden(rng), upholstery(rng)
    w, d, top = rng.uniform(0.72, 0.8), rng.uniform(0.76, 0.82), rng.uniform(0.82, 0.98)
    h, m = 0.36, frame.material
    parts: list[Part] = []
    for side in (-1, 1):
        y = side * (w / 2 - 0.025)
        parts.append(box(m, (d / 2 - 0.04, y, 0.29), (0.05, 0.05, 0.58)))
        parts.append(box(m, (-d / 2 + 0.1, y, 0.27), (0.05, 0.05, 0.54)))
        parts.append(box(m, (0, y, 0.58), (d - 0.04, 0.07, 0.03)))
        parts.append(box(m, (0, y, 0.24), (d - 0.08, 0.03, 0.05)))
    inner = w - 0.12
    parts.append(box(m, (0, 0, 0.23), (d - 0.14, inner, 0.03)))
    parts.append(firm(cover.material, (0.03, 0, h - 0.05), (d - 0.14, inner, 0.15)))
    tilt = turn('y', -0.25)
    middle = (-d / 2 + 0.15, 0, (h + top) / 2)
    parts.append(firm(cover.material, middle, (0.13, inner, top - h + 0.04), tilt))
    supports = (Support((-0.05, -0.18), (0.2, 0.18), h + 0.026, 1, 'seat'),)
    return Blueprint(parts, cover.colour, cover.stuff, supports, 'wood framed')


def couch(rng: Rng) -> Blueprint:
    """Build a sofa of two or three seats, some with one end drawn out to lie on."""
    seats = int(rng.integers(2, 4))
    return _sofa(rng, 0.35 + seats * rng.uniform(0.5, 0.62), seats, rng.random() < 0.25)


def _sofa(rng: Rng, width: float, seats: int, corner: bool = False) -> Blueprint:
    cover = upholstery(rng)
    depth, h = rng.uniform(0.78, 0.92), rng.uniform(0.38, 0.45)
    top, arm = rng.uniform(0.72, 0.92), rng.uniform(0.1, 0.2)
    arm_h, back = h + rng.uniform(0.12, 0.22), rng.uniform(0.16, 0.22)
    base = rng.choice([0.06, 0.12, 0.17])  # block feet or slender legs
    m, pad = cover.material, shaded(cover, rng.uniform(0.95, 1.15))
    x = depth / 2
    parts = legs(wooden(rng).material, (depth - 0.06, width - 0.06), base, 0.05)
    parts.append(slab(m, (-x, -width / 2, base), (x, width / 2, h - 0.1)))
    parts.append(slab(m, (-x, -width / 2, h - 0.12), (-x + back, width / 2, top - 0.05)))
    round_arm = rng.random() < 0.5
    for side in (-1, 1):
        y = side * (width / 2 - arm / 2)
        z = arm_h - arm / 2 if round_arm else arm_h
        parts.append(slab(m, (-x, y - arm / 2, base), (x, y + arm / 2, z)))
        if round_arm:
            parts.append(rod(m, (-x, y, z), (x, y, z), arm / 2))
    inner = width - 2 * arm
    for k in range(seats):
        y = -inner / 2 + (k + 0.5) * inner / seats
        seat = ((back / 2, y, h - 0.03), (depth - back + 0.02, inner / seats, 0.17))
        parts.append(firm(pad, *seat))
        behind = (-x + back + 0.04, y, (h + top) / 2 + 0.02)
        parts.append(firm(pad, behind, (0.2, inner / seats, top - h + 0.04)))
    if corner:  # the end to lie on
        wide, long = inner / seats + arm, rng.uniform(0.5, 0.65)
        y = width / 2 - wide / 2
        parts.append(slab(m, (x, y - wide / 2, base), (x + long, y + wide / 2, h - 0.1)))
        parts.append(firm(pad, (x + long / 2, y, h - 0.03), (long + 0.02, wide, 0.17)))
    low, high = (-0.05, -inner / 2 + 0.1), (x - 0.2, inner / 2 - 0.1)
    supports = (Support(low, high, h + 0.056, 1, 'seat'),)
    form = 'corner' if corner else f'{("one", "two", "three")[seats - 1]} seat'
    return Blueprint(parts, cover.colour, cover.stuff, supports, form if seats > 1 else '')


def stool(rng: Rng) -> Blueprint:
    """Build a backless seat on three or four splayed legs, or a bar stool."""
    frame = wooden(rng) if rng.random() < 0.6 else metal(rng)
    seat = frame if rng.random() < 0.5 else upholstery(rng)
    h = rng.uniform(0.42, 0.5) if rng.random() < 0.6 else rng.uniform(0.6, 0.75)
    r = rng.uniform(0.15, 0.19)
    count = int(rng.integers(3, 5))
    parts = [cone(seat.material, (0, 0, h - 0.04), 0.04, r)]
    if seat.stuff in ('fabric', 'leather'):
        parts.append(ball(seat.material, (0, 0, h), (r, r, 0.03)))
    for k in range(count):
        a = 2 * np.pi * k / count + np.pi / 4
        c, s = np.cos(a), np.sin(a)
        foot = (r * 1.1 * c, r * 1.1 * s, 0)
        parts.append(rod(frame.material, foot, (r * 0.7 * c, r * 0.7 * s, h - 0.04), 0.015))
        b = a + 2 * np.pi / count
        rung = (r * 0.95 * np.cos(b), r * 0.95 * np.sin(b), h * 0.35)
        parts.append(rod(frame.material, (r * 0.95 * c, r * 0.95 * s, h * 0.35), rung, 0.008))
    top = h + (0.03 if seat.stuff in ('fabric', 'leather') else 0.0)
    form = 'bar' if h > 0.55 else 'low'
    supports = (Support((-0.08, -0.08), (0.08, 0.08), top, 1, 'seat'),)
    return Blueprint(parts, seat.colour, seat.stuff, supports, form)


def bench(rng: Rng) -> Blueprint:
    """Build a long backless seat."""
    top = wooden(rng)
    w, d, h = rng.uniform(0.9, 1.4), rng.uniform(0.3, 0.42), rng.uniform(0.42, 0.48)
    m = top.material
    slats = rng.random() < 0.35
    if slats:
        pitch = d / 4
        parts = [
            box(m, ((k - 1.5) * pitch, 0, h - 0.0175), (pitch - 0.02, w, 0.035)) for k in range(4)
        ]
        parts += [box(m, (0, s * w * 0.4, h - 0.045), (d, 0.05, 0.02)) for s in (-1, 1)]
    else:
        parts = [box(m, (0, 0, h - 0.025), (d, w, 0.05))]
    if rng.random() < 0.5:
        parts += legs(m, (d, w), h - 0.05, 0.06, 0.03)
    else:
        size = (d, 0.05, h - 0.05)
        parts += [box(m, (0, s * (w / 2 - 0.12), (h - 0.05) / 2), size) for s in (-1, 1)]
    level = h
    if not slats and rng.random() < 0.45:
        pad = upholstery(rng)
        parts.append(firm(pad.material, (0, 0, h + 0.02), (d, w * 0.96, 0.07)))
        level = h + 0.055
    x, y = d / 2 - 0.03, w / 2 - 0.06
    supports = (Support((-x, -y), (x, y), level, 1, 'seat'),)
    return Blueprint(parts, top.colour, top.stuff, supports, 'slatted' if slats else '')


def ottoman(rng: Rng) -> Blueprint:
    """Build an upholstered block or pouf."""
    cover = upholstery(rng)
    w, h = rng.uniform(0.42, 0.6), rng.uniform(0.35, 0.45)
    if rng.random() < 0.5:
        parts = [
            cone(cover.material, (0, 0, 0), h - 0.05, w / 2),
            ball(cover.material, (0, 0, h - 0.05), (w / 2, w / 2, 0.05)),
        ]
        supports = (Support((-0.1, -0.1), (0.1, 0.1), h, 1, 'seat'),)
        return Blueprint(parts, cover.colour, cover.stuff, supports, 'round')
    foot = wooden(rng).material
    parts = legs(foot, (w, w), 0.08, 0.04, 0.02)
    parts.append(slab(cover.material, (-w / 2, -w / 2, 0.08), (w / 2, w / 2, h - 0.08)))
    parts.append(firm(shaded(cover, 1.08), (0, 0, h - 0.08), (w, w, 0.14)))
    supports = (Support((-0.15, -0.15), (0.15, 0.15), h - 0.01, 1, 'seat'),)
    return Blueprint(parts, cover.colour, cover.stuff, supports, 'square')


CATEGORIES = (
    Category('armchair', armchair, ('easy chair', 'lounge chair', 'upholstered chair'),
             (*SIT, 'a soft chair with arm rests'), (0.7, 0.68, 0.68), (1.1, 1.0, 1.08)),
    Category('couch', couch, ('sofa', 'settee', 'divan'),
             (*SIT, 'a soft seat for several people'), (0.74, 1.3, 0.68), (1.75, 2.3, 1.05)),
    Category('stool', stool, ('backless seat', 'backless chair'),
             (*SIT, 'a small seat without a back'), (0.28, 0.28, 0.4), (0.5, 0.5, 0.8)),
    Category('bench', bench, ('long seat', 'bench seat'), (*SIT, 'a long seat without a back'),
             (0.28, 0.88, 0.4), (0.44, 1.42, 0.56)),
    Category('ottoman', ottoman, ('footstool', 'pouf', 'hassock'),
             (*SIT, 'something to put your feet on'), (0.4, 0.4, 0.3), (0.62, 0.62, 0.5)),
)  # fmt: skip
