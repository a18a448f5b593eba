"""What lies on the tables of the synthetic scans: packets, tins, vessels and household things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from folk_ros.training.scenes.objects.blueprint import (
    ANY,
    Blueprint,
    BRIGHT,
    Category,
    Finish,
    finish,
    metal,
    pick,
    Rng,
    shaded,
    wooden,
)
from folk_ros.training.scenes.objects.catalog import CATEGORIES
from folk_ros.training.scenes.objects.tableware import ceramic
from folk_ros.training.scenes.rendering.primitives import (
    ball,
    BOTTOM,
    box,
    CHECKS,
    cone,
    DOTS,
    firm,
    Part,
    PICTURE,
    PLAIN,
    rod,
    STRIPES,
    TEXT,
)

PRINTS = (PLAIN, PLAIN, PICTURE, TEXT, STRIPES, CHECKS, DOTS)
PAINTS = (*ANY, 'silver')


@dataclass(frozen=True)
class Kind:
    """A kind of thing on tables: how often it comes and how it may lie there."""

    category: Category
    weight: float
    rests: tuple[str, ...]  # of 'up', 'side', 'down', 'any'; drawn evenly
    leans: bool = False  # flat enough to lean against others


def printed(rng: Rng, stuff: str) -> Finish:
    """Pick what packets are made of: plain, or with something printed on it."""
    return finish(rng, PAINTS, stuff, int(rng.choice(PRINTS)), float(rng.uniform(0.015, 0.08)))


def packet(rng: Rng) -> Blueprint:
    """Build a packet or carton of any shape, sharp-edged or soft."""
    size = np.exp(rng.uniform(np.log(0.05), np.log(0.3), 3))
    if rng.random() < 0.5:  # a flat one, like cereals or tea
        size = np.array([rng.uniform(0.03, 0.09), rng.uniform(0.1, 0.22), rng.uniform(0.13, 0.32)])
    cover = printed(rng, 'cardboard')
    make = firm if rng.random() < 0.15 else box
    return Blueprint([make(cover.material, (0, 0, size[2] / 2), size)], cover.colour, cover.stuff)


def brick(rng: Rng) -> Blueprint:
    """Build a small block: chocolate, soap, a toy."""
    size = np.exp(rng.uniform(np.log(0.025), np.log(0.11), 3))
    cover = wooden(rng) if rng.random() < 0.2 else printed(rng, 'paper')
    return Blueprint([box(cover.material, (0, 0, size[2] / 2), size)], cover.colour, cover.stuff)


def volume(rng: Rng) -> Blueprint:
    """Build one book."""
    width, height = rng.uniform(0.1, 0.2), rng.uniform(0.15, 0.28)
    thick = rng.uniform(0.012, 0.05)
    cover = printed(rng, 'paper')
    parts = [box(cover.material, (0, 0, thick / 2), (width, height, thick))]
    return Blueprint(parts, cover.colour, cover.stuff)


def tin(rng: Rng) -> Blueprint:
    """Build a can, jar or round box, some with a lid or a rim."""
    label = printed(rng, 'metal')
    wide = rng.random() < 0.3
    r = rng.uniform(0.06, 0.11) if wide else rng.uniform(0.025, 0.055)
    h = rng.uniform(0.04, 0.13) if wide else rng.uniform(0.07, 0.26)
    parts: list[Part] = [cone(label.material, (0, 0, 0), h, r, rng.choice([1.0, 1.0, 0.93, 1.07]))]
    if rng.random() < 0.4:
        lid = metal(rng) if rng.random() < 0.5 else finish(rng, PAINTS, 'plastic')
        parts.append(cone(lid.material, (0, 0, h), rng.uniform(0.01, 0.03), r * 1.03))
    return Blueprint(parts, label.colour, label.stuff)


def roll(rng: Rng) -> Blueprint:
    """Build a slim cylinder: a tube of crisps, a roll of foil, a candle."""
    cover = printed(rng, 'cardboard')
    r, h = rng.uniform(0.014, 0.042), rng.uniform(0.12, 0.3)
    return Blueprint([cone(cover.material, (0, 0, 0), h, r)], cover.colour, cover.stuff)


def beaker(rng: Rng) -> Blueprint:
    """Build a cup or mug, hollow, most with a handle."""
    glaze = ceramic(rng)
    r, h = rng.uniform(0.032, 0.05), rng.uniform(0.06, 0.13)
    flare = rng.uniform(0.95, 1.35)
    parts: list[Part] = [cone(glaze.material, (0, 0, 0), h, r / max(flare, 1), flare, BOTTOM)]
    parts.append(cone(shaded(glaze, 0.9), (0, 0, 0.002), 0.006, r / max(flare, 1) * 0.95))
    if rng.random() < 0.7:
        reach, thick = rng.uniform(0.02, 0.035), rng.uniform(0.004, 0.007)
        turns = np.linspace(0, np.pi, 6)
        ring = [(0, r * 0.95 + reach * np.sin(a), h * 0.52 + 0.32 * h * np.cos(a)) for a in turns]
        parts += [
            rod(glaze.material, a, b, thick) for a, b in zip(ring[:-1], ring[1:], strict=True)
        ]
    return Blueprint(parts, glaze.colour, glaze.stuff)


def basin(rng: Rng) -> Blueprint:
    """Build an empty round bowl, a pot or a deep dish."""
    glaze = ceramic(rng) if rng.random() < 0.6 else finish(rng, PAINTS, 'plastic')
    r, h = rng.uniform(0.055, 0.115), rng.uniform(0.04, 0.1)
    levels = np.linspace(0, 1, 4)
    widths = r * (0.5 + 0.5 * levels ** rng.uniform(0.4, 1.0))
    parts: list[Part] = []
    for k in range(3):
        low, high = widths[k], widths[k + 1]
        caps = BOTTOM if k == 0 else 0
        parts.append(cone(glaze.material, (0, 0, h * k / 3), h / 3, low, high / low, caps))
    if rng.random() < 0.3:  # a lid makes a pot of it
        parts.append(cone(shaded(glaze, 0.95), (0, 0, h), 0.015, r * 1.02, 0.9))
        parts.append(ball(shaded(glaze, 0.8), (0, 0, h + 0.02), 0.014))
    return Blueprint(parts, glaze.colour, glaze.stuff)


def fruit(rng: Rng) -> Blueprint:
    """Build a ball or something near it: a fruit, a toy."""
    skin = finish(rng, (*BRIGHT, 'white', 'brown'), pick(rng, ('plastic', 'rubber', 'fruit')))
    r = rng.uniform(0.025, 0.085)
    radii = r * rng.uniform(0.8, 1.0, 3)
    return Blueprint([ball(skin.material, (0, 0, r), radii)], skin.colour, skin.stuff)


def _own(
    name: str,
    build: Callable[[Rng], Blueprint],
    words: tuple[str, ...],
    says: tuple[str, ...],
) -> Category:
    return Category(name, build, words, says, (0.02, 0.02, 0.01), (0.35, 0.35, 0.35))


PACKET = _own('box', packet, ('packet', 'carton', 'cereal box'), ('something things come in',))
BRICK = _own('box', brick, ('small box', 'block'), ('something small with corners',))
VOLUME = _own('book', volume, ('paperback', 'notebook'), ('something to read',))
TIN = _own('container', tin, ('can', 'tin', 'jar'), ('something that holds food',))
ROLL = _own('tube', roll, ('roll', 'cardboard tube'), ('a long round thing',))
BEAKER = _own('cup', beaker, ('mug', 'coffee mug', 'teacup'), ('something to drink from',))
BASIN = _own('bowl', basin, ('dish', 'pot'), ('something to eat from',))
FRUIT = _own('ball', fruit, ('toy ball', 'fruit'), ('something round',))

KINDS = (
    Kind(PACKET, 6.0, ('any',), leans=True),
    Kind(BRICK, 1.2, ('any',), leans=True),
    Kind(VOLUME, 1.2, ('up', 'up', 'any'), leans=True),
    Kind(TIN, 3.0, ('up', 'up', 'side')),
    Kind(ROLL, 1.0, ('up', 'side')),
    Kind(BEAKER, 2.2, ('up', 'up', 'down', 'side')),
    Kind(BASIN, 1.8, ('up', 'up', 'down')),
    Kind(FRUIT, 0.7, ('up',)),
)
HOUSEHOLD = (
    'cup', 'bottle', 'water bottle', 'bowl', 'plate', 'water pitcher', 'candle', 'tissue box',
    'toilet paper', 'soap dispenser', 'alarm clock', 'mouse', 'shoe', 'speaker', 'telephone',
    'headphones', 'coffee kettle', 'toaster', 'paper towel roll', 'calendar',
)  # fmt: skip


def choose(rng: Rng, novel: bool) -> Kind:
    """Draw a kind of thing; novel categories only where asked for."""
    weights = np.array([kind.weight for kind in KINDS])
    if rng.random() < 0.2:
        known = [CATEGORIES[name] for name in HOUSEHOLD if novel or not CATEGORIES[name].novel]
        own = known[int(rng.integers(len(known)))]
        lies = own.name in ('bottle', 'water bottle', 'toilet paper', 'tissue box')
        return Kind(own, 1.0, ('up', 'up', 'side') if lies else ('up',))
    return KINDS[int(rng.choice(len(KINDS), p=weights / weights.sum()))]
