"""
Locked-text tuning of the demo CLIP's image tower.

The text tower is frozen. Regions of rendered rooms, pooled by their true masks, are drawn to the
embeddings of their own words and away from the words of other regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import json
import logging
import os
from pathlib import Path
import time

import numpy as np
from safetensors import safe_open, SafetensorError
from safetensors.torch import save_file
import torch
from torch.nn import functional

from folk_ros.text import TextEncoder
from folk_ros.training.demo_clip.data import (
    augment,
    cell_counts,
    image_tensor,
    pool_regions,
    read_regions,
    Regions,
)
from folk_ros.training.demo_clip.tower import DemoImageTower, grown, widened, WIDTHS
from folk_ros.training.demo_clip.words import (
    caption_loss,
    draw_captions,
    embed_words,
    name_loss,
    Words,
)

log = logging.getLogger(__name__)

CHECKPOINT = 'checkpoint.safetensors'


@dataclass(frozen=True)
class TrainConfig:
    """How the image tower is trained."""

    steps: int = 2000
    seed: int = 0
    batch: int = 16
    """Images per step; each holds several regions."""
    every: int = 4
    """Each nth view of a room is learned from."""
    lr: float = 3e-3
    weight_decay: float = 0.02
    logit_scale: float = 20.0
    """Cosines are multiplied by this before each softmax."""
    widths: tuple[int, ...] = WIDTHS
    """Channels of the tower, see tower.py; those of the first weights or more."""
    caption_weight: float = 0.5
    """Of InfoNCE over captions, from regions to captions and back."""
    pull_weight: float = 1.0
    """Of 1 - cosine to the mean of the region's words: makes cosines themselves meaningful."""
    min_pixels: int = 30
    """Smaller regions are not learned from."""
    sure_pixels: int = 150
    """Regions smaller than this count in proportion."""
    bfloat16: bool = True
    """Convolutions in bfloat16: about 1.7 times as fast on a CPU that has it."""
    save_every: int = 100


def train_demo_clip(
    folders: Sequence[Path],
    out: Path,
    text_tower: TextEncoder,
    config: TrainConfig,
    start: DemoImageTower | None = None,
) -> DemoImageTower:
    """
    Train on rooms; resume from `out` if it holds a checkpoint; return the trained tower.

    Begins with the weights of `start`, if given, in place of random ones. Rooms to train students
    on hold no novel categories; those are learned from portraits (see portraits.py).

    Deterministic by seed for a given number of torch threads: the batch of a step depends on seed
    and step alone.
    """
    regions = read_regions(folders, config.every)
    words = embed_words(regions, text_tower)
    counts = len(regions.images), len(regions.names), len(words.names), words.member.shape[1]
    log.info('%d images, %d instances, %d names, %d captions', *counts)
    torch.manual_seed(config.seed)
    tower = DemoImageTower(text_tower.name, text_tower.dim, config.widths)
    if start is not None:
        tower = grown(start)
    if tower.widths != config.widths:
        tower = widened(tower, config.widths, config.seed)
    tower = tower.requires_grad_(True).train()
    tower = tower.to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    optimizer = torch.optim.AdamW(
        tower.parameters(), lr=config.lr, weight_decay=config.weight_decay
    )
    out.mkdir(parents=True, exist_ok=True)
    first = _restore(out / CHECKPOINT, tower, optimizer, config)
    began = time.monotonic()
    for step in range(first, config.steps):
        for group in optimizer.param_groups:
            group['lr'] = config.lr * schedule(step, config.steps)
        losses = batch_losses(tower, regions, words, step, config)
        optimizer.zero_grad(set_to_none=True)
        sum(losses.values(), torch.zeros(())).backward()
        torch.nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
        optimizer.step()
        if step % 20 == 0:
            told = ', '.join(f'{name} {value.detach():.3f}' for name, value in losses.items())
            log.info('step %d/%d %.0f s: %s', step, config.steps, time.monotonic() - began, told)
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            _save(out / CHECKPOINT, tower, optimizer, step + 1, config)
    return tower.eval().requires_grad_(False)


def schedule(step: int, steps: int) -> float:
    """Return the factor of the learning rate: a short rise, then half a cosine to zero."""
    warm = max(1, min(100, steps // 10))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + float(np.cos(np.pi * (step - warm) / max(1, steps - warm))))


def batch_losses(
    tower: DemoImageTower, regions: Regions, words: Words, step: int, config: TrainConfig
) -> dict[str, torch.Tensor]:
    """Return the weighted losses of the batch of one step."""
    random = np.random.default_rng([config.seed, step])
    size = min(config.batch, len(regions.images))
    drawn = np.sort(random.choice(len(regions.images), size, False, regions.share))
    images, maps = augment(image_tensor(regions.images[drawn]), regions.instance[drawn], random)
    image, rows, weights = cell_counts(maps, tower.stride)  # [R], [R], [R, h, w]
    pixels = weights.sum((1, 2))  # [R]
    kept = (pixels >= config.min_pixels).numpy()
    image, rows, weights, pixels = image[kept], rows[kept], weights[kept], pixels[kept]
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast('cpu', torch.bfloat16, enabled=config.bfloat16):
        features = tower.features(images)
    pooled = pool_regions(features.float(), image, weights)
    embeddings = functional.normalize(tower.project(pooled), dim=1)  # [R, D]
    share = (pixels / config.sure_pixels).clamp(max=1) * words.rarity[torch.from_numpy(rows)]
    share = share / share.sum().clamp_min(1e-6)
    scaled = embeddings * config.logit_scale
    captions, member = draw_captions(words, rows, random)
    label = torch.from_numpy(words.label[rows])
    both = caption_loss(scaled, captions, member) + caption_loss(captions, scaled, member.T)
    pull = 1 - (embeddings * words.centre[torch.from_numpy(rows)]).sum(1)
    return {
        'names': (share * name_loss(scaled, label, words.name_embeddings)).sum(),
        'captions': config.caption_weight * (share * both).sum(),
        'pull': config.pull_weight * (share * pull).sum(),
    }


def _save(
    path: Path,
    tower: DemoImageTower,
    optimizer: torch.optim.Optimizer,
    step: int,
    config: TrainConfig,
) -> None:
    """Write weights, optimiser state and config, at once or not at all."""
    tensors = {f'tower.{key}': value for key, value in tower.state_dict().items()}
    for name, parameter in tower.named_parameters():
        for key, value in optimizer.state[parameter].items():
            tensors[f'optimizer.{name}.{key}'] = value
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    tensors = {key: value.contiguous() for key, value in tensors.items()}
    save_file(tensors, temporary, {'step': str(step), 'config': json.dumps(asdict(config))})
    os.replace(temporary, path)


def _restore(
    path: Path, tower: DemoImageTower, optimizer: torch.optim.Optimizer, config: TrainConfig
) -> int:
    """Load a checkpoint, if there is one, and return the step to go on with."""
    if not path.exists():
        return 0
    try:
        with safe_open(path, 'pt') as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ValueError(f'{path}: cannot be read ({error}); remove it to begin anew') from error
    if json.loads(metadata['config']) != json.loads(json.dumps(asdict(config))):
        raise ValueError(
            f'{path}: was trained with {metadata["config"]}, asked for {asdict(config)}; '
            'use those settings or another folder'
        )
    of_tower = {k[6:]: v for k, v in tensors.items() if k.startswith('tower.')}
    tower.load_state_dict(of_tower)
    for name, parameter in tower.named_parameters():
        keys = ('step', 'exp_avg', 'exp_avg_sq')
        optimizer.state[parameter] = {k: tensors[f'optimizer.{name}.{k}'] for k in keys}
    log.info('%s: goes on at step %s', path, metadata['step'])
    return int(metadata['step'])
