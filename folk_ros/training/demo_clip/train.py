"""
Locked-text tuning of the demo CLIP's image tower.

The text tower is frozen. Regions of rendered rooms, pooled by their true masks, are drawn to the
embeddings of their own words and away from the words of other regions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import json
import logging
import os
from pathlib import Path
import time

from folk_ros.text import TextEncoder
from folk_ros.training.demo_clip.data import (
    augment,
    cell_weights_of,
    image_tensor,
    read_regions,
    Regions,
)
from folk_ros.training.demo_clip.tower import DemoImageTower, STRIDE
import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
import torch
from torch.nn import functional

log = logging.getLogger(__name__)

CHECKPOINT = 'checkpoint.safetensors'


@dataclass(frozen=True)
class TrainConfig:
    """How the image tower is trained."""

    steps: int = 2000
    seed: int = 0
    batch: int = 16
    """Images per step; each holds several regions."""
    lr: float = 3e-3
    weight_decay: float = 0.02
    logit_scale: float = 20.0
    """Cosines are multiplied by this before each softmax."""
    caption_weight: float = 0.5
    pull_weight: float = 1.0
    """Of 1 - cosine to the mean of the region's words: makes cosines themselves meaningful."""
    min_pixels: int = 30
    """Smaller regions are not learned from."""
    sure_pixels: int = 150
    """Regions smaller than this count in proportion."""
    save_every: int = 100


@dataclass(frozen=True)
class Words:
    """The texts of all training instances in the frozen text space."""

    names: list[str]  # [C] classes: base names
    name_embeddings: torch.Tensor  # [C, D]
    caption_embeddings: torch.Tensor  # [T, D]
    label: NDArray[np.int64]  # [I] class, -1 where the instance is novel
    captions: list[NDArray[np.int64]]  # [I] caption rows of each instance
    member: NDArray[np.bool_]  # [I, T] true where the caption is one of the instance's
    centre: torch.Tensor  # [I, D] unit mean of the instance's captions


def embed_words(regions: Regions, tower: TextEncoder) -> Words:
    """Embed names and captions of all instances."""
    base = {n for n, novel in zip(regions.names, regions.novel, strict=True) if not novel}
    names = sorted(base)
    texts = sorted({text for captions in regions.captions for text in captions})
    row = {text: index for index, text in enumerate(texts)}
    captions = [np.array([row[t] for t in c], np.int64) for c in regions.captions]
    member = np.zeros((len(captions), len(texts)), bool)
    for instance, rows in enumerate(captions):
        member[instance, rows] = True
    embeddings = torch.from_numpy(tower.encode(texts))
    centre = torch.stack([embeddings[rows].mean(0) for rows in captions])
    index = {name: k for k, name in enumerate(names)}
    label = [-1 if v else index[n] for n, v in zip(regions.names, regions.novel, strict=True)]
    return Words(
        names,
        torch.from_numpy(tower.encode(names)),
        embeddings,
        np.array(label, np.int64),
        captions,
        member,
        functional.normalize(centre, dim=1),
    )


def train_demo_clip(
    folders: Sequence[Path], out: Path, text_tower: TextEncoder, config: TrainConfig
) -> DemoImageTower:
    """
    Train on rooms; resume from `out` if it holds a checkpoint; return the trained tower.

    Deterministic by seed for a given number of torch threads: the batch of a step depends on seed
    and step alone. Novel instances are never learned from.
    """
    regions = read_regions(folders)
    words = embed_words(regions, text_tower)
    log.info(
        '%d images, %d instances, %d names, %d captions',
        len(regions.images), len(regions.names), len(words.names), len(words.caption_embeddings),
    )  # fmt: skip
    torch.manual_seed(config.seed)
    tower = DemoImageTower(text_tower.name, text_tower.dim).train()
    optimizer = torch.optim.AdamW(
        tower.parameters(), lr=config.lr, weight_decay=config.weight_decay
    )
    out.mkdir(parents=True, exist_ok=True)
    first = restore(out / CHECKPOINT, tower, optimizer, config)
    began = time.monotonic()
    for step in range(first, config.steps):
        for group in optimizer.param_groups:
            group['lr'] = config.lr * schedule(step, config.steps)
        losses = train_step(tower, optimizer, regions, words, step, config)  # type: ignore[call-arg]
        if step % 20 == 0:
            log.info('step %d of %d, %.0f s: %s', step, config.steps, time.monotonic() - began,
                     ', '.join(f'{k} {v:.3f}' for k, v in losses.items()))  # fmt: skip
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            save_checkpoint(out / CHECKPOINT, tower, optimizer, step + 1, config)
    return tower.eval().requires_grad_(False)


def schedule(step: int, steps: int) -> float:
    """Return the factor of the learning rate: a short rise, then half a cosine to zero."""
    warm = max(1, min(100, steps // 10))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + float(np.cos(np.pi * (step - warm) / max(1, steps - warm))))


def batch_of(
    regions: Regions, step: int, config: TrainConfig
) -> tuple[torch.Tensor, NDArray[np.int32], np.random.Generator]:
    """Return images [B, 3, H, W], instance maps [B, H, W] and the random numbers of a step."""
    random = np.random.default_rng([config.seed, step])
    rows = np.sort(random.choice(len(regions.images), min(config.batch, len(regions.images)), False))
    images, instance = augment(image_tensor(regions.images[rows]), regions.instance[rows], random)
    return images, instance, random
