"""How far masks are from sets of voxels, pair by pair or all against all."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

CROSS, DICE = 2.0, 2.0  # weights
SURROUNDINGS, SMALL = 3.0, 50.0  # cross-entropy is per so many voxels: 3 of the set's own, and 50


def mask_losses(logits: Tensor, target: Tensor, cared: Tensor) -> Tensor:
    """Balanced cross-entropy and dice of masks [Q, V] against booleans [Q, V]."""
    logits, truth = logits[:, cared], target[:, cared].to(torch.float32)
    size = truth.sum(1)
    cross = F.binary_cross_entropy_with_logits(logits, truth, reduction='none').sum(1)
    cross = (cross / (SURROUNDINGS * size + SMALL)).mean()
    p = logits.sigmoid()
    dice = 1 - (2 * (p * truth).sum(1) + 1) / (p.sum(1) + size + 1)
    return CROSS * cross + DICE * dice.mean()


def mask_costs(logits: Tensor, target: Tensor) -> Tensor:
    """Return the loss [T, Q] that each mask [Q, V] would have against each of booleans [T, V]."""
    truth = target.to(logits.dtype)
    size = truth.sum(1)[:, None]
    cross = F.softplus(logits).sum(1) - truth @ logits.t()  # [T, Q]
    p = logits.sigmoid()
    dice = 1 - (2 * truth @ p.t() + 1) / (p.sum(1) + size + 1)
    return CROSS * cross / (SURROUNDINGS * size + SMALL) + DICE * dice


def reached_iou(logits: Tensor, target: Tensor) -> Tensor:
    """IoU [Q] of the masks made by logits [Q, V] with their targets."""
    inside = logits > 0
    shared = (inside & target).sum(1).to(torch.float32)
    return shared / (inside | target).sum(1).clamp(min=1)
