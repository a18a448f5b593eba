"""Measure the scoring of a whole validation set, and of the pair-by-pair way on the same masks."""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cli.output import Progress
from folk_ros.training.evaluate import per_pair
from folk_ros.training.evaluate.average_precision import score_scenes
from folk_ros.training.evaluate.matching import match_scene, OBJECT, SceneMatch, tabulate
from folk_ros.training.evaluate.predictions import Predictions
from folk_ros.training.labels import LabelSet

SCENES = 312  # ScanNet's validation set
POINTS = 150_000
PREDICTIONS = 600
INSTANCES = 40  # true ones of a scene
COMPARED = 8  # scenes that the pair-by-pair way is timed on too
SEED = 0


def run() -> dict[str, float]:
    """
    Return the figures by name and unit.

    Both ways give AP by label and AP of the masks whatever their label, as `folk evaluate` does,
    from masks in their own form (lists of points, rows of booleans); CPU seconds of one process.
    """
    from folk_ros.training.labels import load_labels

    labels = load_labels('scannet200').instance_labels()
    progress = Progress('scenes', SCENES)
    matches: list[tuple[SceneMatch, SceneMatch]] = []
    fast, compared, slow_label, slow_object = Stopwatch(), Stopwatch(), Stopwatch(), Stopwatch()
    assigned: list[tuple[Any, Any]] = []
    for number in range(SCENES):
        predictions, truth = make_scene(np.random.default_rng([SEED, number]), labels.ids)
        before = fast.seconds
        with fast:
            matches.append(match_scene('scene', predictions, truth, labels))
        if number < COMPARED:
            compared.seconds += fast.seconds - before
            masks = as_rows(predictions)
            of = (predictions.label.tolist(), predictions.score.tolist())
            with slow_label:
                by_label = per_pair.assign_scene(masks, *of, truth, labels)
            alike, plain = [1] * len(predictions), as_objects(truth, labels)
            with slow_object:
                objects = per_pair.assign_scene(masks, alike, of[1], plain, OBJECT)
            assigned.append((by_label, objects))
        progress.step()
    with fast:
        scores = [
            score_scenes([m[way] for m in matches], of) for way, of in enumerate((labels, OBJECT))
        ]
    for way, (of_labels, slow) in enumerate(((labels, slow_label), (OBJECT, slow_object))):
        with compared:
            quick = score_scenes([m[way] for m in matches[:COMPARED]], of_labels).ap
        with slow:
            twin = per_pair.average_precision([a[way] for a in assigned], of_labels)
        if not np.allclose(quick, twin, rtol=0, atol=1e-9, equal_nan=True):
            raise RuntimeError('the two ways of scoring disagree: please report this as a bug')
    return {
        'evaluate_312_scenes_s': fast.seconds,
        'evaluate_memory_gb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        'evaluate_speedup': (slow_label.seconds + slow_object.seconds) / compared.seconds,
        'evaluate_scene_ms': compared.seconds / COMPARED * 1e3,
        'per_pair_by_label_scene_ms': slow_label.seconds / COMPARED * 1e3,
        'per_pair_class_agnostic_scene_ms': slow_object.seconds / COMPARED * 1e3,
        'evaluate_ap50': scores[0].mean()['ap50'],
    }


class Stopwatch:
    """Sum the CPU seconds of this process inside its blocks: other jobs hardly count."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self.seconds -= time.process_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.process_time()


def as_rows(predictions: Predictions) -> NDArray[np.bool_]:
    """Lay masks out as rows of booleans [P, N]."""
    masks = np.zeros((len(predictions), predictions.num_points), np.bool_)
    for row, mask in enumerate(masks):
        mask[predictions.points_of(row)] = True
    return masks


def as_objects(truth: NDArray[np.int64], labels: LabelSet) -> NDArray[np.int64]:
    """Give every true instance of a scored label the label 1."""
    table = tabulate(truth, labels)
    return np.append(1001 + np.arange(len(table.ids)), 0)[table.owner]


def make_scene(
    rng: np.random.Generator, label_ids: tuple[int, ...]
) -> tuple[Predictions, NDArray[np.int64]]:
    """
    Make predictions and truth ids of one scene: shifted, ragged copies of true instances.

    Points stand in random order, which is the worst case for a processor's cache. Most predictions
    carry the label of what they cover.
    """
    place = rng.permutation(POINTS).astype(np.int32)
    cuts = np.sort(rng.choice(POINTS, INSTANCES, replace=False))
    cuts = np.concatenate([cuts, [POINTS]])  # what lies before the first cut is void
    label = rng.choice(label_ids, INSTANCES)
    truth = np.zeros(POINTS, np.int64)
    for k in range(INSTANCES):
        truth[place[cuts[k] : cuts[k + 1]]] = label[k] * 1000 + k + 1
    parts, labels = [], []
    for k in rng.integers(INSTANCES, size=PREDICTIONS):
        size = int(cuts[k + 1] - cuts[k])
        begin = cuts[k] + int(rng.normal(0, 0.15) * size)
        end = cuts[k + 1] + int(rng.normal(0, 0.15) * size)
        begin, end = max(begin, 0), min(max(end, begin + 50), POINTS)
        inside = place[begin:end]
        inside = inside[rng.random(len(inside)) < rng.uniform(0.7, 1.0)]
        parts.append(np.sort(inside))
        labels.append(label[k] if rng.random() < 0.7 else rng.choice(label_ids))
    starts = np.zeros(PREDICTIONS + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=starts[1:])
    predictions = Predictions(
        starts=starts,
        points=np.concatenate(parts),
        mask=np.arange(PREDICTIONS),
        label=np.array(labels, np.int64),
        score=rng.random(PREDICTIONS),
        num_points=POINTS,
    )
    return predictions, truth
