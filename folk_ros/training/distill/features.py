"""What the frozen student sees of each instance: computed once, the adapter trains fast."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
import logging
import multiprocessing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from folk_ros.structures import PointCloud
from folk_ros.student.face import PooledStudent
from folk_ros.training.distill.targets import read_targets
from folk_ros.training.masks.samples import LabelledCloud, MIN_VOXELS, read_labelled, turned
from folk_ros.training.scenes.splits import split_folders
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


@dataclass(frozen=True)
class Look:
    """How the scenes are looked at."""

    student: PooledStudent
    text: NDArray[np.float32]  # [B, D] names that the views vote for
    turns: int = 2  # looks at each scene: as it is, then turned and thinned out
    seed: int = 0
    workers: int = 1  # processes of one thread each


def collect(scenes: list[tuple[Path, Path]], look: Look) -> AdapterData:
    """Run the student on scene folders paired with teacher files, and gather what it sees."""
    fresh = multiprocessing.get_context('spawn')  # torch does not survive a fork
    parts: list[SceneData] = []
    with ProcessPoolExecutor(look.workers, fresh, _begin, (look,)) as pool:
        for part in pool.map(_look_at, range(len(scenes)), scenes):
            parts.append(part)
            if len(parts) % 50 == 0:
                log.info('looked at %d of %d scenes', len(parts), len(scenes))
    first = np.cumsum([0, *(p.count for p in parts)])
    return AdapterData(
        pooled=torch.from_numpy(np.concatenate([p.pooled for p in parts])),
        teacher=torch.from_numpy(np.concatenate([p.teacher for p in parts])),
        label=torch.from_numpy(np.concatenate([p.label for p in parts])),
        instance=torch.from_numpy(
            np.concatenate([p.owner + f for p, f in zip(parts, first[:-1], strict=True)])
        ),
    )


@dataclass(frozen=True)
class SceneData:
    """What one scene gives: S samples of `count` objects."""

    pooled: NDArray[np.float32]  # [S, C]
    teacher: NDArray[np.float32]  # [S, D]
    label: NDArray[np.int64]  # [S]
    owner: NDArray[np.int64]  # [S] object of the scene
    count: int


WORKER: list[Look] = []  # of a worker process


def _begin(look: Look) -> None:
    torch.set_num_threads(1)
    # twice as fast on processors with bfloat16; its rounding is less than the adapter's noise
    look.student.compute = torch.bfloat16
    WORKER.append(look)


def _look_at(number: int, paths: tuple[Path, Path]) -> SceneData:
    """Look at one scene, in a worker process."""
    look = WORKER[0]
    cloud = read_labelled(paths[0])
    targets = read_targets(paths[1], look.text, look.student.config.clip)
    rng = np.random.default_rng([look.seed, number])
    looks = [_pool_scene(look.student, cloud, rng, turn) for turn in range(look.turns)]
    pooled = torch.cat([p for p, _ in looks]).numpy()
    owner = np.concatenate([o for _, o in looks])
    good = targets.label[owner] >= 0
    pooled, owner = pooled[good], owner[good]
    embedding, label = targets.embedding[owner], targets.label[owner]
    return SceneData(pooled, embedding, label, owner, len(cloud.names))


@torch.no_grad()
def _pool_scene(
    student: PooledStudent, cloud: LabelledCloud, rng: np.random.Generator, turn: int
) -> tuple[Tensor, NDArray[np.int64]]:
    """Pool features over true and over well-predicted masks: [S, C] and their instances [S]."""
    kept = rng.random(len(cloud.xyz)) < (1.0 if turn == 0 else rng.uniform(0.5, 1.0))
    xyz = turned(cloud.xyz[kept], rng) if turn else cloud.xyz
    rgb = None if turn and rng.random() < 0.1 else cloud.rgb[kept]
    voxels = voxelize(PointCloud(xyz, rgb), student.config.voxel_size_m)
    instance = np.full(len(voxels), -1, np.int64)
    instance[voxels.point_to_voxel] = cloud.instance[kept]
    sight = student.look(voxels)
    true_owner, kinds = _true_masks(instance)
    pooled, owners = [], []
    for owner, rows, weight, names in [(*true_owner, kinds), _predicted(sight.masks, instance)]:
        if len(names):
            pooled.append(student.adapter_input(sight, owner, rows, weight))
            owners.append(names)
    if not pooled:
        assert student.adapter is not None
        return torch.zeros(0, student.adapter.norm.num_features), np.zeros(0, np.int64)
    return torch.cat(pooled), np.concatenate(owners)


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
        for folder in split_folders(rooms, split)
        if (teacher / f'{folder.name}.safetensors').is_file()
    ]
    if not pairs:
        raise ValueError(
            f'{teacher}: expected teacher files of the scenes {rooms}/{split}_*, found none; '
            'run `folk teach` first'
        )
    return pairs
