"""
Joint fine-tuning: the whole student learns masks and the teacher's words at once.

FOLK freezes the network and trains the adapter alone (section 3.2). Here the distillation loss
also reaches the backbone, so that its features are worth pooling for things no label names. The
adapter is then distilled anew over the features that came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from folk_ros.student.engine import Level, part_of
from folk_ros.student.face import PooledStudent
from folk_ros.student.mask_quality import NO_CALIBRATION
from folk_ros.student.vl_adapter import pool_for_adapter
from folk_ros.training.distill.lessons import Lessons
from folk_ros.training.distill.losses import distillation_loss
from folk_ros.training.masks.loading import Draw
from folk_ros.training.masks.presets import Preset, PRESETS
from folk_ros.training.masks.run import Run, train_masks
from folk_ros.training.masks.samples import Sample
from folk_ros.training.masks.sources import Mixture, Source
from folk_ros.training.masks.trainer import MaskTrainer, MaskTraining

WEIGHT = 0.5  # of the distillation loss beside the losses of the masks


@dataclass(frozen=True)
class Plan:
    """How the whole student is fine-tuned before its adapter is distilled."""

    folder: Path  # of its checkpoint
    steps: int = 2400
    rate: float = 1e-3
    seed: int = 0
    workers: int = 1
    tensorboard: bool = False


def fine_tune(plan: Plan, student: PooledStudent, lessons: Lessons, clip: str) -> Path:
    """
    Fine-tune a student on scenes that a teacher of CLIP space `clip` spoke of; return the folder.

    Goes on where an earlier run in that folder ended. An adapter of the same space and form is
    what it begins with. Raises ValueError for a student that no preset makes.
    """
    config, recipe = student.config, lessons.recipe
    fits = config.clip == clip and config.pooling == recipe.pooling
    form = replace(
        config,
        pooling=recipe.pooling,
        embedding_dim=lessons.text.shape[1],
        adapter_hidden=config.adapter_hidden if fits else recipe.hidden,
        calibration=NO_CALIBRATION,
    )
    preset = replace(_preset_of(config), student=form)
    start = {k: v for k, v in student.state_dict().items() if fits or 'adapter.' not in k}
    training = MaskTraining(plan.steps, learning_rate=plan.rate, seed=plan.seed, warm_up=100)
    trainer = partial(JointTrainer, lessons=lessons)
    labelled = sorted({lesson.folder.parent for lesson in lessons.scenes if lesson.labelled})
    sources = tuple(map(Source, labelled))
    run = Run(sources, plan.folder, training, preset, start, plan.tensorboard, trainer)
    train_masks(run, plan.workers)
    return plan.folder


def _preset_of(config: Any) -> Preset:
    for preset in PRESETS.values():
        own = preset.student
        if type(own) is type(config) and own.voxel_size_m == config.voxel_size_m:
            return preset
    raise ValueError(
        f'joint fine-tuning knows no crops for a {type(config).__name__} with voxels of '
        f'{config.voxel_size_m} m; it knows the presets {", ".join(PRESETS)}'
    )


@dataclass(frozen=True)
class LessonDraw(Draw):
    """Crops of scenes that a teacher spoke of; their labels are rows of the lessons."""

    lessons: Lessons | None = None

    def _sample(self, rng: np.random.Generator) -> Sample:
        assert self.lessons is not None
        scenes = self.lessons.scenes
        return self.lessons.crop(scenes[int(rng.integers(len(scenes)))], self.crop, rng)


class JointTrainer(MaskTrainer):
    """One process of a joint training run."""

    def __init__(
        self,
        sources: Sequence[Source],
        out: Path,
        config: MaskTraining,
        preset: Preset,
        start: dict[str, Tensor] | None = None,
        *,
        lessons: Lessons,
    ) -> None:
        """Begin with the weights `start`, which may hold an adapter, or else with random ones."""
        self.lessons = lessons
        self.distilled = any(name.startswith('adapter.') for name in start or ())
        super().__init__(sources, out, config, preset, start)
        old = self.draw
        self.draw: Draw = LessonDraw(
            old.mixture, old.names, old.crop, old.crops, old.seed, lessons
        )
        self.text, self.truth = lessons.text.to(self.device), lessons.label.to(self.device)

    def _learns(self, parameter: str) -> bool:
        return True

    def _known_names(self, mixture: Mixture) -> list[str]:
        return list(self.lessons.names)

    def _name_loss(self, features: Tensor, samples: list[Sample]) -> Tensor:
        named = [replace(sample, label=self.truth[sample.label]) for sample in samples]
        return super()._name_loss(features, named)

    def _further_losses(
        self, features: list[Tensor], levels: list[Level], samples: list[Sample]
    ) -> dict[str, Tensor]:
        """Return the distillation loss over the objects of some crops that a view names."""
        adapter = self.student.adapter
        assert adapter is not None
        adapter.norm.train(not self.distilled)  # its statistics are those it was distilled with
        pooled, row = [], []
        for number, sample in enumerate(samples):
            known = self.lessons.known[sample.label.cpu()].to(self.device)  # [T]
            if not known.any():
                continue
            place = F.pad(known.cumsum(0) - 1, (0, 2), value=-1)  # -1 and -2 read the padding
            place[:-2][~known] = -1
            owner = place[sample.instance]  # [V]
            rows = (owner >= 0).nonzero()[:, 0]
            own_levels, spans = part_of(levels, number)
            own = [f[span] for f, span in zip(features, spans, strict=True)]
            masks = (owner[rows], rows, torch.ones(len(rows), device=self.device))
            pooled.append(self._read(own, own_levels, masks))
            row.append(sample.label[known])
        if sum(map(len, row)) < 2:
            return {}
        number_of = torch.cat(row).cpu()
        terms = distillation_loss(
            adapter(torch.cat(pooled)),
            self.lessons.embedding[number_of].to(self.device),
            self.text,
            self.lessons.odds[number_of].to(self.device),
            self.lessons.recipe,
        )
        return {name: WEIGHT * value for name, value in terms.items()}

    def _read(
        self, features: list[Tensor], levels: list[Level], masks: tuple[Tensor, Tensor, Tensor]
    ) -> Tensor:
        config, adapter = self.student.config, self.student.adapter
        assert adapter is not None
        return pool_for_adapter(
            config.pooling, features, levels, masks, config.voxel_size_m, adapter.attention
        )
