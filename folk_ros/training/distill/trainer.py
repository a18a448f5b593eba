"""Distil a CLIP teacher into the VL-adapter of a frozen student (FOLK section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
import logging

import torch
from torch import Tensor

from folk_ros.student.face import PooledStudent
from folk_ros.training.distill.features import AdapterData
from folk_ros.training.distill.losses import distillation_loss

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Distillation:
    """How the adapter is learnt."""

    steps: int = 4000
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    temperature: float = 0.07
    contrastive: float = 1.0  # w1
    label: float = 1.0  # w2
    cosine: float = 4.0
    noise: float = 0.1  # of the normalised features
    seed: int = 0


def distil(student: PooledStudent, data: AdapterData, text: Tensor, config: Distillation) -> None:
    """Train the adapter in place; everything else of the student stays as it is."""
    torch.manual_seed(config.seed)
    assert student.adapter is not None
    adapter = student.adapter.train()
    optimizer = torch.optim.AdamW(
        adapter.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.steps
    )
    # feature statistics first: they are then fixed, for training and for the robot alike
    adapter.norm.running_mean = data.pooled.mean(0)
    adapter.norm.running_var = data.pooled.var(0)
    adapter.norm.eval()
    spread = data.pooled.std(0)
    for step in range(config.steps):
        rows = torch.randint(len(data.pooled), (config.batch,))
        rows = rows[_first_of_each(data.instance[rows])]
        pooled = data.pooled[rows]
        pooled = pooled + torch.randn_like(pooled) * spread * config.noise
        terms = distillation_loss(
            adapter(pooled), data.teacher[rows], text, data.label[rows], config.temperature
        )
        loss = (
            config.contrastive * terms['contrastive']
            + config.cosine * terms['cosine']
            + config.label * terms['label']
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % 500 == 0:
            parts = ' '.join(
                f'{name} {float(value.detach()):.3f}' for name, value in terms.items()
            )
            log.info('step %d: %s', step + 1, parts)
    adapter.eval()


def _first_of_each(instance: Tensor) -> Tensor:
    """Return one row of each different instance: two views of one object are no negatives."""
    _, inverse = torch.unique(instance, return_inverse=True)
    first = torch.full((int(inverse.max()) + 1,), len(instance), dtype=torch.int64)
    rows = torch.arange(len(instance))
    return first.scatter_reduce(0, inverse, rows, 'amin')
