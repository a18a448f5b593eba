"""Choosing among masks that overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

Ints = NDArray[np.int64]


def suppress(
    inside: Tensor, quality: Tensor, min_quality: float, iou: float, nested: float = 1.0
) -> Tensor:
    """
    Non-maximum suppression over masks [Q, V] bool: rows that stay, best first.

    A mask goes if it overlaps a better one by more than `iou`, or lies in it with more than the
    share `nested` of itself: a fragment.
    """
    order = quality.argsort(descending=True)
    order = order[quality[order] >= min_quality]  # the others neither stay nor clash
    flat = inside[order].to(torch.float32)
    shared = flat @ flat.t()  # [Q', Q']
    area = flat.sum(1)
    overlap = shared / (area[:, None] + area[None] - shared).clamp(min=1)
    within = shared / area[:, None].clamp(min=1)  # part of the row's mask inside the column's
    clash = ((overlap > iou) | (within > nested)).cpu()
    keep: list[int] = []
    for place in (area > 0).cpu().nonzero()[:, 0].tolist():
        if not clash[place, keep].any():
            keep.append(place)
    return order[torch.tensor(keep, dtype=torch.int64, device=order.device)]


def exclusive(masks: Tensor, inside: Tensor, sure: Tensor) -> Tensor:
    """
    Give each voxel to one of the sure masks alone: which voxels [I, V] masks have then.

    `masks` [I, V] are probabilities, the highest of which decides; those that are not `sure` [I]
    keep their voxels, `inside` [I, V], and take none away.
    """
    best = torch.where(sure[:, None], masks, -torch.ones_like(masks)).argmax(0)  # [V]
    mine = torch.arange(len(masks), device=masks.device)[:, None] == best[None]
    return inside & (mine | ~sure[:, None])


def overlaps(owner: Ints, rows: Ints) -> tuple[Ints, Ints, Ints]:
    """
    Find masks that share voxels, of pairs without repeats: voxel `rows` [M] of mask `owner` [M].

    Returns the masks first < second [P] and how many voxels they share [P]. Takes no memory for
    masks that share none.
    """
    order = np.lexsort((owner, rows))
    voxel, mask = rows[order], owner[order]
    count = int(owner.max(initial=0)) + 1
    keys = [np.empty(0, np.int64)]
    for shift in range(1, len(voxel)):
        same = voxel[shift:] == voxel[:-shift]
        if not same.any():
            break
        keys.append(mask[:-shift][same] * count + mask[shift:][same])
    pairs, shared = np.unique(np.concatenate(keys), return_counts=True)
    first, second = np.divmod(pairs, count)
    return first, second, shared


def suppress_pairs(
    owner: Ints, rows: Ints, quality: NDArray[np.floating], iou: float, nested: float = 1.0
) -> Ints:
    """Do as `suppress`, with masks given as pairs (see `overlaps`): rows that stay, best first."""
    first, second, shared = overlaps(owner, rows)
    area = np.bincount(owner, minlength=len(quality))
    order = np.argsort(-quality, kind='stable')
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    better = np.where(place[first] < place[second], first, second)
    worse = first + second - better
    clash = shared / (area[first] + area[second] - shared) > iou
    clash |= shared / area[worse] > nested
    rivals: dict[int, list[int]] = {}
    for winner, loser in zip(better[clash].tolist(), worse[clash].tolist(), strict=True):
        rivals.setdefault(loser, []).append(winner)
    stays = area > 0
    for mask in order.tolist():
        stays[mask] &= not any(stays[rival] for rival in rivals.get(mask, ()))
    return order[stays[order]]
