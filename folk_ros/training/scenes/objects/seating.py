"""Things to sit on."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    BLACK,
    Blueprint,
    board,
    Category,
    finish,
    legs,
    metal,
    pick,
    plastic,
    Rng,
    shaded,
    STEEL,
    Support,
    upholstery,
    wooden,
)
from folk_ros.training.scenes.primitives import (
    ball,
    box,
    cone,
    firm,
    Material,
    Part,
    rod,
    slab,
    soft,
    turn,
)

SIT = ('something to sit on', 'a place to sit')


def chair(rng: Rng) -> Blueprint:
    """Build a dining or school chair: four legs, a seat, a back of slats, a panel or cloth."""
    frame = wooden(rng) if rng.random() < 0.6 else metal(rng)
    seat = upholstery(rng) if rng.random() < 0.4 else plastic(rng)
    if frame.stuff == 'wooden' and rng.random() < 0.6:
        seat = frame
    w, d = rng.uniform(0.38, 0.48), rng.uniform(0.38, 0.46)
    h, top = rng.uniform(0.43, 0.48), rng.uniform(0.78, 0.98)
    leg = rng.uniform(0.025, 0.045)
    parts = [] if rng.random() < 0.85 else [box(frame.material, (0, 0, h / 2), (0.03, w, 0.03))]
    parts += legs(frame.material, (d, w), h - 0.03, leg)
    parts.append(box(seat.material, (0, 0, h - 0.015), (d, w, 0.035)))
    if seat.stuff in ('fabric', 'leather'):
        parts.append(firm(seat.material, (0, 0, h + 0.015), (d * 0.96, w * 0.96, 0.06)))
    lean = rng.uniform(0.03, 0.08)
    for side in (-1, 1):
        y, x = side * (w / 2 - leg / 2), -d / 2 + leg / 2
        parts.append(rod(frame.material, (x, y, h - 0.03), (x - lean, y, top), leg / 2))
    parts += _chair_back(rng, seat.material, (d, w, h, top), lean)
    return Blueprint(
        parts, seat.colour, seat.stuff, (Support((-0.1, -0.1), (0.1, 0.1), h, 1, 'seat'),)
    )


def _chair_back(
    rng: Rng, material: Material, size: tuple[float, float, float, float], lean: float
) -> list[Part]:
    d, w, h, top = size
    style = int(rng.integers(3))
    tilt = turn('y', -np.arctan2(lean, top - h))
    middle = -d / 2 + 0.02 - lean * 0.6
    if style == 0:
        low = h + 0.4 * (top - h)
        place = (middle, 0, (low + top) / 2)
        return [box(material, place, (0.025, w, top - low), tilt)]
    if style == 1:
        count = int(rng.integers(2, 4))
        heights = np.linspace(h + 0.12, top - 0.04, count)
        return [
            box(
                material, (-d / 2 + 0.02 - lean * (z - h) / (top - h), 0, z), (0.02, w, 0.06), tilt
            )
            for z in heights
        ]
    ys = np.linspace(-w / 2 + 0.06, w / 2 - 0.06, int(rng.integers(4, 7)))
    slats = [
        rod(material, (-d / 2 + 0.02, y, h), (-d / 2 + 0.02 - lean, y, top), 0.009) for y in ys
    ]
    return [*slats, box(material, (-d / 2 + 0.02 - lean, 0, top), (0.03, w, 0.05), tilt)]


def office_chair(rng: Rng) -> Blueprint:
    """Build a swivel chair on a five-armed foot with castors."""
    seat = upholstery(rng) if rng.random() < 0.6 else finish(rng, ('black', 'dark grey'), 'fabric')
    foot = BLACK if rng.random() < 0.6 else STEEL
    h, top = rng.uniform(0.44, 0.52), rng.uniform(0.88, 1.2)
    w = rng.uniform(0.46, 0.54)
    reach = rng.uniform(0.27, 0.33)
    parts = [cone(foot, (0, 0, 0.1), h - 0.14, 0.03)]
    for k in range(5):
        a = 2 * np.pi * k / 5 + 0.3
        tip = (reach * np.cos(a), reach * np.sin(a))
        parts.append(rod(foot, (0, 0, 0.13), (*tip, 0.075), 0.022, 0.7))
        parts.append(ball(BLACK, (*tip, 0.03), 0.03))
    parts.append(soft(seat.material, (0.02, 0, h - 0.02), (w, w, 0.12)))
    tilt = turn('y', -0.12)
    parts.append(
        soft(seat.material, (-w / 2, 0, (h + 0.1 + top) / 2), (0.1, w * 0.92, top - h - 0.1), tilt)
    )
    parts.append(rod(foot, (-0.1, 0, h - 0.06), (-w / 2 - 0.05, 0, h + 0.25), 0.025))
    if rng.random() < 0.75:
        for side in (-1, 1):
            y = side * (w / 2 + 0.03)
            parts.append(box(BLACK, (0, y, h + 0.2), (0.26, 0.06, 0.035)))
            parts.append(rod(BLACK, (-0.02, y, h - 0.02), (-0.02, y, h + 0.19), 0.018))
    return Blueprint(parts, seat.colour, seat.stuff)


def armchair(rng: Rng) -> Blueprint:
    """Build an upholstered chair with arms."""
    return _sofa(rng, rng.uniform(0.75, 0.95), 1)


def couch(rng: Rng) -> Blueprint:
    """Build a sofa of two or three seats."""
    seats = int(rng.integers(2, 4))
    return _sofa(rng, 0.35 + seats * rng.uniform(0.5, 0.62), seats)


def _sofa(rng: Rng, width: float, seats: int) -> Blueprint:
    cover = upholstery(rng)
    depth, h = rng.uniform(0.78, 0.92), rng.uniform(0.38, 0.45)
    top, arm = rng.uniform(0.72, 0.92), rng.uniform(0.1, 0.2)
    arm_h = h + rng.uniform(0.12, 0.22)
    base = 0.06 if rng.random() < 0.5 else 0.12
    m, pad = cover.material, shaded(cover, rng.uniform(0.95, 1.15))
    foot = wooden(rng).material
    parts = legs(foot, (depth - 0.06, width - 0.06), base, 0.05)
    parts.append(box(m, (0, 0, (base + h - 0.12) / 2), (depth, width, h - 0.12 - base)))
    parts[-1] = slab(m, (-depth / 2, -width / 2, base), (depth / 2, width / 2, h - 0.1))
    back = rng.uniform(0.16, 0.22)
    parts.append(
        slab(m, (-depth / 2, -width / 2, h - 0.12), (-depth / 2 + back, width / 2, top - 0.05))
    )
    round_arm = rng.random() < 0.5
    for side in (-1, 1):
        y = side * (width / 2 - arm / 2)
        z = arm_h - arm / 2 if round_arm else arm_h
        parts.append(slab(m, (-depth / 2, y - arm / 2, base), (depth / 2, y + arm / 2, z)))
        if round_arm:
            parts.append(rod(m, (-depth / 2, y, z), (depth / 2, y, z), arm / 2))
    inner = width - 2 * arm
    for k in range(seats):
        y = -inner / 2 + (k + 0.5) * inner / seats
        x0 = -depth / 2 + back
        parts.append(
            firm(
                pad,
                ((x0 + depth / 2) / 2, y, h - 0.03),
                (depth / 2 - x0 + 0.02, inner / seats, 0.17),
            )
        )
        parts.append(
            firm(pad, (x0 + 0.04, y, (h + top) / 2 + 0.02), (0.2, inner / seats, top - h + 0.04))
        )
    supports = (
        Support(
            (-0.05, -inner / 2 + 0.1), (depth / 2 - 0.2, inner / 2 - 0.1), h + 0.056, 1, 'seat'
        ),
    )
    return Blueprint(parts, cover.colour, cover.stuff, supports)


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
    return Blueprint(parts, seat.colour, seat.stuff)


def bench(rng: Rng) -> Blueprint:
    """Build a long backless seat."""
    top = wooden(rng)
    w, d, h = rng.uniform(0.9, 1.4), rng.uniform(0.3, 0.42), rng.uniform(0.42, 0.48)
    parts = [box(top.material, (0, 0, h - 0.025), (d, w, 0.05))]
    if rng.random() < 0.5:
        parts += legs(top.material, (d, w), h - 0.05, 0.06, 0.03)
    else:
        for side in (-1, 1):
            parts.append(
                box(top.material, (0, side * (w / 2 - 0.12), (h - 0.05) / 2), (d, 0.05, h - 0.05))
            )
    if rng.random() < 0.4:
        pad = upholstery(rng)
        parts.append(firm(pad.material, (0, 0, h + 0.02), (d, w * 0.96, 0.07)))
    return Blueprint(parts, top.colour, top.stuff)


def ottoman(rng: Rng) -> Blueprint:
    """Build an upholstered block or pouf."""
    cover = upholstery(rng)
    w, h = rng.uniform(0.42, 0.6), rng.uniform(0.35, 0.45)
    if rng.random() < 0.5:
        parts = [
            cone(cover.material, (0, 0, 0), h - 0.05, w / 2),
            ball(cover.material, (0, 0, h - 0.05), (w / 2, w / 2, 0.05)),
        ]
        return Blueprint(parts, cover.colour, cover.stuff)
    foot = wooden(rng).material
    parts = legs(foot, (w, w), 0.08, 0.04, 0.02)
    parts.append(slab(cover.material, (-w / 2, -w / 2, 0.08), (w / 2, w / 2, h - 0.08)))
    parts.append(firm(shaded(cover, 1.08), (0, 0, h - 0.08), (w, w, 0.14)))
    return Blueprint(parts, cover.colour, cover.stuff)


def folded_chair(rng: Rng) -> Blueprint:
    """Build a folding chair, folded flat and leaning back against a wall."""
    frame = metal(rng)
    seat = plastic(rng) if rng.random() < 0.5 else board(rng)
    w, h = rng.uniform(0.42, 0.48), rng.uniform(0.82, 0.95)
    parts = []
    for side in (-1, 1):
        y = side * w / 2
        parts.append(rod(frame.material, (0.2, y, 0.012), (0.03, y, h), 0.012))
        parts.append(rod(frame.material, (0.24, y * 0.9, 0.012), (0.09, y * 0.9, h * 0.75), 0.012))
    tilt = turn('y', -np.arctan2(0.17, h))
    parts.append(box(seat.material, (0.06, 0, h * 0.86), (0.02, w, 0.18), tilt))
    parts.append(box(seat.material, (0.16, 0, h * 0.45), (0.025, w * 0.86, 0.36), tilt))
    parts.append(rod(frame.material, (0.2, -w / 2, 0.06), (0.2, w / 2, 0.06), 0.01))
    return Blueprint(parts, seat.colour, pick(rng, ('folding', 'metal')))


CATEGORIES = (
    Category('chair', chair, ('dining chair', 'side chair', 'wooden chair'),
             (*SIT, 'a seat with a back for one person'), (0.36, 0.36, 0.74), (0.62, 0.5, 1.05)),
    Category('office chair', office_chair, ('desk chair', 'swivel chair', 'computer chair'),
             (*SIT, 'a rolling chair for a desk'), (0.5, 0.5, 0.8), (0.85, 0.85, 1.3)),
    Category('armchair', armchair, ('easy chair', 'lounge chair', 'upholstered chair'),
             (*SIT, 'a soft chair with arm rests'), (0.74, 0.72, 0.68), (1.1, 1.0, 1.05)),
    Category('couch', couch, ('sofa', 'settee', 'loveseat'),
             (*SIT, 'a soft seat for several people'), (0.74, 1.3, 0.68), (1.1, 2.3, 1.05)),
    Category('stool', stool, ('bar stool', 'backless chair'),
             (*SIT, 'a small seat without a back'), (0.28, 0.28, 0.4), (0.5, 0.5, 0.8)),
    Category('bench', bench, ('wooden bench', 'long seat'), (*SIT, 'a long seat without a back'),
             (0.28, 0.88, 0.4), (0.44, 1.42, 0.56)),
    Category('ottoman', ottoman, ('footstool', 'pouf', 'hassock'),
             (*SIT, 'something to put your feet on'), (0.4, 0.4, 0.3), (0.62, 0.62, 0.5)),
    Category('folded chair', folded_chair, ('folding chair', 'collapsed chair'),
             ('a chair folded flat', 'a spare chair put away'), (0.2, 0.4, 0.75), (0.3, 0.52, 1.0),
             novel=True),
)  # fmt: skip
