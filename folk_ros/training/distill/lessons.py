"""What teacher files say of the objects of many scenes, and crops of those scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
import json
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from folk_ros.training.distill.given_masks import read_given_masks
from folk_ros.training.distill.recipes import Recipe
from folk_ros.training.distill.targets import fuse, read_views
from folk_ros.training.masks.samples import CropConfig, LabelledCloud, make_sample, Sample

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lesson:
    """A scene, and which rows of the lessons speak of its objects."""

    folder: Path
    teacher: Path
    labelled: bool  # whether its masks are the true ones; else those of its teacher file
    first: int  # row of its first object
    count: int  # of rows


@dataclass(frozen=True)
class Lessons:
    """Targets of R objects of many scenes."""

    recipe: Recipe
    scenes: tuple[Lesson, ...]
    names: tuple[str, ...]  # that stand in the labelled scenes
    text: Tensor  # [B, D] unit embeddings of the names that voters choose from
    embedding: Tensor  # [R, D] unit length, zeros where no view counts
    odds: Tensor  # [R, B] probability of each name, zeros where no view counts
    label: Tensor  # [R] int64 true name, -1 where it is not known

    @cached_property
    def known(self) -> Tensor:
        """Return which rows [R] something can be learnt from."""
        return self.embedding.square().sum(1) > 0

    def crop(self, lesson: Lesson, config: CropConfig, rng: np.random.Generator) -> Sample:
        """
        Cut a crop whose labels are rows of these lessons.

        Raises ValueError if the scene has more objects than its teacher file speaks of.
        """
        given = read_given_masks(lesson.folder, None if lesson.labelled else lesson.teacher)
        if len(given) > lesson.count:
            raise ValueError(
                f'{lesson.teacher}: speaks of {lesson.count} masks, the scene has {len(given)}; '
                'teach it again'
            )
        owner = np.full(len(given.cloud), -1, np.int32)
        owner[given.points] = np.repeat(np.arange(len(given)), np.diff(given.starts))
        rows = {str(k): lesson.first + k for k in range(len(given))}
        rgb = given.cloud.rgb
        assert rgb is not None  # the clouds of scenes have colour
        cloud = LabelledCloud(lesson.folder.name, given.cloud.xyz, rgb, owner, tuple(rows))
        sample = make_sample(cloud, rows, config, rng)
        return replace(sample, masks_known=lesson.labelled)


def read_lessons(
    scenes: Sequence[tuple[Path, Path]],
    names: Sequence[str],
    asked: NDArray[np.float32],
    clip: str,
    recipe: Recipe,
) -> Lessons:
    """
    Read scene folders with their teacher files; what cannot be used is said and left out.

    `names` stand in the labelled scenes, `asked` [B, D] embeds those that voters choose from.
    Raises ValueError if nothing is left.
    """
    number = {name: row for row, name in enumerate(names)}
    lessons: list[Lesson] = []
    embedding, odds, label = [], [], []
    first = 0
    for folder, teacher in scenes:
        try:
            targets = fuse(read_views(teacher, clip), asked, recipe)
            own = _true_names(folder)
            if own and len(own) != len(targets.label):
                raise ValueError(
                    f'{teacher}: speaks of {len(targets.label)} masks, the scene has {len(own)}; '
                    'teach it again'
                )
        except (OSError, ValueError) as error:
            log.warning('left out: %s', error)
            continue
        lessons.append(Lesson(folder, teacher, bool(own), first, len(targets.label)))
        first += len(targets.label)
        good = (targets.label >= 0)[:, None]
        embedding.append(np.where(good, targets.embedding, 0))
        odds.append(np.where(good, targets.odds, 0))
        label.append([number.get(name, -1) for name in own] or [-1] * len(targets.label))
    if not lessons or not np.concatenate(embedding).any():
        raise ValueError('no scene has an object that a view names; teach some first')
    return Lessons(
        recipe,
        tuple(lessons),
        tuple(names),
        torch.from_numpy(asked),
        torch.from_numpy(np.concatenate(embedding).astype(np.float32)),
        torch.from_numpy(np.concatenate(odds).astype(np.float32)),
        torch.from_numpy(np.concatenate(label).astype(np.int64)),
    )


def _true_names(folder: Path) -> tuple[str, ...]:
    truth = folder / 'truth.json'
    return tuple(json.loads(truth.read_text())['names']) if truth.is_file() else ()
