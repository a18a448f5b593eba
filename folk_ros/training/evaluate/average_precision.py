"""
Average precision exactly as the ScanNet benchmark counts it.

Source: ScanNet, BenchmarkScripts/3d_evaluation/evaluate_semantic_instance.py, with the guard of
its pull request 26 for classes whose every prediction is ignored; labels and their frequency
groups as in BenchmarkScripts/ScanNet200. Points worth knowing:

- thresholds are 0.50 to 0.90 in steps of 0.05, nine of them, and IoU must be larger, not equal;
- matching goes by truth id, then by the order of predictions, not by score; of two predictions on
  one true instance the lower score becomes a false positive, the higher one the hit;
- an unmatched prediction is no error if more than the threshold of it lies in void or in truth of
  its label under 100 points;
- the curve is not made monotone, ends at precision 1, and is integrated by [-0.5, 0, 0.5] steps;
- classes without truth do not count; classes with truth and no predictions count 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.matching import SceneMatch
from folk_ros.training.labels import LabelSet

THRESHOLDS = np.append(np.arange(0.5, 0.95, 0.05), 0.25)  # IoU; exact floats matter at ties
AT_50, AT_25 = 0, len(THRESHOLDS) - 1
NINE = slice(0, AT_25)  # AP averages over these


@dataclass(frozen=True)
class Curve:
    """Precision and recall over falling numbers of predictions; the last point is (1, 0)."""

    precision: NDArray[np.float64]  # [K + 1]
    recall: NDArray[np.float64]  # [K + 1]
    score: NDArray[np.float64]  # [K] a prediction counts from this score on
    ap: float


@dataclass(frozen=True)
class Outcome:
    """What became of the predictions of some scenes at one threshold."""

    label: NDArray[np.int64]  # [K] row in the label set
    score: NDArray[np.float64]  # [K]
    hit: NDArray[np.bool_]  # [K] true or false positive
    missed: NDArray[np.int64]  # [L] true instances that no prediction met


@dataclass(frozen=True)
class Scores:
    """Average precision of each label at each threshold; NaN where a label has no truth."""

    labels: LabelSet
    ap: NDArray[np.float64]  # [L, 10] at THRESHOLDS
    truths: NDArray[np.int64]  # [L] true instances asked for
    predictions: NDArray[np.int64]  # [L] of at least 100 points

    def mean(self, group: str = '') -> dict[str, float]:
        """Return ap, ap50 and ap25 over the labels of a group ('' for all); NaN if none counts."""
        rows = [row for row, own in enumerate(self.labels.groups) if group in ('', own)]
        ap = self.ap[rows]
        return {
            'ap': _nanmean(ap[:, NINE]),
            'ap50': _nanmean(ap[:, AT_50]),
            'ap25': _nanmean(ap[:, AT_25]),
        }

    def of_label(self, row: int) -> dict[str, float]:
        """Return ap, ap50 and ap25 of one label."""
        ap = self.ap[row]
        return {
            'ap': float(np.average(ap[NINE])),
            'ap50': float(ap[AT_50]),
            'ap25': float(ap[AT_25]),
        }


def score_scenes(matches: Sequence[SceneMatch], labels: LabelSet) -> Scores:
    """Score scenes together, label by label."""
    count = len(labels)
    truths, predictions = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for match in matches:
        truths += np.bincount(match.truth_label[match.asked], minlength=count)
        predictions += np.bincount(match.label, minlength=count)
    ap = np.full((count, len(THRESHOLDS)), np.nan)
    ap[truths > 0] = 0.0
    for number, threshold in enumerate(THRESHOLDS):
        total = outcome(matches, float(threshold), count)
        order = np.argsort(total.label, kind='stable')
        ends = np.cumsum(np.bincount(total.label, minlength=count))
        for row in np.flatnonzero((truths > 0) & (predictions > 0)):
            own = order[ends[row - 1] if row else 0 : ends[row]]
            ap[row, number] = curve(total.score[own], total.hit[own], int(total.missed[row])).ap
    return Scores(labels, ap, truths, predictions)


def outcome(matches: Sequence[SceneMatch], threshold: float, label_count: int) -> Outcome:
    """Match the predictions of some scenes at one IoU threshold."""
    parts = [_outcome_of_scene(match, threshold, label_count) for match in matches]
    if not parts:
        none = np.zeros(0, np.int64)
        missed = np.zeros(label_count, np.int64)
        return Outcome(none, none.astype(np.float64), none.astype(np.bool_), missed)
    return Outcome(
        np.concatenate([part.label for part in parts]),
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.hit for part in parts]),
        np.sum([part.missed for part in parts], axis=0),
    )


def _outcome_of_scene(match: SceneMatch, threshold: float, label_count: int) -> Outcome:
    over = match.pair_iou > threshold
    truth, prediction = match.pair_truth[over], match.pair_prediction[over]
    taken = np.zeros(len(match.label), np.bool_)
    taken[prediction] = True
    wrong = ~taken & (match.ignored / match.size <= threshold)
    asked = match.asked
    wanted = asked[truth]
    hits, beaten = assign(truth[wanted], prediction[wanted], match.score)
    found = np.array(sorted(hits), np.int64)
    missed = asked.copy()
    missed[found] = False
    label = [match.truth_label[found], match.truth_label[[t for t, _ in beaten]]]
    score = [np.array([hits[t] for t in found], np.float64), [s for _, s in beaten]]
    hit = np.zeros(len(found) + len(beaten) + int(wrong.sum()), np.bool_)
    hit[: len(found)] = True
    return Outcome(
        np.concatenate([*label, match.label[wrong]]).astype(np.int64),
        np.concatenate([*score, match.score[wrong]]),
        hit,
        np.bincount(match.truth_label[missed], minlength=label_count),
    )


def assign(
    truth: NDArray[np.int64], prediction: NDArray[np.int64], score: NDArray[np.float64]
) -> tuple[dict[int, float], list[tuple[int, float]]]:
    """
    Match greedily, pair by pair: the score of each met truth, and the (truth, score) beaten.

    Only the first prediction on a truth is used up by it; a later one, which costs a false
    positive here, may still meet another truth (possible below IoU 0.5).
    """
    hits: dict[int, float] = {}
    beaten: list[tuple[int, float]] = []
    used: set[int] = set()
    for t, p in zip(truth.tolist(), prediction.tolist(), strict=True):
        if p in used:
            continue
        own = float(score[p])
        if t in hits:
            beaten.append((t, min(hits[t], own)))
            hits[t] = max(hits[t], own)
        else:
            hits[t] = own
            used.add(p)
    return hits, beaten


def curve(score: NDArray[np.float64], hit: NDArray[np.bool_], missed: int) -> Curve:
    """Return the precision-recall curve of one label and the area under it."""
    order = np.argsort(score, kind='stable')
    levels, first = np.unique(score[order], return_index=True)
    below = np.concatenate([[0], np.cumsum(hit[order])])  # hits among the lowest scores
    hits = below[-1] - below[first]
    kept = len(score) - first
    precision = np.append(hits / kept, 1.0)
    recall = np.append(hits / np.maximum(below[-1] + missed, 1), 0.0)
    padded = np.concatenate([recall[:1], recall, [0.0]])
    steps = 0.5 * (padded[:-2] - padded[2:])
    return Curve(precision, recall, levels, float(precision @ steps))


def _nanmean(values: NDArray[np.float64]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float('nan')
