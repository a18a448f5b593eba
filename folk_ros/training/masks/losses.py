"""Losses of the mask network: assignment by construction, since each query knows its instance."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from folk_ros.student.engine import Level
from folk_ros.student.mask_fields import MaskFields, UNIT_VOXELS
from folk_ros.student.student import Student
from folk_ros.training.masks.samples import Sample

BACKGROUND_SEEDS = 64  # background voxels per crop that are told to start no mask


def field_losses(fields: MaskFields, sample: Sample) -> dict[str, Tensor]:
    """Foreground and offset losses over all voxels of a crop."""
    cared = sample.instance >= -1
    own = sample.instance >= 0
    target = own.to(torch.float32)
    losses = {
        'foreground': F.binary_cross_entropy_with_logits(fields.foreground[cared], target[cared])
    }
    if own.any():
        place = sample.coords[own].to(torch.float32)
        wanted = (place + sample.offset[own]) / UNIT_VOXELS
        losses['offset'] = 2.0 * (fields.shifted[own] - wanted).abs().sum(1).mean()
    return losses


def choose_queries(fields: MaskFields, sample: Sample) -> tuple[Tensor, Tensor]:
    """Choose two seeds per instance, a random voxel and its best seed: rows, instances [2T]."""
    count = len(sample.label)
    own = (sample.instance >= 0).nonzero()[:, 0]
    index = sample.instance[own]
    rows = []
    for score in (torch.rand(len(own), device=own.device), fields.seed.detach()[own].sigmoid()):
        row = own.new_zeros(count)
        best = score.new_zeros(count).scatter_reduce(0, index, score, 'amax')
        hit = score == best[index]
        row[index[hit]] = own[hit]
        rows.append(row)
    return torch.cat(rows), torch.arange(count, device=own.device).repeat(2)


def mask_losses(logits: Tensor, target: Tensor, cared: Tensor) -> Tensor:
    """Balanced cross-entropy and dice of masks [Q, V] against booleans [Q, V]."""
    logits, truth = logits[:, cared], target[:, cared].to(torch.float32)
    size = truth.sum(1)
    cross = F.binary_cross_entropy_with_logits(logits, truth, reduction='none').sum(1)
    cross = (cross / (3 * size + 50)).mean()
    p = logits.sigmoid()
    dice = 1 - (2 * (p * truth).sum(1) + 1) / (p.sum(1) + size + 1)
    return 2.0 * cross + 2.0 * dice.mean()


def reached_iou(logits: Tensor, target: Tensor) -> Tensor:
    """IoU [Q] of the masks made by logits [Q, V] with their targets."""
    inside = logits > 0
    shared = (inside & target).sum(1).to(torch.float32)
    return shared / (inside | target).sum(1).clamp(min=1)


def crop_losses(
    student: Student,
    features: list[Tensor],
    levels: list[Level],
    fields: MaskFields,
    sample: Sample,
) -> dict[str, Tensor]:
    """All mask losses of one crop."""
    losses = field_losses(fields, sample)
    background = (sample.instance == -1).nonzero()[:, 0]
    if len(background):
        picked = background[
            torch.randint(len(background), (BACKGROUND_SEEDS,), device=background.device)
        ]
        # the seeds that would be picked first are the harmful ones
        worst = background[fields.seed.detach()[background].topk(min(32, len(background))).indices]
        wrong = fields.seed[torch.cat([picked, worst])]
        losses['seed_background'] = F.softplus(wrong).mean()
    if len(sample.label) == 0:
        return losses
    rows, instance = choose_queries(fields, sample)
    target = sample.instance[None] == instance[:, None]  # [Q, V]
    cared = sample.instance >= -1
    stages = student.decoder(rows, features, levels, fields)
    for number, stage in enumerate(stages):
        losses[f'mask_{number}'] = mask_losses(stage.logits, target, cared)
        reached = reached_iou(stage.logits.detach()[:, cared], target[:, cared])
        guess = fields.seed[rows] if stage.iou is None else stage.iou
        losses[f'iou_{number}'] = F.binary_cross_entropy_with_logits(guess, reached)
    return losses
