"""Everything that a row of the results table tells of a student, or of a teacher's files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path
import time
from typing import Any, TYPE_CHECKING

from folk_ros.cli.origin import origin_of
from folk_ros.cli.output import Progress, say, table
from folk_ros.cli.student_predictions import WEAKEST

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk
    from folk_ros.structures import Instances
    from folk_ros.training.evaluate.evaluation import Task
    from folk_ros.training.evaluate.retrieval import Outcome
    from folk_ros.training.labels import LabelSet
    from folk_ros.training.scenes.scene import Scene

PAIRS = {'top1': 1, 'topk': 600}
LABEL_SET = 'scannet200'  # what is chosen from, whatever a student was taught
SHOWN = ('ap', 'ap50', 'ap25', 'ap50_base', 'ap50_novel')
OBJECTS = ('class_agnostic_ap50', 'class_agnostic_ap25', 'named_right_of_found')


@dataclass(frozen=True)
class Found:
    """The instances of one scene, and how many seconds of one core they took."""

    instances: Instances
    seconds: float


def measure(args: argparse.Namespace, scratch: Path) -> int:
    """Score names (Top-1 and Top-K) and free words, print, and add a row to the table."""
    from folk_ros.config import FolkConfig, SegmentConfig
    from folk_ros.pipeline import Folk
    from folk_ros.training.evaluate.results import add_result, Result
    from folk_ros.training.evaluate.retrieval import summarize
    from folk_ros.training.scenes.splits import split_folders

    folders = split_folders(args.rooms, args.split)
    asked = FolkConfig()
    folk = Folk.load(args.model, FolkConfig(segment=SegmentConfig(min_quality=WEAKEST)))
    labels, novel = names_of(folders)
    min_score = asked.query.min_score
    outcomes, seconds, tasks = look(args, folk, folders, labels, scratch)
    figures = {kind: scores(tasks[kind], args.workers, novel) for kind in PAIRS}
    words = summarize(outcomes, min_score)
    seconds = sorted(value for value in seconds if value == value)
    print(table(['', *SHOWN], [[k, *(f'{v[s]:.3f}' for s in SHOWN)] for k, v in figures.items()]))
    for kind, own in words.items():
        print(kind, ' '.join(f'{key} {value:.3g}' for key, value in own.items()))
    if args.results:
        config, seed = told_origin(args)
        result = Result(
            name=args.row or (args.teacher.name if args.teacher else 'student'),
            scenes=args.about or f'{len(folders)} scenes {args.split} of {args.rooms.name}',
            top1=figures['top1'],
            topk=figures['topk'],
            words=words,
            min_score=min_score,
            seconds=seconds[len(seconds) // 2] if seconds else float('nan'),
            origin=origin_of(config, seed),
        )
        add_result(args.results, result)
        say(f'wrote {args.results}')
    return 0


def look(
    args: argparse.Namespace, folk: Folk, folders: Sequence[Path], labels: LabelSet, out: Path
) -> tuple[list[Outcome], list[float], dict[str, list[Task]]]:
    """Find the instances of every scene, name them and ask for words; write predictions."""
    from folk_ros.training.evaluate.evaluation import Choices, Task
    from folk_ros.training.evaluate.labelling import label_instances
    from folk_ros.training.evaluate.predictions import save_predictions
    from folk_ros.training.scenes.scene import load_scene

    texts = folk.embed_texts(list(labels.names))
    progress = Progress('scenes', len(folders))
    outcomes: list[Outcome] = []
    seconds: list[float] = []
    tasks: dict[str, list[Task]] = {kind: [] for kind in PAIRS}
    for folder in folders:
        scene = load_scene(folder)
        found = find(args, folk, scene)
        seconds.append(found.seconds)
        for kind, pairs in PAIRS.items():
            predicted = label_instances(
                found.instances, texts, labels, folk.vocabulary.scale, pairs
            )
            path = out / kind / f'{folder.name}.npz'
            save_predictions(path, predicted)
            task = Task(folder.name, path, folder, labels, Choices('scores', pairs), labels.ids)
            tasks[kind].append(task)
        outcomes += ask_words(folk, scene, found.instances, args.words)
        progress.step()
    return outcomes, seconds, tasks


def find(args: argparse.Namespace, folk: Folk, scene: Scene) -> Found:
    """Segment a scene, or read what a teacher says of it, on its own masks or the student's."""
    from folk_ros.training.evaluate.embedded_masks import read_teacher_masks, teaching_seconds

    if args.teacher is None:
        begin = time.process_time()  # as teachers count: whatever else runs is left out
        instances = folk.segment(scene.cloud)
        taken = time.process_time() - begin
        folk.reset()  # scenes are strangers to each other
        return Found(instances, taken)
    path = args.teacher / f'{scene.scene_id}.safetensors'
    instances = read_teacher_masks(path, folk.text.name, scene.truth, args.fusion)
    return Found(instances, teaching_seconds(path))


def ask_words(folk: Folk, scene: Scene, instances: Instances, part: str) -> list[Outcome]:
    """Ask a scene for words as a robot would: of the instances that it shows by default."""
    from folk_ros.config import SegmentConfig
    from folk_ros.query import probabilities
    from folk_ros.training.evaluate.free_words import ask, load_words
    from folk_ros.training.evaluate.retrieval import judge, overlaps

    assert scene.truth is not None
    questions = ask(scene.truth, load_words(part))
    shown = instances.select(instances.quality >= SegmentConfig().min_quality)
    texts = folk.embed_questions([question.text for question in questions])
    scores = probabilities(texts, shown.embeddings, folk.vocabulary)
    iou = overlaps(shown, scene.truth.point_instance, len(scene.truth.names))
    return judge(scene.scene_id, questions, scores, iou)


def names_of(folders: Sequence[Path]) -> tuple[LabelSet, frozenset[str]]:
    """Return the names to choose from, the same for every row; and the novel ones."""
    from folk_ros.training.labels import LabelSet, load_labels

    there, novel = set(load_labels(LABEL_SET).instance_labels().names), set()
    for folder in folders:
        truth = json.loads((folder / 'truth.json').read_text(encoding='utf-8'))
        there |= set(truth['names'])
        novel |= {n for n, new in zip(truth['names'], truth['novel'], strict=True) if new}
    return LabelSet.from_names(sorted(there)), frozenset(novel)


def scores(tasks: Sequence[Task], workers: int, novel: frozenset[str]) -> dict[str, Any]:
    """Return AP, AP50 and AP25 of all, of base and of novel names, and figures of all objects."""
    from folk_ros.training.evaluate.evaluation import evaluate
    from folk_ros.training.evaluate.results import by_novelty

    figures = evaluate(tasks, workers).figures()
    objects = {key: figures[key] for key in OBJECTS}
    return {**by_novelty(figures['classes'], novel), **objects}


def told_origin(args: argparse.Namespace) -> tuple[str, str]:
    """Return config and seed of a row: as given, and as student or teacher files say."""
    from folk_ros.training.evaluate.embedded_masks import teacher_settings

    if args.teacher is None:
        facts = student_facts(args.model)
        return args.config or str(facts.get('config', '')), str(facts.get('seed', ''))
    told = teacher_settings(min(args.teacher.glob('*.safetensors')))
    parts = [args.config, told, f'views fused by {args.fusion}']
    return '; '.join(part for part in parts if part), ''


def student_facts(model: str) -> dict[str, Any]:
    """Return how a student says it was distilled."""
    from safetensors import safe_open

    from folk_ros.resources import model_folder
    from folk_ros.student.weights import STUDENT_FILE

    with safe_open(model_folder(model) / STUDENT_FILE, 'np') as file:
        told = (file.metadata() or {}).get('provenance', '')
    try:
        facts = json.loads(told)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
