"""
Free-word retrieval: what a robot gets that asks a scene for a word.

A query is answered by the instance of the highest probability. It is a hit if the true object
that the instance overlaps most answers the word, with an IoU above the threshold (0.25 as for
ScanRefer's Acc@0.25; 0.5 is told too). Instances below the threshold are no object. A word that
nothing in the scene answers is wrongly answered if any instance reaches `min_score`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import Instances
from folk_ros.training.evaluate.free_words import KINDS, Question

IOUS = (0.25, 0.5)
ABSENT = ('absent here', 'absent everywhere')


@dataclass(frozen=True)
class Outcome:
    """What became of one question asked of one scene."""

    scene_id: str
    text: str
    kind: str
    best: float  # probability of the best answer, 0 where there is none
    hit: tuple[bool, ...]  # at each of IOUS: the best answer is right
    precision: tuple[float, ...]  # at each of IOUS: average precision of the ranking
    answer: int  # the true object that the best answer is, -1 for none


def overlaps(instances: Instances, owner: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """Return the IoU [I, T] of masks with the true instances of points [N], -1 for none."""
    sizes = np.bincount(owner[owner >= 0], minlength=count)[:count]
    iou = np.zeros((len(instances), count))
    for row in range(len(instances)):
        points = instances.points_of(row)
        own = owner[points]
        shared = np.bincount(own[own >= 0], minlength=count)[:count]
        iou[row] = shared / np.maximum(len(points) + sizes - shared, 1)
    return iou


def judge(
    scene_id: str,
    questions: Sequence[Question],
    scores: NDArray[np.floating],
    iou: NDArray[np.float64],
) -> list[Outcome]:
    """Judge the probabilities [Q, I] of instances that overlap true ones by `iou` [I, T]."""
    if scores.shape != (len(questions), len(iou)):
        raise ValueError(f'{scene_id}: {scores.shape} scores, {len(questions)} questions')
    return [
        _judge(scene_id, question, row, iou)
        for question, row in zip(questions, scores, strict=True)
    ]


def _judge(
    scene_id: str, question: Question, score: NDArray[np.floating], iou: NDArray[np.float64]
) -> Outcome:
    if not len(score):
        none = (False,) * len(IOUS), (0.0,) * len(IOUS)
        return Outcome(scene_id, question.text, question.kind, 0.0, *none, -1)
    order = np.argsort(-score, kind='stable')
    owner = iou.argmax(1) if iou.shape[1] else np.zeros(len(iou), np.int64)
    close = iou.max(1, initial=0.0)
    right = [question.wanted[owner] & (close > t) if iou.shape[1] else close > t for t in IOUS]
    first = int(order[0])
    return Outcome(
        scene_id,
        question.text,
        question.kind,
        float(score[first]),
        tuple(bool(r[first]) for r in right),
        tuple(
            average_precision(r[order], owner[order], int(question.wanted.sum())) for r in right
        ),
        int(owner[first]) if close[first] > IOUS[0] else -1,
    )


def average_precision(right: NDArray[np.bool_], owner: NDArray[np.int64], wanted: int) -> float:
    """
    Return the average precision of a ranking: each true object counts once, missed ones as 0.

    Takes, best first, whether an instance is right and which true object it is; a second mask of
    the same object is neither right nor wrong.
    """
    hits, place, total = 0, 0, 0.0
    seen: set[int] = set()
    for good, which in zip(right.tolist(), owner.tolist(), strict=True):
        if good and which in seen:
            continue
        place += 1
        if good:
            seen.add(which)
            hits += 1
            total += hits / place
    return total / wanted if wanted else 0.0


def summarize(outcomes: Sequence[Outcome], min_score: float) -> dict[str, Any]:
    """
    Return figures of each kind of question.

    For what is there: recall@1, mAP, and the share of questions both answered at `min_score` and
    right; for what is not: the share wrongly answered.
    """
    figures: dict[str, Any] = {}
    for kind in KINDS:
        own = [o for o in outcomes if o.kind == kind]
        if not own:
            continue
        if kind in ABSENT:
            figures[kind] = {
                'questions': len(own),
                'wrongly_answered': float(np.mean([o.best >= min_score for o in own])),
            }
            continue
        part: dict[str, Any] = {'questions': len(own)}
        for place, iou in enumerate(IOUS):
            name = f'{iou:.2f}'[2:]
            part[f'recall1_{name}'] = float(np.mean([o.hit[place] for o in own]))
            part[f'map_{name}'] = float(np.mean([o.precision[place] for o in own]))
            right = [o.hit[place] and o.best >= min_score for o in own]
            part[f'answered_{name}'] = float(np.mean(right))
        figures[kind] = part
    return figures
