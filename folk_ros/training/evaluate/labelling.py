"""Instances of a student become predictions: each mask gets labels by its embedding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import Instances
from folk_ros.training.evaluate.predictions import Predictions
from folk_ros.training.labels import LabelSet


def label_instances(
    instances: Instances,
    texts: NDArray[np.float32],
    labels: LabelSet,
    scale: float,
    pairs: int = 1,
) -> Predictions:
    """
    Give masks the labels whose texts [L, D], unit length, are nearest to their embeddings.

    With `pairs` 1 each mask gets its best label, scored by the quality of the mask (Top-1); else
    the best so many pairs of the scene, scored by quality times softmax probability (Top-K).
    """
    logits = scale * (instances.embeddings @ texts.T)  # [I, L]
    order = [np.sort(instances.points_of(row)) for row in range(len(instances))]
    points = np.concatenate([np.zeros(0, np.int32), *order])
    ids = np.array(labels.ids, np.int64)
    if pairs == 1:
        mask, best = np.arange(len(instances)), logits.argmax(1)
        score = instances.quality.astype(np.float64)
    else:
        odds = np.exp(logits - logits.max(1, keepdims=True, initial=-np.inf))
        joint = instances.quality[:, None] * odds / odds.sum(1, keepdims=True)  # [I, L]
        chosen = np.argsort(-joint, axis=None, kind='stable')[:pairs]
        mask, best = np.unravel_index(chosen, joint.shape)
        score = joint[mask, best].astype(np.float64)
    return Predictions(instances.starts, points, mask, ids[best], score, instances.num_points)
