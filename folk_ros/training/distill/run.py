"""From rooms, teacher files and a mask checkpoint to a student that answers words."""

from __future__ import annotations

from collections.abc import Sequence
import copy
from dataclasses import dataclass, replace
import hashlib
import json
import logging
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
from torch import distributed

from folk_ros.config import QueryConfig
from folk_ros.query import Vocabulary
from folk_ros.student.engines.choose import product_type
from folk_ros.student.face import PooledStudent
from folk_ros.student.vl_adapter import VLAdapter
from folk_ros.student.weights import save_student, with_adapter
from folk_ros.text_embeddings import TextEncoder
from folk_ros.training.distill.answering import fit_answering
from folk_ros.training.distill.background import background
from folk_ros.training.distill.features import Look, PREDICTED, see_all
from folk_ros.training.distill.joint import fine_tune, Plan
from folk_ros.training.distill.lessons import read_lessons
from folk_ros.training.distill.lexicon import lexicon
from folk_ros.training.distill.members import as_one
from folk_ros.training.distill.recipes import ALL_NAMES, Recipe
from folk_ros.training.distill.samples import Counts, gather, Taught
from folk_ros.training.distill.targets import read_names
from folk_ros.training.distill.trainer import AdapterTrainer, Kept, new_adapter, Texts
from folk_ros.training.distill.trial import embed, LABEL_SET, prepare, Trial
from folk_ros.training.labels import load_labels
from folk_ros.training.masks.run import tensorboard_writer
from folk_ros.training.masks.trained import load_trained
from folk_ros.training.scenes.splits import split_folders

log = logging.getLogger(__name__)
MIN_SCORE = QueryConfig().min_score
UNLABELLED = 'unlabelled'  # scenes called so have no truth


@dataclass(frozen=True)
class Sources:
    """Folders of scenes, each with its folder of teacher files."""

    pairs: tuple[tuple[Path, Path], ...]
    split: str = 'train'

    def scenes(self) -> list[tuple[Path, Path]]:
        """List scene folders that have a teacher file, with it; ValueError if there are none."""
        found = []
        for rooms, teacher in self.pairs:
            for split, labelled in ((self.split, True), (UNLABELLED, False)):
                found += _taught(rooms, teacher, split, labelled)
        if not found:
            rooms, teacher = self.pairs[0]
            raise ValueError(
                f'{teacher}: expected teacher files of the scenes {rooms}/{self.split}_*, found '
                'none; run `folk teach` first'
            )
        return found

    def names(self) -> tuple[str, ...]:
        """
        Return the names that stand in the labelled scenes.

        Where nobody labelled any: those that the teacher was asked to choose from.
        """
        names: set[str] = set()
        for rooms, _ in self.pairs:
            for scene in _folders(rooms, self.split, True):
                names.update(json.loads((scene / 'truth.json').read_text())['names'])
        if not names:
            names.update(*(read_names(file) for _, file in self.scenes()))
        return tuple(sorted(names))


def _folders(rooms: Path, split: str, labelled: bool) -> list[Path]:
    try:
        return split_folders(rooms, split, labelled)
    except ValueError:
        if rooms.is_dir():
            return []  # a folder may hold scenes of one kind alone
        raise


def _taught(rooms: Path, teacher: Path, split: str, labelled: bool) -> list[tuple[Path, Path]]:
    files = [(f, teacher / f'{f.name}.safetensors') for f in _folders(rooms, split, labelled)]
    return [(folder, file) for folder, file in files if file.is_file()]


@dataclass(frozen=True)
class Run:
    """Everything a distillation needs to know."""

    sources: Sources
    masks: Path
    out: Path
    cache: Path
    text_tower: str
    recipe: Recipe
    seed: int = 0
    looks: int = 2
    workers: int = 1
    val: Path | None = None
    """Folder of scenes val_*, to learn from how sure an answer is; none: a fixed rule."""
    tensorboard: bool = False
    config: str = ''
    """Name of the recipe, for the file's metadata."""
    joint: Plan | None = None
    """How the whole student is fine-tuned first; none: it stays as it is, as in the paper."""


@dataclass(frozen=True)
class Material:
    """What all recipes share: the frozen student, names, and scenes that were looked at."""

    student: PooledStudent
    names: tuple[str, ...]  # of labelled training scenes
    scenes: tuple[Taught, ...]
    left_out: int = 0  # scenes that could not be looked at


def distill(run: Run, text: TextEncoder) -> Counts:
    """
    Train the adapter and write the student file `run.out`.

    Under torchrun (RANK is set) processes share the scenes to look at, and gradients. What was
    seen and the last checkpoint lie in `run.cache`: a stopped run goes on.
    """
    if 'RANK' in os.environ:
        distributed.init_process_group('gloo')
    if run.joint is not None:
        run = replace(run, masks=fine_tune_jointly(run, run.joint, text))
    material = look_at_scenes(run, text)
    names = asked_names(run.recipe, material.names)
    folder = run.cache / f'run_{digest(run, material)}'
    first = not distributed.is_initialized() or distributed.get_rank() == 0
    writer = tensorboard_writer(folder) if run.tensorboard and first else None
    adapter, counts = train_adapter(material, run.recipe, text, run.seed, Kept(folder, writer))
    log.info('%s', counts.words())
    if first:
        student = with_pooling(material.student, run.recipe, text, run.text_tower)
        assert student.adapter is not None
        student.adapter.load_state_dict(adapter.state_dict())
        vocabulary = background(names, text, material.names)
        if run.val is not None:
            vocabulary = learn_to_answer(run, material, vocabulary, adapter, text)
        save_student(run.out, student.eval(), vocabulary, provenance=provenance(run, counts))
    if writer is not None:
        writer.close()
    if distributed.is_initialized():
        distributed.destroy_process_group()
    return counts


def fine_tune_jointly(run: Run, plan: Plan, text: TextEncoder) -> Path:
    """Fine-tune the student `run.masks` on the same scenes; return the folder that holds it."""
    names = run.sources.names()
    asked = text.encode(asked_names(run.recipe, names))
    scenes = run.sources.scenes()
    if not run.recipe.unlabelled:
        scenes = [pair for pair in scenes if (pair[0] / 'truth.json').is_file()]
    lessons = read_lessons(scenes, names, asked, text.name, run.recipe)
    return fine_tune(plan, load_trained(run.masks), lessons, text.name)


def digest(run: Run, material: Material) -> str:
    """Return letters that differ between other settings, files to write, or weights of masks."""
    seen = sorted({scene.seen.parent.name for scene in material.scenes})  # by fingerprint
    facts = (run.out.resolve(), run.recipe, run.seed, run.sources, run.masks, seen)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def learn_to_answer(
    run: Run, material: Material, vocabulary: Vocabulary, adapter: VLAdapter, text: TextEncoder
) -> Vocabulary:
    """Learn on scenes val_* how sure an answer is; where they cannot tell, that is said."""
    trial = trial_of(run, material, vocabulary, text)
    found = [embed(adapter, run.recipe.pooling, scene, PREDICTED) for scene in trial.scenes]
    try:
        return replace(vocabulary, answering=fit_answering(found, trial))
    except ValueError as error:
        log.warning('%s: how sure an answer is stays a fixed rule (%s)', run.val, error)
        return vocabulary


def provenance(run: Run, counts: Counts) -> str:
    """Say how a student was distilled, for its metadata."""
    return json.dumps(
        {
            'config': run.config,
            'recipe': vars(run.recipe),
            'seed': run.seed,
            'looks': run.looks,
            'joint': None if run.joint is None else [run.joint.steps, run.joint.rate],
            **vars(counts),
        }
    )


def trial_of(run: Run, material: Material, vocabulary: Vocabulary, text: TextEncoder) -> Trial:
    """Look at the scenes to judge on, and ask them the words that choices may look at."""
    if run.val is None:
        raise ValueError('there are no scenes to judge on')
    folders = split_folders(run.val, 'val')
    look = Look(material.student, run.cache, 1, run.seed, run.workers)
    seen = see_all([(folder, None) for folder in folders], look)
    pairs = [(folder, path) for folder, path in zip(folders, seen, strict=True) if path]
    return prepare(pairs, text, vocabulary, 'tune', MIN_SCORE)


def look_at_scenes(run: Run, text: TextEncoder) -> Material:
    """Load the frozen student and look at all scenes, sharing the work with other processes."""
    student = load_trained(run.masks)
    student.compute = product_type(torch.device('cpu'), student.wide)
    scenes = run.sources.scenes()
    look = Look(student, run.cache, run.looks, run.seed, run.workers)
    if distributed.is_initialized():
        rank, world = distributed.get_rank(), distributed.get_world_size()
        see_all(scenes[rank::world], look)
        distributed.barrier()
    seen = see_all(scenes, look)
    taught = [
        Taught(folder.name, features, teacher, (folder / 'truth.json').is_file())
        for (folder, teacher), features in zip(scenes, seen, strict=True)
        if features is not None
    ]
    return Material(student, run.sources.names(), tuple(taught), len(scenes) - len(taught))


def asked_names(recipe: Recipe, training: Sequence[str]) -> tuple[str, ...]:
    """Return what voters choose from; it is also the background that queries are judged by."""
    if recipe.ask == ALL_NAMES:
        return tuple(sorted({*training, *load_labels(LABEL_SET).instance_labels().names}))
    if not training:
        raise ValueError(
            'voters know no names: no scene is labelled, and the teacher was given none; teach '
            'with --names, or take a config whose name ends in _unlabelled'
        )
    return tuple(training)


def train_adapter(
    material: Material,
    recipe: Recipe,
    text: TextEncoder,
    seed: int,
    kept: Kept | None = None,
) -> tuple[VLAdapter, Counts]:
    """Train an adapter by a recipe; what is kept goes on where it was stopped."""
    names = asked_names(recipe, material.names)
    embedded: NDArray[np.float32] = text.encode(names)  # [B, D]
    # one of many runs, or of many processes, would say it again
    told = kept is not None and os.environ.get('RANK', '0') == '0'
    level = logging.INFO if told else logging.DEBUG
    data, counts = gather(material.scenes, embedded, text.name, recipe, level)
    counts = replace(counts, skipped=counts.skipped + material.left_out)
    others = lexicon(names) if recipe.words else [()] * len(names)
    texts = Texts(
        torch.from_numpy(embedded), [torch.from_numpy(text.encode(words)) for words in others]
    )
    adapters = []
    for member in range(recipe.members):
        own = kept and kept.of_member(member)
        drawn = seed * recipe.members + member
        adapter = new_adapter(data, recipe, drawn)
        adapters.append(AdapterTrainer(adapter, data, texts, recipe, drawn, own).run())
    return as_one(adapters), counts


def with_pooling(
    student: PooledStudent, recipe: Recipe, text: TextEncoder, text_tower: str
) -> PooledStudent:
    """Return the same network with a fresh adapter of the recipe's form."""
    own = copy.copy(student)  # the config of the one looked with is part of its features' name
    width = recipe.hidden * recipe.members
    own.config = replace(student.config, pooling=recipe.pooling, adapter_hidden=width)
    return with_adapter(own, text.name, text_tower, text.dim)
