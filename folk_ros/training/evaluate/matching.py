"""Which predicted instance is which true one: point IoU, one to one, best prediction first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import Instances


def overlaps(predicted: Instances, truth: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """IoU [I, T] of predicted instances with true ones; `truth` [N] numbers them, -1 for none."""
    owner = np.repeat(np.arange(len(predicted)), predicted.point_counts)
    label = truth[predicted.points]
    inside = label >= 0
    pairs = owner[inside].astype(np.int64) * count + label[inside]
    shared = np.bincount(pairs, minlength=len(predicted) * count).reshape(len(predicted), count)
    size = np.bincount(truth[truth >= 0], minlength=count)
    return shared / np.maximum(predicted.point_counts[:, None] + size[None] - shared, 1)


def match(iou: NDArray[np.float64], quality: NDArray, threshold: float) -> NDArray[np.int64]:
    """True instance of each prediction [I], -1 for none; the best prediction chooses first."""
    free = np.ones(iou.shape[1], bool)
    result = np.full(len(iou), -1, np.int64)
    for row in np.argsort(-quality, kind='stable'):
        candidates = np.where(free, iou[row], 0.0)
        if len(candidates) and candidates.max() > threshold:
            result[row] = candidates.argmax()
            free[result[row]] = False
    return result


def average_precision(scores: NDArray, correct: NDArray[np.bool_], truths: int) -> float:
    """Area under the precision-recall curve of one class, precision made monotone."""
    if truths == 0:
        return float('nan')
    order = np.argsort(-scores, kind='stable')
    hits = np.cumsum(correct[order])
    precision = hits / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    recall = np.concatenate([[0.0], hits / truths])
    return float((np.diff(recall) * precision).sum())
