"""Pictures of scenes: one with its truth and its views, or a page of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud_files import replacing
from folk_ros.draw import corner_picture, overview
from folk_ros.instances import assemble
from folk_ros.markers import clean_text
from folk_ros.structures import Instances
from folk_ros.training.scenes.scene import load_scene, Scene, View
from folk_ros.training.scenes.view_pictures import colour_depth, colour_instances, name_instances
from folk_ros.voxels import voxelize

DPI = 100
VOXEL_M = 0.02
VIEWS_SHOWN = 5
STRIP_LEFT, STRIP_GAP, STRIP_HEAD = 70, 10, 26  # pixels
PAGE_COLUMNS, PAGE_CELL, PAGE_TEXT = 4, (470, 350), 46  # pixels
INK = '#333333'


def true_instances(scene: Scene) -> tuple[Instances, list[str]]:
    """Return the true objects of a scene that have points, with their names."""
    if scene.truth is None or not (scene.truth.point_instance >= 0).any():
        return Instances.empty(1, scene.cloud), []
    voxels = voxelize(scene.cloud, VOXEL_M)
    truth = scene.truth.point_instance
    seen, owner_of_point = np.unique(truth[truth >= 0], return_inverse=True)
    pairs = np.stack([owner_of_point.reshape(-1), voxels.point_to_voxel[truth >= 0]], 1)
    owner, rows = np.unique(pairs, axis=0).T  # voxel by voxel, each once per object
    count = len(seen)
    quality, embeddings = np.ones(count, np.float32), np.zeros((count, 1), np.float32)
    instances = assemble(owner, rows, quality, embeddings, scene.cloud, voxels)
    return instances, [scene.truth.names[index] for index in seen]


def draw_scene(scene: Scene, path: Path | str) -> None:
    """Write a PNG: cloud, true objects with names, and below them some of the views, if any."""
    instances, names = true_instances(scene)
    title = ' · '.join([scene.scene_id, *_kind(scene)])
    top = _pixels(overview(scene.cloud, instances, names, title))
    strip = _view_strip(scene, top.shape[1]) if len(scene.views) else top[:0]
    _write(np.concatenate([top, strip]), path)


def draw_page(
    folders: Sequence[Path], path: Path | str, failed: Callable[[Path, Exception], None]
) -> int:
    """
    Write a PNG with one small picture per scene folder and return how many could be drawn.

    `failed` is told which folders cannot be read; they are left out.
    """
    figure, canvas, height = _page(len(folders))
    drawn = 0
    for folder in folders:
        try:
            scene = load_scene(folder)
        except (ValueError, OSError) as error:
            failed(folder, error)
            continue
        instances, _ = true_instances(scene)
        double = (2 * PAGE_CELL[0], 2 * PAGE_CELL[1])
        picture = _halved(corner_picture(scene.cloud, instances, double))
        column, row = drawn % PAGE_COLUMNS, drawn // PAGE_COLUMNS
        left = STRIP_GAP + column * (PAGE_CELL[0] + STRIP_GAP)
        top = STRIP_GAP + row * (PAGE_CELL[1] + PAGE_TEXT)
        _image(figure, picture, (left, top + PAGE_TEXT - 6), height)
        drawn += 1
        heading = ' · '.join([scene.scene_id, *_kind(scene)])
        _text(figure, (left + 4, top), height, heading, size=11.5, weight='bold')
        _text(figure, (left + 4, top + 19), height, _facts(scene), size=9.5)
    if drawn:
        _write(_pixels(canvas), path)
    return drawn


def _halved(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average blocks of 2 x 2 pixels: small pictures of points look calmer so."""
    high, wide, channels = picture.shape
    blocks = picture.reshape(high // 2, 2, wide // 2, 2, channels)
    return blocks.mean((1, 3)).astype(np.uint8)


def _kind(scene: Scene) -> list[str]:
    kind = scene.facts.get('kind')
    return [clean_text(kind)] if isinstance(kind, str) else []


def _facts(scene: Scene) -> str:
    points = f'{len(scene.cloud):,} points'
    if scene.truth is None:
        return points
    ids = scene.truth.point_instance
    seen = np.unique(ids[ids >= 0])
    novel = int(scene.truth.novel[seen].sum())
    return f'{len(seen)} objects{f", {novel} of novel kinds" if novel else ""} · {points}'


def _page(count: int) -> tuple[Any, Any, int]:
    width = STRIP_GAP + min(count, PAGE_COLUMNS) * (PAGE_CELL[0] + STRIP_GAP)
    rows = -(-count // PAGE_COLUMNS)
    height = STRIP_GAP + rows * (PAGE_CELL[1] + PAGE_TEXT)
    return (*_canvas(width, height), height)


def _view_strip(scene: Scene, width: int) -> NDArray[np.uint8]:
    """Draw some views, one under the other as colour, depth and true objects."""
    count = len(scene.views)
    chosen = np.unique(np.linspace(0, count - 1, min(VIEWS_SHOWN, count)).round().astype(int))
    views = [scene.views[int(k)] for k in chosen]  # only these are read
    aspect = max(view.rgb.shape[0] / view.rgb.shape[1] for view in views)
    cell = (width - STRIP_LEFT - STRIP_GAP) // VIEWS_SHOWN - STRIP_GAP
    tall = round(cell * aspect)
    kinds = ['colour', 'depth']
    if any(view.instance is not None for view in views):
        kinds.append('objects')
    height = STRIP_HEAD + len(kinds) * (tall + STRIP_GAP) + STRIP_GAP
    figure, canvas = _canvas(width, height)
    far = max(max(float(np.quantile(view.depth, 0.99)) for view in views), 0.1)
    names = scene.truth.names if scene.truth is not None else []
    for column, view in enumerate(views):
        left = STRIP_LEFT + column * (cell + STRIP_GAP)
        _text(figure, (left, 4), height, f'view {chosen[column]} of {count}', size=10.5)
        for row, kind in enumerate(kinds):
            top = STRIP_HEAD + row * (tall + STRIP_GAP)
            axes = _image(figure, _picture_of(view, kind, far), (left, top), height, cell)
            if kind == 'objects' and view.instance is not None:
                name_instances(axes, view.instance, names)
    for row, kind in enumerate(kinds):
        middle = STRIP_HEAD + row * (tall + STRIP_GAP) + tall / 2
        note = f'depth, dark 0 m\nto light {far:.1f} m' if kind == 'depth' else kind
        place = (26, middle)
        _text(figure, place, height, note, size=11, rotation=90, va='center', ha='center')
    return _pixels(canvas)


def _picture_of(view: View, kind: str, far: float) -> NDArray[np.uint8]:
    if kind == 'colour':
        return view.rgb
    if kind == 'depth':
        return colour_depth(view.depth, far)
    if view.instance is None:
        return np.full_like(view.rgb, 255)
    return colour_instances(view.instance)


def _canvas(width: int, height: int) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((width / DPI, height / DPI), dpi=DPI, facecolor='white')
    return figure, FigureCanvasAgg(figure)


def _image(
    figure: Any, picture: NDArray[np.uint8], place: tuple[float, float], height: int, wide: int = 0
) -> Any:
    """Put a picture on a figure, its top left at a place in pixels; return its axes."""
    wide = wide or picture.shape[1]
    tall = wide * picture.shape[0] / picture.shape[1]
    across = figure.get_figwidth() * DPI
    box = (place[0] / across, 1 - (place[1] + tall) / height, wide / across, tall / height)
    axes = figure.add_axes(box)
    axes.imshow(picture, interpolation='nearest' if wide != picture.shape[1] else 'none')
    axes.axis('off')
    return axes


def _text(figure: Any, place: tuple[float, float], height: int, words: str, **looks: Any) -> None:
    across = figure.get_figwidth() * DPI
    looks = {'va': 'top', 'color': INK, 'parse_math': False, **looks}
    figure.text(place[0] / across, 1 - place[1] / height, words, **looks)


def _pixels(canvas: Any) -> NDArray[np.uint8]:
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _write(picture: NDArray[np.uint8], path: Path | str) -> None:
    from matplotlib.image import imsave

    with replacing(path) as file:
        imsave(file, picture, format='png')
