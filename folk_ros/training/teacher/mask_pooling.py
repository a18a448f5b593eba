"""Masks over an image to one embedding each: the mean of dense features under the mask."""

from __future__ import annotations

import torch
from torch.nn import functional


def cell_weights(masks: torch.Tensor, cells: tuple[int, int]) -> torch.Tensor:
    """
    Return how much of each feature cell a mask covers: bool [I, H, W] to float32 [I, h, w].

    The image is divided evenly among the cells, whatever their size in pixels.
    """
    return functional.adaptive_avg_pool2d(masks.float()[:, None], cells)[:, 0]


def pool_by_mask(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """
    Average features [C, h, w] under each mask's cell weights [I, h, w]; return [I, C].

    A mask that covers nothing gives zeros.
    """
    flat = weights.flatten(1)  # [I, hw]
    total = flat.sum(dim=1, keepdim=True).clamp_min(1e-6)
    return (flat / total) @ features.flatten(1).T


def pool_embeddings(features: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """
    Return unit embeddings [I, D] of boolean masks [I, H, W] over dense features [D, h, w].

    A mask without a pixel gives zeros, which is no unit vector: leave it out.
    """
    weights = cell_weights(masks, (features.shape[1], features.shape[2]))
    return functional.normalize(pool_by_mask(features, weights), dim=1)
