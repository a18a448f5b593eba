"""Materials of a room's walls, floor and ceiling."""

from __future__ import annotations

from folk_ros.training.scenes.objects.blueprint import NAMED, Rng, tint, WOODS
from folk_ros.training.scenes.rendering import primitives as p
from folk_ros.training.scenes.rendering.primitives import Material


def surfaces(rng: Rng, kind: str) -> tuple[list[Material], Material, Material]:
    """Pick materials of walls, floor and ceiling."""

    def seed() -> int:
        return int(rng.integers(1 << 30))

    wet = kind in ('bathroom', 'kitchen')
    base = NAMED[str(rng.choice(['white', 'cream', 'beige', 'light grey', 'light blue', 'pink']))]
    r, g, b = tint(rng, base, 0.04)
    wall_colour = (0.5 * r + 0.42, 0.5 * g + 0.42, 0.5 * b + 0.42)
    darker = (r * 0.8, g * 0.8, b * 0.8)
    walls = [Material(wall_colour, darker, p.FABRIC, 0.3, 0.05, 0.05, seed()) for _ in range(4)]
    style = rng.random()
    if wet and style < 0.6:
        walls = [Material(wall_colour, (0.6, 0.6, 0.6), p.TILES, 0.18, 0.4, 0.03, seed())] * 4
    elif style < 0.2:
        walls[int(rng.integers(4))] = Material(
            (0.6, 0.32, 0.24), (0.75, 0.72, 0.68), p.BRICKS, 0.24, 0, 0.1, seed()
        )
    elif style < 0.4:
        pattern = int(rng.choice([p.STRIPES, p.DOTS, p.PLAIN]))
        accent = NAMED[str(rng.choice(['blue', 'green', 'yellow', 'red', 'grey', 'turquoise']))]
        mixed = tuple(0.75 * w + 0.25 * a for w, a in zip(wall_colour, accent, strict=True))
        one = Material(
            wall_colour, (mixed[0], mixed[1], mixed[2]), pattern, 0.2, 0.02, 0.05, seed()
        )
        walls[int(rng.integers(4))] = one
    ceiling = Material((0.92, 0.92, 0.9), (0.85, 0.85, 0.83), p.FABRIC, 0.3, 0, 0.03, seed())
    return walls, floor_material(rng, wet), ceiling


def floor_material(rng: Rng, wet: bool) -> Material:
    """Pick boards, tiles, carpet or stone."""
    seed = int(rng.integers(1 << 30))
    style = rng.random()
    if wet or style < 0.2:
        tone = tint(rng, NAMED[str(rng.choice(['beige', 'grey', 'white', 'light grey', 'brown']))])
        return Material(
            tone, (0.45, 0.44, 0.42), p.TILES, rng.uniform(0.25, 0.45), 0.4, 0.08, seed
        )
    if style < 0.65:
        light, dark = WOODS[str(rng.choice(list(WOODS)))]
        period = rng.uniform(0.08, 0.16)
        return Material(tint(rng, light), tint(rng, dark), p.PLANKS, period, 0.25, 0.08, seed)
    names = ['grey', 'beige', 'dark blue', 'brown', 'dark grey', 'dark green', 'red', 'light grey']
    tone = tint(rng, NAMED[str(rng.choice(names))])
    darker = (tone[0] * 0.7, tone[1] * 0.7, tone[2] * 0.7)
    pattern = int(rng.choice([p.FABRIC, p.FABRIC, p.SPECKLE, p.CHECKS]))
    period = 0.4 if pattern == p.CHECKS else 0.012
    return Material(tone, darker, pattern, period, 0.02, 0.1, seed)
