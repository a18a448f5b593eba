"""Score predicted instances of several scenes against their truth: masks, names, both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import Instances
from folk_ros.training.evaluate.matching import average_precision, match, overlaps

MIN_POINTS = 100  # true instances of fewer points are not asked for (ScanNet's rule)


@dataclass(frozen=True)
class SceneResult:
    """One scene: what was predicted, what it is, and how they overlap."""

    quality: NDArray[np.float32]  # [I]
    named: tuple[str, ...]  # [I] best name of each prediction
    truth: tuple[str, ...]  # [T] name of each true instance
    size: NDArray[np.int64]  # [T] points of each true instance
    iou: NDArray[np.float64]  # [I, T]


def compare(
    predicted: Instances, named: list[str], point_instance: NDArray[np.int32], truth: list[str]
) -> SceneResult:
    """Overlap the instances of a scene with its truth (`point_instance` [N], -1 for none)."""
    size = np.bincount(point_instance[point_instance >= 0], minlength=len(truth))
    iou = overlaps(predicted, point_instance, len(truth))
    return SceneResult(predicted.quality, tuple(named), tuple(truth), size, iou)


def class_agnostic(results: list[SceneResult], threshold: float) -> dict[str, float]:
    """Average precision and recall of the masks alone; predictions on tiny truth do not count."""
    scores, correct, truths = [], [], 0
    for result in results:
        asked = result.size >= MIN_POINTS
        found = match(result.iou, result.quality, threshold)
        counts = (found < 0) | asked[found]
        scores.append(result.quality[counts])
        correct.append((found >= 0)[counts])
        truths += int(asked.sum())
    flat = np.concatenate(correct)
    return {
        'ap': average_precision(np.concatenate(scores), flat, truths),
        'recall': float(flat.sum()) / max(truths, 1),
        'predictions': float(len(flat)),
        'truths': float(truths),
    }


def named_right(results: list[SceneResult], threshold: float) -> dict[str, tuple[int, int, int]]:
    """Count per true name: instances, those found as masks, those also named right."""
    counts: dict[str, list[int]] = {}
    for result in results:
        found = match(result.iou, result.quality, threshold)
        for column, name in enumerate(result.truth):
            if result.size[column] < MIN_POINTS:
                continue
            entry = counts.setdefault(name, [0, 0, 0])
            entry[0] += 1
            rows = np.flatnonzero(found == column)
            if len(rows):
                entry[1] += 1
                entry[2] += result.named[rows[0]] == name
    return {name: (c[0], c[1], c[2]) for name, c in sorted(counts.items())}
