"""
The slow twin of `matching` and `average_precision`: every pair of masks over all points.

This is how the ScanNet benchmark's script goes about it, step by step, in today's Python; tests
hold the fast way against it, and `folk benchmark evaluate` times the two. Nothing else uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.average_precision import THRESHOLDS
from folk_ros.training.evaluate.matching import MIN_POINTS
from folk_ros.training.labels import LabelSet
from folk_ros.training.scenes.ground_truth import PER_LABEL

Masks = NDArray[np.bool_]  # [P, N]
Assigned = tuple[dict[int, list[dict[str, Any]]], dict[int, list[dict[str, Any]]]]


def assign_scene(
    masks: Masks,
    label: Sequence[int],
    score: Sequence[float],
    truth: NDArray[np.int64],
    labels: LabelSet,
) -> Assigned:
    """List, by label id, the true instances and the predictions of a scene with their overlaps."""
    truths: dict[int, list[dict[str, Any]]] = {label_id: [] for label_id in labels.ids}
    for truth_id in np.unique(truth):
        own = int(truth_id // PER_LABEL)
        if truth_id and own in truths:
            size = int((truth == truth_id).sum())
            truths[own].append({'id': int(truth_id), 'size': size, 'met': []})
    predictions: dict[int, list[dict[str, Any]]] = {label_id: [] for label_id in labels.ids}
    void = ~np.isin(truth // PER_LABEL, labels.ids)
    for number, mask in enumerate(masks):
        if label[number] not in predictions:
            continue
        size = int(np.count_nonzero(mask))
        if size < MIN_POINTS:
            continue
        prediction = {
            'number': number,
            'size': size,
            'score': float(score[number]),
            'void': int(np.count_nonzero(np.logical_and(void, mask))),
        }
        met = []
        for true in truths[label[number]]:
            shared = int(np.count_nonzero(np.logical_and(truth == true['id'], mask)))
            if shared > 0:
                met.append({**true, 'shared': shared})
                true['met'].append({**prediction, 'shared': shared})
        predictions[label[number]].append({**prediction, 'met': met})
    return truths, predictions


def average_precision(scenes: Sequence[Assigned], labels: LabelSet) -> NDArray[np.float64]:
    """Average precision [L, 10] at THRESHOLDS of scenes from `assign_scene`."""
    ap = np.zeros((len(labels), len(THRESHOLDS)))
    for column, threshold in enumerate(THRESHOLDS):
        visited = [set[int]() for _ in scenes]
        for row, label_id in enumerate(labels.ids):
            ap[row, column] = _of_label(scenes, label_id, float(threshold), visited)
    return ap


def _of_label(
    scenes: Sequence[Assigned], label_id: int, threshold: float, visited: list[set[int]]
) -> float:
    true = np.empty(0)
    score = np.empty(0)
    missed, any_truth, any_prediction = 0, False, False
    for number, (truths, predictions) in enumerate(scenes):
        asked = [t for t in truths[label_id] if t['size'] >= MIN_POINTS]
        any_truth |= bool(asked)
        any_prediction |= bool(predictions[label_id])
        own_true, own_score, own_missed = _greedy(asked, threshold, visited[number])
        missed += own_missed
        for prediction in predictions[label_id]:
            if any(_iou(t, prediction, t['shared']) > threshold for t in prediction['met']):
                continue
            ignored = prediction['void']
            ignored += sum(t['shared'] for t in prediction['met'] if t['size'] < MIN_POINTS)
            if float(ignored) / prediction['size'] <= threshold:
                own_true = np.append(own_true, 0)
                own_score = np.append(own_score, prediction['score'])
        true, score = np.append(true, own_true), np.append(score, own_score)
    if not any_truth:
        return float('nan')
    return _area(true, score, missed) if any_prediction else 0.0


def _greedy(
    asked: list[dict[str, Any]], threshold: float, visited: set[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Match one scene's true instances of a label in turn; true, score and number missed."""
    true = np.ones(len(asked))
    score = np.full(len(asked), -np.inf)
    matched = np.zeros(len(asked), bool)
    missed = 0
    for index, truth in enumerate(asked):
        for prediction in truth['met']:
            if prediction['number'] in visited:
                continue
            if _iou(truth, prediction, prediction['shared']) > threshold:
                own = prediction['score']
                if matched[index]:
                    true, matched = np.append(true, 0), np.append(matched, True)
                    score = np.append(score, min(score[index], own))
                    score[index] = max(score[index], own)
                else:
                    matched[index] = True
                    score[index] = own
                    visited.add(prediction['number'])
        missed += not matched[index]
    return true[matched], score[matched], missed


def _iou(truth: dict[str, Any], prediction: dict[str, Any], shared: int) -> float:
    return float(shared) / (truth['size'] + prediction['size'] - shared)


def _area(true: NDArray[np.float64], score: NDArray[np.float64], missed: int) -> float:
    order = np.argsort(score)
    rising, sorted_true = score[order], true[order]
    sums = np.cumsum(sorted_true)
    _, first = np.unique(rising, return_index=True)
    hits_in_all = sums[-1] if len(sums) else 0
    precision, recall = np.zeros(len(first) + 1), np.zeros(len(first) + 1)
    sums = np.append(sums, 0)  # what stands before the first place
    for index, place in enumerate(first):
        before = sums[place - 1]
        tp = hits_in_all - before
        fp = len(rising) - place - tp
        fn = before + missed
        precision[index], recall[index] = float(tp) / (tp + fp), float(tp) / (tp + fn)
    precision[-1], recall[-1] = 1.0, 0.0
    padded = np.append(np.append(recall[0], recall), 0.0)
    return float(np.dot(precision, np.convolve(padded, [-0.5, 0, 0.5], 'valid')))
