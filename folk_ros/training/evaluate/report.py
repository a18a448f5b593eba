"""A report that a person reads: choices, tables, pictures, and the scenes that went worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from folk_ros.cloud_files import replacing
from folk_ros.training.evaluate.evaluation import Evaluation, Task
from folk_ros.training.evaluate.markdown import bullets, definitions, escape, number, paragraph
from folk_ros.training.evaluate.report_pictures import draw_pictures, draw_worst, Picture
from folk_ros.training.evaluate.report_tables import (
    GROUPS,
    KEYS,
    list_labels,
    list_worst,
    list_wrong_names,
    summarize,
)

REPORT = 'report.md'
LISTED = 20  # scenes and notes; more are counted


def write_report(
    folder: Path, evaluation: Evaluation, figures: Mapping[str, Any], tasks: Sequence[Task]
) -> Path:
    """
    Write `report.md` and its pictures into a folder; return the path of the former.

    `figures` are those of the evaluation, with more facts where there are any; `tasks` say where
    the worst scenes can be read again. Pictures of a former report are replaced or removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = draw_pictures(folder, evaluation, figures)
    worst = draw_worst(folder, evaluation, tasks)
    path = folder / REPORT
    with replacing(path) as file:
        file.write(compose(evaluation, figures, pictures, worst).encode())
    return path


def compose(
    evaluation: Evaluation,
    figures: Mapping[str, Any],
    pictures: Sequence[Picture] = (),
    worst: Sequence[Picture] = (),
) -> str:
    """Return the text of a report around its pictures and those of the worst scenes."""
    sections = [
        *_head(evaluation, figures),
        *_choices(evaluation, figures),
        *_left_out(evaluation),
        *summarize(evaluation, figures),
        *list_labels(evaluation, figures),
        *list_wrong_names(evaluation),
        '## Pictures',
        *_shown(pictures),
        *list_worst(evaluation),
        *_shown(worst),
    ]
    return '\n\n'.join(sections) + '\n'


def _head(evaluation: Evaluation, figures: Mapping[str, Any]) -> list[str]:
    by_label = ', '.join(f'{k.upper()} {number(figures[k])}' for k in KEYS)
    masks = ', '.join(f'{k.upper()} {number(figures[f"class_agnostic_{k}"])}' for k in KEYS)
    return [
        f'# Evaluation: {escape(evaluation.labels.name)}, {_scenes(len(evaluation.by_label))}',
        f'By label: {by_label}.  \nMasks alone, whatever their names: {masks}.',
    ]


def _scenes(count: int) -> str:
    return f'{count} scene{"" if count == 1 else "s"}'


def _choices(evaluation: Evaluation, figures: Mapping[str, Any]) -> list[str]:
    labels, words = evaluation.labels, evaluation.choices.words()
    groups = [f'{labels.groups.count(g)} {g}' for g in GROUPS if g in labels.groups]
    among = f' ({", ".join(groups)})' if groups else ''
    rows = [
        (
            'label set',
            f'{labels.name}: {len(labels)} labels{among}, {figures["labels_with_truth"]} of them '
            'stand in these scenes; the others do not count',
        ),
        (
            'scenes',
            f'{len(evaluation.by_label)} scored together, {len(evaluation.failed)} failed, '
            f'{len(evaluation.unpredicted)} without predictions',
        ),
        ('true instances', str(figures['truth_instances'])),
        ('predictions', f'{figures["predictions"]} of scored labels and sizes'),
        ('AP', 'mean over IoU 0.50, 0.55, ... 0.90, nine thresholds; then mean over labels'),
        ('AP50, AP25', 'at IoU 0.50 and 0.25'),
        ('a match', 'IoU larger than the threshold, not equal; order and ties as in ScanNet'),
        (
            'smallest mask',
            f'{figures["min_points"]} points: smaller predictions are dropped, smaller true '
            'instances not asked for',
        ),
        (
            'void',
            'a prediction without a match is no error if more than the threshold of it lies on '
            'points of no scored label or in truth that is too small',
        ),
        ('confidence', words['confidence']),
        ('names per mask', words['pairs']),
        (
            'masks alone',
            'class-agnostic: every label is taken for one; predictions that share a mask count '
            'once, with their best score',
        ),
        ('recall, F1', 'masks matched one to one, the best score first'),
        ('PQ', 'panoptic quality after each point went to its best-scored mask'),
    ]
    return [
        '## What was scored, and how',
        definitions(rows),
        'All figures, label by label and with all their digits: `folk evaluate ... --json FILE`.',
    ]


def _left_out(evaluation: Evaluation) -> list[str]:
    parts = []
    if evaluation.failed:
        errors = [f'{scene}: {error}' for scene, error in evaluation.failed.items()]
        count = _scenes(len(errors))
        parts += [f'## Failed: {count}', 'Not part of any figure.', bullets(errors, LISTED)]
    if evaluation.unpredicted:
        count = _scenes(len(evaluation.unpredicted))
        parts += [
            f'## Without predictions: {count}',
            'They have ground truth, and are not part of any figure.',
            paragraph(_some(evaluation.unpredicted)),
        ]
    if evaluation.notes:
        parts += ['## Notes', bullets(evaluation.notes, LISTED)]
    return parts


def _some(names: Sequence[str]) -> str:
    more = f' and {len(names) - LISTED} more' if len(names) > LISTED else ''
    return ', '.join(map(escape, names[:LISTED])) + more


def _shown(pictures: Sequence[Picture]) -> list[str]:
    parts = []
    for picture in pictures:
        if picture.file:
            parts.append(f'![{escape(picture.title)}]({picture.file})')
        parts.append(paragraph(escape(f'{picture.title}: {picture.caption}')))
    return parts
