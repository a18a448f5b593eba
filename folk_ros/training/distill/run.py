"""From rooms, teacher files and a mask checkpoint to a student that answers words."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import torch

from folk_ros.query import Vocabulary
from folk_ros.student.face import PooledStudent
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.weights import load_masks, save_student, STUDENT_FILE, with_adapter
from folk_ros.text import TextTower
from folk_ros.training.checkpoint import load_checkpoint, read_settings
from folk_ros.training.distill.features import collect, Look, scene_folders
from folk_ros.training.distill.trainer import distil, Distillation
from folk_ros.training.scenes.splits import split_folders

log = logging.getLogger(__name__)
SCALE = 20.0  # logit scale of the query softmax; validation: finds more words than 14, 30, 40
FLOOR = 0.35  # see Vocabulary; of 20 absent things in 30 rooms, none reaches 0.2 with it


def mask_student(masks: Path, text: TextTower, text_tower: str) -> PooledStudent:
    """
    Build a student with a fresh adapter for the words of a text tower.

    `masks` is the folder of a mask training run, whose averaged weights count, or a folder (or
    file) of a student such as `folk weights import` writes.
    """
    path = masks / STUDENT_FILE if masks.is_dir() else masks
    if path.is_file():
        return with_adapter(load_masks(path), text.name, text_tower, text.dim)
    return with_adapter(_trained_masks(masks), text.name, text_tower, text.dim)


def _trained_masks(checkpoint: Path) -> Student:
    config = StudentConfig.from_json(read_settings(checkpoint)['student'])
    found = load_checkpoint(checkpoint, None)
    if found is None:
        raise ValueError(f'{checkpoint}: no mask checkpoint there; run `folk train-masks` first')
    student = Student(config)
    weights = {k[8:]: v for k, v in found[1].items() if k.startswith('average.')}
    student.load_state_dict(weights)
    return student.eval()


def training_names(rooms: list[Path]) -> tuple[str, ...]:
    """Return the names that occur in the training rooms: what the voters may choose from."""
    names: set[str] = set()
    for folder in rooms:
        for scene in split_folders(folder, 'train'):
            names.update(json.loads((scene / 'truth.json').read_text())['names'])
    return tuple(sorted(names))


def distill(
    pairs: list[tuple[Path, Path]],
    student: PooledStudent,
    text: TextTower,
    config: Distillation,
    workers: int,
    out: Path,
) -> None:
    """
    Train the adapter on folders of scenes train_*, each paired with its folder of teacher files.

    Writes the student file `out`. The voters choose among the training names, which are also the
    background that queries are judged against.
    """
    names = training_names([rooms for rooms, _ in pairs])
    embedded = text.encode(names)  # [B, D]
    scenes = [pair for rooms, teacher in pairs for pair in scene_folders(rooms, teacher, 'train')]
    log.info('%d scenes', len(scenes))
    data = collect(scenes, Look(student, embedded, seed=config.seed, workers=workers))
    log.info('%d samples of %d objects', len(data.label), len(data.instance.unique()))
    distil(student, data, torch.from_numpy(embedded), config)
    save_student(out, student, Vocabulary(names, embedded, SCALE, FLOOR))
