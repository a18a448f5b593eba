"""Things on walls, and large things that stand about."""

from __future__ import annotations

from folk_ros.training.scenes.objects.blueprint import (
    ANY, BLACK, Blueprint, BRIGHT, Category, cloth, DARK, finish, legs, metal, plastic, Rng, shaded,
    STEEL, WHITE, wooden,
)  # fmt: skip
from folk_ros.training.scenes.primitives import (
    ball, box, cone, FABRIC, GRILL, lying, Material, Part, PICTURE, rod, SKY, slab, soft,
    SPECKLE, TEXT, turn,
)  # fmt: skip
import numpy as np

EYE = np.eye(3)


def frame(material: Material, w: float, h: float, thick: float, deep: float) -> list[Part]:
    """Build a frame on a wall: back at x = 0, bottom at z = 0."""
    return [
        slab(material, (0, -w / 2, 0), (deep, w / 2, thick)),
        slab(material, (0, -w / 2, h - thick), (deep, w / 2, h)),
        slab(material, (0, -w / 2, 0), (deep, -w / 2 + thick, h)),
        slab(material, (0, w / 2 - thick, 0), (deep, w / 2, h)),
    ]


def picture(rng: Rng) -> Blueprint:
    """Build a framed picture."""
    rim = wooden(rng) if rng.random() < 0.5 else finish(rng, ('black', 'white', 'silver'), 'framed')
    w, h = rng.uniform(0.3, 0.9), rng.uniform(0.3, 0.7)
    art = Material((0.5, 0.5, 0.5), (0.95, 0.94, 0.9), PICTURE, 0.1, 0.3, 0.0, int(rng.integers(1 << 30)))
    parts = [slab(art, (0, -w / 2 + 0.01, 0.01), (0.015, w / 2 - 0.01, h - 0.01))]
    return Blueprint([*parts, *frame(rim.material, w, h, 0.03, 0.03)], rim.colour, 'framed')


def poster(rng: Rng) -> Blueprint:
    """Build a poster without a frame."""
    w, h = rng.uniform(0.42, 0.65), rng.uniform(0.6, 0.9)
    art = Material((0.5, 0.5, 0.5), (0.9, 0.9, 0.9), PICTURE, 0.1, 0.2, 0.02, int(rng.integers(1 << 30)))
    return Blueprint([slab(art, (0, -w / 2, 0), (0.008, w / 2, h))], 'colourful', 'paper')


def whiteboard(rng: Rng) -> Blueprint:
    """Build a white board with writing and a pen tray."""
    w, h = rng.uniform(1.0, 1.9), rng.uniform(0.8, 1.1)
    pen = finish(rng, ('blue', 'black', 'red', 'green'), 'ink').material.colour
    ink = Material((0.94, 0.95, 0.95), pen, TEXT, rng.uniform(0.08, 0.14), 0.6, 0.02, int(rng.integers(1 << 30)))
    parts = [slab(ink, (0, -w / 2, 0), (0.02, w / 2, h)), *frame(STEEL, w, h, 0.02, 0.028)]
    parts.append(slab(STEEL, (0, -w / 4, 0.0), (0.08, w / 4, 0.015)))
    return Blueprint(parts, 'white', 'shiny')


def blackboard(rng: Rng) -> Blueprint:
    """Build a chalk board in a wooden frame."""
    w, h = rng.uniform(1.1, 1.9), rng.uniform(0.8, 1.1)
    slate = (0.1, 0.2, 0.15) if rng.random() < 0.6 else (0.1, 0.1, 0.11)
    chalk = Material(slate, (0.85, 0.87, 0.85), TEXT, rng.uniform(0.08, 0.14), 0, 0.25, int(rng.integers(1 << 30)))
    rim = wooden(rng)
    parts = [slab(chalk, (0, -w / 2, 0), (0.02, w / 2, h)), *frame(rim.material, w, h, 0.045, 0.035)]
    parts.append(slab(rim.material, (0, -w / 2, 0), (0.09, w / 2, 0.02)))
    return Blueprint(parts, 'green' if slate[1] > 0.15 else 'black', 'chalk')


def bulletin_board(rng: Rng) -> Blueprint:
    """Build a cork board with notes."""
    w, h = rng.uniform(0.6, 1.1), rng.uniform(0.5, 0.8)
    cork = Material((0.72, 0.52, 0.32), (0.5, 0.33, 0.18), SPECKLE, 0.008, 0, 0.1, 7)
    parts = [slab(cork, (0, -w / 2, 0), (0.015, w / 2, h)), *frame(wooden(rng).material, w, h, 0.03, 0.025)]
    for _ in range(int(rng.integers(4, 9))):
        base = finish(rng, ('white', 'yellow', 'pink', 'light blue', 'white'), 'paper').material.colour
        note = Material(base, (0.25, 0.25, 0.3), TEXT, 0.02, 0, 0, int(rng.integers(99)))
        y, z = rng.uniform(-w / 2 + 0.12, w / 2 - 0.12), rng.uniform(0.13, h - 0.13)
        parts.append(box(note, (0.018, y, z), (0.004, rng.uniform(0.1, 0.18), rng.uniform(0.1, 0.18)), turn('x', rng.normal(0, 0.1))))
    return Blueprint(parts, 'brown', 'cork')


def door(rng: Rng) -> Blueprint:
    """Build a door leaf with panels, handle and casing."""
    leaf = wooden(rng) if rng.random() < 0.55 else finish(rng, ('white', 'cream', 'grey', 'blue', 'green'), 'painted')
    w, h = rng.uniform(0.75, 0.95), rng.uniform(1.95, 2.1)
    parts = [slab(leaf.material, (0, -w / 2, 0), (0.035, w / 2, h))]
    rim = shaded(leaf, 0.75 if rng.random() < 0.5 else 1.15)
    for y0, y1 in ((-w / 2 - 0.07, -w / 2), (w / 2, w / 2 + 0.07)):
        parts.append(slab(rim, (0, y0, 0), (0.055, y1, h + 0.07)))
    parts.append(slab(rim, (0, -w / 2 - 0.07, h), (0.055, w / 2 + 0.07, h + 0.07)))
    for k in range(int(rng.integers(0, 4))):
        z = 0.2 + k * 0.6
        parts.append(slab(shaded(leaf, 0.88), (0.03, -w * 0.34, z), (0.042, w * 0.34, min(z + 0.48, h - 0.1))))
    side = 1 if rng.random() < 0.5 else -1
    y = side * (w / 2 - 0.08)
    parts.append(rod(STEEL, (0.03, y, 1.02), (0.085, y, 1.02), 0.012))
    parts.append(rod(STEEL, (0.085, y, 1.02), (0.085, y - side * 0.13, 1.02), 0.011))
    return Blueprint(parts, leaf.colour, leaf.stuff)


def window(rng: Rng) -> Blueprint:
    """Build a window with bars, a sill and a view."""
    rim = finish(rng, ('white', 'white', 'brown', 'grey'), 'framed')
    w, h = rng.uniform(0.8, 1.5), rng.uniform(0.9, 1.3)
    m = rim.material
    view = Material((0.7, 0.85, 0.98), pattern=SKY, gloss=0.2, wear=0, seed=int(rng.integers(1 << 30)))
    parts = [slab(view, (0, -w / 2, 0), (0.012, w / 2, h)), *frame(m, w, h, 0.06, 0.05)]
    parts.append(box(m, (0.02, 0, h / 2), (0.04, 0.05, h)))
    if rng.random() < 0.5:
        parts.append(box(m, (0.02, 0, h * 0.65), (0.035, w, 0.035)))
    parts.append(slab(m, (0, -w / 2 - 0.05, 0), (0.14, w / 2 + 0.05, 0.035)))
    return Blueprint(parts, rim.colour, 'glass')


def blinds(rng: Rng) -> Blueprint:
    """Build slatted blinds hanging before a window."""
    slat = finish(rng, ('white', 'cream', 'grey', 'beige', 'brown'), 'slatted')
    w, h = rng.uniform(0.8, 1.4), rng.uniform(0.7, 1.3)
    parts = [slab(slat.material, (0, -w / 2, h - 0.05), (0.06, w / 2, h))]
    count = round((h - 0.05) / 0.05)
    for k in range(count):
        z = (k + 0.5) * (h - 0.05) / count
        parts.append(box(shaded(slat, 0.95), (0.035, 0, z), (0.045, w, 0.004), turn('y', 0.6)))
    low = min(part.corners()[:, 2].min() for part in parts)
    return Blueprint([q.moved(EYE, (0, 0, -low)) for q in parts], slat.colour, slat.stuff)


def mirror(rng: Rng) -> Blueprint:
    """Build a wall mirror; depth cameras see its plane."""
    rim = wooden(rng) if rng.random() < 0.5 else metal(rng)
    w, h = rng.uniform(0.4, 0.7), rng.uniform(0.5, 1.1)
    glass = Material((0.62, 0.7, 0.74), (0.75, 0.82, 0.86), FABRIC, 0.1, 1.0, 0.0)
    return Blueprint([slab(glass, (0, -w / 2, 0), (0.012, w / 2, h)), *frame(rim.material, w, h, 0.035, 0.03)], rim.colour, 'framed')


def radiator(rng: Rng) -> Blueprint:
    """Build a ribbed radiator under a sill."""
    body = metal(rng, ('white', 'white', 'cream', 'grey'))
    w, h = rng.uniform(0.6, 1.2), rng.uniform(0.5, 0.65)
    count = round(w / 0.07)
    parts = []
    for k in range(count):
        y = -w / 2 + (k + 0.5) * w / count
        parts.append(slab(body.material, (0.04, y - w / count * 0.33, 0.1), (0.13, y + w / count * 0.33, h)))
    for z in (0.15, h - 0.06):
        parts.append(rod(shaded(body, 0.85), (0.085, -w / 2, z), (0.085, w / 2, z), 0.025))
    parts.append(rod(body.material, (0.085, w / 2, 0), (0.085, w / 2, 0.15), 0.012))
    parts.append(rod(STEEL, (0.085, w / 2, 0.15), (0.14, w / 2 + 0.03, 0.15), 0.02))
    return Blueprint(parts, body.colour, body.stuff)


def backpack(rng: Rng) -> Blueprint:
    """Build a rucksack standing, its pocket in front."""
    sack = finish(rng, (*BRIGHT, 'black', 'grey', 'dark blue'), 'fabric', FABRIC)
    k = rng.uniform(0.85, 1.1)
    m, dark = sack.material, shaded(sack, 0.7)
    parts: list[Part] = [soft(m, (0, 0, 0.23 * k), (0.2 * k, 0.31 * k, 0.46 * k))]
    parts.append(soft(shaded(sack, 0.85), (0.1 * k, 0, 0.15 * k), (0.1 * k, 0.25 * k, 0.24 * k)))
    parts.append(box(dark, (0.145 * k, 0, 0.23 * k), (0.012, 0.2 * k, 0.012)))
    parts.append(rod(dark, (0, -0.04, 0.46 * k), (0, 0.04, 0.5 * k), 0.01))
    for side in (-1, 1):
        y = side * 0.09 * k
        parts.append(rod(dark, (-0.09 * k, y, 0.42 * k), (-0.14 * k, y, 0.25 * k), 0.018))
        parts.append(rod(dark, (-0.14 * k, y, 0.25 * k), (-0.1 * k, y, 0.06 * k), 0.014))
    return Blueprint(parts, sack.colour, sack.stuff)


def bag(rng: Rng) -> Blueprint:
    """Build a shopping or hand bag with two loops."""
    skin = finish(rng, (*ANY,), 'leather' if rng.random() < 0.5 else 'paper')
    w, d, h = rng.uniform(0.28, 0.4), rng.uniform(0.1, 0.16), rng.uniform(0.24, 0.36)
    parts: list[Part] = [box(skin.material, (0, 0, h / 2), (d, w, h))]
    for x in (-d / 2, d / 2):
        loop = [(x, 0.09 * np.cos(a), h - 0.01 + 0.12 * np.sin(a)) for a in np.linspace(0, np.pi, 7)]
        parts += [rod(shaded(skin, 0.6), a, b, 0.007) for a, b in zip(loop[:-1], loop[1:], strict=True)]
    parts.append(box(STEEL, (d / 2, 0, h * 0.75), (0.008, 0.04, 0.025)))
    return Blueprint(parts, skin.colour, skin.stuff)


def suitcase(rng: Rng) -> Blueprint:
    """Build a wheeled suitcase with its handle out."""
    shell = plastic(rng, (*BRIGHT, 'black', 'silver'))
    d, w, h = rng.uniform(0.2, 0.27), rng.uniform(0.38, 0.48), rng.uniform(0.52, 0.68)
    parts: list[Part] = [box(shell.material, (0, 0, 0.06 + h / 2), (d, w, h))]
    for k in range(5):
        y = (k - 2) * w / 6
        parts.append(slab(shaded(shell, 0.8), (d / 2, y - 0.012, 0.1), (d / 2 + 0.012, y + 0.012, h)))
    parts += [ball(BLACK, (x * d * 0.4, y * w * 0.42, 0.03), 0.03) for x in (-1, 1) for y in (-1, 1)]
    for side in (-1, 1):
        parts.append(rod(STEEL, (-d / 2 + 0.03, side * 0.1, h), (-d / 2 + 0.03, side * 0.1, h + 0.4), 0.01))
    parts.append(rod(BLACK, (-d / 2 + 0.03, -0.12, h + 0.4), (-d / 2 + 0.03, 0.12, h + 0.4), 0.018))
    parts.append(rod(BLACK, (0, -0.07, h + 0.08), (0, 0.07, h + 0.08), 0.012))
    return Blueprint(parts, shell.colour, shell.stuff)


def guitar(rng: Rng) -> Blueprint:
    """Build an acoustic guitar on a stand, its strings towards +x."""
    wood = wooden(rng)
    m, dark = wood.material, Material((0.15, 0.09, 0.06))
    parts: list[Part] = []
    for z, r in ((0.22, 0.19), (0.47, 0.14)):
        parts.append(lying(cone(m, (0, 0, -0.05), 0.1, r), 'x').moved(EYE, (0, 0, z + 0.02)))
    parts.append(box(m, (0, 0, 0.36), (0.1, 0.22, 0.2)))
    parts.append(lying(cone(BLACK, (0, 0, 0.045), 0.008, 0.05), 'x').moved(EYE, (0, 0, 0.42)))
    parts.append(box(dark, (0.05, 0, 0.8), (0.03, 0.05, 0.42)))
    parts.append(box(dark, (0.045, 0, 1.06), (0.025, 0.075, 0.14)))
    parts.append(box(dark, (0.055, 0, 0.17), (0.012, 0.12, 0.025)))
    parts.append(box(Material((0.85, 0.85, 0.8)), (0.068, 0, 0.6), (0.003, 0.02, 0.85)))
    for side in (-1, 1):
        parts.append(rod(BLACK, (-0.09, side * 0.17, 0.0), (-0.06, 0, 0.42), 0.01))
        parts.append(rod(BLACK, (-0.07, side * 0.12, 0.14), (0.09, side * 0.1, 0.045), 0.01))
        parts += [ball(STEEL, (0.045, side * 0.05, z), 0.012) for z in (1.02, 1.06, 1.1)]
    return Blueprint([q.moved(turn('y', -0.12), (0, 0, 0.02)) for q in parts], wood.colour, wood.stuff)


def piano(rng: Rng) -> Blueprint:
    """Build an upright piano."""
    body = wooden(rng) if rng.random() < 0.5 else finish(rng, ('black', 'white'), 'lacquered')
    m = body.material
    w, h = rng.uniform(1.35, 1.5), rng.uniform(1.1, 1.25)
    parts = [slab(m, (-0.28, -w / 2, 0), (0.05, w / 2, h)), slab(m, (-0.28, -w / 2, 0.6), (0.3, w / 2, 0.7))]
    parts.append(slab(WHITE, (0.12, -w / 2 + 0.08, 0.7), (0.27, w / 2 - 0.08, 0.72)))
    for k in range(round((w - 0.2) / 0.06)):
        if k % 7 not in (2, 6):
            y = -w / 2 + 0.13 + 0.06 * k
            parts.append(slab(BLACK, (0.12, y, 0.72), (0.21, y + 0.022, 0.735)))
    parts.append(slab(shaded(body, 0.8), (0.05, -w / 2 + 0.1, 0.78), (0.07, w / 2 - 0.1, h - 0.1)))
    for side in (-1, 1):
        parts.append(slab(m, (0.05, side * (w / 2 - 0.06) - 0.05, 0), (0.26, side * (w / 2 - 0.06) + 0.05, 0.6)))
    sheet = Material((0.95, 0.95, 0.93), (0.1, 0.1, 0.1), TEXT, 0.03, 0, 0, 2)
    parts.append(box(sheet, (0.1, 0, 0.88), (0.006, 0.4, 0.28), turn('y', -0.2)))
    parts += [slab(STEEL, (0.05, y, 0.06), (0.15, y + 0.03, 0.08)) for y in (-0.12, -0.02, 0.08)]
    return Blueprint(parts, body.colour, body.stuff)


def ladder(rng: Rng) -> Blueprint:
    """Build a step ladder standing open."""
    body = metal(rng, ('silver', 'yellow', 'orange', 'blue')) if rng.random() < 0.6 else wooden(rng)
    m = body.material
    h, w = rng.uniform(1.1, 1.7), rng.uniform(0.38, 0.46)
    spread = h * 0.3
    parts: list[Part] = []
    for side in (-1, 1):
        parts.append(rod(m, (spread, side * w / 2, 0.02), (0.04, side * w * 0.36, h), 0.02))
        parts.append(rod(m, (-spread, side * w / 2, 0.02), (-0.04, side * w * 0.36, h), 0.016))
    for k in range(1, round(h / 0.25) + 1):
        share = min(k * 0.25 / h, 1.0)
        x = spread + (0.04 - spread) * share
        parts.append(box(m, (x, 0, h * share), (0.09, w * (1 - 0.28 * share), 0.025)))
    parts.append(rod(m, (-spread * 0.6, -w * 0.45, h * 0.42), (-spread * 0.6, w * 0.45, h * 0.42), 0.01))
    return Blueprint(parts, body.colour, body.stuff)


def fire_extinguisher(rng: Rng) -> Blueprint:
    """Build a red extinguisher with hose and lever."""
    red = Material((0.75, 0.06, 0.05), gloss=0.6)
    h = rng.uniform(0.4, 0.5)
    parts = [cone(red, (0, 0, 0), h, 0.08), ball(red, (0, 0, h), (0.08, 0.08, 0.05))]
    parts.append(cone(BLACK, (0, 0, h + 0.03), 0.05, 0.025))
    parts.append(box(BLACK, (0.05, 0, h + 0.09), (0.14, 0.025, 0.015), turn('y', -0.2)))
    hose = [(0.03, 0, h + 0.06), (0.11, 0.03, h - 0.02), (0.11, 0.03, h * 0.4)]
    parts += [rod(BLACK, a, b, 0.012) for a, b in zip(hose[:-1], hose[1:], strict=True)]
    parts.append(cone(Material((0.95, 0.95, 0.9), (0.1, 0.1, 0.1), TEXT, 0.02), (0, 0, h * 0.4), h * 0.35, 0.081, 1, 0))
    return Blueprint(parts, 'red', 'metal')


def water_cooler(rng: Rng) -> Blueprint:
    """Build a water dispenser with its bottle on top."""
    body = plastic(rng, ('white', 'grey', 'black'))
    water = Material((0.45, 0.65, 0.85), gloss=0.9)
    parts = [slab(body.material, (-0.16, -0.16, 0), (0.16, 0.16, 0.95))]
    parts.append(slab(shaded(body, 0.5), (0.12, -0.12, 0.6), (0.165, 0.12, 0.82)))
    for y, colour in ((-0.05, (0.8, 0.1, 0.1)), (0.05, (0.1, 0.2, 0.8))):
        parts.append(box(Material(colour), (0.18, y, 0.78), (0.04, 0.03, 0.04)))
    parts.append(slab(DARK, (0.16, -0.1, 0.58), (0.23, 0.1, 0.6)))
    parts += [cone(water, (0, 0, 0.95), 0.06, 0.05, 2.6), cone(water, (0, 0, 1.01), 0.28, 0.135), ball(water, (0, 0, 1.29), (0.135, 0.135, 0.04))]
    return Blueprint(parts, body.colour, body.stuff)


def vacuum_cleaner(rng: Rng) -> Blueprint:
    """Build a canister vacuum cleaner with hose and pipe."""
    body = plastic(rng, (*BRIGHT, 'black'))
    m = body.material
    parts: list[Part] = [ball(m, (0, 0, 0.13), (0.2, 0.14, 0.12))]
    parts += [lying(cone(BLACK, (0, 0, -0.02), 0.04, 0.08), 'y').moved(EYE, (-0.1, s * 0.14, 0.08)) for s in (-1, 1)]
    path = [(0.18, 0, 0.16), (0.32, 0.05, 0.35), (0.25, 0.2, 0.6), (0.1, 0.3, 0.75)]
    parts += [rod(DARK, a, b, 0.02) for a, b in zip(path[:-1], path[1:], strict=True)]
    parts.append(rod(STEEL, (0.1, 0.3, 0.78), (0.33, 0.34, 0.04), 0.016))
    parts.append(box(BLACK, (0.36, 0.34, 0.025), (0.12, 0.26, 0.05)))
    return Blueprint(parts, body.colour, body.stuff)


def dumbbell(rng: Rng) -> Blueprint:
    """Build a dumbbell with round weights."""
    iron = metal(rng, ('black', 'grey', 'red', 'blue', 'pink'))
    r = rng.uniform(0.05, 0.08)
    bar = rod(STEEL, (0, -0.16, r), (0, 0.16, r), 0.014)
    parts: list[Part] = [bar]
    for side in (-1, 1):
        for k, share in ((0.09, 1.0), (0.125, 0.8)):
            disc = lying(cone(iron.material, (0, 0, -0.016), 0.032, r * share), 'y')
            parts.append(disc.moved(EYE, (0, side * k, r)))
    return Blueprint(parts, iron.colour, iron.stuff)


def cart(rng: Rng) -> Blueprint:
    """Build a trolley with three trays on castors."""
    body = metal(rng, ('white', 'black', 'silver', 'turquoise', 'red'))
    d, w, h = rng.uniform(0.36, 0.45), rng.uniform(0.5, 0.65), rng.uniform(0.75, 0.85)
    parts = [q.moved(EYE, (0, 0, 0.06)) for q in legs(body.material, (d, w), h - 0.06, 0.025)]
    parts += [ball(BLACK, (x * (d / 2 - 0.02), y * (w / 2 - 0.02), 0.035), 0.035) for x in (-1, 1) for y in (-1, 1)]
    for z in (0.15, h * 0.52, h - 0.06):
        parts.append(slab(body.material, (-d / 2, -w / 2, z), (d / 2, w / 2, z + 0.012)))
        for side in (-1, 1):
            parts.append(box(body.material, (side * d / 2, 0, z + 0.03), (0.01, w, 0.05)))
            parts.append(box(body.material, (0, side * w / 2, z + 0.03), (d, 0.01, 0.05)))
    return Blueprint(parts, body.colour, body.stuff)


def crate(rng: Rng) -> Blueprint:
    """Build a slatted wooden crate."""
    wood = wooden(rng)
    d, w, h = rng.uniform(0.28, 0.36), rng.uniform(0.4, 0.5), rng.uniform(0.24, 0.32)
    parts = [slab(wood.material, (-d / 2, -w / 2, 0), (d / 2, w / 2, 0.015))]
    for k in range(3):
        z = 0.01 + k * h / 3
        for side in (-1, 1):
            parts.append(slab(wood.material, (side * d / 2 - 0.008, -w / 2, z), (side * d / 2 + 0.008, w / 2, z + h * 0.24)))
            parts.append(slab(shaded(wood, 0.9), (-d / 2, side * w / 2 - 0.008, z), (d / 2, side * w / 2 + 0.008, z + h * 0.24)))
    parts += [box(shaded(wood, 0.8), (x * (d / 2 - 0.02), y * (w / 2 - 0.02), h / 2), (0.03, 0.03, h)) for x in (-1, 1) for y in (-1, 1)]
    return Blueprint(parts, wood.colour, wood.stuff)


def coat_rack(rng: Rng) -> Blueprint:
    """Build a coat stand with a coat on it."""
    body = wooden(rng) if rng.random() < 0.6 else metal(rng)
    coat = cloth(rng)
    h = rng.uniform(1.6, 1.8)
    m = body.material
    parts: list[Part] = [cone(m, (0, 0, 0), h, 0.022), cone(m, (0, 0, 0), 0.03, 0.19)]
    for k in range(4):
        a = k * np.pi / 2 + 0.4
        c, s = np.cos(a), np.sin(a)
        parts.append(rod(m, (0, 0, h - 0.15), (0.16 * c, 0.16 * s, h - 0.03), 0.012))
    fall = rng.uniform(0.6, 0.85)
    parts.append(cone(coat.material, (0.1, 0, h - 0.15 - fall), fall, (0.1, 0.25), 0.72))
    parts.append(ball(coat.material, (0.1, 0, h - 0.16), (0.08, 0.2, 0.06)))
    for side in (-1, 1):
        shoulder = (0.1, side * 0.17, h - 0.17)
        parts.append(rod(coat.material, shoulder, (0.13, side * 0.27, h - 0.68), 0.06, 0.8))
    return Blueprint(parts, body.colour, body.stuff)


def ceiling_light(rng: Rng) -> Blueprint:
    """Build a hanging lamp: cable and shade; its lowest point is z = 0."""
    cover = finish(rng, ('white', 'black', 'yellow', 'cream', 'silver'), 'metal')
    r, h = rng.uniform(0.14, 0.22), rng.uniform(0.14, 0.22)
    parts = [cone(cover.material, (0, 0, 0), h, r, 0.3, 2), cone(DARK, (0, 0, h), 0.3, 0.008)]
    parts.append(ball(Material((1.0, 0.98, 0.85), wear=0), (0, 0, h * 0.35), 0.05))
    return Blueprint(parts, cover.colour, cover.stuff)


def fireplace(rng: Rng) -> Blueprint:
    """Build a fireplace with a mantelpiece."""
    stone = finish(rng, ('white', 'grey', 'beige', 'cream'), 'stone')
    w, h = rng.uniform(1.0, 1.3), rng.uniform(0.95, 1.1)
    m = stone.material
    parts = [slab(m, (0, -w / 2 - 0.06, h - 0.08), (0.32, w / 2 + 0.06, h)), slab(m, (0, -w / 2, h * 0.68), (0.25, w / 2, h - 0.08))]
    parts += [slab(m, (0, s * w * 0.39 - w * 0.11, 0), (0.25, s * w * 0.39 + w * 0.11, h * 0.7)) for s in (-1, 1)]
    parts.append(slab(BLACK, (0, -w / 2, 0), (0.06, w / 2, h * 0.7)))
    for k in range(3):
        parts.append(rod(Material((0.3, 0.18, 0.1), wear=0.3), (0.14, -0.15, 0.06 + 0.05 * k), (0.12, 0.16, 0.06 + 0.06 * k), 0.04))
    parts.append(slab(Material((0.12, 0.1, 0.1), (0.3, 0.3, 0.3), GRILL, 0.03), (0.1, -w * 0.2, 0), (0.2, w * 0.2, 0.03)))
    return Blueprint(parts, stone.colour, stone.stuff)


WALL = ('something on the wall',)
CATEGORIES = (
    Category('picture', picture, ('painting', 'framed picture', 'framed photo'), (*WALL, 'a decoration to look at'),
             (0.01, 0.28, 0.28), (0.06, 0.95, 0.75)),
    Category('poster', poster, ('wall poster', 'print'), (*WALL, 'a paper picture on the wall'), (0.004, 0.4, 0.55), (0.03, 0.7, 0.95)),
    Category('whiteboard', whiteboard, ('dry erase board', 'white board'), ('something to write on with pens',),
             (0.02, 0.95, 0.75), (0.12, 1.95, 1.15)),
    Category('blackboard', blackboard, ('chalkboard', 'chalk board'), ('something to write on with chalk',),
             (0.02, 1.05, 0.75), (0.12, 1.95, 1.15)),
    Category('bulletin board', bulletin_board, ('pin board', 'notice board', 'cork board'), ('where notes are pinned',),
             (0.01, 0.55, 0.45), (0.06, 1.15, 0.85)),
    Category('door', door, ('room door', 'entrance'), ('the way out', 'something to walk through'), (0.03, 0.85, 1.9), (0.14, 1.15, 2.25)),
    Category('window', window, ('glass window', 'window pane'), ('something to look out of', 'where daylight comes in'),
             (0.05, 0.8, 0.85), (0.2, 1.7, 1.4)),
    Category('blinds', blinds, ('window blind', 'venetian blinds', 'shades'), ('something to darken the room',),
             (0.03, 0.75, 0.6), (0.1, 1.45, 1.35)),
    Category('mirror', mirror, ('wall mirror', 'looking glass'), ('something to see yourself in',), (0.01, 0.38, 0.45), (0.06, 0.75, 1.2)),
    Category('radiator', radiator, ('heater', 'heating radiator'), ('something that warms the room',), (0.08, 0.55, 0.45), (0.2, 1.4, 0.7)),
    Category('backpack', backpack, ('rucksack', 'knapsack', 'school bag'), ('a bag carried on the back',), (0.2, 0.24, 0.38), (0.36, 0.38, 0.62)),
    Category('bag', bag, ('handbag', 'shopping bag', 'tote bag'), ('something to carry things in',), (0.09, 0.26, 0.3), (0.2, 0.42, 0.52)),
    Category('suitcase', suitcase, ('luggage', 'trolley case', 'travel case'), ('something to pack for a journey',),
             (0.18, 0.35, 0.85), (0.33, 0.52, 1.15), novel=True),
    Category('guitar', guitar, ('acoustic guitar', 'string instrument'), ('something to make music with',), (0.15, 0.3, 0.95), (0.45, 0.45, 1.3), novel=True),
    Category('piano', piano, ('upright piano',), ('something to make music with', 'an instrument with keys'),
             (0.5, 1.3, 1.0), (0.65, 1.6, 1.35), novel=True),
    Category('ladder', ladder, ('step ladder', 'stepladder'), ('something to climb on',), (0.55, 0.36, 1.0), (1.2, 0.55, 1.85), novel=True),
    Category('fire extinguisher', fire_extinguisher, ('extinguisher',), ('something to put out a fire',), (0.12, 0.12, 0.42), (0.28, 0.22, 0.68), novel=True),
    Category('water cooler', water_cooler, ('water dispenser', 'drinking water dispenser'), ('where you get cold water',),
             (0.3, 0.28, 1.2), (0.45, 0.36, 1.45), novel=True),
    Category('vacuum cleaner', vacuum_cleaner, ('hoover', 'vacuum'), ('something that cleans the floor',), (0.5, 0.4, 0.6), (0.75, 0.75, 0.95), novel=True),
    Category('dumbbell', dumbbell, ('hand weight', 'free weight'), ('something to train muscles with',), (0.08, 0.26, 0.08), (0.2, 0.4, 0.2), novel=True),
    Category('cart', cart, ('trolley', 'rolling cart', 'serving cart'), ('a table on wheels',), (0.34, 0.48, 0.7), (0.5, 0.7, 0.9)),
    Category('crate', crate, ('wooden crate', 'wooden box'), ('something to keep things in',), (0.26, 0.38, 0.2), (0.4, 0.55, 0.36)),
    Category('coat rack', coat_rack, ('coat stand', 'hat stand'), ('where coats hang',), (0.3, 0.35, 1.5), (0.5, 0.75, 1.9)),
    Category('ceiling light', ceiling_light, ('hanging lamp', 'pendant lamp'), ('something that gives light',), (0.26, 0.26, 0.4), (0.46, 0.46, 0.55)),
    Category('fireplace', fireplace, ('hearth', 'chimney piece'), ('where logs burn',), (0.28, 1.05, 0.9), (0.4, 1.5, 1.15)),
)  # fmt: skip
