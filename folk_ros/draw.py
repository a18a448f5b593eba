"""Draw a segmented cloud: a picture that a person would look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud_files import replacing
from folk_ros.draw_annotations import draw_boxes, draw_labels
from folk_ros.draw_view import corner_view, measure_room, open_room, render, Room, top_view, View
from folk_ros.markers import clean_text, colour_of, RGB
from folk_ros.structures import Instances, PointCloud

DPI = 100
PICTURE = (1600, 900)  # pixels
CORNER_PANEL = (20, 70, 990, 810)  # left, top, width, height, pixels
TOP_PANEL = (1060, 110, 510, 760)
TABLE_COLUMNS = (1060, 1270, 1430)  # pixels from the left
TABLE_ROW = 18  # pixels
TABLE_ROWS = 12  # at least so many have room
MAX_POINTS = 1_500_000
PREVIEW_POINTS = 60_000
HANGING = 0.35  # an object of which less is left hangs in the wall or ceiling taken away
CORNERS = ((-1, -1), (-1, 1), (1, -1), (1, 1))
HEIGHT_COLOURS = np.array(  # low to high: dark to light, so that it also reads in grey
    [[40, 52, 110], [52, 104, 142], [76, 148, 150], [140, 188, 136], [226, 216, 130]], np.float64
)


@dataclass(frozen=True)
class _Scene:
    """What is drawn: points with colours, and boxes with labels."""

    xyz: NDArray[np.float32]  # [N, 3]
    rgb: NDArray[np.uint8]  # [N, 3]
    owner: NDArray[np.int64]  # [N] which instance the point belongs to, -1: none
    corners: NDArray[np.float32]  # [I, 8, 3]
    sizes: NDArray[np.float32]  # [I, 3] metres, along the boxes' own axes
    labels: list[str]  # [I]
    colours: list[RGB]  # [I]

    @property
    def words(self) -> list[tuple[str, RGB]]:
        """The labels with their colours."""
        return list(zip(self.labels, self.colours, strict=True))


def draw_overview(
    cloud: PointCloud,
    instances: Instances,
    labels: Sequence[str],
    path: str | Path,
    title: str = '',
) -> None:
    """
    Write a PNG of 1600 x 900: the room seen from above a corner and from straight above.

    `labels` [I] stand beside the boxes; equal words have equal colours, scores after them do not
    count. The cloud must be z-up. Raises ValueError where labels or masks do not fit.
    """
    canvas = overview(cloud, instances, labels, title)
    with replacing(path) as file:
        canvas.print_png(file)


def overview(
    cloud: PointCloud, instances: Instances, labels: Sequence[str], title: str = ''
) -> Any:
    """Return the picture of `draw_overview` as a canvas of matplotlib."""
    if len(labels) != len(instances) or instances.num_points != len(cloud):
        raise ValueError(
            f'draw_overview: expected {len(instances)} labels and masks over {len(cloud)} points, '
            f'got {len(labels)} labels and masks over {instances.num_points}'
        )
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((PICTURE[0] / DPI, PICTURE[1] / DPI), dpi=DPI, facecolor='white')
    canvas = FigureCanvasAgg(figure)
    _write_heading(figure, cloud, instances, title)
    if len(cloud):
        scene = _prepare(cloud, instances, labels)
        room = measure_room(scene.xyz)
        _draw_corner(figure, scene, room)
        _draw_top(figure, scene, room)
    return canvas


def corner_picture(
    cloud: PointCloud, instances: Instances, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return the opened room from above a corner, without boxes: [H, W, 3] of size (W, H)."""
    if not len(cloud):
        return np.full((size[1], size[0], 3), 255, np.uint8)
    scene = _prepare(cloud, instances, [''] * len(instances))
    room = measure_room(scene.xyz)
    corner = _best_corner(scene, room)
    stay, _ = _kept(scene, room, corner)
    view = corner_view(_framed(scene, room, stay), room, corner, size)
    return render(view, scene.xyz[stay], scene.rgb[stay])[0]


def _write_heading(figure: Any, cloud: PointCloud, instances: Instances, title: str) -> None:
    colour = '' if cloud.rgb is not None else ', no colour: shaded by height'
    frame = f' in {clean_text(cloud.frame_id)!r}' if cloud.frame_id else ''
    facts = f'{len(instances)} objects, {len(cloud):,} points{frame}{colour}'
    heading = {'parse_math': False, 'va': 'top', 'color': '#222222'}
    figure.text(0.0125, 0.978, clean_text(title), size=19, weight='bold', **heading)
    figure.text(0.982, 0.972, facts, size=12, ha='right', **heading)


def _prepare(cloud: PointCloud, instances: Instances, labels: Sequence[str]) -> _Scene:
    drawn = np.flatnonzero(np.isfinite(instances.boxes.corners()).all((1, 2)))
    instances = instances.select(drawn)
    words = [clean_text(labels[int(row)]) for row in drawn]
    owner = np.full(len(cloud), -1)
    owner[instances.points] = np.repeat(np.arange(len(instances)), instances.point_counts)
    step = len(cloud) // MAX_POINTS + 1
    xyz = cloud.xyz[::step]
    rgb = _height_colours(xyz[:, 2]) if cloud.rgb is None else cloud.rgb[::step]
    boxes = instances.boxes
    return _Scene(xyz, rgb, owner[::step], boxes.corners(), boxes.size, words, _colours(words))


def _colours(labels: list[str]) -> list[RGB]:
    """Give labels that differ in more than their score different colours, while there are."""
    names = [re.sub(r'[\s\d.%?]+$', '', label) for label in labels]
    colours: dict[str, RGB] = {}
    for name in names:
        if name not in colours:
            colours[name] = colour_of(name, colours.values())
    return [colours[name] for name in names]


def _height_colours(z: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colour points [N] by height, for clouds that have no colour of their own."""
    low, high = np.quantile(z, (0.01, 0.99))
    share = np.clip((z - low) / max(high - low, 1e-6), 0, 1) * (len(HEIGHT_COLOURS) - 1)
    steps = np.arange(len(HEIGHT_COLOURS))
    channels = [np.interp(share, steps, HEIGHT_COLOURS[:, c]) for c in range(3)]
    return np.stack(channels, -1).astype(np.uint8)


def _draw_corner(figure: Any, scene: _Scene, room: Room) -> None:
    """Draw the room from above the corner from which most of the objects can be seen."""
    corner = _best_corner(scene, room)
    stay, stands = _kept(scene, room, corner)
    size = CORNER_PANEL[2:]
    view = corner_view(_framed(scene, room, stay), room, corner, size)
    picture, depth = render(view, scene.xyz[stay], scene.rgb[stay])
    axes = _panel(figure, CORNER_PANEL)
    axes.imshow(picture, extent=(0, size[0], size[1], 0), interpolation='none')
    axes.axis('off')
    shown = np.flatnonzero(stands)
    corners, words = scene.corners[shown], [scene.words[row] for row in shown]
    draw_boxes(axes, view, depth, corners, [colour for _, colour in words], stands[shown])
    draw_labels(axes, view, corners, words, font_size=12.5)


def _draw_top(figure: Any, scene: _Scene, room: Room) -> None:
    """Draw the room from straight above, with metres along its sides and a list of objects."""
    stay, stands = _kept(scene, room, None)
    framed = _framed(scene, room, stay)
    left, top, width, tallest = TOP_PANEL
    tallest -= TABLE_ROW * (min(len(scene.labels), TABLE_ROWS) + 3) if scene.labels else 0
    across, along = np.ptp(framed, axis=0)[:2]
    height = int(np.clip(width * along / max(across, 1e-6), 120, tallest))
    view = top_view(framed, (width, height))
    picture, depth = render(view, scene.xyz[stay], scene.rgb[stay])
    axes = _panel(figure, (left, top, width, height))
    axes.imshow(picture, extent=(0, width, height, 0), interpolation='none')
    draw_boxes(axes, view, depth, scene.corners, scene.colours, stands)
    draw_labels(axes, view, scene.corners, scene.words, font_size=10.5)
    _write_metres(axes, view)
    axes.set_title('from above, metres', size=11, color='#444444', pad=8)
    for spine in axes.spines.values():
        spine.set_color('#bbbbbb')
    _write_table(figure, scene, top + height + 40)


def _write_metres(axes: Any, view: View) -> None:
    """Write metres of the cloud's frame along a view from above."""
    for which, step in ((0, 1), (1, -1)):
        ends = (np.array([0, view.size[which]]) - view.offset[which]) / view.scale * step
        metres = _ticks(*sorted(ends + view.target[which]))
        pixels = (metres - view.target[which]) * view.scale * step + view.offset[which]
        axis = axes.xaxis if which == 0 else axes.yaxis
        axis.set_ticks(pixels, [f'{m:g}' for m in metres], size=9, color='#444444')


def _write_table(figure: Any, scene: _Scene, top: int) -> None:
    """List the objects with middle and size, by label, as far as there is room."""
    if not scene.labels:
        return
    order = sorted(range(len(scene.labels)), key=lambda row: scene.labels[row])
    room_for = (PICTURE[1] - 20 - top) // TABLE_ROW - 2
    rows = [('object', 'middle  x, y, z (m)', 'size (m)')]
    for row in order[:room_for]:
        label, middle = scene.labels[row], scene.corners[row].mean(0)
        rows.append(
            (
                label if len(label) <= 26 else label[:25] + '…',
                ', '.join(f'{m:.2f}' for m in middle),
                ' × '.join(f'{s:.2f}' for s in scene.sizes[row]),
            )
        )
    if len(order) > room_for:
        rows.append((f'and {len(order) - room_for} more', '', ''))
    for number, cells in enumerate(rows):
        y = 1 - (top + number * TABLE_ROW) / PICTURE[1]
        weight = 'bold' if number == 0 else 'normal'
        for cell, x in zip(cells, TABLE_COLUMNS, strict=True):
            place = (x / PICTURE[0], y)
            figure.text(
                *place, cell, size=10, weight=weight, va='top', color='#333333', parse_math=False
            )


def _ticks(low: float, high: float) -> NDArray[np.float64]:
    """Return round numbers between two ends, about six of them."""
    rough = (high - low) / 6
    step = 10.0 ** np.floor(np.log10(max(rough, 1e-6)))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= rough)
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step + 0.0  # no -0


def _panel(figure: Any, place: tuple[int, int, int, int]) -> Any:
    left, top, width, height = place
    across, along = PICTURE
    return figure.add_axes(
        (left / across, 1 - (top + height) / along, width / across, height / along)
    )


def _framed(scene: _Scene, room: Room, stay: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the points [M, 3] to fit into the frame: the room without outliers, the boxes."""
    xyz = scene.xyz[stay]
    turned = room.turned(xyz)
    margin = 0.02 * (room.high - room.low)
    inside = ((turned >= room.low - margin) & (turned <= room.high + margin)).all(1)
    return np.concatenate([xyz[inside], scene.corners.reshape(-1, 3)]).astype(np.float64)


def _kept(
    scene: _Scene, room: Room, corner: tuple[int, int] | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """
    Tell which points [N] are drawn, the opened room and the objects in it, and which objects [I].

    Objects that hang in what is taken away, such as a door in a near wall, go with it: they would
    only hide the room. From above their box and label are drawn all the same.
    """
    stay = open_room(scene.xyz, room, corner)
    owned = scene.owner >= 0
    total = np.bincount(scene.owner[owned], minlength=len(scene.labels))
    left = np.bincount(scene.owner[owned & stay], minlength=len(scene.labels))
    stands = left > HANGING * total  # [I]
    stay[owned] = stands[scene.owner[owned]]
    return stay, stands


def _best_corner(scene: _Scene, room: Room) -> tuple[int, int]:
    """Choose the corner from which most of the objects can be seen."""
    few = slice(None, None, len(scene.xyz) // PREVIEW_POINTS + 1)
    thin = replace(scene, xyz=scene.xyz[few], rgb=scene.rgb[few], owner=scene.owner[few])
    return max(CORNERS, key=lambda corner: _visible(thin, room, corner))


def _visible(scene: _Scene, room: Room, corner: tuple[int, int]) -> int:
    """Count the pixels of objects in a small picture from above a corner."""
    stay, _ = _kept(scene, room, corner)
    view = corner_view(_framed(scene, room, stay), room, corner, (200, 160))
    marks = np.where(scene.owner[stay, None] >= 0, np.uint8(0), np.uint8(255)).repeat(3, 1)
    picture, _ = render(view, scene.xyz[stay], marks)
    return int((picture[..., 0] == 0).sum())
