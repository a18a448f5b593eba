"""
Which predictions share points with which true instances of one scene, and by how much.

Ground truth is one id per point, `label_id * 1000 + instance + 1` (ScanNet); what belongs to no
scored label is void. All numbers that average precision needs are counted once per mask, by a
look-up of its points in the truth, in place of a comparison of every pair over all points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.predictions import Predictions
from folk_ros.training.labels import LabelSet
from folk_ros.training.scenes.ground_truth import PER_LABEL

MAX_TRUTH_ID = 1 << 22  # ids up to here are looked up in a table
OBJECT = LabelSet.from_names(('object',), 'object')  # what everything is, matched as objects
MIN_POINTS = 100  # smaller predictions are dropped, smaller true instances not asked for


@dataclass(frozen=True)
class SceneMatch:
    """
    One scene reduced to what is scored: T true instances, P predictions.

    Pairs [R] have the same label and share points; they come in the order of truth ids, then of
    predictions, which is the order of the benchmark's greedy matching. Matched as objects, labels
    are all 0; `name` and `truth_name` still say what each is.
    """

    scene_id: str
    truth_id: NDArray[np.int64]  # [T] as in the ground truth, rising
    truth_label: NDArray[np.int64]  # [T] row in the label set, or 0
    truth_name: NDArray[np.int64]  # [T] row in the label set
    truth_size: NDArray[np.int64]  # [T] points
    row: NDArray[np.int64]  # [P] which prediction of the scene
    label: NDArray[np.int64]  # [P] row in the label set, or 0
    name: NDArray[np.int64]  # [P] row in the label set, -1 for a label that is not in it
    size: NDArray[np.int64]  # [P] points
    score: NDArray[np.float64]  # [P]
    ignored: NDArray[np.int64]  # [P] points in void or in truth too small to be asked for
    pair_truth: NDArray[np.int64]  # [R]
    pair_prediction: NDArray[np.int64]  # [R]
    pair_iou: NDArray[np.float64]  # [R]

    @property
    def asked(self) -> NDArray[np.bool_]:
        """Which true instances [T] are large enough to be asked for."""
        return self.truth_size >= MIN_POINTS


@dataclass(frozen=True)
class TruthTable:
    """The true instances of a scene."""

    ids: NDArray[np.int64]  # [T] rising
    label: NDArray[np.int64]  # [T] row in the label set
    size: NDArray[np.int64]  # [T]
    owner: NDArray[np.int64]  # [N] row of the point's instance, T for void


def match_scene(
    scene_id: str, predictions: Predictions, truth: NDArray[np.int64], labels: LabelSet
) -> tuple[SceneMatch, SceneMatch]:
    """
    Compare predictions with truth ids [N] label by label, and as objects whatever their label.

    `labels` are the scored ones. By label, predictions of other labels are left out; as objects,
    of predictions that share a mask the best remains. Those of fewer than 100 points are left
    out, as the benchmark does. Raises ValueError if the number of points differs.
    """
    if predictions.num_points != len(truth):
        raise ValueError(
            f'{scene_id}: the masks cover {predictions.num_points} points, the ground truth has '
            f'{len(truth)}; predict on the same cloud, with its points in the same order'
        )
    table = tabulate(truth, labels)
    shared = shared_points(predictions, table)
    name = rows_of(predictions.label, labels)
    large = predictions.mask_sizes[predictions.mask] >= MIN_POINTS
    named = np.flatnonzero(large & (name >= 0))
    by_label = _match(scene_id, predictions, (table, shared), named, name)
    best = _best_of_mask(predictions)
    objects = _match(
        scene_id, predictions, (table, shared), best[large[best]], name, as_objects=True
    )
    return by_label, objects


def _match(
    scene_id: str,
    predictions: Predictions,
    counted: tuple[TruthTable, NDArray[np.int64]],
    row: NDArray[np.int64],
    name: NDArray[np.int64],
    as_objects: bool = False,
) -> SceneMatch:
    table, shared = counted
    size, inside = predictions.mask_sizes[predictions.mask[row]], shared[predictions.mask[row]]
    void, inside = inside[:, -1], inside[:, :-1]  # [P], [P, T]
    label, truth_label = name[row], table.label
    if as_objects:
        label, truth_label = np.zeros_like(label), np.zeros_like(truth_label)
    same = (label[:, None] == truth_label) & (inside > 0)
    pair_truth, pair_prediction = np.nonzero(same.T)
    pair_shared = inside[pair_prediction, pair_truth]
    small = table.size < MIN_POINTS
    return SceneMatch(
        scene_id=scene_id,
        truth_id=table.ids,
        truth_label=truth_label,
        truth_name=table.label,
        truth_size=table.size,
        row=row,
        label=label,
        name=name[row],
        size=size,
        score=predictions.score[row],
        ignored=void + (inside[:, small] * same[:, small]).sum(1),
        pair_truth=pair_truth,
        pair_prediction=pair_prediction,
        pair_iou=pair_shared / (table.size[pair_truth] + size[pair_prediction] - pair_shared),
    )


def _best_of_mask(predictions: Predictions) -> NDArray[np.int64]:
    """Rows, rising, of the best-scored prediction on each mask; the first one wins a tie."""
    order = np.argsort(-predictions.score, kind='stable')
    _, first = np.unique(predictions.mask[order], return_index=True)
    return np.sort(order[first])


def tabulate(truth: NDArray[np.int64], labels: LabelSet) -> TruthTable:
    """List the instances of scored labels in truth ids [N]."""
    small = len(truth) and truth.min() >= 0 and truth.max() < MAX_TRUTH_ID
    if small:  # counting is cheaper than sorting
        counts = np.bincount(truth)
        ids = np.flatnonzero(counts)
        sizes = counts[ids]
    else:
        ids, sizes = np.unique(truth, return_counts=True)
    label = rows_of(ids // PER_LABEL, labels)
    scored = (label >= 0) & (ids > 0)
    count = int(scored.sum())
    row = np.full(len(ids), count)
    row[scored] = np.arange(count)
    if small:
        row_of_id = np.empty(len(counts), np.int64)  # read only where there is an id
        row_of_id[ids] = row
        owner = row_of_id[truth]
    else:
        owner = row[np.searchsorted(ids, truth)]
    return TruthTable(ids[scored], label[scored], sizes[scored], owner)


def rows_of(label_ids: NDArray[np.int64], labels: LabelSet) -> NDArray[np.int64]:
    """Row in the label set of label ids, -1 where they are none of it."""
    known = np.array(labels.ids, np.int64)
    order = np.argsort(known)
    place = np.searchsorted(known, label_ids, sorter=order)
    rows = np.append(order, 0)[place]
    return np.where(np.append(known, -1)[rows] == label_ids, rows, -1) if len(known) else place - 1


def shared_points(predictions: Predictions, table: TruthTable) -> NDArray[np.int64]:
    """Points [M, T + 1] that each mask shares with each true instance; the last column is void."""
    columns = len(table.ids) + 1
    shared = np.empty((len(predictions.starts) - 1, columns), np.int64)
    for mask in range(len(shared)):  # one mask at a time stays in the processor's cache
        owners = table.owner[predictions.points_of(mask)]
        shared[mask] = np.bincount(owners, minlength=columns)
    return shared
