"""The scenes with the most errors, and a picture of what went wrong in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.draw_annotations import draw_boxes, draw_labels
from folk_ros.draw_view import corner_view, measure_room, open_room, render, Room, View
from folk_ros.markers import clean_text, RGB
from folk_ros.structures import PointCloud
from folk_ros.training.evaluate.evaluation import FOUND_IOU, read_task, Task
from folk_ros.training.evaluate.mask_quality import count_matches, Counts, one_to_one
from folk_ros.training.evaluate.matching import SceneMatch
from folk_ros.training.evaluate.pictures import canvas, panel, save, shorten, write
from folk_ros.training.scenes.scene import load_scene

PANELS, PANEL = ((16, 84), (808, 84)), (776, 650)  # left and top; size, pixels
FOUND: RGB = (0.62, 0.86, 0.78)
MISSED: RGB = (0.79, 0.27, 0.0)
WRONG: RGB = (0.45, 0.16, 0.55)
NAMED = 20  # errors per picture that get a box and a name
HANGING = 0.35  # an object of which less is left hangs in a wall taken away
CORNERS = ((-1, -1), (-1, 1), (1, -1), (1, 1))
PREVIEW = (200, 160)  # pixels
PREVIEW_POINTS = 60_000
MAX_POINTS = 1_000_000
COLOURS = 256  # of the file


@dataclass(frozen=True)
class _Marked:
    """Masks to draw: which are errors, what they are called, and how sure a prediction was."""

    points: list[NDArray[np.int64]]  # [M]
    error: NDArray[np.bool_]  # [M]
    names: list[str]  # [M]
    colour: RGB  # of errors

    @property
    def named(self) -> NDArray[np.int64]:
        """Rows [E] of the errors that get a box and a name, the first ones given."""
        return np.flatnonzero(self.error)[:NAMED]

    def boxes(self, xyz: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the corners [E, 8, 3] of boxes around them."""
        boxes = [_box(xyz[self.points[row]]) for row in self.named]
        return np.array(boxes, np.float32).reshape(-1, 8, 3)


def rank_scenes(matches: Sequence[SceneMatch]) -> list[tuple[str, Counts]]:
    """List scenes with their counts of masks at IoU 0.5, the lowest F1 first, then by name."""
    counted = [(match.scene_id, count_matches([match], FOUND_IOU)) for match in matches]
    judged = [scene for scene in counted if not np.isnan(scene[1].f1)]
    return sorted(judged, key=lambda scene: (scene[1].f1, scene[0]))


def draw_errors(task: Task, match: SceneMatch, path: Path) -> None:
    """
    Draw what is there and what was predicted side by side, errors dark and named.

    The truth must be a scene folder. Raises ValueError where it cannot be read.
    """
    scene = load_scene(task.truth)
    there, predicted = _mark(task, match)
    counts = count_matches([match], FOUND_IOU)
    figure, page = canvas(1600, 750)
    write(figure, 16, 14, clean_text(match.scene_id), size=17, weight='bold')
    share = f'F1 {counts.f1:.2f} at IoU 0.5, whatever the names'
    write(figure, 1584, 18, share, size=11.5, ha='right')
    heads = (
        f'what is there: {counts.missed} missed (dark, '
        f'{_named(counts.missed, "largest")}), {counts.hits} found (light)',
        f'what was predicted: {counts.wrong} wrong (dark, '
        f'{_named(counts.wrong, "surest")}), {counts.hits} right (light)',
    )
    drawing = _Drawing(scene.cloud, (there, predicted))
    for (left, top), head, marked in zip(PANELS, heads, (there, predicted), strict=True):
        write(figure, left, top - 30, head, size=12.5)
        drawing.draw(panel(figure, left, top, *PANEL), marked)
    save(page, path, COLOURS)


def _named(count: int, which: str) -> str:
    return f'the {NAMED} {which} named' if count > NAMED else 'named'


def _mark(task: Task, match: SceneMatch) -> tuple[_Marked, _Marked]:
    """Collect the true instances asked for, by size, and the predictions judged, by score."""
    predictions, truth, _ = read_task(task)
    met = one_to_one(match, FOUND_IOU)
    missed = match.asked.copy()
    missed[met[met >= 0]] = False
    asked = np.flatnonzero(match.asked)
    asked = asked[np.argsort(-match.truth_size[asked], kind='stable')]
    names = [task.labels.names[row] for row in match.truth_name]
    place = np.argsort(truth, kind='stable')
    starts = np.searchsorted(truth[place], match.truth_id)
    there = _Marked(
        [place[starts[t] : starts[t] + match.truth_size[t]] for t in asked],
        missed[asked],
        [names[t] for t in asked],
        MISSED,
    )
    wrong = (met < 0) & (match.ignored / match.size <= FOUND_IOU)
    judged = np.flatnonzero(wrong | (met >= 0))
    judged = judged[np.argsort(-match.score[judged], kind='stable')]
    masks = predictions.mask[match.row[judged]]
    given = [task.labels.names[row] if row >= 0 else '?' for row in match.name[judged]]
    scores = match.score[judged]
    predicted = _Marked(
        [predictions.points_of(int(mask)).astype(np.int64) for mask in masks],
        wrong[judged],
        [f'{shorten(name)} {score:.2f}' for name, score in zip(given, scores, strict=True)],
        WRONG,
    )
    return there, predicted


class _Drawing:
    """A cloud seen through one camera, drawn with different masks marked."""

    def __init__(self, cloud: PointCloud, sides: Sequence[_Marked]) -> None:
        self._cloud = cloud
        self._step = len(cloud) // MAX_POINTS + 1
        self._xyz = cloud.xyz[:: self._step]
        self._room = measure_room(self._xyz)
        self._boxes = np.concatenate([side.boxes(cloud.xyz) for side in sides]).reshape(-1, 3)
        errors = np.zeros(len(cloud), np.bool_)
        for side in sides:
            for row in np.flatnonzero(side.error):
                errors[side.points[row]] = True
        wanted = errors[:: self._step]
        self._corner = max(CORNERS, key=lambda corner: self._visible(wanted, corner))
        self._stay = open_room(self._xyz, self._room, self._corner)
        self._view = self._look(self._stay, self._corner, PANEL)

    def draw(self, axes: Any, marked: _Marked) -> None:
        """Draw the masks: right ones light, errors dark, with boxes and names for the first."""
        colours = self._paint(marked)[:: self._step]
        picture, depth = render(self._view, self._xyz[self._stay], colours[self._stay])
        axes.imshow(picture, extent=(0, PANEL[0], PANEL[1], 0), interpolation='none')
        axes.set(xticks=[], yticks=[], xlim=(0, PANEL[0]), ylim=(PANEL[1], 0))
        left = open_room(self._cloud.xyz, self._room, self._corner)
        stands = np.array([left[marked.points[k]].mean() > HANGING for k in marked.named], bool)
        corners = marked.boxes(self._cloud.xyz)
        draw_boxes(axes, self._view, depth, corners, [marked.colour] * len(corners), stands)
        words = [(clean_text(marked.names[k]), marked.colour) for k in marked.named]
        draw_labels(axes, self._view, corners, words, font_size=10.5)

    def _paint(self, marked: _Marked) -> NDArray[np.uint8]:
        """Colour points [N]: pale where nothing is marked; the first masks lie on top."""
        cloud = self._cloud
        grey = np.full(len(cloud), 0.6) if cloud.rgb is None else cloud.rgb.mean(1) / 255
        colours = np.repeat((206 + 44 * grey)[:, None], 3, 1)
        for row in reversed(range(len(marked.points))):
            tone = 0.84 + 0.16 * (row * 0.618034 % 1)  # tells neighbours apart
            colour = marked.colour if marked.error[row] else FOUND
            colours[marked.points[row]] = 255 * tone * np.array(colour)
        return colours.astype(np.uint8)

    def _look(
        self, stay: NDArray[np.bool_], corner: tuple[int, int], size: tuple[int, int]
    ) -> View:
        framed = np.concatenate([_inside(self._xyz[stay], self._room), self._boxes])
        return corner_view(framed, self._room, corner, size)

    def _visible(self, wanted: NDArray[np.bool_], corner: tuple[int, int]) -> int:
        """Count the pixels of wanted points [N] in a small picture from above a corner."""
        stay = open_room(self._xyz, self._room, corner)
        few = np.flatnonzero(stay)[:: len(self._xyz) // PREVIEW_POINTS + 1]
        view = self._look(stay, corner, PREVIEW)
        marks = np.where(wanted[few, None], np.uint8(0), np.uint8(255)).repeat(3, 1)
        picture, _ = render(view, self._xyz[few], marks)
        return int((picture[..., 0] == 0).sum())


def _inside(xyz: NDArray[np.float32], room: Room) -> NDArray[np.float32]:
    """Leave out the outliers of points [N, 3], for the frame of a picture."""
    turned, margin = room.turned(xyz), 0.02 * (room.high - room.low)
    kept = ((turned >= room.low - margin) & (turned <= room.high + margin)).all(1)
    return xyz[kept] if kept.any() else xyz


def _box(xyz: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the corners [8, 3] of an upright box around points, without a few outliers."""
    low, high = np.quantile(xyz, (0.01, 0.99), axis=0)
    pick = np.arange(8)[:, None] >> np.arange(3) & 1
    return np.where(pick == 1, high, low).astype(np.float32)
