"""Score the predictions of many scenes: choices stated, broken scenes counted, one result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.average_precision import score_scenes, Scores
from folk_ros.training.evaluate.benchmark_files import read_scene_predictions, read_truth
from folk_ros.training.evaluate.mask_quality import (
    count_matches,
    count_panoptic,
    Counts,
    one_to_one,
)
from folk_ros.training.evaluate.matching import match_scene, MIN_POINTS, OBJECT, SceneMatch
from folk_ros.training.evaluate.predictions import Predictions
from folk_ros.training.labels import LabelSet
from folk_ros.training.scenes.ground_truth import ground_truth_ids, PER_LABEL
from folk_ros.training.scenes.scene import load_scene
from folk_ros.training.workers import worker_pool

CONFIDENCES = ('scores', 'one')
FOUND_IOU = 0.5  # a true instance is found by a mask that overlaps more
Truth = Callable[[], NDArray[np.int64]]  # reads ids [N], label_id * 1000 + instance + 1


@dataclass(frozen=True)
class Choices:
    """What papers choose differently, and every report therefore states."""

    confidence: str = 'scores'
    """'scores' as predicted, or 'one': all 1.0, as OpenMask3D and Open-YOLO 3D score."""
    pairs: int = 0
    """How many (mask, label) pairs: 0 all as given, 1 the best label of each mask (Top-1),
    more: the best so many of a scene (Top-K; Open-YOLO 3D takes 600)."""

    def __post_init__(self) -> None:
        if self.confidence not in CONFIDENCES or self.pairs < 0:
            raise ValueError(
                f'expected confidence {" or ".join(CONFIDENCES)} and pairs from 0, got '
                f'{self.confidence} and {self.pairs}'
            )

    def apply(self, predictions: Predictions) -> Predictions:
        """Return the predictions that are scored; the order given is kept."""
        if self.pairs:
            order = np.argsort(-predictions.score, kind='stable')
            if self.pairs == 1:
                order = order[np.unique(predictions.mask[order], return_index=True)[1]]
            else:
                order = order[: self.pairs]
            predictions = predictions.select(np.sort(order))
        if self.confidence == 'one':
            predictions = replace(predictions, score=np.ones(len(predictions)))
        return predictions

    def words(self) -> dict[str, str]:
        """Say the choices as a report should."""
        pairs = {0: 'all (mask, label) pairs as given', 1: 'Top-1: one label per mask'}
        return {
            'confidence': 'as predicted' if self.confidence == 'scores' else 'all 1.0',
            'pairs': pairs.get(self.pairs, f'Top-K: best {self.pairs} pairs of a scene'),
        }


@dataclass(frozen=True)
class Task:
    """One scene to score."""

    scene_id: str
    predictions: Path  # .txt of the benchmark or .npz
    truth: Path  # .txt of the benchmark, or a scene folder
    labels: LabelSet  # the scored ones
    choices: Choices
    known_ids: tuple[int, ...] = ()  # of the whole label set, what is not scored included


@dataclass(frozen=True)
class SceneResult:
    """One scene scored, or why it could not be."""

    scene_id: str
    by_label: SceneMatch | None = None
    objects: SceneMatch | None = None
    panoptic: Counts = Counts()
    notes: tuple[str, ...] = ()
    error: str = ''


@dataclass(frozen=True)
class Evaluation:
    """All scenes scored together."""

    labels: LabelSet
    choices: Choices
    by_label: Sequence[SceneMatch]
    objects: Sequence[SceneMatch]
    panoptic: Counts
    failed: Mapping[str, str] = field(default_factory=dict)  # scene: error
    unpredicted: Sequence[str] = ()  # scenes with truth and no predictions
    notes: Sequence[str] = ()

    def scores(self) -> Scores:
        """Average precision label by label."""
        return score_scenes(self.by_label, self.labels)

    def object_scores(self) -> Scores:
        """Average precision of the masks, whatever their labels."""
        return score_scenes(self.objects, OBJECT)

    def named_right(self) -> dict[str, tuple[int, int, int]]:
        """Count per true label: instances, those found as masks, those also named right."""
        counts = np.zeros((len(self.labels), 3), np.int64)
        for match in self.objects:
            truth = one_to_one(match, FOUND_IOU)
            hit = np.flatnonzero(truth >= 0)
            hit = hit[match.asked[truth[hit]]]
            name = match.truth_name[truth[hit]]
            np.add.at(counts[:, 0], match.truth_name[match.asked], 1)
            np.add.at(counts[:, 1], name, 1)
            np.add.at(counts[:, 2], name[match.name[hit] == name], 1)
        return {
            name: (int(row[0]), int(row[1]), int(row[2]))
            for name, row in zip(self.labels.names, counts, strict=True)
            if row[0]
        }

    def figures(self) -> dict[str, Any]:
        """Return everything as flat keys, and `classes` with ap, ap50 and ap25 of each label."""
        scores, objects = self.scores(), self.object_scores()
        half, three_quarters = (count_matches(self.objects, t) for t in (0.5, 0.75))
        named = np.array(list(self.named_right().values())).reshape(-1, 3).sum(0)
        groups = [group for group in ('head', 'common', 'tail') if group in self.labels.groups]
        return {
            **scores.mean(),
            **{group: scores.mean(group)['ap'] for group in groups},
            **{
                f'{group}_{key}': value
                for group in groups
                for key, value in scores.mean(group).items()
                if key != 'ap'
            },
            **{f'class_agnostic_{key}': value for key, value in objects.mean().items()},
            'class_agnostic_recall50': half.recall,
            'class_agnostic_recall75': three_quarters.recall,
            'class_agnostic_f1_50': half.f1,
            'class_agnostic_f1_75': three_quarters.f1,
            'class_agnostic_panoptic_quality': self.panoptic.panoptic_quality,
            'named_right_of_found': float(named[2] / named[1]) if named[1] else float('nan'),
            'scenes': len(self.by_label),
            'scenes_failed': len(self.failed),
            'scenes_without_predictions': len(self.unpredicted),
            'labels': self.labels.name,
            'labels_with_truth': int((scores.truths > 0).sum()),
            'truth_instances': int(scores.truths.sum()),
            'predictions': int(scores.predictions.sum()),
            'min_points': MIN_POINTS,
            **self.choices.words(),
            'classes': {name: scores.of_label(row) for row, name in enumerate(self.labels.names)},
        }


def evaluate(
    tasks: Sequence[Task],
    workers: int = 1,
    progress: Callable[[SceneResult], None] | None = None,
    unpredicted: Sequence[str] = (),
) -> Evaluation:
    """
    Score scenes together, in parallel; the order of scenes does not matter.

    A scene that cannot be read is left out and named in `failed`. Raises ValueError without
    scenes, or if all of them failed.
    """
    if not tasks:
        raise ValueError('there are no scenes to score')
    results = []
    with _mapper(min(workers, len(tasks))) as run:
        for result in run(tasks):
            results.append(result)
            if progress is not None:
                progress(result)
    failed = {result.scene_id: result.error for result in results if result.error}
    if len(failed) == len(tasks):
        first = next(iter(failed.values()))
        raise ValueError(f'none of {len(tasks)} scenes could be scored; the first: {first}')
    return Evaluation(
        labels=tasks[0].labels,
        choices=tasks[0].choices,
        by_label=[r.by_label for r in results if r.by_label is not None],
        objects=[r.objects for r in results if r.objects is not None],
        panoptic=sum((r.panoptic for r in results), Counts()),
        failed=failed,
        unpredicted=tuple(unpredicted),
        notes=tuple(note for r in results for note in r.notes),
    )


def score_task(task: Task) -> SceneResult:
    """Read and score one scene; what is wrong with its files is told in the result."""
    try:
        predictions, truth, notes = read_task(task)
        return score_scene(task, predictions, truth, notes)
    except ValueError as error:
        return SceneResult(task.scene_id, error=str(error))


def read_task(task: Task) -> tuple[Predictions, NDArray[np.int64], tuple[str, ...]]:
    """
    Read the predictions that count and the truth ids [N] of a scene, and what to tell the user.

    Raises ValueError naming the file that is wrong.
    """
    truth = read_scene_truth(task.truth, task.labels)
    predictions, notes = read_scene_predictions(task.predictions, len(truth))
    notes += _unknown(task, task.truth, np.unique(truth) // PER_LABEL, 'become void')
    notes += _unknown(task, task.predictions, predictions.label, 'are not scored by label')
    return task.choices.apply(predictions), truth, tuple(notes)


def _unknown(task: Task, path: Path, label_ids: NDArray[np.int64], fate: str) -> list[str]:
    """Tell of label ids that the whole label set does not have; 0 is unlabelled."""
    known = {0, *task.labels.ids, *task.known_ids}
    unknown = sorted({int(label_id) for label_id in np.unique(label_ids)} - known)
    if not unknown:
        return []
    ids = ', '.join(map(str, unknown[:5])) + (' ...' if len(unknown) > 5 else '')
    return [f"{path}: label ids {ids} are not in '{task.labels.name}' and {fate}; is it the set?"]


def score_scene(
    task: Task, predictions: Predictions, truth: NDArray[np.int64], notes: tuple[str, ...] = ()
) -> SceneResult:
    """Score predictions at hand; ValueError if they are of another cloud."""
    by_label, objects = match_scene(task.scene_id, predictions, truth, task.labels)
    panoptic = count_panoptic(predictions, truth, task.labels)
    return SceneResult(task.scene_id, by_label, objects, panoptic, notes)


def read_scene_truth(path: Path, labels: LabelSet) -> NDArray[np.int64]:
    """Read truth ids [N] of a benchmark file or of a scene folder; ValueError names the file."""
    if not path.is_dir():
        return read_truth(path)
    return ground_truth_ids(load_scene(path), labels)


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[[Sequence[Task]], Iterator[SceneResult]]]:
    if workers <= 1:
        yield lambda tasks: map(score_task, tasks)
        return
    with worker_pool(workers) as pool:
        yield lambda tasks: pool.map(score_task, tasks, chunksize=4)
