"""What the frozen student sees of each instance: computed once, the adapter trains fast."""

from __future__ import annotations

from dataclasses import dataclass
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from folk_ros.structures import PointCloud, Voxels
from folk_ros.student.engine import build_levels, Level
from folk_ros.student.mask_fields import pick_seeds
from folk_ros.student.student import MAX_SEEDS, MIN_SEED, score_masks, Student, student_input
from folk_ros.training.distill.targets import Targets
from folk_ros.training.masks.samples import LabelledCloud, MIN_VOXELS, turned
from folk_ros.voxels import voxelize

log = logging.getLogger(__name__)
MATCH_IOU = 0.5  # a predicted mask this close to an instance is trained to be it


@dataclass(frozen=True)
class AdapterData:
    """Pooled features and what they are to become."""

    pooled: Tensor  # [S, C]
    teacher: Tensor  # [S, D] unit length
    label: Tensor  # [S] int64
    instance: Tensor  # [S] int64, the same for all samples of one object


def collect(
    student: Student, scenes: list[tuple[LabelledCloud, Targets]], turns: int, seed: int
) -> AdapterData:
    """Run the student on each scene `turns` times, turned about gravity and thinned out."""
    parts = []
    first = 0
    for number, (cloud, targets) in enumerate(scenes):
        rng = np.random.default_rng([seed, number])
        for turn in range(turns):
            pooled, owner = _pool_scene(student, cloud, rng, turn)
            good = targets.label[owner] >= 0
            parts.append((pooled[torch.from_numpy(good)], owner[good], targets, first))
        first += len(cloud.names)
        if (number + 1) % 50 == 0:
            log.info('looked at %d of %d scenes', number + 1, len(scenes))
    return AdapterData(
        pooled=torch.cat([p for p, _, _, _ in parts]),
        teacher=torch.cat([torch.from_numpy(t.embedding[o]) for _, o, t, _ in parts]),
        label=torch.cat([torch.from_numpy(t.label[o]) for _, o, t, _ in parts]),
        instance=torch.cat([torch.from_numpy(o + f) for _, o, _, f in parts]),
    )


@torch.no_grad()
def _pool_scene(
    student: Student, cloud: LabelledCloud, rng: np.random.Generator, turn: int
) -> tuple[Tensor, NDArray[np.int64]]:
    """Pool features over true and over well-predicted masks: [S, C] and their instances [S]."""
    kept = rng.random(len(cloud.xyz)) < (1.0 if turn == 0 else rng.uniform(0.5, 1.0))
    xyz = turned(cloud.xyz[kept], rng) if turn else cloud.xyz
    rgb = None if turn and rng.random() < 0.1 else cloud.rgb[kept]
    voxels = voxelize(PointCloud(xyz, rgb), student.config.voxel_size_m)
    instance = np.full(len(voxels), -1, np.int64)
    instance[voxels.point_to_voxel] = cloud.instance[kept]
    features, levels, masks = _run(student, voxels)
    true_owner, kinds = _true_masks(instance)
    pairs = [(*true_owner, kinds)] + ([_predicted(masks, instance)] if masks is not None else [])
    pooled, owners = [], []
    for owner, rows, weight, names in pairs:
        if len(names):
            pooled.append(student.adapter_input(features, levels, owner, rows, weight))
            owners.append(names)
    if not pooled:
        return torch.zeros(0, 0), np.zeros(0, np.int64)
    return torch.cat(pooled), np.concatenate(owners)


def _run(student: Student, voxels: Voxels) -> tuple[list[Tensor], list[Level], Tensor | None]:
    coords = torch.from_numpy(voxels.coords).to(torch.int64)
    batch = torch.cat([coords.new_zeros(len(coords), 1), coords], 1)
    # twice as fast on processors with bfloat16; its rounding is less than the adapter's noise
    levels = build_levels(batch, student.depth, torch.bfloat16)
    features, fields = student.features(student_input(voxels), levels)
    seeds = pick_seeds(fields, MIN_SEED, MAX_SEEDS)
    if len(seeds) == 0:
        return features, levels, None
    masks, _ = score_masks(student.decoder(seeds, features, levels, fields), fields, seeds)
    return features, levels, masks


def _true_masks(
    instance: NDArray[np.int64],
) -> tuple[tuple[Tensor, Tensor, Tensor], NDArray[np.int64]]:
    kinds, counts = np.unique(instance[instance >= 0], return_counts=True)
    kinds = kinds[counts >= MIN_VOXELS]
    number = np.full(max(int(instance.max(initial=-1)) + 1, 1), -1)
    number[kinds] = np.arange(len(kinds))
    rows = np.flatnonzero(np.isin(instance, kinds))
    owner = number[instance[rows]]
    order = np.argsort(owner, kind='stable')
    rows_t = torch.from_numpy(rows[order])
    return (torch.from_numpy(owner[order]), rows_t, torch.ones(len(rows_t))), kinds


def _predicted(
    masks: Tensor, instance: NDArray[np.int64]
) -> tuple[Tensor, Tensor, Tensor, NDArray[np.int64]]:
    """Keep the predicted masks that are some instance; name them by it."""
    inside = (masks > 0.5).numpy()
    keep, names = [], []
    sizes = np.bincount(instance[instance >= 0], minlength=1)
    for row, mask in enumerate(inside):
        own = instance[mask]
        if not (own >= 0).any():
            continue
        best = int(np.bincount(own[own >= 0]).argmax())
        shared = int((own == best).sum())
        if shared / (mask.sum() + sizes[best] - shared) > MATCH_IOU:
            keep.append(row)
            names.append(best)
    chosen = masks[keep]
    owner, rows = (chosen > 0.5).nonzero(as_tuple=True)
    return owner, rows, chosen[owner, rows], np.array(names, np.int64)


def scene_folders(rooms: Path, teacher: Path, split: str) -> list[tuple[Path, Path]]:
    """Pair the scene folders of a split with their teacher files; scenes without are left out."""
    pairs = [
        (folder, teacher / f'{folder.name}.safetensors')
        for folder in sorted(rooms.glob(f'{split}_*'))
        if (teacher / f'{folder.name}.safetensors').is_file()
    ]
    if not pairs:
        raise ValueError(
            f'{teacher}: expected teacher files of the scenes {rooms}/{split}_*, found none; '
            'run `folk teach` first'
        )
    return pairs
