"""Masks alone, whatever their names: recall, F1 and panoptic quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.matching import (
    MIN_POINTS,
    SceneMatch,
    shared_points,
    tabulate,
)
from folk_ros.training.evaluate.predictions import Predictions
from folk_ros.training.labels import LabelSet

PANOPTIC_IOU = 0.5  # segments that overlap more can only be matched in one way


@dataclass(frozen=True)
class Counts:
    """Predictions matched one to one at one threshold, over any number of scenes."""

    hits: int = 0
    wrong: int = 0
    missed: int = 0
    iou: float = 0.0  # summed over the hits

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.hits + other.hits,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.iou + other.iou,
        )

    @property
    def recall(self) -> float:
        """Share of the true instances that were found; NaN if there is none."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else float('nan')

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN if there is nothing to find or to judge."""
        total = 2 * self.hits + self.wrong + self.missed
        return 2 * self.hits / total if total else float('nan')

    @property
    def panoptic_quality(self) -> float:
        """Mean IoU of the hits times F1 (Kirillov et al., CVPR 2019, eq. 1)."""
        total = self.hits + (self.wrong + self.missed) / 2
        return self.iou / total if total else float('nan')


def one_to_one(match: SceneMatch, threshold: float) -> NDArray[np.int64]:
    """True instance [P] of each prediction, -1 for none; the best-scored chooses first."""
    rank = np.empty(len(match.score), np.int64)
    rank[np.argsort(-match.score, kind='stable')] = np.arange(len(match.score))
    over = np.flatnonzero(match.pair_iou > threshold)
    order = np.lexsort((-match.pair_iou[over], rank[match.pair_prediction[over]]))
    result = np.full(len(match.score), -1, np.int64)
    free = np.ones(len(match.truth_size), np.bool_)
    pairs = zip(match.pair_prediction[over[order]], match.pair_truth[over[order]], strict=True)
    for prediction, truth in pairs:
        if result[prediction] < 0 and free[truth]:
            result[prediction], free[truth] = truth, False
    return result


def count_matches(matches: Sequence[SceneMatch], threshold: float) -> Counts:
    """Count hits and errors over scenes; what mostly lies in void is no error."""
    total = Counts()
    for match in matches:
        truth = one_to_one(match, threshold)
        hits = int(match.asked[truth[truth >= 0]].sum())
        wrong = (truth < 0) & (match.ignored / match.size <= threshold)
        total += Counts(hits, int(wrong.sum()), int(match.asked.sum()) - hits)
    return total


def count_panoptic(predictions: Predictions, truth: NDArray[np.int64], labels: LabelSet) -> Counts:
    """
    Count matches after every point went to its best-scored mask, so that no two overlap.

    Masks left with fewer than 100 points and those that lie half in void are dropped.
    """
    painted = paint(predictions)
    table = tabulate(truth, labels)
    shared = shared_points(painted, table)
    size, void, inside = painted.mask_sizes, shared[:, -1], shared[:, :-1]
    asked = table.size >= MIN_POINTS
    # void is nobody's: it counts neither for nor against a mask (Kirillov et al., section 4)
    iou = inside / np.maximum(table.size + (size - void)[:, None] - inside, 1)
    over = iou > PANOPTIC_IOU
    hit = over[:, asked].any(1)
    judged = (size >= MIN_POINTS) & (void <= PANOPTIC_IOU * size) & ~over[:, ~asked].any(1)
    hits = int(hit.sum())
    return Counts(
        hits,
        int((judged & ~hit).sum()),
        int(asked.sum()) - hits,
        float(iou[:, asked][over[:, asked]].sum()),
    )


def paint(predictions: Predictions) -> Predictions:
    """Give every point to the best-scored prediction on it; the first one wins a tie."""
    owner = np.full(predictions.num_points, -1, np.int64)
    for row in np.argsort(-predictions.score, kind='stable')[::-1]:
        owner[predictions.points_of(int(predictions.mask[row]))] = row
    order = np.argsort(owner, kind='stable')
    points = order[owner[order] >= 0].astype(np.int32)
    starts = np.zeros(len(predictions) + 1, np.int64)
    np.cumsum(np.bincount(owner[points], minlength=len(predictions)), out=starts[1:])
    rows = np.arange(len(predictions))
    return Predictions(
        starts, points, rows, predictions.label, predictions.score, predictions.num_points
    )
