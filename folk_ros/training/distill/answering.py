"""Learn how sure an answer is: from words nobody was taught, asked of scenes that are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from folk_ros.query import Answering, evidence
from folk_ros.structures import Instances
from folk_ros.training.distill.trial import ASKED_QUALITY, Trial
from folk_ros.training.evaluate.retrieval import IOUS, overlaps

ABSENT_PER_PRESENT = 4.0  # most of what one may ask for is not there
MOST_STEPS = 50


def fit_answering(found: Sequence[Instances], trial: Trial) -> Answering:
    """
    Fit the probability that the best answer to a question is right.

    `found` are the embedded masks of the trial's scenes. Raises ValueError if no question, or
    every question, is answered rightly: then there is nothing to tell apart.
    """
    rows, right, present = [], [], []
    for number, scene in enumerate(trial.scenes):
        instances = found[number].select(found[number].quality >= ASKED_QUALITY)
        if not len(instances) or not trial.questions[number]:
            continue
        own = evidence(trial.asked[number], instances.embeddings, trial.vocabulary)
        best = own.argmax(1)
        iou = overlaps(instances, scene.truth.point_instance, len(scene.truth.names))
        owner, close = iou.argmax(1), iou.max(1)
        for place, question in enumerate(trial.questions[number]):
            answer = best[place]
            right.append(bool(question.wanted[owner[answer]] and close[answer] > IOUS[0]))
            present.append(bool(question.wanted.any()))
        rows.append(np.stack([np.ones(len(best)), own.max(1)], 1))
    if not any(right) or all(right):
        raise ValueError(f'{sum(right)} of {len(right)} questions are answered rightly: no fit')
    there = np.array(present)
    weight = np.where(there, 1 / max(there.sum(), 1), ABSENT_PER_PRESENT / max((~there).sum(), 1))
    bias, factor = logistic(np.concatenate(rows), np.array(right, float), weight)
    return Answering(bias, factor)


def logistic(
    evidence_: NDArray[np.float64], right: NDArray[np.float64], weight: NDArray[np.float64]
) -> list[float]:
    """Fit a logistic function of evidence [R, F], whose first column is 1, by Newton's method."""
    middle, scale = evidence_.mean(0), evidence_.std(0) + 1e-9
    middle[0], scale[0] = 0.0, 1.0
    x = (evidence_ - middle) / scale
    weight = weight / weight.sum() * len(weight)
    factors = np.zeros(x.shape[1])
    for _ in range(MOST_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ factors, -30, 30)))
        slope = x.T @ (weight * (right - p)) - factors
        bend = (x.T * (weight * p * (1 - p))) @ x + np.eye(len(factors))
        step = np.linalg.solve(bend, slope)
        factors += step
        if np.abs(step).max() < 1e-6:
            break
    factors = factors / scale
    factors[0] -= float(middle[1:] @ factors[1:])
    return [float(value) for value in factors]
