"""Rooms to training regions: images, instance maps and the words of each instance, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
from torch.nn import functional

from folk_ros.training.scenes.scene import load_scene

PORTRAITS = 'portraits'  # folders of pictures made for this training alone begin so
OF_PORTRAITS = 0.3  # of the images drawn


@dataclass(frozen=True)
class Regions:
    """All views of some rooms, with instances numbered across rooms."""

    images: NDArray[np.uint8]  # [B, H, W, 3]
    instance: NDArray[np.int32]  # [B, H, W] row among all instances, -1 none
    names: list[str]  # [I]
    captions: list[tuple[str, ...]]  # [I] name, synonyms, descriptions, colours
    novel: NDArray[np.bool_]  # [I]
    room: NDArray[np.int64]  # [I] number of the folder it stands in
    share: NDArray[np.float64]  # [B] how often an image is drawn, sum 1


def read_regions(folders: Sequence[Path], every: int = 1) -> Regions:
    """
    Read each nth view of rooms with truth; portraits, which are few, are read whole.

    Raises ValueError if there is no labelled view.
    """
    images, instance, portrait = [], [], []
    names: list[str] = []
    captions: list[tuple[str, ...]] = []
    novel: list[bool] = []
    room: list[int] = []
    for index, folder in enumerate(folders):
        scene = load_scene(folder)
        if scene.truth is None:
            continue
        few = folder.name.startswith(PORTRAITS)
        for number in range(0, len(scene.views), 1 if few else every):
            view = scene.views[number]
            if view.instance is not None:
                images.append(view.rgb)
                portrait.append(few)
                shifted = view.instance + len(names)
                instance.append(np.where(view.instance < 0, -1, shifted).astype(np.int32))
        room += [index] * len(scene.truth.names)
        names += scene.truth.names
        told = zip(scene.truth.names, scene.truth.captions, strict=True)
        captions += [tuple(dict.fromkeys((name, *more))) for name, more in told]
        novel += scene.truth.novel.tolist()
    if not images:
        raise ValueError(f'no labelled view in {len(folders)} rooms; make rooms with views first')
    share = draw_shares(np.array(portrait))
    return Regions(
        images=np.stack(images),
        instance=np.stack(instance),
        names=names,
        captions=captions,
        novel=np.array(novel, bool),
        room=np.array(room, np.int64),
        share=share,
    )


def draw_shares(portrait: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how often each image [B] is drawn: portraits make at least `OF_PORTRAITS` of all."""
    count = int(portrait.sum())
    if not 0 < count < OF_PORTRAITS * len(portrait):
        return np.full(len(portrait), 1 / len(portrait))
    others = (1 - OF_PORTRAITS) / (len(portrait) - count)
    return np.where(portrait, OF_PORTRAITS / count, others)


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
    first = np.where(instance >= 0, instance, np.iinfo(np.int32).max).min((1, 2)).astype(np.int64)
    local = rows - first[image]  # few numbers per image: a table holds all pairs
    most, size = int(local.max(initial=0)) + 1, cells[0] * cells[1]
    cell = (row // stride) * cells[1] + column // stride
    table = np.bincount((image * most + local) * size + cell, minlength=count * most * size)
    table = table.reshape(count * most, size)
    pairs = np.flatnonzero(table.any(1))
    weights = table[pairs].reshape(len(pairs), *cells).astype(np.float32)
    return pairs // most, pairs % most + first[pairs // most], torch.from_numpy(weights)


def augment(
    images: torch.Tensor, instance: NDArray[np.int32], random: np.random.Generator
) -> tuple[torch.Tensor, NDArray[np.int32]]:
    """
    Flip, relight and blur; colours stay what a person would call them.

    Takes [B, 3, H, W] and [B, H, W]; each image has its own draw.
    """
    count = len(images)
    flip = random.random(count) < 0.5
    images[flip] = images[flip].flip(3)
    instance = np.where(flip[:, None, None], instance[:, :, ::-1], instance)
    gain = random.uniform(0.75, 1.25, (count, 1, 1, 1))
    gain = gain * random.uniform(0.95, 1.05, (count, 3, 1, 1))
    shift = random.uniform(-0.06, 0.06, (count, 1, 1, 1))
    images.mul_(torch.from_numpy(gain).float()).add_(torch.from_numpy(shift).float())
    blurred = np.flatnonzero(random.random(count) < 0.2)
    images[blurred] = functional.avg_pool2d(images[blurred], 3, 1, 1, count_include_pad=False)
    return images.clamp_(0, 1), instance


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
