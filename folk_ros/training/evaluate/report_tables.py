"""The tables of a report: summary, labels, wrong names, worst scenes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.confusion import count_confusion, MATCHED_IOU
from folk_ros.training.evaluate.evaluation import Evaluation
from folk_ros.training.evaluate.markdown import escape, number, paragraph, table
from folk_ros.training.evaluate.worst_scenes import rank_scenes

GROUPS = ('head', 'common', 'tail')
LISTED = 20  # wrong names
WORST_LISTED = 10
KEYS = ('ap', 'ap50', 'ap25')
MASKS = {  # figure: how a report calls it
    'class_agnostic_recall50': 'recall at IoU 0.5',
    'class_agnostic_recall75': 'recall at IoU 0.75',
    'class_agnostic_f1_50': 'F1 at IoU 0.5',
    'class_agnostic_f1_75': 'F1 at IoU 0.75',
    'class_agnostic_panoptic_quality': 'panoptic quality (PQ)',
    'named_right_of_found': 'named right, of those found',
}
# what stands in tables and choices; all other figures are listed as they are
TOLD = {'labels', 'labels_with_truth', 'truth_instances', 'predictions', 'min_points'}
TOLD |= {'scenes', 'scenes_failed', 'scenes_without_predictions', 'confidence', 'pairs'}
TOLD |= {*KEYS, *GROUPS, *MASKS, 'classes', *(f'class_agnostic_{key}' for key in KEYS)}
TOLD |= {f'{group}_{key}' for group in GROUPS for key in KEYS}


def summarize(evaluation: Evaluation, figures: Mapping[str, Any]) -> list[str]:
    """Say AP overall, by group and of the masks alone, and what else was measured."""
    truths = _count(evaluation, 'truth')
    own = np.array(evaluation.labels.groups)
    rows = [('by label, all', '', truths > 0, truths.sum())]
    rows += [
        (f'by label, {group}', group, (own == group) & (truths > 0), truths[own == group].sum())
        for group in GROUPS
        if group in figures
    ]
    cells = [
        [name, *_group_figures(figures, group), str(int(with_truth.sum())), str(int(count))]
        for name, group, with_truth, count in rows
    ]
    masks = [number(figures[f'class_agnostic_{key}']) for key in KEYS]
    cells.append(['masks alone', *masks, '-', str(int(truths.sum()))])
    header = ('', 'AP', 'AP50', 'AP25', 'labels with truth', 'true instances')
    further = [(words, number(figures[key])) for key, words in MASKS.items() if key in figures]
    further += [
        (key, number(value, 4) if isinstance(value, float) else str(value))
        for key, value in figures.items()  # facts beyond, such as the time a student took
        if key not in TOLD
    ]
    return ['## Summary', table(header, cells), table(('figure', 'value'), further)]


def _group_figures(figures: Mapping[str, Any], group: str) -> list[str]:
    keys = (group, f'{group}_ap50', f'{group}_ap25') if group else KEYS
    return [number(figures[key]) for key in keys]


def _count(evaluation: Evaluation, what: str) -> NDArray[np.int64]:
    """Count per label [L] true instances asked for, or predictions."""
    counts = np.zeros(len(evaluation.labels), np.int64)
    for match in evaluation.by_label:
        rows = match.truth_label[match.asked] if what == 'truth' else match.label
        counts += np.bincount(rows, minlength=len(counts))
    return counts


def list_labels(evaluation: Evaluation, figures: Mapping[str, Any]) -> list[str]:
    """List the labels with truth, the most frequent first, and what was seen that is not there."""
    labels, classes = evaluation.labels, figures['classes']
    predictions = dict(zip(labels.names, _count(evaluation, 'prediction').tolist(), strict=True))
    groups = dict(zip(labels.names, labels.groups, strict=True))
    grouped = any(labels.groups)
    counted = sorted(evaluation.named_right().items(), key=lambda item: (-item[1][0], item[0]))
    rows = [
        [
            name,
            *([groups[name]] if grouped else []),
            str(counts[0]),
            str(predictions[name]),
            *map(str, counts[1:]),
            *(number(classes[name][key]) for key in KEYS),
        ]
        for name, counts in counted
    ]
    header = ['label', *(['group'] if grouped else []), 'there', 'predicted']
    header += ['found', 'named right', 'AP', 'AP50', 'AP25']
    absent = {name: count for name, count in predictions.items() if count}
    absent = {name: count for name, count in absent.items() if name not in dict(counted)}
    parts = [
        '## Labels',
        paragraph(
            'The most frequent first. Found: a mask overlaps by more than '
            f'{MATCHED_IOU} IoU, whatever its name; named right: that mask has the true name.'
        ),
        table(header, rows) if rows else 'No true instance is large enough to be asked for.',
    ]
    if absent:
        often = sorted(absent.items(), key=lambda item: (-item[1], item[0]))
        words = ', '.join(f'{escape(name)} ({count})' for name, count in often)
        parts.append(paragraph(f'Predicted, and not there, which costs no label its AP: {words}.'))
    return parts


def list_wrong_names(evaluation: Evaluation) -> list[str]:
    """List the most frequent wrong names."""
    wrong = count_confusion(evaluation.objects, evaluation.labels).wrong_names()
    if not wrong:
        return []
    rows = [(true, given, str(count)) for true, given, count in wrong[:LISTED]]
    total = sum(count for _, _, count in wrong)
    return [
        '## Wrong names',
        f'{total} found objects have a wrong name; the most frequent pairs:',
        table(('true name', 'given name', 'how often'), rows),
    ]


def list_worst(evaluation: Evaluation) -> list[str]:
    """List the scenes with the lowest F1."""
    rows = [
        [
            scene,
            str(counts.hits + counts.missed),
            *map(str, (counts.hits, counts.missed, counts.wrong)),
            number(counts.f1),
            number(counts.recall),
        ]
        for scene, counts in rank_scenes(evaluation.objects)[:WORST_LISTED]
    ]
    header = ('scene', 'there', 'found', 'missed', 'wrong', 'F1', 'recall')
    if not rows:
        return []
    return [
        '## Worst scenes',
        'By F1 of the masks at IoU 0.5, whatever their names.',
        table(header, rows),
    ]
