"""Precision over recall, and what predicted scores are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.average_precision import Curve, curve, outcome
from folk_ros.training.evaluate.matching import SceneMatch

RECALLS = np.linspace(0, 1, 501)
BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Predictions by score: how many, and how well they fit the true object they fit best."""

    edges: NDArray[np.float64]  # [B + 1]
    count: NDArray[np.int64]  # [B]
    score: NDArray[np.float64]  # [B] mean, NaN where there are no predictions
    iou: NDArray[np.float64]  # [B] mean of the best IoU of each, NaN where there are none


def object_curve(matches: Sequence[SceneMatch], threshold: float) -> Curve:
    """Return the curve of masks matched as objects."""
    total = outcome(matches, threshold, 1)
    return curve(total.score, total.hit, int(total.missed[0]))


def mean_curve(
    matches: Sequence[SceneMatch], threshold: float, label_count: int
) -> tuple[NDArray[np.float64], float]:
    """
    Return precision at RECALLS and AP, both averaged over the labels with truth, else NaN.

    Between its points a curve is straight, beyond its last one 0, so that its area is its AP.
    """
    truths = np.zeros(label_count, np.int64)
    for match in matches:
        truths += np.bincount(match.truth_label[match.asked], minlength=label_count)
    total = outcome(matches, threshold, label_count)
    order = np.argsort(total.label, kind='stable')
    ends = np.searchsorted(total.label[order], np.arange(label_count + 1))
    height, ap = np.zeros(len(RECALLS)), 0.0
    with_truth = np.flatnonzero(truths)
    for row in with_truth:
        own = order[ends[row] : ends[row + 1]]
        line = curve(total.score[own], total.hit[own], int(total.missed[row]))
        height += np.interp(RECALLS, line.recall[::-1], line.precision[::-1], right=0.0)
        ap += line.ap
    if not len(with_truth):
        return np.full(len(RECALLS), np.nan), float('nan')
    return height / len(with_truth), ap / len(with_truth)


def calibrate(matches: Sequence[SceneMatch]) -> Calibration | None:
    """
    Compare scores with overlaps in ten bins; None where all scores are equal.

    Predictions that mostly lie in void, where nobody knows what is there, are left out.
    """
    scores, overlaps = [np.zeros(0)], [np.zeros(0)]
    for match in matches:
        best = np.zeros(len(match.score))
        np.maximum.at(best, match.pair_prediction, match.pair_iou)
        judged = match.ignored <= 0.5 * match.size
        scores.append(match.score[judged])
        overlaps.append(best[judged])
    score, overlap = np.concatenate(scores), np.concatenate(overlaps)
    if not len(score) or score.min() == score.max():
        return None
    unit = score.min() >= 0 and score.max() <= 1
    low, high = (0.0, 1.0) if unit else (float(score.min()), float(score.max()))
    edges = np.linspace(low, high, BINS + 1)
    place = np.searchsorted(edges[1:-1], score, side='right')
    count = np.bincount(place, minlength=BINS)
    with np.errstate(invalid='ignore'):
        means = [np.bincount(place, v, minlength=BINS) / count for v in (score, overlap)]
    return Calibration(edges, count, *means)
