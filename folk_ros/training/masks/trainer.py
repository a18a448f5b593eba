"""
Train the student's masks on labelled clouds, in one process or in several that share gradients.

Beside the mask losses, a linear classifier over the training names reads the finest features, as
Mask3D's class head does; it is thrown away, but makes the frozen features worth pooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import json
import logging
from pathlib import Path
import time
from typing import Any

import numpy as np
import torch
from torch import distributed, nn, Tensor
from torch.nn import functional as F

from folk_ros.student.engine import build_levels, part_of
from folk_ros.student.student import Student
from folk_ros.training.checkpoint import load_checkpoint, NAME, read_settings, save_checkpoint
from folk_ros.training.masks.losses import crop_losses
from folk_ros.training.masks.presets import Preset
from folk_ros.training.masks.samples import make_sample, read_labelled, Sample
from folk_ros.training.masks.sources import Mixture, Source

log = logging.getLogger(__name__)
REPORT_EVERY = 50  # steps


@dataclass(frozen=True)
class MaskTraining:
    """How the masks are learnt."""

    steps: int = 6000
    crops: int = 2  # run at once, per process
    accumulate: int = 1  # runs whose gradients are added up to one step
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up: int = 200
    clip: float = 5.0
    name_weight: float = 0.5
    average: float = 0.1  # the weights kept are averaged over about this share of the steps
    bfloat16: bool = True
    seed: int = 0
    save_every: int = 200
    device: str = 'cpu'


class MaskTrainer:
    """One process of a training run."""

    def __init__(
        self,
        sources: Sequence[Source],
        out: Path,
        config: MaskTraining,
        preset: Preset,
        start: dict[str, Tensor] | None = None,
        writer: Any = None,
    ) -> None:
        """Begin with the weights `start`, if any; `writer` is TensorBoard's SummaryWriter."""
        self.config, self.preset, self.out, self.writer = config, preset, out, writer
        self.rank = distributed.get_rank() if distributed.is_initialized() else 0
        self.world = distributed.get_world_size() if distributed.is_initialized() else 1
        self.device = torch.device(config.device)
        torch.manual_seed(config.seed)
        self.mixture = Mixture(sources)
        names = self._known_names()
        self.names = {name: number for number, name in enumerate(names)}
        self.student = Student(preset.student)
        if start is not None:
            self.student.load_state_dict(self.student.state_dict() | start)
        self.name_head = nn.Linear(self.student.backbone.channels[0], max(len(names), 1))
        self.average = Student(preset.student)
        self.average.load_state_dict(self.student.state_dict())
        for module in (self.student, self.name_head, self.average):
            module.to(self.device)
        learnt = [p for n, p in self.student.named_parameters() if not n.startswith('adapter.')]
        self.parameters = [*learnt, *self.name_head.parameters()]
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.step = 0
        # sums stay float32; on processors with bfloat16 products this is twice as fast
        self.compute = torch.bfloat16 if config.bfloat16 else torch.float32

    def _known_names(self) -> list[str]:
        if (self.out / NAME).exists():  # scenes may have been added since: the names stay
            names: list[str] = read_settings(self.out)['names']
            return names
        return self.mixture.names()

    def run(self) -> None:
        """Train to the last step; goes on from the newest checkpoint in the output folder."""
        self._resume()
        begin = time.monotonic()
        sums: dict[str, float] = {}
        while self.step < self.config.steps:
            for name, value in self._learn().items():
                sums[name] = sums.get(name, 0.0) + value / REPORT_EVERY
            self.step += 1
            if self.step % REPORT_EVERY == 0:
                self._report(sums, time.monotonic() - begin)
                begin, sums = time.monotonic(), {}
            if self.step % self.config.save_every == 0 or self.step == self.config.steps:
                self._save()

    def _draw(self, rng: np.random.Generator) -> Sample:
        """Cut a crop out of some scene; one without voxels is drawn again."""
        while True:
            cloud = read_labelled(self.mixture.draw(rng))
            sample = make_sample(cloud, self.names, self.preset.crop, rng)
            if len(sample.coords):
                return sample.to(self.device)

    def _learn(self) -> dict[str, float]:
        """Take one step; returns the loss terms."""
        rng = np.random.default_rng([self.config.seed, self.step, self.rank])
        torch.manual_seed(int(rng.integers(1 << 31)))
        self._set_rate()
        self.student.train()
        self.optimizer.zero_grad()
        means: dict[str, float] = {}
        for _ in range(self.config.accumulate):
            total = self._losses([self._draw(rng) for _ in range(self.config.crops)])
            (torch.stack(list(total.values())).sum() / self.config.accumulate).backward()
            for name, value in total.items():
                share = float(value.detach()) / self.config.accumulate
                means[name] = means.get(name, 0.0) + share
        self._share_gradients()
        nn.utils.clip_grad_norm_(self.parameters, self.config.clip)
        self.optimizer.step()
        self._average()
        return means

    def _losses(self, samples: list[Sample]) -> dict[str, Tensor]:
        """Run the network on some crops at once."""
        batch = torch.cat(
            [F.pad(s.coords, (1, 0), value=number) for number, s in enumerate(samples)]
        )
        levels = build_levels(batch, self.student.depth, self.compute)
        features, fields = self.student.features(torch.cat([s.inputs for s in samples]), levels)
        total: dict[str, Tensor] = {'name': self._name_loss(features[0], samples)}
        for number, sample in enumerate(samples):
            own_levels, spans = part_of(levels, number)
            own_features = [f[span] for f, span in zip(features, spans, strict=True)]
            losses = crop_losses(
                self.student, own_features, own_levels, fields.rows(spans[0]), sample
            )
            for name, value in losses.items():
                total[name] = total.get(name, value.new_zeros(())) + value / len(samples)
        return total

    def _name_loss(self, features: Tensor, samples: list[Sample]) -> Tensor:
        label = torch.cat(
            [F.pad(s.label, (0, 2), value=-1)[s.instance] for s in samples]
        )  # [V]; -1 and -2 read the padding
        known = label >= 0
        if not known.any():
            return features.sum() * 0
        logits = self.name_head(features[known])
        return self.config.name_weight * F.cross_entropy(logits, label[known])

    def _set_rate(self) -> None:
        done = self.step / self.config.steps
        rate = 0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done))
        rate *= min(1.0, (self.step + 1) / self.config.warm_up)
        for group in self.optimizer.param_groups:
            group['lr'] = self.config.learning_rate * rate

    def _share_gradients(self) -> None:
        if self.world == 1:
            return
        # a crop without objects leaves some gradients empty: they count as zero
        for parameter in self.parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([p.grad.reshape(-1) for p in self.parameters if p.grad is not None])
        distributed.all_reduce(flat)
        flat /= self.world
        begin = 0
        for parameter in self.parameters:
            count = parameter.numel()
            parameter.grad = flat[begin : begin + count].view_as(parameter)
            begin += count

    @torch.no_grad()
    def _average(self) -> None:
        decay = 1 - 1 / max(self.config.average * self.config.steps, 1.0)
        decay = min(decay, (1 + self.step) / (10 + self.step))
        for mean, now in zip(
            self.average.state_dict().values(), self.student.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)

    def _report(self, losses: dict[str, float], seconds: float) -> None:
        if self.rank:
            return
        terms = ' '.join(f'{name} {value:.3f}' for name, value in losses.items())
        log.info('step %d: %s (%.2f s a step)', self.step, terms, seconds / REPORT_EVERY)
        if self.writer is not None:
            for name, value in losses.items():
                self.writer.add_scalar(f'loss/{name}', value, self.step)

    def _save(self) -> None:
        if self.rank:
            return
        settings = {
            'training': asdict(self.config),
            'student': asdict(self.student.config),
            'crop': asdict(self.preset.crop),
            'names': list(self.names),
        }
        tensors = {
            **{f'student.{k}': v for k, v in self.student.state_dict().items()},
            **{f'average.{k}': v for k, v in self.average.state_dict().items()},
            **{f'name_head.{k}': v for k, v in self.name_head.state_dict().items()},
        }
        save_checkpoint(self.out, self.step, tensors, self.optimizer, json.dumps(settings))

    def _resume(self) -> None:
        found = load_checkpoint(self.out, self.optimizer)
        if found is None:
            return
        self.step, tensors = found
        for prefix, module in (
            ('student.', self.student),
            ('average.', self.average),
            ('name_head.', self.name_head),
        ):
            own = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
            module.load_state_dict(own)
        log.info('going on from step %d', self.step)
