"""Smaller electric things."""

from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    BLACK,
    Blueprint,
    Category,
    DARK,
    finish,
    plastic,
    Rng,
    shaded,
    STEEL,
    wooden,
)
from folk_ros.training.scenes.objects.electronics import display
from folk_ros.training.scenes.rendering.primitives import (
    box,
    cone,
    GRILL,
    KEYS,
    lying,
    Material,
    Part,
    PLAIN,
    rod,
    slab,
    turn,
)


def telephone(rng: Rng) -> Blueprint:
    """Build a desk telephone with a handset."""
    body = plastic(rng, ('black', 'white', 'grey', 'beige', 'red'))
    m = body.material
    parts = [box(m, (0, 0, 0.035), (0.19, 0.19, 0.04), turn('y', 0.2))]
    keys = Material((0.1, 0.1, 0.1), (0.85, 0.85, 0.85), KEYS, 0.024, 0, 0)
    parts.append(box(keys, (0.03, 0.035, 0.05), (0.1, 0.09, 0.01), turn('y', 0.2)))
    parts.append(box(display(rng), (-0.06, 0.035, 0.072), (0.04, 0.09, 0.01), turn('y', 0.2)))
    parts.append(box(shaded(body, 0.8), (0, -0.06, 0.082), (0.17, 0.03, 0.022), turn('y', 0.2)))
    for x, z in ((-0.075, 0.088), (0.075, 0.06)):
        parts.append(box(shaded(body, 0.8), (x, -0.06, z), (0.045, 0.05, 0.035), turn('y', 0.2)))
    return Blueprint(parts, body.colour, body.stuff)


def speaker(rng: Rng) -> Blueprint:
    """Build a loudspeaker box with two cones."""
    body = wooden(rng) if rng.random() < 0.4 else plastic(rng, ('black', 'white', 'grey'))
    k = rng.uniform(0.6, 1.2)
    if rng.random() < 0.3:
        return _round_speaker(rng, k)
    d, w, h = 0.2 * k, 0.19 * k, 0.32 * k
    parts: list[Part] = [slab(body.material, (-d / 2, -w / 2, 0), (d / 2, w / 2, h))]
    for z, r in ((h * 0.33, w * 0.38), (h * 0.74, w * 0.22)):
        ring = lying(cone(DARK, (0, 0, -0.004), 0.008, r), 'x').moved(np.eye(3), (d / 2, 0, z))
        inner = lying(cone(BLACK, (0, 0, -0.006), 0.012, r * 0.4), 'x').moved(
            np.eye(3), (d / 2, 0, z)
        )
        parts += [ring, inner]
    return Blueprint(parts, body.colour, body.stuff)


def _round_speaker(rng: Rng, k: float) -> Blueprint:
    """Build a wireless loudspeaker: a cylinder of cloth between two caps."""
    cover = finish(rng, ('black', 'grey', 'red', 'blue', 'green'), 'fabric', GRILL, 0.008)
    r, h = 0.062 * max(k, 0.85), 0.2 * max(k, 0.92)
    parts: list[Part] = [
        cone(BLACK, (0, 0, 0), 0.015, r),
        cone(BLACK, (0, 0, h - 0.012), 0.012, r),
    ]
    parts.append(cone(cover.material, (0, 0, 0.015), h - 0.027, r * 0.98))
    return Blueprint(parts, cover.colour, cover.stuff, form='round')


def fan(rng: Rng) -> Blueprint:
    """Build a standing fan: blades in a ring, or a slim tower."""
    return _tower_fan(rng) if rng.random() < 0.3 else _ring_fan(rng)


def _tower_fan(rng: Rng) -> Blueprint:
    body = plastic(rng, ('white', 'black', 'grey'))
    h = rng.uniform(0.92, 1.1)
    slots = Material((0.1, 0.1, 0.1), body.material.colour, GRILL, 0.02, 0.1, 0.02)
    parts: list[Part] = [cone(body.material, (0, 0, 0), 0.04, 0.16)]
    parts.append(cone(body.material, (0, 0, 0.04), h - 0.04, (0.09, 0.1)))
    parts.append(box(slots, (0.07, 0, h * 0.55), (0.05, 0.1, h * 0.65)))
    return Blueprint(parts, body.colour, body.stuff, form='tower')


def _ring_fan(rng: Rng) -> Blueprint:
    """Build a pole with blades in a ring of wire."""
    body = plastic(rng, ('white', 'black', 'grey', 'blue'))
    h, r = rng.uniform(0.95, 1.25), rng.uniform(0.19, 0.24)
    m = body.material
    parts = [cone(m, (0, 0, 0), 0.04, 0.19, 0.9), cone(m, (0, 0, 0.03), h - r, 0.018)]
    hub = lying(cone(m, (0, 0, -0.1), 0.16, 0.05), 'x').moved(np.eye(3), (0, 0, h))
    parts.append(hub)
    for k in range(3):
        a = turn('x', 2 * np.pi * k / 3)
        blade = box(
            shaded(body, 0.85), (0.09, 0, r * 0.55), (0.012, r * 0.6, r * 0.75), turn('z', 0.4)
        )
        parts.append(blade.moved(a, (0, 0, h)))
    for x in (0.05, 0.13):
        ring = [(x, r * np.cos(a), h + r * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 13)]
        parts += [
            rod(STEEL, one, two, 0.006) for one, two in zip(ring[:-1], ring[1:], strict=True)
        ]
    for a in np.linspace(0, 2 * np.pi, 13)[:-1]:
        end = (0.13, r * np.cos(a), h + r * np.sin(a))
        parts.append(rod(STEEL, (0.14, 0, h), end, 0.003))
    return Blueprint(parts, body.colour, body.stuff)


def headphones(rng: Rng) -> Blueprint:
    """Build headphones lying on their cups."""
    body = plastic(rng, ('black', 'white', 'red', 'blue', 'silver'))
    parts: list[Part] = []
    angles = np.linspace(0, np.pi, 9)
    arc = [(-0.02 - 0.1 * np.sin(a), 0.085 * np.cos(a), 0.04) for a in angles]
    parts += [rod(body.material, a, b, 0.012) for a, b in zip(arc[:-1], arc[1:], strict=True)]
    for side in (-1, 1):
        cup = lying(cone(body.material, (0, 0, -0.02), 0.04, 0.04), 'y')
        parts.append(cup.moved(np.eye(3), (0.0, side * 0.085, 0.04)))
        pad = lying(cone(BLACK, (0, 0, -0.012), 0.024, 0.036), 'y')
        parts.append(pad.moved(np.eye(3), (0.0, side * 0.06, 0.04)))
    return Blueprint(parts, body.colour, body.stuff)


def projector(rng: Rng) -> Blueprint:
    """Build a video projector with its lens in front."""
    body = plastic(rng, ('white', 'black', 'grey'))
    w, d, h = rng.uniform(0.28, 0.36), rng.uniform(0.22, 0.28), rng.uniform(0.09, 0.12)
    parts = [box(body.material, (0, 0, 0.02 + h / 2), (d, w, h))]
    parts += [cone(BLACK, (x, y, 0), 0.02, 0.012) for x in (-0.08, 0.08) for y in (-0.1, 0.1)]
    for colour, r, reach in ((DARK, 0.045, 0.03), (BLACK, 0.032, 0.035)):
        lens = lying(cone(colour, (0, 0, 0), reach, r), 'x')
        parts.append(lens.moved(np.eye(3), (d / 2, w * 0.22, 0.02 + h / 2)))
    vent = Material((0.08, 0.08, 0.08), (0.4, 0.4, 0.4), GRILL, 0.015, 0, 0)
    parts.append(box(vent, (d / 2, -w * 0.2, 0.02 + h / 2), (0.006, w * 0.4, h * 0.6)))
    return Blueprint(parts, body.colour, body.stuff)


def power_strip(rng: Rng) -> Blueprint:
    """Build a row of mains sockets on a bar."""
    body = finish(rng, ('white', 'black', 'grey'), 'plastic', PLAIN)
    count = int(rng.integers(4, 7))
    w = 0.06 * count
    parts = [box(body.material, (0, 0, 0.02), (0.055, w, 0.04))]
    for k in range(count):
        parts.append(cone(DARK, (0, -w / 2 + 0.03 + 0.06 * k, 0.038), 0.004, 0.02))
    parts.append(rod(body.material, (0, w / 2, 0.012), (0.05, w / 2 + 0.3, 0.006), 0.005))
    return Blueprint(parts, body.colour, body.stuff)


CATEGORIES = (
    Category('telephone', telephone, ('phone', 'desk phone', 'landline phone'),
             ('something to call people with',), (0.15, 0.15, 0.06), (0.25, 0.25, 0.16),
             novel=True),
    Category('speaker', speaker, ('loudspeaker', 'audio speaker'), ('something that plays music',),
             (0.1, 0.1, 0.18), (0.27, 0.25, 0.42)),
    Category('fan', fan, ('standing fan', 'electric fan', 'ventilator'),
             ('something that moves the air', 'something to cool the room'), (0.3, 0.3, 0.9),
             (0.45, 0.55, 1.55), novel=True),
    Category('headphones', headphones, ('headset', 'over ear headphones'),
             ('something to listen to music with',), (0.1, 0.15, 0.05), (0.2, 0.25, 0.1),
             novel=True),
    Category('projector', projector, ('video projector', 'beamer'),
             ('something that throws pictures on a wall',), (0.2, 0.26, 0.08), (0.35, 0.38, 0.16)),
    Category('power strip', power_strip, ('extension lead', 'multiple socket'),
             ('where plugs go in',), (0.04, 0.22, 0.03), (0.16, 0.75, 0.06)),
)  # fmt: skip
