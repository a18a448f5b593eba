"""Random scenes for scoring: ties, duplicates, tiny truth, void, labels without truth."""

import numpy as np

from folk_ros.training.evaluate.predictions import Predictions
from folk_ros.training.labels import LabelSet

NAMES = ('chair', 'door', 'cabinet', 'shelf')
LABELS = LabelSet('test', (2, 5, 7, 40), NAMES, ('head', 'head', 'tail', ''), (True,) * 4)
WORDS = (2, 5, 7, 40, 1, 999)  # the last two are not scored


def random_truth(rng, points):
    """Runs of instances, some under 100 points, some void, some group ids below 1000."""
    truth = np.zeros(points, np.int64)
    place = number = 0
    while place < points:
        size = int(rng.choice([20, 60, 99, 100, 101, 150, 300, 500]))
        own = rng.choice(WORDS) * 1000 + number + 1
        truth[place : place + size] = own if rng.random() < 0.85 else rng.choice([0, 5, 700])
        place, number = place + size, number + 1
    return rng.permutation(truth) if rng.random() < 0.5 else truth


def random_masks(rng, truth):
    """Masks [P, N] like the truth or not, labels [P] and scores [P] with ties."""
    masks, labels = [], []
    ids = np.unique(truth)
    for _ in range(rng.integers(0, 40)):
        mask = np.isin(truth, rng.choice(ids, rng.integers(1, 3)))
        mask &= rng.random(len(truth)) < rng.choice([0.3, 0.5, 0.6, 0.75, 0.9, 1.0])
        mask |= rng.random(len(truth)) < rng.choice([0.0, 0.01, 0.05, 0.2])
        if masks and rng.random() < 0.2:
            mask = masks[-1]
        masks.append(mask)
        owner = truth[mask][0] // 1000 if mask.any() else 2
        labels.append(owner if rng.random() < 0.6 else rng.choice(WORDS))
    scores = rng.choice([0.1, 0.5, 0.5, 0.9, 1.0, rng.random()], len(masks))
    shape = (len(masks), len(truth))
    return np.array(masks, bool).reshape(shape), np.array(labels, np.int64), scores


def block(points, *spans):
    """Masks [P, N] of spans (begin, end)."""
    masks = np.zeros((len(spans), points), bool)
    for mask, (begin, end) in zip(masks, spans, strict=True):
        mask[begin:end] = True
    return masks


def predict(masks, labels=None, scores=None):
    """Predictions of masks; label 2 and score 1 unless given."""
    labels = [2] * len(masks) if labels is None else labels
    scores = [1.0] * len(masks) if scores is None else scores
    return Predictions.from_masks(masks, np.array(labels, np.int64), np.array(scores, float))
