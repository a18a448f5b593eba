"""Floor, ceiling, walls and skirting boards of a room."""

from __future__ import annotations

from collections.abc import Sequence

from folk_ros.training.scenes.rendering.primitives import Material, Part, slab

SKIRTING_M = (0.012, 0.09)  # thickness and height


def shell(
    size: tuple[float, float, float], walls: Sequence[Material], floor: Material, ceiling: Material
) -> list[Part]:
    """Build floor, ceiling and four walls with skirting boards around a room, from outside."""
    x, y, z = size
    t = 0.1
    parts = [slab(floor, (-t, -t, -t), (x + t, y + t, 0))]
    parts.append(slab(ceiling, (-t, -t, z), (x + t, y + t, z + t)))
    parts.append(slab(walls[0], (-t, 0, 0), (0, y, z)))
    parts.append(slab(walls[1], (0, -t, 0), (x, 0, z)))
    parts.append(slab(walls[2], (x, 0, 0), (x + t, y, z)))
    parts.append(slab(walls[3], (0, y, 0), (x, y + t, z)))
    thick, high = SKIRTING_M
    board = _skirting(walls[0], floor)
    parts.append(slab(board, (0, 0, 0), (thick, y, high)))
    parts.append(slab(board, (0, 0, 0), (x, thick, high)))
    parts.append(slab(board, (x - thick, 0, 0), (x, y, high)))
    parts.append(slab(board, (0, y - thick, 0), (x, y, high)))
    return parts


def _skirting(wall: Material, floor: Material) -> Material:
    """Paint skirting boards white, or like the floor where it is tiled or wooden."""
    if wall.pattern == floor.pattern or wall.seed % 2:
        return Material((0.88, 0.88, 0.86), gloss=0.3, wear=0.08, seed=wall.seed)
    return Material(floor.colour, floor.accent, gloss=floor.gloss, wear=0.1, seed=floor.seed)
