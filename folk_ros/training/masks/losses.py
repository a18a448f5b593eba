"""Losses of the mask network; how queries find their instances depends on where they come from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from folk_ros.student.engine import Level
from folk_ros.student.mask_fields import MaskFields, SEEDS, UNIT_VOXELS
from folk_ros.student.query_student import QueryStudent
from folk_ros.training.masks.point_losses import point_losses
from folk_ros.training.masks.samples import Sample
from folk_ros.training.masks.set_losses import mask_losses, reached_iou

BACKGROUND_SEEDS = 64  # background voxels per crop that are told to start no mask


def crop_losses(
    student: QueryStudent,
    features: list[Tensor],
    levels: list[Level],
    fields: MaskFields,
    sample: Sample,
) -> dict[str, Tensor]:
    """All mask losses of one crop."""
    losses = field_losses(fields, sample)
    own = seed_losses if student.decoder.config.source == SEEDS else point_losses
    return losses | own(student, features, levels, fields, sample)


def field_losses(fields: MaskFields, sample: Sample) -> dict[str, Tensor]:
    """Foreground and offset losses over all voxels of a crop, where there are such fields."""
    losses = {}
    cared = sample.instance >= -1
    own = sample.instance >= 0
    if fields.foreground is not None:
        losses['foreground'] = F.binary_cross_entropy_with_logits(
            fields.foreground[cared], own[cared].to(torch.float32)
        )
    if fields.shifted is not None and own.any():
        place = sample.coords[own].to(torch.float32)
        wanted = (place + sample.offset[own]) / UNIT_VOXELS
        losses['offset'] = 2.0 * (fields.shifted[own] - wanted).abs().sum(1).mean()
    return losses


def seed_losses(
    student: QueryStudent,
    features: list[Tensor],
    levels: list[Level],
    fields: MaskFields,
    sample: Sample,
) -> dict[str, Tensor]:
    """Mask losses of queries from seeds: each knows its instance, that of its voxel."""
    assert fields.seed is not None
    losses = {}
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
    for number, stage in enumerate(student.decoder(rows, features, levels, fields)):
        logits = student.decoder.masks(stage, fields)
        losses[f'mask_{number}'] = mask_losses(logits, target, cared)
        reached = reached_iou(logits.detach()[:, cared], target[:, cared])
        guess = student.decoder.expected_iou(stage) if number else fields.seed[rows]
        losses[f'iou_{number}'] = F.binary_cross_entropy_with_logits(guess, reached)
    return losses


def choose_queries(fields: MaskFields, sample: Sample) -> tuple[Tensor, Tensor]:
    """Choose two seeds per instance, a random voxel and its best seed: rows, instances [2T]."""
    assert fields.seed is not None
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
