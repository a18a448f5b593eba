"""Choosing among masks that overlap."""

from __future__ import annotations

import torch
from torch import Tensor


def suppress(
    inside: Tensor, quality: Tensor, min_quality: float, iou: float, nested: float = 1.0
) -> Tensor:
    """
    Non-maximum suppression over masks [Q, V] bool: rows that stay, best first.

    A mask goes if it overlaps a better one by more than `iou`, or lies in it with more than the
    share `nested` of itself: a fragment.
    """
    flat = inside.to(torch.float32)
    shared = flat @ flat.t()  # [Q, Q]
    area = flat.sum(1)
    overlap = shared / (area[:, None] + area[None] - shared).clamp(min=1)
    within = shared / area[:, None].clamp(min=1)  # part of the row's mask inside the column's
    clash = ((overlap > iou) | (within > nested)).cpu()
    enough = ((quality >= min_quality) & (area > 0)).cpu()
    keep: list[int] = []
    for row in quality.argsort(descending=True).tolist():
        if enough[row] and not clash[row, keep].any():
            keep.append(row)
    return torch.tensor(keep, dtype=torch.int64, device=quality.device)
