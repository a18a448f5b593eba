"""Rooms to training regions: images, instance maps and the words of each instance, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch

from folk_ros.training.scenes.scene import load_scene


@dataclass(frozen=True)
class Regions:
    """All views of some rooms, with instances numbered across rooms."""

    images: NDArray[np.uint8]  # [B, H, W, 3]
    instance: NDArray[np.int32]  # [B, H, W] row among all instances, -1 none
    names: list[str]  # [I]
    captions: list[tuple[str, ...]]  # [I] name, synonyms, descriptions, colours
    novel: NDArray[np.bool_]  # [I]


def read_regions(folders: Sequence[Path]) -> Regions:
    """Read rooms with truth; raise ValueError if none of them has a labelled view."""
    images, instance = [], []
    names: list[str] = []
    captions: list[tuple[str, ...]] = []
    novel: list[bool] = []
    for folder in folders:
        scene = load_scene(folder)
        if scene.truth is None:
            continue
        for view in scene.views:
            if view.instance is not None:
                images.append(view.rgb)
                shifted = view.instance + len(names)
                instance.append(np.where(view.instance < 0, -1, shifted).astype(np.int32))
        names += scene.truth.names
        told = zip(scene.truth.names, scene.truth.captions, strict=True)
        captions += [tuple(dict.fromkeys((name, *more))) for name, more in told]
        novel += scene.truth.novel.tolist()
    if not images:
        raise ValueError(f'no labelled view in {len(folders)} rooms; make rooms with views first')
    return Regions(np.stack(images), np.stack(instance), names, captions, np.array(novel, bool))


def image_tensor(images: NDArray[np.uint8]) -> torch.Tensor:
    """Return RGB in [0, 1], float32 [B, 3, H, W]."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255).contiguous()


def cell_counts(
    instance: NDArray[np.int32], stride: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], torch.Tensor]:
    """
    Count pixels per instance and feature cell, for all instances in a batch of maps at once.

    Takes [B, H, W]; returns image index [R], instance row [R], and pixel counts [R, h, w] of the
    R (image, instance) pairs that are seen. The slow twin is `mask_pooling.cell_weights`.
    """
    count, height, width = instance.shape
    cells = (-(-height // stride), -(-width // stride))
    image, row, column = np.nonzero(instance >= 0)
    rows = instance[image, row, column].astype(np.int64)
    pairs, inverse = np.unique(image * (rows.max(initial=0) + 1) + rows, return_inverse=True)
    cell = (row // stride) * cells[1] + column // stride
    size = cells[0] * cells[1]
    weights = np.bincount(inverse.reshape(-1) * size + cell, minlength=len(pairs) * size)
    base = rows.max(initial=0) + 1
    tensor = torch.from_numpy(weights.reshape(len(pairs), *cells).astype(np.float32))
    return pairs // base, pairs % base, tensor


def augment(
    images: torch.Tensor, instance: NDArray[np.int32], random: np.random.Generator
) -> tuple[torch.Tensor, NDArray[np.int32]]:
    """
    Flip, relight, blur and add noise; colours stay what a person would call them.

    Takes [B, 3, H, W] and [B, H, W]; each image has its own draw.
    """
    count = len(images)
    flip = random.random(count) < 0.5
    flipped = torch.from_numpy(flip)
    images = torch.where(flipped[:, None, None, None], images.flip(3), images)
    instance = np.where(flip[:, None, None], instance[:, :, ::-1], instance)
    gain = random.uniform(0.75, 1.25, (count, 1, 1, 1))
    gain = gain * random.uniform(0.95, 1.05, (count, 3, 1, 1))
    shift = random.uniform(-0.06, 0.06, (count, 1, 1, 1))
    images = images * torch.from_numpy(gain).float() + torch.from_numpy(shift).float()
    blurred = torch.nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    amount = np.where(random.random(count) < 0.3, random.uniform(0, 1, count), 0)
    images = torch.lerp(images, blurred, torch.from_numpy(amount).float()[:, None, None, None])
    noise = random.standard_normal(images.shape, np.float32) * 0.02
    return (images + torch.from_numpy(noise)).clamp_(0, 1), instance


def pool_regions(
    features: torch.Tensor, image: NDArray[np.int64], counts: torch.Tensor
) -> torch.Tensor:
    """
    Average features [B, C, h, w] over regions; return [R, C].

    Takes the image of each region [R], in order, and its pixels per cell [R, h, w], as
    `cell_counts` gives them. The same as `mask_pooling.pool_by_mask`, image by image.
    """
    flat = counts.flatten(1) / counts.sum((1, 2))[:, None]  # [R, hw]
    cells = features.flatten(2).transpose(1, 2)  # [B, hw, C]
    split = flat.split(np.bincount(image, minlength=len(cells)).tolist())
    return torch.cat([part @ own for part, own in zip(split, cells, strict=True)])
