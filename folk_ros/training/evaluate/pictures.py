"""
Pictures of a report: curves, names mixed up, bars per label, scores against overlaps.

All of them read in grey too: lines differ by their dashes, areas by lightness, numbers stand in
the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud_files import replacing
from folk_ros.training.evaluate.confusion import Confusion, MISSED, NOTHING, UNKNOWN
from folk_ros.training.evaluate.curves import Calibration, RECALLS

DPI = 100
INK, PALE = '#333333', '#bbbbbb'
BLUE, LIGHT_BLUE, ORANGE = '#0072B2', '#9fd0ee', '#D55E00'
DASHES = ('-', '--', ':', '-.')
BAR_PIXELS, BAR_COLUMN, BARS = 17, 430, 50  # of a label: height, width with its name; in a column
CELL = 30  # pixels of a cell of the confusion
LETTER = 7  # pixels, on the large side
LONGEST = 24  # letters of a label


def canvas(width: int, height: int) -> tuple[Any, Any]:
    """Return a white figure of so many pixels and its canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((width / DPI, height / DPI), dpi=DPI, facecolor='white')
    return figure, FigureCanvasAgg(figure)


def panel(figure: Any, left: float, top: float, width: float, height: float) -> Any:
    """Add axes at a place given in pixels from the top left."""
    across, along = (float(size) * DPI for size in figure.get_size_inches())
    place = (left / across, 1 - (top + height) / along, width / across, height / along)
    axes = figure.add_axes(place)
    for spine in axes.spines.values():
        spine.set_color(PALE)
    axes.tick_params(colors=INK, labelsize=9, length=3)
    return axes


def write(figure: Any, left: float, top: float, words: str, **looks: Any) -> None:
    """Write words at a place given in pixels from the top left."""
    across, along = (float(size) * DPI for size in figure.get_size_inches())
    looks = {'va': 'top', 'color': INK, 'size': 10, 'parse_math': False, **looks}
    figure.text(left / across, 1 - top / along, words, **looks)


def save(page: Any, path: Path, colours: int = 0) -> None:
    """Write a canvas as PNG, at once or not at all; few colours make a small file."""
    with replacing(path) as file:
        if not colours:
            page.print_png(file)
            return
        from PIL import Image

        page.draw()
        picture = Image.fromarray(np.asarray(page.buffer_rgba())[..., :3])
        method = Image.Quantize.MAXCOVERAGE  # keeps rare colours, such as those of letters
        small = picture.quantize(colours, method, dither=Image.Dither.NONE)
        small.save(file, 'png', optimize=True)


def shorten(name: str, longest: int = LONGEST) -> str:
    """Cut a name that is too long."""
    return name if len(name) <= longest else name[: longest - 1] + '…'


def draw_curves(
    objects: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]],
    labels: Sequence[tuple[str, NDArray[np.float64]]],
    path: Path,
) -> None:
    """
    Draw precision over recall: of the masks alone, and averaged over the labels.

    `objects` are (legend, recall [K], precision [K]), `labels` (legend, precision at RECALLS).
    """
    figure, page = canvas(1200, 560)
    lines = [(word, recall, precision) for word, recall, precision in objects]
    means = [(word, RECALLS[1:], precision[1:]) for word, precision in labels]  # 0 is a convention
    titles = ('masks alone, whatever their names', 'by label, averaged over labels')
    for left, title, curves in zip((75, 665), titles, (lines, means), strict=True):
        axes = panel(figure, left, 56, 460, 420)
        for (word, recall, precision), dash in zip(curves, DASHES, strict=False):
            axes.plot(recall, precision, dash, color=INK, linewidth=2, label=word)
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        axes.set_xlabel('recall', color=INK)
        axes.set_ylabel('precision', color=INK)
        axes.grid(color='#e4e4e4')
        axes.set_axisbelow(True)
        axes.legend(
            loc='upper center', bbox_to_anchor=(0.5, -0.11), ncol=len(DASHES), frameon=False,
            fontsize=9.5, handlelength=2.6, columnspacing=1.2,
        )  # fmt: skip
        write(figure, left, 22, title, size=13, weight='bold')
    save(page, path)


def draw_bars(rows: Sequence[tuple[str, int, float, float, float]], path: Path) -> None:
    """Draw a bar per label, in columns: (name, true instances, AP, AP50, AP25), in their order."""
    columns = max(-(-len(rows) // BARS), 1)
    tall = -(-len(rows) // columns)
    height = max(tall, 1) * BAR_PIXELS
    figure, page = canvas(max(columns * BAR_COLUMN, 560) + 20, height + 124)
    write(
        figure, 16, 14, 'average precision by label; the numbers are AP50', size=13, weight='bold'
    )
    for column in range(columns):
        part = rows[column * tall : (column + 1) * tall]
        axes = panel(figure, column * BAR_COLUMN + 210, 96, 175, height)
        places = np.arange(len(part))
        ap, ap50, ap25 = np.nan_to_num(np.array([row[2:] for row in part]).reshape(-1, 3).T)
        looks = {'edgecolor': BLUE, 'linewidth': 0.8}
        axes.barh(places, ap50, 0.74, color=LIGHT_BLUE, label='AP50', **looks)
        axes.barh(places, ap, 0.34, color=BLUE, label='AP')
        axes.plot(ap25, places, '|', color=ORANGE, ms=11, mew=2, label='AP25', clip_on=False)
        names = [f'{shorten(name)} ({truths})' for name, truths, *_ in part]
        axes.set_yticks(places, names, size=9.5, color=INK, parse_math=False)
        for place, value in zip(places, ap50, strict=True):
            axes.annotate(
                f'{value:.2f}', (1, place), (9, 0), textcoords='offset points', va='center',
                size=9, color=INK, annotation_clip=False,
            )  # fmt: skip
        axes.set(xlim=(0, 1), ylim=(tall - 0.5, -0.5))
        axes.xaxis.tick_top()
        axes.set_xticks([0, 0.5, 1], ['0', '0.5', '1'])
        axes.grid(axis='x', color='#e4e4e4')
        axes.set_axisbelow(True)
        if column == 0:
            handles, words = axes.get_legend_handles_labels()
            corner = (8 / (figure.get_figwidth() * DPI), 1 - 34 / (figure.get_figheight() * DPI))
            figure.legend(
                handles[::-1], words[::-1], loc='upper left', bbox_to_anchor=corner, ncol=3,
                frameon=False, fontsize=10, borderpad=0,
            )  # fmt: skip
    save(page, path)


def draw_calibration(found: Calibration, path: Path) -> None:
    """Draw the mean overlap of predictions over their score, and how many there are."""
    figure, page = canvas(640, 600)
    write(figure, 70, 18, 'what a score is worth', size=13, weight='bold')
    upper, lower = panel(figure, 70, 50, 530, 330), panel(figure, 70, 430, 530, 110)
    low, high = float(found.edges[0]), float(found.edges[-1])
    there = found.count > 0
    upper.plot(found.score[there], found.iou[there], 'o-', color=BLUE, label='predictions')
    if low >= 0 and high <= 1:
        upper.plot([0, 1], [0, 1], '--', color=INK, linewidth=1, label='score = IoU')
    upper.set(xlim=(low, high), ylim=(0, 1))
    upper.set_ylabel('mean best IoU with a true object', color=INK)
    upper.grid(color='#e4e4e4')
    upper.legend(loc='best', fontsize=10)
    middle, width = (found.edges[:-1] + found.edges[1:]) / 2, np.diff(found.edges)
    lower.bar(middle, found.count, 0.9 * width, color=LIGHT_BLUE, edgecolor=BLUE)
    for x, count in zip(middle, found.count, strict=True):
        lower.annotate(
            str(count), (x, count), (0, 2), textcoords='offset points', ha='center', size=9,
            color=INK,
        )  # fmt: skip
    lower.set(xlim=(low, high), ylim=(0, 1.25 * max(int(found.count.max()), 1)))
    lower.set_xlabel('predicted score', color=INK)
    lower.set_ylabel('predictions', color=INK)
    lower.set_yticks([])  # the numbers stand on the bars
    save(page, path)


def draw_confusion(confusion: Confusion, path: Path) -> None:
    """Draw true names against given names; darker is a larger share of the row."""
    counts, names = confusion.counts, list(confusion.names)
    columns = [*names, UNKNOWN, MISSED]
    if not counts[:, -2].any():
        counts, columns = np.delete(counts, -2, 1), [*names, MISSED]
    rows = [*names, NOTHING]
    widest = max(len(shorten(name)) for name in (*rows, *columns))
    margin = 20 + LETTER * widest
    left, top = 44 + margin, 84 + margin
    wide, tall = CELL * len(columns), CELL * len(rows)
    figure, page = canvas(max(left + wide + 20, 620), top + tall + 24)
    axes = panel(figure, left, top, wide, tall)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap='Blues', vmin=0, vmax=1, aspect='auto')
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = 'white' if shares[row, column] > 0.55 else INK
        count = _short_count(int(counts[row, column]))
        axes.text(column, row, count, size=9, ha='center', va='center', color=colour)
    for axis, words, turned in ((axes.xaxis, columns, 90), (axes.yaxis, rows, 0)):
        ticks = np.arange(len(words))
        shown = [shorten(word) for word in words]
        axis.set_ticks(ticks, shown, size=9.5, rotation=turned, color=INK, parse_math=False)
        axis.set_ticks(ticks[1:] - 0.5, minor=True)
    axes.xaxis.tick_top()
    axes.grid(which='minor', color='#e0e0e0', linewidth=0.7)
    axes.tick_params(which='both', length=0)
    diagonal = np.arange(len(names))
    axes.plot(diagonal, diagonal, 's', ms=0.62 * CELL, mfc='none', mec=INK, mew=0.8)
    axes.axhline(len(names) - 0.5, color=INK, linewidth=1.2)
    axes.axvline(len(names) - 0.5, color=INK, linewidth=1.2)
    write(figure, 16, 14, 'names given to what was found', size=13, weight='bold')
    about = 'shade: share of the row; squares: named right'
    write(figure, 16, 40, about)
    write(figure, left, 62, 'given name', style='italic')
    write(figure, 16, top - 20, 'true name', style='italic')
    save(page, path)


def _short_count(count: int) -> str:
    return str(count) if count < 1000 else f'{count / 1000:.{int(count < 9950)}f}k'
