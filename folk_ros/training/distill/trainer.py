"""Distil a CLIP teacher into the VL-adapter of a frozen student (FOLK section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import json
import logging
import math
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn, Tensor

from folk_ros.student.vl_adapter import HEAD_WIDTH, HEADS, VLAdapter
from folk_ros.training.checkpoint import load_checkpoint, read_settings, save_checkpoint
from folk_ros.training.distill.losses import distillation_loss
from folk_ros.training.distill.recipes import Recipe
from folk_ros.training.distill.samples import AdapterData, attend

log = logging.getLogger(__name__)
REPORT_EVERY = 500  # steps
WARM_UP = 0.1  # share of the steps
FEWEST = 5  # names that fewer objects bear are likely wrong, and drawn like names of so many
SPARSE = 7  # each nth sample is enough for the statistics of voxels


@dataclass(frozen=True)
class Texts:
    """What labels are compared with."""

    names: Tensor  # [B, D] unit length
    others: Sequence[Tensor]  # [B] of [T, D]: synonyms and descriptions of each name


@dataclass(frozen=True)
class Kept:
    """What a run leaves behind."""

    folder: Path  # checkpoints
    writer: Any = None  # TensorBoard's SummaryWriter

    def of_member(self, number: int) -> Kept:
        """Return what one of several adapters leaves behind; the first one draws the curves."""
        return Kept(self.folder / f'member_{number}', None if number else self.writer)


def new_adapter(data: AdapterData, recipe: Recipe, seed: int) -> VLAdapter:
    """Make an adapter for some features; their statistics are fixed from here on."""
    torch.manual_seed(seed)
    width, dim = data.pooled.shape[1], data.teacher.shape[1]
    if data.voxels is None:
        adapter = VLAdapter(width, recipe.hidden, dim, recipe.dropout)
    else:
        own = data.voxels.shape[2]
        heads = HEADS * HEAD_WIDTH
        adapter = VLAdapter(width + heads, recipe.hidden, dim, recipe.dropout, own)
        assert adapter.attention is not None
        _fix(adapter.attention.norm, data.voxels[::SPARSE].float().flatten(0, 1))
    _fix(adapter.norm, data.pooled)
    return adapter


def _fix(norm: nn.BatchNorm1d, features: Tensor) -> None:
    """Give a norm the statistics of features [S, C]; of further inputs it changes nothing."""
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean[: features.shape[1]] = features.mean(0)
    norm.running_var[: features.shape[1]] = features.var(0).clamp(min=1e-6)


class AdapterTrainer:
    """One process of a run; several share gradients, each with its own draws."""

    def __init__(
        self,
        adapter: VLAdapter,
        data: AdapterData,
        texts: Texts,
        recipe: Recipe,
        seed: int = 0,
        kept: Kept | None = None,
    ) -> None:
        self.adapter, self.data, self.texts = adapter.train(), data, texts
        self.recipe, self.seed = recipe, seed
        self.folder = kept.folder if kept else None
        self.writer = kept.writer if kept else None
        for module in adapter.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()
        self.spread = data.pooled.std(0)
        self.weight = draw_weights(data, recipe.balance)
        self.rank = distributed.get_rank() if distributed.is_initialized() else 0
        self.world = distributed.get_world_size() if distributed.is_initialized() else 1
        self.optimizer = torch.optim.AdamW(
            adapter.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.step = 0

    def run(self) -> VLAdapter:
        """Train to the last step, from where an earlier run of the same settings ended."""
        self._resume()
        while self.step < self.recipe.steps:
            terms = self._learn()
            self.step += 1
            if self.step % REPORT_EVERY == 0 or self.step == self.recipe.steps:
                self._report(terms)
                self._save()
        return self.adapter.eval()

    def _learn(self) -> dict[str, Tensor]:
        recipe = self.recipe
        terms = self.draw(self.rank)
        for group in self.optimizer.param_groups:
            group['lr'] = recipe.learning_rate * rate(self.step / recipe.steps)
        self.optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        self._share_gradients()
        self.optimizer.step()
        return terms

    def draw(self, rank: int) -> dict[str, Tensor]:
        """Return the terms of the loss of one process's own draw for this step."""
        recipe, data = self.recipe, self.data
        # what is drawn depends on seed, step and process alone: a resumed run goes on the same
        torch.manual_seed((self.seed * 1_000_003 + self.step) * 1009 + rank)
        rows = torch.multinomial(self.weight, recipe.batch, replacement=True)
        rows = rows[first_of_each(data.instance[rows])]
        pooled, voxels = data.pooled[rows], None if data.voxels is None else data.voxels[rows]
        if recipe.noise:
            pooled = pooled + torch.randn_like(pooled) * self.spread * recipe.noise
        own = data.instance[rows]
        student = self.adapter(attend(self.adapter, pooled, voxels))
        return distillation_loss(student, data.teacher[own], self._text(), data.odds[own], recipe)

    def _text(self) -> Tensor:
        """Return the text of each name [B, D], some of them replaced by other words for it."""
        text = self.texts.names
        if not self.recipe.words:
            return text
        text = text.clone()
        for row in torch.nonzero(torch.rand(len(text)) < self.recipe.words)[:, 0].tolist():
            others = self.texts.others[row]
            if len(others):
                text[row] = others[int(torch.randint(len(others), ()))]
        return text

    def _share_gradients(self) -> None:
        if self.world == 1:
            return
        own = [p for p in self.adapter.parameters() if p.grad is not None]
        flat = torch.cat([p.grad.reshape(-1) for p in own if p.grad is not None])
        distributed.all_reduce(flat)
        parts = (flat / self.world).split([p.numel() for p in own])
        for parameter, part in zip(own, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def _report(self, terms: dict[str, Tensor]) -> None:
        if self.rank:
            return
        values = {name: float(value.detach()) for name, value in terms.items()}
        told = ' '.join(f'{name} {value:.3f}' for name, value in values.items())
        log.info('step %d of %d: %s', self.step, self.recipe.steps, told)
        if self.writer is not None:
            for name, value in values.items():
                self.writer.add_scalar(f'loss/{name}', value, self.step)

    def _settings(self) -> dict[str, Any]:
        return {'recipe': asdict(self.recipe), 'seed': self.seed, 'samples': len(self.data)}

    def _save(self) -> None:
        if self.rank or self.folder is None:
            return
        tensors = self.adapter.state_dict()
        settings = json.dumps(self._settings())
        save_checkpoint(self.folder, self.step, tensors, self.optimizer, settings)

    def _resume(self) -> None:
        found = None if self.folder is None else load_checkpoint(self.folder, self.optimizer)
        if found is None or self.folder is None:
            return
        stored, own = read_settings(self.folder), self._settings()
        if stored != own:
            raise ValueError(
                f'{self.folder}: holds a run with {stored}, asked for {own}; name another folder '
                'or remove that one'
            )
        self.step, tensors = found
        self.adapter.load_state_dict(tensors)


def draw_weights(data: AdapterData, balance: float) -> Tensor:
    """
    Return how often each sample [S] is drawn, relative to the others: rare names oftener.

    At 0.5 it is the square-root sampling of Mahajan et al. (ECCV 2018), by the teacher's names.
    """
    name = data.odds.argmax(1)  # [I]
    bearers = torch.bincount(name)[name].clamp(min=FEWEST)
    return bearers[data.instance].float() ** -balance


def rate(done: float) -> float:
    """Return the factor of the learning rate: a short rise, then half a cosine to zero."""
    if done < WARM_UP:
        return 0.05 + 0.95 * done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def first_of_each(instance: Tensor) -> Tensor:
    """Return one row of each different instance: two views of one object are no negatives."""
    _, inverse = torch.unique(instance, return_inverse=True)
    first = torch.full((int(inverse.max()) + 1,), len(instance), dtype=torch.int64)
    rows = torch.arange(len(instance))
    return first.scatter_reduce(0, inverse, rows, 'amin')
