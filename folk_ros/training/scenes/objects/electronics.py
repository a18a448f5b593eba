"""Computers and their company."""

from __future__ import annotations

from folk_ros.training.scenes.objects.blueprint import (
    BLACK,
    Blueprint,
    Category,
    DARK,
    Finish,
    plastic,
    Rng,
    shaded,
    STEEL,
)
from folk_ros.training.scenes.rendering.primitives import (
    box,
    cone,
    GRILL,
    KEYS,
    Material,
    Part,
    rod,
    SCREEN,
    slab,
    soft,
    TEXT,
    turn,
)


def display(rng: Rng) -> Material:
    """Pick what a screen shows."""
    accent = tuple(float(c) for c in rng.uniform(0, 0.5, 3))
    return Material(
        (0.1, 0.1, 0.1),
        (accent[0], accent[1], accent[2]),
        SCREEN,
        0.1,
        0.5,
        0.0,
        int(rng.integers(1 << 30)),
    )


def case(rng: Rng) -> Finish:
    """Pick the plastic of a device."""
    return plastic(rng, ('black', 'black', 'dark grey', 'silver', 'white', 'grey'))


def monitor(rng: Rng) -> Blueprint:
    """Build a computer display on a foot."""
    body = case(rng)
    w = rng.uniform(0.45, 0.68)
    h = w * rng.uniform(0.56, 0.66)
    lift = rng.uniform(0.08, 0.16)
    m = body.material
    parts: list[Part] = []
    style = rng.random()
    if style < 0.5:
        parts.append(box(m, (0, 0, 0.008), (0.18, w * 0.42, 0.016)))
    elif style < 0.75:
        parts.append(cone(m, (0, 0, 0), 0.015, (0.1, w * 0.21)))
    else:
        ends = (
            ((-0.03, 0, 0.03), (0.1, -w * 0.22, 0.012)),
            ((-0.03, 0, 0.03), (0.1, w * 0.22, 0.012)),
        )
        parts += [rod(STEEL, a, b, 0.012) for a, b in ends]
    neck = STEEL if style > 0.75 else m
    parts.append(box(neck, (-0.03, 0, (lift + h * 0.5) / 2), (0.025, 0.06, lift + h * 0.5)))
    parts.append(box(m, (0, 0, lift + h / 2), (0.035, w, h)))
    parts.append(box(display(rng), (0.019, 0, lift + h / 2), (0.004, w - 0.02, h - 0.02)))
    return Blueprint(parts, body.colour, body.stuff)


def tv(rng: Rng) -> Blueprint:
    """Build a flat television on two feet."""
    w = rng.uniform(0.75, 1.25)
    h = w * 0.58
    parts: list[Part] = [box(BLACK, (0, 0, 0.05 + h / 2), (0.05, w, h))]
    parts.append(box(display(rng), (0.026, 0, 0.05 + h / 2), (0.004, w - 0.03, h - 0.03)))
    if rng.random() < 0.4:
        parts.append(cone(BLACK, (0, 0, 0), 0.02, (0.12, w * 0.2)))
        parts.append(box(BLACK, (-0.02, 0, 0.06), (0.03, 0.12, 0.12)))
    else:
        for side in (-1, 1):
            parts.append(box(BLACK, (0, side * w * 0.32, 0.01), (0.22, 0.03, 0.02)))
            parts.append(box(BLACK, (0, side * w * 0.32, 0.04), (0.03, 0.03, 0.06)))
    return Blueprint(parts, 'black', 'plastic')


def laptop(rng: Rng) -> Blueprint:
    """Build an open laptop."""
    body = plastic(rng, ('silver', 'black', 'grey', 'dark grey', 'white'))
    w, d = rng.uniform(0.3, 0.38), rng.uniform(0.21, 0.26)
    parts = [box(body.material, (0, 0, 0.009), (d, w, 0.018))]
    parts.append(box(Material((0.3, 0.3, 0.3), (0.07, 0.07, 0.08), KEYS, 0.019, 0.1, 0),
                     (-0.03, 0, 0.019), (d * 0.55, w * 0.88, 0.003)))  # fmt: skip
    parts.append(box(shaded(body, 0.8), (d * 0.34, 0, 0.019), (d * 0.22, w * 0.3, 0.002)))
    tilt = -rng.uniform(0.15, 0.5)
    lid = [
        box(body.material, (0, 0, d / 2), (0.01, w, d)),
        box(display(rng), (0.0065, 0, d / 2), (0.003, w - 0.02, d - 0.02)),
    ]
    parts += [part.moved(turn('y', tilt), (-d / 2 + 0.005, 0, 0.014)) for part in lid]
    return Blueprint(parts, body.colour, body.stuff)


def keyboard(rng: Rng) -> Blueprint:
    """Build a computer keyboard."""
    body = plastic(rng, ('black', 'black', 'white', 'grey', 'dark grey'))
    w, d = rng.uniform(0.38, 0.47), rng.uniform(0.13, 0.17)
    dark = body.colour in ('black', 'dark grey')
    key = (0.2, 0.2, 0.21) if dark else (0.95, 0.95, 0.95)
    gap = (0.02, 0.02, 0.02) if dark else (0.55, 0.55, 0.55)
    parts = [box(body.material, (0, 0, 0.011), (d, w, 0.022), None)]
    top = Material(gap, key, KEYS, 0.021, 0.1, 0.0, int(rng.integers(1 << 30)))
    parts.append(box(top, (0, 0, 0.022), (d - 0.02, w - 0.02, 0.012)))
    return Blueprint(parts, body.colour, body.stuff)


def mouse(rng: Rng) -> Blueprint:
    """Build a computer mouse."""
    body = plastic(rng, ('black', 'white', 'grey', 'red', 'blue'))
    parts = [soft(body.material, (0, 0, 0.017), (0.115, 0.065, 0.034))]
    parts.append(box(DARK, (-0.03, 0, 0.03), (0.022, 0.008, 0.01)))
    return Blueprint(parts, body.colour, body.stuff)


def computer_tower(rng: Rng) -> Blueprint:
    """Build the case of a desktop computer."""
    body = case(rng)
    d, w, h = rng.uniform(0.38, 0.48), rng.uniform(0.16, 0.2), rng.uniform(0.36, 0.46)
    parts = [slab(body.material, (-d / 2, -w / 2, 0), (d / 2, w / 2, h))]
    face = d / 2
    parts.append(box(shaded(body, 0.6), (face, 0, h * 0.88), (0.01, w * 0.8, 0.04)))
    parts.append(box(STEEL, (face, 0, h * 0.7), (0.012, 0.025, 0.025)))
    vent = Material((0.05, 0.05, 0.05), (0.3, 0.3, 0.3), GRILL, 0.02, 0, 0)
    parts.append(box(vent, (face, 0, h * 0.3), (0.008, w * 0.7, h * 0.4)))
    return Blueprint(parts, body.colour, body.stuff)


def printer(rng: Rng) -> Blueprint:
    """Build a desk printer with paper in its trays."""
    body = plastic(rng, ('white', 'light grey', 'black', 'dark grey'))
    d, w, h = rng.uniform(0.34, 0.42), rng.uniform(0.4, 0.48), rng.uniform(0.2, 0.32)
    m = body.material
    parts = [slab(m, (-d / 2, -w / 2, 0), (d / 2 - 0.04, w / 2, h))]
    parts.append(
        slab(
            shaded(body, 0.6),
            (-d / 2 + 0.03, -w / 2 + 0.03, h),
            (d / 2 - 0.1, w / 2 - 0.03, h + 0.015),
        )
    )
    parts.append(
        slab(BLACK, (d / 2 - 0.05, -w * 0.34, h * 0.3), (d / 2 - 0.035, w * 0.34, h * 0.55))
    )
    parts.append(slab(m, (d / 2 - 0.04, -w * 0.32, h * 0.26), (d / 2 + 0.09, w * 0.32, h * 0.3)))
    paper = Material((0.95, 0.95, 0.95), (0.3, 0.3, 0.3), TEXT, 0.014, 0, 0, 3)
    parts.append(slab(paper, (d / 2 - 0.04, -0.1, h * 0.3), (d / 2 + 0.07, 0.1, h * 0.34)))
    parts.append(box(display(rng), (d / 2 - 0.038, w * 0.28, h * 0.8), (0.01, 0.08, 0.04)))
    return Blueprint(parts, body.colour, body.stuff)


def copier(rng: Rng) -> Blueprint:
    """Build a standing office copier."""
    body = plastic(rng, ('white', 'light grey', 'grey', 'beige'))
    d, w, h = rng.uniform(0.55, 0.65), rng.uniform(0.55, 0.7), rng.uniform(0.95, 1.1)
    parts = [slab(body.material, (-d / 2, -w / 2, 0), (d / 2, w / 2, h * 0.62))]
    for k in range(3):
        z = 0.06 + k * h * 0.18
        parts.append(
            slab(
                shaded(body, 0.88),
                (d / 2, -w / 2 + 0.03, z),
                (d / 2 + 0.015, w / 2 - 0.03, z + h * 0.15),
            )
        )
        parts.append(box(DARK, (d / 2 + 0.02, 0, z + h * 0.12), (0.015, 0.15, 0.02)))
    parts.append(slab(body.material, (-d / 2, -w / 2, h * 0.62), (-d / 2 + 0.1, w / 2, h * 0.8)))
    parts.append(slab(body.material, (-d / 2, -w / 2, h * 0.78), (d / 2, w / 2, h * 0.9)))
    parts.append(
        slab(
            shaded(body, 0.75),
            (-d / 2 + 0.02, -w / 2 + 0.02, h * 0.9),
            (d / 2 - 0.1, w / 2 - 0.1, h),
        )
    )
    parts.append(
        box(display(rng), (d / 2 - 0.03, -w / 4, h * 0.92), (0.1, 0.18, 0.02), turn('y', 0.4))
    )
    return Blueprint(parts, body.colour, body.stuff)


CATEGORIES = (
    Category('monitor', monitor, ('computer screen', 'computer monitor', 'display'),
             ('the screen of a computer', 'something to look at while working'), (0.1, 0.42, 0.3),
             (0.25, 0.72, 0.68)),
    Category('tv', tv, ('television', 'flat screen tv', 'tv set'),
             ('something to watch films on', 'a large flat screen'), (0.15, 0.7, 0.42),
             (0.3, 1.3, 0.85)),
    Category('laptop', laptop, ('notebook computer', 'portable computer'),
             ('a computer that folds', 'something to work on'), (0.2, 0.28, 0.18),
             (0.42, 0.4, 0.32)),
    Category('keyboard', keyboard, ('computer keyboard',),
             ('something to type on', 'a board with keys'), (0.11, 0.36, 0.015),
             (0.19, 0.5, 0.05)),
    Category('mouse', mouse, ('computer mouse',),
             ('a small device moved by hand beside a keyboard',), (0.1, 0.05, 0.025),
             (0.13, 0.08, 0.05)),
    Category('computer tower', computer_tower, ('desktop computer', 'pc case', 'computer'),
             ('the box of a computer',), (0.35, 0.15, 0.33), (0.52, 0.22, 0.5)),
    Category('printer', printer, ('desktop printer', 'laser printer', 'inkjet printer'),
             ('something that prints on paper',), (0.4, 0.38, 0.18), (0.56, 0.5, 0.36)),
    Category('copier', copier, ('photocopier', 'copy machine', 'office copier'),
             ('a machine that copies paper',), (0.5, 0.5, 0.9), (0.75, 0.75, 1.15)),
)  # fmt: skip
