"""Chairs for one person: at tables, at desks, in schools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    BLACK,
    Blueprint,
    Category,
    DARK,
    finish,
    legs,
    metal,
    plastic,
    Rng,
    shaded,
    STEEL,
    Support,
    upholstery,
    wooden,
)
from folk_ros.training.scenes.rendering.primitives import (
    ball,
    box,
    cone,
    firm,
    GRILL,
    Material,
    Part,
    rod,
    soft,
    turn,
)

SIT = ('something to sit on', 'a place to sit')
SEAT = ((-0.1, -0.1), (0.1, 0.1))


def chair(rng: Rng) -> Blueprint:
    """Build a chair without castors: on four legs, on a bent tube, or a shell of plastic."""
    style = rng.random()
    if style < 0.6:
        return _four_legged(rng)
    return _on_tubes(rng) if style < 0.8 else _shell_chair(rng)


def _four_legged(rng: Rng) -> Blueprint:
    """Build four legs, a seat, a back of slats, a panel or cloth, perhaps arm rests."""
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
    if rng.random() < 0.2:
        parts += _arms(frame.material, d, w, h)
    return Blueprint(parts, seat.colour, seat.stuff, (Support(*SEAT, h, 1, 'seat'),))


def _arms(material: Material, d: float, w: float, h: float) -> list[Part]:
    parts: list[Part] = []
    for side in (-1, 1):
        y = side * w / 2
        parts.append(box(material, (0, y, h + 0.2), (d, 0.04, 0.025)))
        parts.append(rod(material, (d * 0.42, y, h - 0.02), (d * 0.42, y, h + 0.19), 0.014))
    return parts


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
        x = -d / 2 + 0.02
        return [
            box(material, (x - lean * (z - h) / (top - h), 0, z), (0.02, w, 0.06), tilt)
            for z in heights
        ]
    ys = np.linspace(-w / 2 + 0.06, w / 2 - 0.06, int(rng.integers(4, 7)))
    slats = [
        rod(material, (-d / 2 + 0.02, y, h), (-d / 2 + 0.02 - lean, y, top), 0.009) for y in ys
    ]
    return [*slats, box(material, (-d / 2 + 0.02 - lean, 0, top), (0.03, w, 0.05), tilt)]


def _on_tubes(rng: Rng) -> Blueprint:
    """Build a cantilever: seat and back on a tube bent to runners on the floor."""
    tube = metal(rng, ('silver', 'black', 'white'))
    seat = upholstery(rng) if rng.random() < 0.6 else wooden(rng)
    w, d = rng.uniform(0.42, 0.48), rng.uniform(0.42, 0.46)
    h, top = rng.uniform(0.43, 0.47), rng.uniform(0.78, 0.92)
    x, r = d / 2, 0.013
    parts: list[Part] = [firm(seat.material, (0, 0, h), (d * 0.95, w * 0.95, 0.05))]
    for side in (-1, 1):
        y = side * w / 2
        path = [(-x, y, 0.014), (x, y, 0.014), (x, y, h - 0.03), (-x, y, h - 0.03)]
        path.append((-x - 0.06, y, top))
        parts += [rod(tube.material, a, b, r) for a, b in zip(path[:-1], path[1:], strict=True)]
    parts.append(rod(tube.material, (-x, -w / 2, 0.014), (-x, w / 2, 0.014), r))
    tilt = turn('y', -0.13)
    low = h + 0.16
    middle = (-x - 0.045, 0, (low + top) / 2)
    parts.append(firm(seat.material, middle, (0.05, w * 0.95, top - low), tilt))
    supports = (Support(*SEAT, h + 0.025, 1, 'seat'),)
    return Blueprint(parts, seat.colour, seat.stuff, supports, 'cantilever')


def _shell_chair(rng: Rng) -> Blueprint:
    """Build a moulded seat on thin splayed legs."""
    shell = plastic(rng)
    foot = metal(rng) if rng.random() < 0.5 else wooden(rng)
    w, d = rng.uniform(0.42, 0.5), rng.uniform(0.4, 0.46)
    h, top = rng.uniform(0.43, 0.47), rng.uniform(0.76, 0.86)
    m = shell.material
    parts: list[Part] = [firm(m, (0, 0, h), (d, w, 0.04))]
    tilt = turn('y', -0.2)
    middle = (-d / 2 - 0.02, 0, (h + top) / 2)
    parts.append(soft(m, middle, (0.05, w, top - h + 0.06), tilt))
    if rng.random() < 0.4:
        parts += [soft(m, (-0.03, s * w * 0.49, h + 0.1), (d * 0.8, 0.045, 0.2)) for s in (-1, 1)]
    for a in (-1, 1):
        for b in (-1, 1):
            end = (a * d * 0.46, b * w * 0.46, 0.0)
            parts.append(rod(foot.material, end, (a * 0.1, b * 0.1, h - 0.01), 0.013))
    parts = [part.moved(np.eye(3), (0.02, 0, 0)) for part in parts]
    supports = (Support(*SEAT, h + 0.02, 1, 'seat'),)
    return Blueprint(parts, shell.colour, shell.stuff, supports, 'moulded')


def office_chair(rng: Rng) -> Blueprint:
    """Build a swivel chair on a five-armed foot with castors."""
    seat = upholstery(rng) if rng.random() < 0.6 else finish(rng, ('black', 'dark grey'), 'fabric')
    foot = BLACK if rng.random() < 0.6 else STEEL
    h, top = rng.uniform(0.44, 0.52), rng.uniform(0.88, 1.2)
    w, reach = rng.uniform(0.46, 0.54), rng.uniform(0.27, 0.33)
    parts = [cone(foot, (0, 0, 0.1), h - 0.14, 0.03)]
    for k in range(5):
        a = 2 * np.pi * k / 5 + 0.3
        tip = (reach * np.cos(a), reach * np.sin(a))
        parts.append(rod(foot, (0, 0, 0.13), (*tip, 0.075), 0.022, 0.7))
        parts.append(ball(BLACK, (*tip, 0.03), 0.03))
    parts.append(soft(seat.material, (0.02, 0, h - 0.02), (w, w, 0.12)))
    style = _OFFICE_BACKS[int(rng.integers(len(_OFFICE_BACKS)))]
    parts += style(rng, seat.material, w, (h, top))
    parts.append(rod(foot, (-0.1, 0, h - 0.06), (-w / 2 - 0.05, 0, h + 0.25), 0.025))
    if rng.random() < 0.7:
        for side in (-1, 1):
            y = side * (w / 2 + 0.03)
            parts.append(box(BLACK, (0, y, h + 0.2), (0.26, 0.06, 0.035)))
            parts.append(rod(BLACK, (-0.02, y, h - 0.02), (-0.02, y, h + 0.19), 0.018))
    supports = (Support(*SEAT, h + 0.04, 1, 'seat'),)
    return Blueprint(parts, seat.colour, seat.stuff, supports)


TILT = turn('y', -0.12)


def _padded_back(rng: Rng, m: Material, w: float, z: tuple[float, float]) -> list[Part]:
    middle = (-w / 2, 0, (z[0] + 0.1 + z[1]) / 2)
    return [soft(m, middle, (0.1, w * 0.92, z[1] - z[0] - 0.1), TILT)]


def _mesh_back(rng: Rng, m: Material, w: float, z: tuple[float, float]) -> list[Part]:
    """Stretch a net over a frame, with a head rest on top."""
    h, top = z[0], max(z[1], z[0] + 0.5)
    net = replace(m, pattern=GRILL, period_m=0.02, gloss=0.0)
    high = top - h - 0.26
    parts = [firm(net, (-w / 2, 0, h + 0.12 + high / 2), (0.035, w * 0.9, high), TILT)]
    parts.append(soft(m, (-w / 2 - 0.04, 0, top - 0.06), (0.07, w * 0.5, 0.12), TILT))
    parts.append(rod(DARK, (-w / 2 - 0.02, 0, h + high), (-w / 2 - 0.04, 0, top - 0.06), 0.015))
    return parts


def _low_back(rng: Rng, m: Material, w: float, z: tuple[float, float]) -> list[Part]:
    """Put a small rest behind the small of the back."""
    middle = (-w / 2, 0, z[0] + 0.3)
    return [soft(m, middle, (0.09, w * 0.8, max(0.26, (z[1] - z[0]) * 0.42)), TILT)]


_OFFICE_BACKS: tuple[Callable[[Rng, Material, float, tuple[float, float]], list[Part]], ...] = (
    _padded_back, _padded_back, _mesh_back, _low_back,
)  # fmt: skip


def folded_chair(rng: Rng) -> Blueprint:
    """Build a folding chair, folded flat and leaning back against a wall."""
    frame = metal(rng)
    seat = plastic(rng) if rng.random() < 0.5 else wooden(rng)
    w, h = rng.uniform(0.42, 0.48), rng.uniform(0.82, 0.95)
    parts = []
    for side in (-1, 1):
        y = side * w / 2
        parts.append(rod(frame.material, (0.2, y, 0.012), (0.03, y, h), 0.012))
        parts.append(rod(frame.material, (0.24, y * 0.9, 0.012), (0.09, y * 0.9, h * 0.75), 0.012))
    tilt = turn('y', -np.arctan2(0.17, h))
    parts.append(box(seat.material, (0.06, 0, h * 0.86), (0.02, w, 0.18), tilt))
    seat_size = (0.025, w * 0.86, rng.uniform(0.3, 0.38))
    parts.append(box(shaded(seat, 0.95), (0.16, 0, h * 0.45), seat_size, tilt))
    parts.append(rod(frame.material, (0.2, -w / 2, 0.06), (0.2, w / 2, 0.06), 0.01))
    return Blueprint(parts, seat.colour, seat.stuff)


CATEGORIES = (
    Category('chair', chair, ('dining chair', 'side chair', 'seat'),
             (*SIT, 'a seat with a back for one person'), (0.36, 0.36, 0.72), (0.65, 0.54, 1.05)),
    Category('office chair', office_chair, ('desk chair', 'swivel chair', 'computer chair'),
             (*SIT, 'a rolling chair for a desk'), (0.5, 0.5, 0.7), (0.85, 0.85, 1.3)),
    Category('folded chair', folded_chair, ('folding chair', 'collapsed chair'),
             ('a chair folded flat', 'a spare chair put away'), (0.2, 0.4, 0.75), (0.3, 0.52, 1.0),
             novel=True),
)  # fmt: skip
