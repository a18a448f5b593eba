"""
Scores of masks on table scans: objects whatever they are, the table void.

Beside average precision as ScanNet counts it: F1 and recall at IoU 0.75, recall also apart for
objects seen in one piece and for those that others split into several. A constant score flatters
average precision, which then is R (1 + P) / 2; so both are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.average_precision import score_scenes
from folk_ros.training.evaluate.mask_quality import count_matches, one_to_one
from folk_ros.training.evaluate.matching import match_scene, OBJECT, SceneMatch
from folk_ros.training.evaluate.predictions import Predictions
from folk_ros.training.scenes.ground_truth import PER_LABEL

STRICT_IOU = 0.75


@dataclass(frozen=True)
class TableScan:
    """One scan with its truth and what was found in it."""

    scene_id: str
    predictions: Predictions  # all labels OBJECT's one id
    instance: NDArray[np.int32]  # [N] true object, -1 for the table
    parts: NDArray[np.int64]  # [T] in how many disjoint pieces each object is seen


def as_predictions(
    starts: NDArray[np.int64],
    points: NDArray[np.int32],
    score: NDArray[np.floating],
    num_points: int,
) -> Predictions:
    """Take masks as lists of points (see Predictions), in any order within a mask."""
    ordered = [np.sort(points[a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True)]
    flat = np.concatenate([np.zeros(0, np.int32), *ordered]).astype(np.int32)
    label = np.full(len(score), OBJECT.ids[0], np.int64)
    return Predictions(
        starts, flat, np.arange(len(score)), label, score.astype(np.float64), num_points
    )


def as_masks(segment: NDArray[np.int64]) -> Predictions:
    """Take a segmentation [N], -1 for the table, as predictions of equal score."""
    found = np.unique(segment[segment >= 0])
    owner = np.searchsorted(found, segment[segment >= 0])
    order = np.argsort(owner, kind='stable')
    points = np.flatnonzero(segment >= 0)[order].astype(np.int32)
    starts = np.zeros(len(found) + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=len(found)), out=starts[1:])
    return as_predictions(starts, points, np.ones(len(found)), len(segment))


def score_table_scans(scans: Sequence[TableScan], min_score: float) -> dict[str, float]:
    """
    Score scans together.

    Average precision reads all predictions by their scores; everything else takes those of at
    least `min_score`, which is what a user sees.
    """
    ranked = [_match(scan, scan.predictions) for scan in scans]
    shown = [
        _match(scan, scan.predictions.select(scan.predictions.score >= min_score))
        for scan in scans
    ]
    flat = [replace(match, score=np.ones_like(match.score)) for match in shown]
    by_score, alike = (score_scenes(matches, OBJECT).mean() for matches in (ranked, flat))
    counts = count_matches(shown, STRICT_IOU)
    found = np.concatenate([_found(match) for match in shown])
    parts = np.concatenate([scan.parts for scan in scans])
    return {
        'ap50': by_score['ap50'],
        'ap25': by_score['ap25'],
        'ap': by_score['ap'],
        'ap50_equal_scores': alike['ap50'],
        'ap_equal_scores': alike['ap'],
        'f1_75': counts.f1,
        'recall_75': counts.recall,
        'recall_75_whole': _mean(found[parts == 1]),
        'recall_75_split': _mean(found[parts > 1]),
        'objects': float(len(found)),
        'objects_split': float((parts > 1).sum()),
    }


def _match(scan: TableScan, predictions: Predictions) -> SceneMatch:
    label = PER_LABEL * OBJECT.ids[0]
    truth = np.where(scan.instance >= 0, label + 1 + scan.instance, 0).astype(np.int64)
    return match_scene(scan.scene_id, predictions, truth, OBJECT)[1]


def _found(match: SceneMatch) -> NDArray[np.bool_]:
    """Return which true objects [T] a prediction meets at the strict IoU."""
    found = np.zeros(len(match.truth_size), np.bool_)
    hits = one_to_one(match, STRICT_IOU)
    found[hits[hits >= 0]] = True
    return found


def _mean(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float('nan')
