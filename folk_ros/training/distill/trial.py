"""Judge adapters on scenes never learned from, on features that were seen once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch

from folk_ros.query import probabilities, Vocabulary
from folk_ros.structures import Instances
from folk_ros.student.vl_adapter import VLAdapter
from folk_ros.text_dictionary import embed_questions
from folk_ros.text_embeddings import TextEncoder
from folk_ros.training.distill.features import GIVEN, load_seen, PREDICTED, Seen
from folk_ros.training.distill.samples import adapter_reads, attend
from folk_ros.training.evaluate.average_precision import score_scenes
from folk_ros.training.evaluate.embedded_masks import instances_of
from folk_ros.training.evaluate.free_words import ask, load_words, Question
from folk_ros.training.evaluate.labelling import label_instances
from folk_ros.training.evaluate.matching import match_scene, SceneMatch
from folk_ros.training.evaluate.retrieval import judge, Outcome, overlaps, summarize
from folk_ros.training.labels import LabelSet, load_labels
from folk_ros.training.scenes.ground_truth import PER_LABEL
from folk_ros.training.scenes.scene import GroundTruth

ASKED_QUALITY = 0.45  # of masks that questions are answered with; names are scored with all
LABEL_SET = 'scannet200'  # whose names are chosen from, besides those of the scenes
NAME_SCALE = 20.0  # logit scale between names, for Top-K


@dataclass(frozen=True)
class TrialScene:
    """A scene to judge on."""

    scene_id: str
    truth: GroundTruth
    seen: Seen


@dataclass(frozen=True)
class Trial:
    """Scenes, the names they are scored by, and the questions they are asked."""

    scenes: Sequence[TrialScene]
    labels: LabelSet
    novel: frozenset[str]  # names that stand in no labelled training room
    texts: NDArray[np.float32]  # [L, D] of the labels
    vocabulary: Vocabulary
    questions: Sequence[Sequence[Question]]
    asked: Sequence[NDArray[np.float32]]  # of each scene's questions [Q, D]
    min_score: float


def prepare(
    folders: Sequence[tuple[Path, Path]],
    text: TextEncoder,
    vocabulary: Vocabulary,
    part: str,
    min_score: float,
) -> Trial:
    """Read scene folders with their feature files; `part` of the word list is asked."""
    scenes = [
        TrialScene(folder.name, read_truth(folder), load_seen(seen, tokens=True))
        for folder, seen in folders
    ]
    there = {name for scene in scenes for name in scene.truth.names}
    known = load_labels(LABEL_SET).instance_labels().names
    labels = LabelSet.from_names(sorted(there | {*known, *vocabulary.names}))
    novel = {
        name
        for scene in scenes
        for name, new in zip(scene.truth.names, scene.truth.novel, strict=True)
        if new
    }
    words = load_words(part)
    questions = [ask(scene.truth, words) for scene in scenes]
    asked = [embed_questions([q.text for q in own], text, vocabulary) for own in questions]
    return Trial(
        scenes, labels, frozenset(novel), text.encode(labels.names), vocabulary, questions, asked,
        min_score,
    )  # fmt: skip


def read_truth(folder: Path) -> GroundTruth:
    """Read the truth of a scene folder; its views are left alone."""
    with np.load(folder / 'cloud.npz', allow_pickle=False) as file:
        owner = file['instance'].astype(np.int32)
    stored = json.loads((folder / 'truth.json').read_text(encoding='utf-8'))
    return GroundTruth(
        owner,
        list(stored['names']),
        tuple(tuple(words) for words in stored['captions']),
        np.array(stored['novel'], np.bool_),
    )


@torch.no_grad()
def embed(adapter: VLAdapter, pooling: str, scene: TrialScene, origin: int) -> Instances:
    """Embed the masks of a scene as it is: the student's own, or the true ones."""
    seen = scene.seen
    rows = np.flatnonzero((seen.origin == origin) & (seen.look == 0))
    pooled = torch.from_numpy(adapter_reads(seen, pooling)[rows])
    pooled = attend(adapter, pooled, torch.from_numpy(seen.tokens[rows]))
    embedded = adapter(pooled).numpy()
    count = len(scene.truth.point_instance)
    if origin == PREDICTED:
        return instances_of(seen.starts, seen.points, embedded, seen.quality[rows], count)
    order = [np.flatnonzero(scene.truth.point_instance == k) for k in seen.owner[rows]]
    starts = np.concatenate([[0], np.cumsum([len(o) for o in order])]).astype(np.int64)
    points = np.concatenate([np.zeros(0, np.int64), *order]).astype(np.int32)
    return instances_of(starts, points, embedded, np.ones(len(rows), np.float32), count)


def judge_adapter(adapter: VLAdapter, pooling: str, trial: Trial) -> dict[str, float]:
    """Return AP of names, base and novel apart, and figures of free words."""
    found = [embed(adapter, pooling, scene, PREDICTED) for scene in trial.scenes]
    given = [embed(adapter, pooling, scene, GIVEN) for scene in trial.scenes]
    return {
        **judge_names(found, trial),
        **judge_words(found, trial),
        **{f'true_masks_{k}': v for k, v in judge_words(given, trial).items()},
    }


def judge_names(found: Sequence[Instances], trial: Trial) -> dict[str, float]:
    """Return Top-1 and Top-K AP, AP50 and AP25, and AP50 of base and novel names."""
    figures: dict[str, float] = {}
    for tag, pairs in (('top1', 1), ('topk', 600)):
        matches: list[SceneMatch] = []
        for scene, instances in zip(trial.scenes, found, strict=True):
            predicted = label_instances(instances, trial.texts, trial.labels, NAME_SCALE, pairs)
            truth = truth_ids(scene.truth, trial.labels)
            matches.append(match_scene(scene.scene_id, predicted, truth, trial.labels)[0])
        scores = score_scenes(matches, trial.labels)
        figures |= {f'{tag}_{key}': value for key, value in scores.mean().items()}
        novel = np.array([name in trial.novel for name in trial.labels.names])
        for part, rows in (('base', ~novel), ('novel', novel)):
            figures[f'{tag}_ap50_{part}'] = float(np.nanmean(scores.ap[rows, 0]))
    return figures


def judge_words(found: Sequence[Instances], trial: Trial) -> dict[str, float]:
    """Return recall@1 of each kind of word, and how often what is absent is answered."""
    outcomes: list[Outcome] = []
    for number, scene in enumerate(trial.scenes):
        instances = found[number].select(found[number].quality >= ASKED_QUALITY)
        iou = overlaps(instances, scene.truth.point_instance, len(scene.truth.names))
        scores = probabilities(trial.asked[number], instances.embeddings, trial.vocabulary)
        outcomes += judge(scene.scene_id, trial.questions[number], scores, iou)
    flat: dict[str, float] = {}
    for kind, part in summarize(outcomes, trial.min_score).items():
        for key in ('recall1_25', 'answered_25', 'wrongly_answered'):
            if key in part:
                flat[f'{kind} {key}'] = part[key]
    return flat


def truth_ids(truth: GroundTruth, labels: LabelSet) -> NDArray[np.int64]:
    """Return the ids [N] that predictions are scored against."""
    own = [labels.id_of(name) * PER_LABEL + row + 1 for row, name in enumerate(truth.names)]
    return np.array([*own, 0], np.int64)[truth.point_instance]
