"""Beds, cloth and the things of bedrooms."""

from __future__ import annotations

from folk_ros.training.scenes.objects.blueprint import (
    Blueprint,
    Category,
    cloth,
    Finish,
    finish,
    legs,
    metal,
    Rng,
    shaded,
    STEEL,
    Support,
    upholstery,
    WHITE,
    wooden,
)
from folk_ros.training.scenes.rendering.primitives import (
    ball,
    box,
    cone,
    FABRIC,
    firm,
    Material,
    Part,
    rod,
    slab,
    soft,
    STRIPES,
    turn,
)


def bed(rng: Rng) -> Blueprint:
    """Build a single or double bed, its head at -x: of boards, of padded boxes or of bars."""
    style = rng.random()
    frame = upholstery(rng) if 0.45 < style < 0.75 else wooden(rng)
    if style >= 0.75:
        frame = metal(rng, ('black', 'white', 'silver', 'dark grey'))
    cover = cloth(rng)
    length, h = rng.uniform(1.92, 2.08), rng.uniform(0.42, 0.56)
    double = rng.random() < 0.5
    w = rng.uniform(1.35, 1.65) if double else rng.uniform(0.9, 1.1)
    base, head, x = rng.uniform(0.05, 0.2), rng.uniform(0.75, 1.1), length / 2
    m = frame.material
    if style >= 0.75:
        parts = _barred_ends(m, (length, w), (h, head))
        parts.append(slab(m, (-x, -w / 2, h - 0.27), (x, w / 2, h - 0.22)))
    else:
        parts = legs(m, (length, w), base + 0.02, 0.07)
        parts.append(slab(m, (-x, -w / 2, base), (x, w / 2, h - 0.2)))
        parts.append(slab(m, (-x, -w / 2, 0), (-x + 0.06, w / 2, head)))
        if rng.random() < 0.4:
            parts.append(slab(m, (x - 0.05, -w / 2, 0), (x, w / 2, h + 0.06)))
    parts.append(firm(WHITE, (0.03, 0, h - 0.11), (length - 0.1, w - 0.03, 0.24)))
    end = rng.uniform(-0.25, 0.1) * length / 2
    place, size = ((x - 0.06 + end) / 2, 0, h - 0.08), (x - 0.06 - end, w + 0.03, 0.26)
    parts.append(firm(cover.material, place, size))
    if rng.random() < 0.6:
        parts.append(firm(shaded(cover, 1.2), (end + 0.1, 0, h + 0.02), (0.3, w + 0.02, 0.1)))
    low, high = (-x + 0.09, -w / 2 + 0.2), (-x + 0.6, w / 2 - 0.2)
    pillows = Support(low, high, h + 0.01, 1, 'bed')
    form = 'double' if double else 'single'
    return Blueprint(parts, cover.colour, f'{frame.stuff} framed', (pillows,), form)


def _barred_ends(
    material: Material, size: tuple[float, float], heights: tuple[float, float]
) -> list[Part]:
    """Build head and foot of upright bars between posts."""
    x, y = size[0] / 2 - 0.02, size[1] / 2 - 0.02
    parts = []
    for end, top in ((-x, heights[1]), (x, heights[0] + 0.12)):
        parts += [rod(material, (end, s * y, 0), (end, s * y, top), 0.02) for s in (-1, 1)]
        for z in (heights[0] - 0.2, top - 0.02):
            parts.append(rod(material, (end, -y, z), (end, y, z), 0.014))
        for k in range(1, 6):
            across = -y + 2 * y * k / 6
            bar = (end, across, heights[0] - 0.2), (end, across, top - 0.02)
            parts.append(rod(material, *bar, 0.008))
    return parts


def pillow(rng: Rng) -> Blueprint:
    """Build a pillow lying flat, its long side along y."""
    cover = cloth(rng, ('white', 'white', 'cream', 'light blue', 'grey', 'pink', 'beige', 'blue'))
    d, w, h = rng.uniform(0.34, 0.46), rng.uniform(0.5, 0.68), rng.uniform(0.1, 0.15)
    parts: list[Part] = [soft(cover.material, (0, 0, h / 2), (d, w, h * 0.7))]
    parts.append(ball(cover.material, (0, 0, h / 2), (d * 0.45, w * 0.45, h / 2)))
    return Blueprint(parts, cover.colour, cover.stuff)


def cushion(rng: Rng) -> Blueprint:
    """Build a square cushion leaning back."""
    cover = cloth(rng)
    side, thick = rng.uniform(0.36, 0.48), rng.uniform(0.11, 0.15)
    tilt = turn('y', -0.35)
    body = soft(cover.material, (0, 0, side / 2), (thick, side, side), tilt)
    return Blueprint([body], cover.colour, cover.stuff)


def blanket(rng: Rng) -> Blueprint:
    """Build a folded blanket."""
    cover = cloth(rng)
    d, w = rng.uniform(0.3, 0.42), rng.uniform(0.42, 0.6)
    count = int(rng.integers(2, 5))
    parts = [
        firm(shaded(cover, 1 + 0.06 * k), (0.01 * k, 0, 0.025 + 0.045 * k), (d, w, 0.05))
        for k in range(count)
    ]
    return Blueprint(parts, cover.colour, cover.stuff)


def mattress(rng: Rng) -> Blueprint:
    """Build a bare mattress on the floor."""
    cover = finish(rng, ('white', 'light grey', 'cream', 'light blue'), 'fabric', STRIPES, 0.08)
    w, h = rng.uniform(0.85, 1.4), rng.uniform(0.16, 0.26)
    return Blueprint(
        [firm(cover.material, (0, 0, h / 2), (1.95, w, h))], cover.colour, cover.stuff
    )


def curtain(rng: Rng) -> Blueprint:
    """Build a curtain hanging in folds from a rod, its back at the wall."""
    return _hanging(rng, rng.uniform(0.35, 0.7), rng.uniform(1.4, 2.0), cloth(rng), True)


def shower_curtain(rng: Rng) -> Blueprint:
    """Build a thin curtain for a bath or shower."""
    sheet = finish(
        rng, ('white', 'light blue', 'turquoise', 'pink', 'green'), 'plastic', STRIPES, 0.2
    )
    return _hanging(rng, rng.uniform(0.7, 1.1), rng.uniform(1.7, 1.9), sheet)


def _hanging(
    rng: Rng, width: float, height: float, cover: Finish, at_wall: bool = False
) -> Blueprint:
    count = max(4, round(width / rng.uniform(0.09, 0.14)))
    step = width / count
    parts = []
    for k in range(count):
        y = -width / 2 + (k + 0.5) * step
        x = 0.06 + 0.012 * (k % 2)
        m = shaded(cover, 1.0 if k % 2 else 0.9)
        parts.append(cone(m, (x, y, 0), height, (0.035, step * 0.62)))
    end, z = width / 2 + 0.08, height + 0.02
    parts.append(rod(STEEL, (0.06, -end, z), (0.06, end, z), 0.014))
    if at_wall:
        parts += [rod(STEEL, (0, s * end, z), (0.06, s * end, z), 0.01) for s in (-1, 1)]
    return Blueprint(parts, cover.colour, cover.stuff)


def towel(rng: Rng) -> Blueprint:
    """Build a towel over a rail on the wall."""
    cover = finish(rng, ('white', 'light blue', 'pink', 'green', 'blue', 'orange', 'beige', 'red'),
                   'fabric', STRIPES if rng.random() < 0.3 else FABRIC, 0.12)  # fmt: skip
    w, h = rng.uniform(0.32, 0.55), rng.uniform(0.45, 0.7)
    parts = [rod(STEEL, (0.07, -w / 2 - 0.06, h), (0.07, w / 2 + 0.06, h), 0.01)]
    parts.append(box(cover.material, (0.085, 0, h / 2), (0.02, w, h)))
    parts.append(box(shaded(cover, 0.9), (0.05, 0, h * 0.6), (0.02, w, h * 0.8)))
    for side in (-1, 1):
        y = side * (w / 2 + 0.05)
        parts.append(rod(STEEL, (0.0, y, h), (0.07, y, h), 0.01))
    return Blueprint(parts, cover.colour, cover.stuff)


def clothes(rng: Rng) -> Blueprint:
    """Build a heap of clothes."""
    parts, words = [], ''
    for k in range(int(rng.integers(3, 6))):
        piece = cloth(rng)
        words = words or piece.colour
        place = (rng.uniform(-0.1, 0.1), rng.uniform(-0.12, 0.12), 0.05 + 0.02 * k)
        size = (rng.uniform(0.25, 0.4), rng.uniform(0.25, 0.42), 0.09)
        parts.append(soft(piece.material, place, size, turn('z', rng.uniform(0, 3))))
    return Blueprint(parts, words, 'fabric')


def stuffed_animal(rng: Rng) -> Blueprint:
    """Build a sitting toy bear."""
    fur = finish(rng, ('brown', 'beige', 'pink', 'white', 'grey'), 'plush', FABRIC)
    m, light = fur.material, shaded(fur, 1.3)
    k = rng.uniform(0.8, 1.5)
    parts = [ball(m, (0, 0, 0.1 * k), (0.08 * k, 0.085 * k, 0.1 * k))]
    parts.append(ball(m, (0.01, 0, 0.25 * k), 0.075 * k))
    parts.append(ball(light, (0.075 * k, 0, 0.235 * k), 0.032 * k))
    parts.append(ball(Material((0.03, 0.03, 0.03)), (0.105 * k, 0, 0.24 * k), 0.01 * k))
    for side in (-1, 1):
        parts.append(ball(m, (0, side * 0.06 * k, 0.315 * k), 0.03 * k))
        parts.append(
            ball(m, (0.04 * k, side * 0.09 * k, 0.14 * k), (0.04 * k, 0.03 * k, 0.06 * k))
        )
        parts.append(
            ball(m, (0.1 * k, side * 0.06 * k, 0.035 * k), (0.07 * k, 0.04 * k, 0.035 * k))
        )
        eye = (0.07 * k, side * 0.03 * k, 0.27 * k)
        parts.append(ball(Material((0.03, 0.03, 0.03)), eye, 0.01 * k))
    return Blueprint(parts, fur.colour, fur.stuff)


def small_board(rng: Rng) -> Blueprint:
    """Build an ironing board standing open, with crossed legs."""
    cover = cloth(rng)
    h, w = rng.uniform(0.8, 0.92), rng.uniform(1.1, 1.3)
    parts: list[Part] = [box(cover.material, (0, -0.1, h), (0.36, w - 0.25, 0.035))]
    parts.append(ball(cover.material, (0, w / 2 - 0.24, h), (0.18, 0.26, 0.0175)))
    for side in (-1, 1):
        parts.append(
            rod(STEEL, (0.1, side * w * 0.32, 0.015), (0.08, -side * w * 0.3, h - 0.02), 0.013)
        )
        parts.append(
            rod(STEEL, (-0.1, side * w * 0.32, 0.015), (-0.08, -side * w * 0.3, h - 0.02), 0.013)
        )
        parts.append(
            rod(STEEL, (-0.18, side * w * 0.32, 0.015), (0.18, side * w * 0.32, 0.015), 0.013)
        )
    return Blueprint(parts, cover.colour, cover.stuff)


CATEGORIES = (
    Category('bed', bed, ('bedstead', 'sleeping place'),
             ('something to sleep on', 'a place to sleep', 'something to lie on'),
             (1.88, 0.85, 0.7), (2.15, 1.75, 1.2)),
    Category('pillow', pillow, ('bed pillow', 'head pillow'),
             ('something to rest the head on', 'something soft on a bed'), (0.3, 0.45, 0.08),
             (0.5, 0.72, 0.2)),
    Category('cushion', cushion, ('throw pillow', 'sofa cushion', 'scatter cushion'),
             ('something soft on a sofa',), (0.18, 0.34, 0.3), (0.42, 0.52, 0.6)),
    Category('blanket', blanket, ('folded blanket', 'throw', 'quilt'),
             ('something to keep warm with',), (0.25, 0.38, 0.07), (0.5, 0.65, 0.25)),
    Category('mattress', mattress, ('bare mattress',),
             ('something to sleep on', 'a mattress on the floor'), (1.9, 0.8, 0.14),
             (2.0, 1.45, 0.3)),
    Category('curtain', curtain, ('drape', 'window curtain', 'drapery'),
             ('cloth hanging at a window', 'something to darken the room'), (0.06, 0.45, 1.3),
             (0.14, 1.0, 2.2)),
    Category('shower curtain', shower_curtain, ('bath curtain',),
             ('a curtain that keeps water in the shower',), (0.06, 0.7, 1.6), (0.14, 1.4, 2.0)),
    Category('towel', towel, ('bath towel', 'hand towel'),
             ('something to dry yourself with', 'a cloth on a rail'), (0.05, 0.4, 0.4),
             (0.14, 0.75, 0.78)),
    Category('clothes', clothes, ('pile of clothes', 'laundry', 'clothing'),
             ('something to wear', 'a heap of fabric'), (0.2, 0.2, 0.08), (0.8, 0.8, 0.3)),
    Category('stuffed animal', stuffed_animal, ('teddy bear', 'plush toy', 'soft toy'),
             ('a toy to cuddle',), (0.14, 0.14, 0.24), (0.42, 0.42, 0.6), novel=True),
    Category('ironing board', small_board, ('ironing table',),
             ('where clothes are ironed', 'a padded board on crossed legs'), (0.3, 0.95, 0.75),
             (0.45, 1.4, 1.0), novel=True),
)  # fmt: skip
