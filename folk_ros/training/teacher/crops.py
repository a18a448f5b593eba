"""
OpenMask3D's pooling, the alternative to compare with: crops of several sizes around each mask.

Constants are those of its public code: 3 levels, each wider by a tenth of the box, the mean of
unit crop embeddings. It refines masks with SAM first; here they are the completed ones, so that
the two poolings differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import torch
from torch.nn import functional

from folk_ros.training.teacher.image_tower import ImageTower

Box = tuple[int, int, int, int]  # top, bottom, left, right; bottom and right lie outside


@dataclass(frozen=True)
class CropConfig:
    """Which crops are taken around a mask."""

    levels: int = 3
    """Crops of growing size."""
    expansion: float = 0.1
    """Share of the box by which each level is wider on every side than the one before."""


def embed_by_crops(
    image: torch.Tensor,
    masks: Sequence[NDArray[np.bool_]],
    tower: ImageTower,
    config: CropConfig,
) -> NDArray[np.float32]:
    """Return unit embeddings [I, D] of masks [H, W] in an image [3, H, W]; zeros if empty."""
    embeddings = np.zeros((len(masks), tower.dim), np.float32)
    rows, crops = [], []
    for row, mask in enumerate(masks):
        for top, bottom, left, right in crop_boxes(mask, config):
            rows.append(row)
            crops.append(image[:, top:bottom, left:right])
    if not crops:
        return embeddings
    found = tower.embed_crops(crops).cpu()
    sums = torch.zeros(len(masks), tower.dim).index_add_(0, torch.tensor(rows), found)
    return functional.normalize(sums, dim=1).numpy()


def crop_boxes(mask: NDArray[np.bool_], config: CropConfig) -> list[Box]:
    """Return the boxes around a mask [H, W], tightest first; none for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return []
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    # the step is rounded before it is multiplied, as in the original
    down = int((bottom - top) * config.expansion)
    across = int((right - left) * config.expansion)
    height, width = mask.shape
    return [
        (
            max(0, top - level * down),
            min(height, bottom + level * down),
            max(0, left - level * across),
            min(width, right + level * across),
        )
        for level in range(config.levels)
    ]
