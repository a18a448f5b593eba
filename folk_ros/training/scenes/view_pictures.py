"""Pictures of single views: depth as brightness, objects as areas with names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# dark to light without a step back, so that it also reads in grey
DEPTH_COLOURS = np.array(
    [[30, 22, 70], [48, 70, 130], [46, 120, 142], [60, 160, 126], [150, 204, 88], [250, 234, 120]],
    np.float64,
)
NOTHING = (255, 255, 255)
BUILDING = (225, 225, 225)  # walls, floor: no object
NAMES_SHOWN = 9
LEAST_SHARE = 0.006  # of the picture, for a name


def colour_depth(depth: NDArray[np.float32], far: float) -> NDArray[np.uint8]:
    """Colour a depth image [H, W], near dark to far light; white where nothing was measured."""
    share = np.clip(depth / far, 0, 1) * (len(DEPTH_COLOURS) - 1)
    steps = np.arange(len(DEPTH_COLOURS))
    picture = np.stack([np.interp(share, steps, channel) for channel in DEPTH_COLOURS.T], -1)
    picture[~(depth > 0)] = NOTHING
    return picture.astype(np.uint8)


def colour_instances(instance: NDArray[np.int32]) -> NDArray[np.uint8]:
    """
    Colour an instance image [H, W]: one colour per object, the same in every view.

    Dark lines run between objects, so that the picture also reads in grey.
    """
    from matplotlib.colors import hsv_to_rgb

    rows = np.arange(max(int(instance.max(initial=-1)), 0) + 1)
    hue = rows * 0.618034 % 1  # neighbours in number lie far apart on the wheel
    light = 0.62 + 0.38 * (rows * 0.754878 % 1)
    palette = np.rint(255 * hsv_to_rgb(np.stack([hue, np.full(len(rows), 0.55), light], -1)))
    picture = np.where((instance >= 0)[..., None], palette[instance.clip(0)], BUILDING)
    edge = np.zeros(instance.shape, bool)
    edge[:, 1:] |= instance[:, 1:] != instance[:, :-1]
    edge[1:] |= instance[1:] != instance[:-1]
    return np.where(edge[..., None], 40, picture).astype(np.uint8)


def name_instances(axes: Any, instance: NDArray[np.int32], names: Sequence[str]) -> None:
    """Write the names of the largest objects over their areas, where they do not collide."""
    from matplotlib.patheffects import withStroke

    renderer = axes.figure.canvas.get_renderer()
    halo = [withStroke(linewidth=2.5, foreground='white')]
    seen, count = np.unique(instance[instance >= 0], return_counts=True)
    largest = seen[np.argsort(-count, kind='stable')]
    large = largest[np.sort(count)[::-1] >= LEAST_SHARE * instance.size]
    placed: list[Any] = []
    for row in large:
        if len(placed) == NAMES_SHOWN or row >= len(names):
            break
        x, y = _middle(instance == row)
        text = axes.text(
            x, y, names[row], size=9, ha='center', va='center', color='#111111',
            parse_math=False, path_effects=halo, clip_on=True,
        )  # fmt: skip
        extent = text.get_window_extent(renderer)
        frame = axes.get_window_extent(renderer)
        inside = extent.x0 >= frame.x0 and extent.x1 <= frame.x1
        if not inside or any(extent.overlaps(other) for other in placed):
            text.remove()
        else:
            placed.append(extent)


def _middle(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return column and row of a pixel of a mask [H, W] near the mask's middle."""
    rows, columns = np.nonzero(mask)
    nearest = np.argmin((rows - np.median(rows)) ** 2 + (columns - np.median(columns)) ** 2)
    return float(columns[nearest]), float(rows[nearest])
