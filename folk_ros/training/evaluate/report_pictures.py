"""Which pictures a report has, and what stands below each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folk_ros.training.evaluate.confusion import count_confusion, OTHER
from folk_ros.training.evaluate.curves import calibrate, mean_curve, object_curve
from folk_ros.training.evaluate.evaluation import Evaluation, Task
from folk_ros.training.evaluate.markdown import number
from folk_ros.training.evaluate.pictures import (
    draw_bars,
    draw_calibration,
    draw_confusion,
    draw_curves,
)
from folk_ros.training.evaluate.worst_scenes import draw_errors, rank_scenes

AT = (0.25, 0.5, 0.75)  # IoU of the curves
CONFUSED = 38  # labels that get a row of their own
WORST = 3
WORST_CAPTION = (
    'left what is there, right what was predicted. Errors are dark, with a box and a name; the '
    'rest is light. Of what stands in thin lines, most hangs in a wall that was taken away.'
)


@dataclass(frozen=True)
class Picture:
    """A picture of a report, or why it is not there."""

    title: str
    caption: str
    file: str = ''  # '' where it could not be drawn


def draw_pictures(
    folder: Path, evaluation: Evaluation, figures: Mapping[str, Any]
) -> list[Picture]:
    """Draw curves, bars, confusion and calibration into a folder."""
    return [
        _curves(folder, evaluation),
        _bars(folder, evaluation, figures),
        _confusion(folder, evaluation),
        _calibration(folder, evaluation),
    ]


def draw_worst(
    folder: Path,
    evaluation: Evaluation,
    tasks: Sequence[Task],
) -> list[Picture]:
    """Draw the worst scenes into a folder, those whose truth is a scene folder."""
    task_of = {task.scene_id: task for task in tasks}
    match_of = {match.scene_id: match for match in evaluation.objects}
    pictures, flat = [], []
    for rank in range(1, WORST + 1):
        (folder / f'worst_{rank}.png').unlink(missing_ok=True)
    for rank, (scene, _) in enumerate(rank_scenes(evaluation.objects)[:WORST], 1):
        file = f'worst_{rank}.png'
        if not task_of[scene].truth.is_dir():
            flat.append(scene)
            continue
        try:
            draw_errors(task_of[scene], match_of[scene], folder / file)
        except ValueError as error:
            pictures.append(Picture(scene, f'not drawn: {error}'))
        else:
            pictures.append(Picture(scene, WORST_CAPTION, file))
    if flat:
        reason = 'the ground truth is a text file, which has no coordinates'
        pictures.append(Picture(', '.join(flat), f'not drawn: {reason}.'))
    return pictures


def _curves(folder: Path, evaluation: Evaluation) -> Picture:
    title, file = 'Precision and recall', 'curves.png'
    if not any(match.asked.any() for match in evaluation.objects):
        return _none(folder / file, title, 'there are no true instances')
    objects, labels = [], []
    for threshold in AT:
        line = object_curve(evaluation.objects, threshold)
        legend = f'IoU {threshold:.2f}, AP {line.ap:.3f}'
        objects.append((legend, line.recall, line.precision))
        precision, ap = mean_curve(evaluation.by_label, threshold, len(evaluation.labels))
        labels.append((f'IoU {threshold:.2f}, AP {number(ap)}', precision))
    draw_curves(objects, labels, folder / file)
    caption = (
        'precision over recall as the benchmark integrates it, not made monotone; the area below '
        'a line is its AP. On the right the curves of all labels with truth, averaged.'
    )
    return Picture(title, caption, file)


def _bars(folder: Path, evaluation: Evaluation, figures: Mapping[str, Any]) -> Picture:
    title, file = 'Labels', 'labels.png'
    rows = [
        (name, counts[0], *(figures['classes'][name][key] for key in ('ap', 'ap50', 'ap25')))
        for name, counts in evaluation.named_right().items()
    ]
    if not rows:
        return _none(folder / file, title, 'there are no true instances')
    rows.sort(key=lambda row: (-row[3], -row[2], -row[4], row[0]))
    draw_bars(rows, folder / file)
    absent = len(evaluation.labels) - len(rows)
    caption = (
        'the best AP50 first, in brackets how many true instances there are'
        f'{f"; {absent} labels without any are left out" if absent else ""}.'
    )
    return Picture(title, caption, file)


def _confusion(folder: Path, evaluation: Evaluation) -> Picture:
    confusion = count_confusion(evaluation.objects, evaluation.labels)
    title, file = 'Names', 'confusion.png'
    if not confusion.counts.any():
        return _none(folder / file, title, 'there are no true instances and no predictions')
    short = confusion.shortened(CONFUSED)
    draw_confusion(short, folder / file)
    caption = (
        'true names against the names given, over masks matched one to one above IoU 0.5. The '
        'last column counts what was missed, the last row predictions that met nothing.'
    )
    if OTHER in short.names[-1:]:
        caption += (
            f' Only the {len(short.names) - 1} most frequent names have a row; of the '
            f'{short.counts[len(short.names) - 1, len(short.names) - 1]} counts of {OTHER} as '
            f'{OTHER}, {short.others_right} are named right.'
        )
    return Picture(title, caption, file)


def _calibration(folder: Path, evaluation: Evaluation) -> Picture:
    title, file = 'Scores', 'calibration.png'
    found = calibrate(evaluation.objects)
    if found is None:
        return _none(folder / file, title, 'there are no two different scores')
    draw_calibration(found, folder / file)
    caption = (
        'predictions by their score, and how well they fit the true object they fit best, '
        'whatever its name. What mostly lies in void is left out.'
    )
    return Picture(title, caption, file)


def _none(path: Path, title: str, reason: str) -> Picture:
    """Remove what a former report left."""
    path.unlink(missing_ok=True)
    return Picture(title, f'not drawn: {reason}.')
