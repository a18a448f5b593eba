"""Boxes and labels over a picture of points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.draw_view import View
from folk_ros.markers import EDGES, RGB

MAX_LABELS = 60
RINGS = 4  # how far off a label may go; lines across half the picture help nobody
EDGE_STEPS = 24  # pieces of an edge that are hidden or not
CROWDED = 0.05  # a label that would cover more than this share of its area is not written
BEHIND_M = 0.08  # an edge is hidden where points are nearer by more than this


def draw_boxes(
    axes: Any,
    view: View,
    depth: NDArray[np.float32],
    all_corners: NDArray[np.float32],
    colours: Sequence[RGB],
    stands: NDArray[np.bool_],
) -> None:
    """
    Draw boxes with corners [I, 8, 3] over a depth [H, W].

    Edges are faint where points hide them, and all edges of boxes that do not stand [I] there.
    """
    from matplotlib.collections import LineCollection

    share = np.linspace(0, 1, EDGE_STEPS + 1)[:, None]
    for corners, colour, solid in zip(all_corners, colours, stands, strict=True):
        starts, ends = corners[EDGES[:, 0]], corners[EDGES[:, 1]]  # [12, 3]
        path = starts[:, None] * (1 - share) + ends[:, None] * share  # [12, S + 1, 3]
        pixels, far = view.project(path.reshape(-1, 3))
        grid = pixels.reshape(12, -1, 2)
        pieces = np.stack([grid[:, :-1], grid[:, 1:]], 2).reshape(-1, 2, 2)
        middle = (far.reshape(12, -1)[:, :-1] + far.reshape(12, -1)[:, 1:]).reshape(-1) / 2
        column, row = np.floor(pieces.mean(1)).astype(np.int64).T
        column, row = column.clip(0, view.size[0] - 1), row.clip(0, view.size[1] - 1)
        free = solid & (middle < depth[row, column] + BEHIND_M)
        axes.add_collection(
            LineCollection(pieces[~free], colors=[(*colour, 0.35 if solid else 0.8)], linewidths=1)
        )
        axes.add_collection(LineCollection(pieces[free], colors='white', linewidths=3.4))
        axes.add_collection(LineCollection(pieces[free], colors=[colour], linewidths=2))
    axes.set_xlim(0, view.size[0])
    axes.set_ylim(view.size[1], 0)


def draw_labels(
    axes: Any,
    view: View,
    all_corners: NDArray[np.float32],
    labels: Sequence[tuple[str, RGB]],
    font_size: float,
) -> None:
    """
    Write the labels above their boxes, moved aside where another one stands there.

    Large things come first; a label for which no place is left is not written.
    """
    from matplotlib.patheffects import withStroke

    renderer = axes.figure.canvas.get_renderer()
    halo = [withStroke(linewidth=3.5, foreground='white')]
    volume = np.ptp(all_corners, axis=1).prod(1)  # [I]
    placed: list[NDArray[np.float64]] = []
    for index in np.argsort(-volume, kind='stable')[:MAX_LABELS]:
        pixels, _ = view.project(all_corners[index])
        word, light = labels[index]
        colour = tuple(0.55 * c for c in light)  # dark enough to read on white
        text = axes.text(
            0, 0, word, size=font_size, weight='bold', color=colour, ha='center',
            va='center', parse_math=False, path_effects=halo, zorder=5,
        )  # fmt: skip
        extent = text.get_window_extent(renderer)
        half = np.array([extent.width, extent.height]) / 2 + 1
        middle, is_far, covered = _place(pixels, half, view.size, placed)
        if covered > CROWDED * 4 * half.prod():
            text.remove()
            continue
        text.set_position(middle)
        placed.append(np.concatenate([middle - half, middle + half]))
        if is_far:
            anchor = (pixels.min(0) + pixels.max(0)) / 2
            line = {'color': colour, 'linewidth': 1, 'zorder': 4, 'alpha': 0.8}
            axes.plot(*zip(anchor, middle, strict=True), path_effects=halo, **line)


def _place(
    pixels: NDArray[np.float64],
    half: NDArray[np.float64],
    size: tuple[int, int],
    placed: list[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], bool, float]:
    """
    Find the middle of a label of half size [2] near a box with corners [8, 2].

    Returns it with whether it is so far off that a line should lead to it, and the area of other
    labels that it covers. The first place wins where nothing stands yet, else the one that covers
    least.
    """
    low, high = pixels.min(0), pixels.max(0)
    centre = (low + high) / 2
    above, below = low[1] - half[1] - 2, high[1] + half[1] + 2
    places = [(centre[0], above), tuple(centre), (centre[0], below)]
    places += [(high[0] + half[0] + 4, centre[1]), (low[0] - half[0] - 4, centre[1])]
    near = len(places)
    for ring in range(2, RINGS):
        for side in (0, -1, 1):
            x = centre[0] + side * ring * 0.6 * half[0]
            places += [(x, above - (ring - 1) * 2.2 * half[1]), (x, below + ring * 2.2 * half[1])]
    least, best, best_index = np.inf, np.array(places[0]), 0
    for index, place in enumerate(places):
        middle = np.clip(place, half + 2, np.array(size) - half - 2)
        covered = sum(_shared(np.concatenate([middle - half, middle + half]), p) for p in placed)
        if covered < least:
            least, best, best_index = covered, middle, index
    return best, best_index >= near, float(least)


def _shared(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Area that two rectangles (left, top, right, bottom) share."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    return float(sides.clip(0).prod())
