"""
Train the student's masks on labelled clouds, in one process or in several that share gradients.

Beside the mask losses, a linear classifier over the training names reads the finest features, as
Mask3D's class head does; it is thrown away, but makes the frozen features worth pooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
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

from folk_ros.student.engine import build_levels, Level, part_of
from folk_ros.student.engines.choose import AUTO, choose_engine, product_type
from folk_ros.training.checkpoint import load_checkpoint, NAME, read_settings, save_checkpoint
from folk_ros.training.masks.loading import Draw, Loader
from folk_ros.training.masks.losses import crop_losses
from folk_ros.training.masks.networks import begun_with, make_network
from folk_ros.training.masks.presets import Preset
from folk_ros.training.masks.samples import Sample
from folk_ros.training.masks.sources import Mixture, Source

log = logging.getLogger(__name__)
REPORT_EVERY = 50  # steps
LOOK_AHEAD = 100  # steps whose crops may be prepared


@dataclass(frozen=True)
class MaskTraining:
    """How the masks are learnt."""

    steps: int = 6000
    crops: int = 2  # run at once, per process
    accumulate: int = 1  # runs, per process, whose gradients are averaged for one step
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up: int = 200
    clip: float = 5.0
    name_weight: float = 0.5
    average: float = 0.1  # the weights kept are averaged over about this share of the steps
    bfloat16: bool = True  # products, where the processor gains by it
    seed: int = 0
    save_every: int = 200
    device: str = 'cpu'
    loaders: int = 0  # processes, per process, that prepare crops ahead; for GPUs


class MaskTrainer:
    """One process of a training run."""

    def __init__(
        self,
        sources: Sequence[Source],
        out: Path,
        config: MaskTraining,
        preset: Preset,
        start: dict[str, Tensor] | None = None,
    ) -> None:
        """Begin with the weights `start`, if any."""
        self.config, self.preset, self.out = config, preset, out
        self.writer: Any = None  # TensorBoard's SummaryWriter, where losses are wanted there
        self.rank = distributed.get_rank() if distributed.is_initialized() else 0
        self.world = distributed.get_world_size() if distributed.is_initialized() else 1
        self.device = torch.device(config.device)
        torch.manual_seed(config.seed)
        mixture = Mixture(sources)
        names = self._known_names(mixture)
        self.names = {name: number for number, name in enumerate(names)}
        self.draw = Draw(mixture, self.names, preset.crop, config.crops, config.seed)
        self.student = make_network(preset.student)
        if start is not None:
            self.student.load_state_dict(begun_with(start, self.student.state_dict()))
        self.name_head = nn.Linear(self.student.channels[0], max(len(names), 1))
        self.average = make_network(preset.student)
        self.average.load_state_dict(self.student.state_dict())
        for module in (self.student, self.name_head, self.average):
            module.to(self.device)
        learnt = [p for n, p in self.student.named_parameters() if self._learns(n)]
        self.parameters = [*learnt, *self.name_head.parameters()]
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.step = 0
        self.compute = torch.float32
        if config.bfloat16:
            self.compute = product_type(self.device, self.student.wide)
        self.engine = choose_engine(AUTO, self.device, self.compute).engine

    def _learns(self, parameter: str) -> bool:
        return not parameter.startswith('adapter.')

    def _known_names(self, mixture: Mixture) -> list[str]:
        if (self.out / NAME).exists():  # scenes may have been added since: the names stay
            names: list[str] = read_settings(self.out)['names']
            return names
        return mixture.names()

    def run(self) -> None:
        """Train to the last step; goes on from the newest checkpoint in the output folder."""
        self._resume()
        begin = time.monotonic()
        sums: dict[str, float] = {}
        with closing(Loader(self.draw, self.config.loaders)) as loader:
            while self.step < self.config.steps:
                for name, value in self._learn(loader).items():
                    sums[name] = sums.get(name, 0.0) + value / REPORT_EVERY
                self.step += 1
                if self.step % REPORT_EVERY == 0:
                    self._report(sums, time.monotonic() - begin)
                    begin, sums = time.monotonic(), {}
                if self.step % self.config.save_every == 0 or self.step == self.config.steps:
                    self._save()

    def _coming(self) -> list[tuple[int, int]]:
        """Return the next runs of this process: step and part, the parts shared in turn."""
        steps = range(self.step, min(self.step + 1 + LOOK_AHEAD, self.config.steps))
        parts = [k * self.world + self.rank for k in range(self.config.accumulate)]
        return [(step, part) for step in steps for part in parts]

    def _learn(self, loader: Loader) -> dict[str, float]:
        """Take one step; returns the loss terms."""
        self._set_rate()
        self.student.train()
        self.optimizer.zero_grad()
        means: dict[str, float] = {}
        coming = self._coming()
        for number in range(self.config.accumulate):
            chance, samples = loader.take(coming[number:])
            torch.manual_seed(chance)
            total = self._losses([sample.to(self.device) for sample in samples])
            (torch.stack(list(total.values())).sum() / self.config.accumulate).backward()
            for name, value in total.items():
                share = float(value.detach()) / self.config.accumulate
                means[name] = means.get(name, 0.0) + share
        self._share()
        nn.utils.clip_grad_norm_(self.parameters, self.config.clip)
        self.optimizer.step()
        self._average()
        return means

    def _losses(self, samples: list[Sample]) -> dict[str, Tensor]:
        """Run the network on some crops at once."""
        batch = torch.cat(
            [F.pad(s.coords, (1, 0), value=number) for number, s in enumerate(samples)]
        )
        levels = build_levels(batch, self.student.depth, self.compute, self.engine)
        features, fields = self.student.features(torch.cat([s.inputs for s in samples]), levels)
        total: dict[str, Tensor] = {'name': self._name_loss(features[0], samples)}
        for number, sample in enumerate(samples):
            if not sample.masks_known:
                continue
            own_levels, spans = part_of(levels, number)
            own_features = [f[span] for f, span in zip(features, spans, strict=True)]
            losses = crop_losses(
                self.student, own_features, own_levels, fields.rows(spans[0]), sample
            )
            for name, value in losses.items():
                total[name] = total.get(name, value.new_zeros(())) + value / len(samples)
        return total | self._further_losses(features, levels, samples)

    def _further_losses(
        self, features: list[Tensor], levels: list[Level], samples: list[Sample]
    ) -> dict[str, Tensor]:
        """Return what else is to be learnt from the features of some crops."""
        return {}

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

    @torch.no_grad()
    def _share(self) -> None:
        """Average gradients, and what the batch norms counted, over the processes."""
        # a crop without objects leaves some gradients empty: they count as zero
        for parameter in self.parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        if self.world == 1:
            return
        shared = [p.grad for p in self.parameters if p.grad is not None]
        shared += [b for b in self.student.buffers() if b.dtype.is_floating_point]
        flat = torch.cat([value.reshape(-1) for value in shared])
        distributed.all_reduce(flat)
        flat /= self.world
        for value, mean in zip(shared, flat.split([v.numel() for v in shared]), strict=True):
            value.copy_(mean.view_as(value))

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
