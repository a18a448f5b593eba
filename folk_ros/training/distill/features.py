"""
What the frozen student sees of each mask, once per scene and kept in files.

An adapter then trains in seconds, so that many ways of distilling can be compared on the same
features. The files depend on the student and on the masks alone, never on a teacher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
import hashlib
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open, SafetensorError
from safetensors.numpy import save_file
import torch
from torch import Tensor

from folk_ros.instances import expand_masks
from folk_ros.structures import PointCloud, Voxels
from folk_ros.student.face import PooledStudent, Sight
from folk_ros.student.suppression import suppress
from folk_ros.student.vl_adapter import at_finest, describe_shape
from folk_ros.training.distill.given_masks import GivenMasks, own_masks, read_given_masks
from folk_ros.training.masks.augment import turned
from folk_ros.training.workers import worker_pool
from folk_ros.voxels import voxelize

log = logging.getLogger(__name__)
TOKENS = 16  # voxels of a mask that are kept as they are, drawn by mask probability
MATCH_IOU = 0.5  # a predicted mask this close to a given one is trained to be it
MIN_VOXELS = 6  # masks of fewer voxels are not looked at
WEAKEST = 0.05  # quality of predicted masks that are kept
NMS_IOU = 0.4
GIVEN, PREDICTED = 0, 1


@dataclass(frozen=True)
class Seen:
    """What the student sees of S masks; C channels over all its levels, C0 in the finest."""

    mean: NDArray[np.float32]  # [S, C] weighted by mask probability
    spread: NDArray[np.float32]  # [S, C] standard deviation
    plain: NDArray[np.float32]  # [S, C0] unweighted mean of the finest level
    shape: NDArray[np.float32]  # [S, 6] see describe_shape
    tokens: NDArray[np.float16]  # [S, TOKENS, C] of single voxels
    owner: NDArray[np.int64]  # [S] row of the given mask that this is, -1 for none
    origin: NDArray[np.int64]  # [S] GIVEN or PREDICTED
    look: NDArray[np.int64]  # [S] 0 as the scene is, then turned and thinned out
    quality: NDArray[np.float32]  # [S] of predicted masks; 1
    starts: NDArray[np.int64]  # [S' + 1] points of the predicted masks of look 0, which come first
    points: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.owner)


@dataclass(frozen=True)
class Look:
    """How scenes are looked at."""

    student: PooledStudent
    cache: Path
    looks: int = 2
    seed: int = 0
    workers: int = 1  # processes of one thread each


def see_all(scenes: Sequence[tuple[Path, Path | None]], look: Look) -> list[Path | None]:
    """
    Look at scene folders, each with the teacher file whose masks it is given (none: the truth).

    Returns their feature files, scene by scene; those that are there already are kept. A scene
    that cannot be read is said, and None.
    """
    folder = look.cache / fingerprint(look)
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (scene, masks, folder / feature_name(scene, own_masks(masks))) for scene, masks in scenes
    ]
    todo = [job for job in jobs if not job[2].is_file()]
    if todo:
        log.info('looking at %d scenes, %d are there already', len(todo), len(jobs) - len(todo))
    with _seer(look, len(todo)) as run:
        for done, error in enumerate(run(todo), 1):
            if error:
                log.warning('left out: %s', error)
            if done % 50 == 0:
                log.info('looked at %d of %d scenes', done, len(todo))
    return [path if path.is_file() else None for _, _, path in jobs]


def feature_name(scene: Path, masks: Path | None) -> str:
    """Return a name that differs between scenes of one name in different folders, and masks."""
    files = [path for path in (scene / 'cloud.npz', masks) if path is not None]
    place = [f'{path.resolve()} {path.stat().st_mtime_ns}' for path in files if path.is_file()]
    return f'{scene.name}.{hashlib.sha256(repr(place).encode()).hexdigest()[:8]}.safetensors'


def fingerprint(look: Look) -> str:
    """Return letters that differ between students and ways of looking."""
    digest = hashlib.sha256(f'{look.looks} {look.seed} {TOKENS} {look.student.config}'.encode())
    for name, value in sorted(look.student.state_dict().items()):
        if not name.startswith('adapter.'):
            digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()[:12]


Job = tuple[Path, Path | None, Path]  # scene folder, teacher file with masks, file to write
WORKER: list[Look] = []  # of a worker process


@contextmanager
def _seer(look: Look, count: int) -> Iterator[Callable[[Sequence[Job]], Iterator[str]]]:
    """Look at scenes in this process, or in several of one thread each."""
    if min(look.workers, count) <= 1:
        yield lambda jobs: (_see_scene(job, look) for job in jobs)
        return
    with worker_pool(look.workers, _begin, (look,)) as pool:
        yield lambda jobs: pool.map(_see_in_worker, jobs)


def _begin(look: Look) -> None:
    torch.set_num_threads(1)
    WORKER.append(look)


def _see_in_worker(job: Job) -> str:
    return _see_scene(job, WORKER[0])


def _see_scene(job: Job, look: Look) -> str:
    """Look at one scene and write its features; return what is wrong with it."""
    scene, masks, out = job
    try:
        given = read_given_masks(scene, masks)
    except (OSError, ValueError, KeyError) as error:
        return f'{scene.name}: {error}'
    name = int(hashlib.sha256(scene.name.encode()).hexdigest()[:8], 16)
    rng = np.random.default_rng([look.seed, name])
    parts = [see(look.student, given, turn, rng) for turn in range(look.looks)]
    save_seen(out, joined(parts))
    return ''


@torch.no_grad()
def see(student: PooledStudent, given: GivenMasks, turn: int, rng: np.random.Generator) -> Seen:
    """Look at a scene once: over the given masks, and over those the student finds."""
    count = len(given.cloud)
    kept = rng.random(count) < (1.0 if turn == 0 else rng.uniform(0.5, 1.0))
    cloud = given.cloud.select(kept)
    if turn:
        rgb = None if rng.random() < 0.1 else cloud.rgb
        cloud = PointCloud(turned(cloud.xyz, rng), rgb)
    voxels = voxelize(cloud, student.config.voxel_size_m)
    sight = student.look(voxels)
    truth = given.on_voxels(kept, voxels.point_to_voxel, len(voxels))  # [G, V] bool
    inside = sight.masks > 0.5
    keep = suppress(inside, sight.quality, WEAKEST, NMS_IOU, student.nested)
    owner = match(inside[keep].numpy(), truth)
    parts = []
    if len(keep):
        aim = Aim(sight.masks[keep], owner, PREDICTED, turn)
        parts.append(_pool(sight, aim, voxels, rng))
        parts[0] = replace(parts[0], quality=sight.quality[keep].numpy().astype(np.float32))
        if turn == 0:
            parts[0] = _with_points(parts[0], inside[keep], voxels)
    own = np.flatnonzero(truth.sum(1) >= MIN_VOXELS)
    if len(own):
        masks = torch.from_numpy(truth[own].astype(np.float32))
        parts.append(_pool(sight, Aim(masks, own, GIVEN, turn), voxels, rng))
    return joined(parts)


@dataclass(frozen=True)
class Aim:
    """Masks to pool over."""

    masks: Tensor  # [S, V] probabilities
    owner: NDArray[np.int64]  # [S] as in Seen
    origin: int
    look: int


def _pool(sight: Sight, aim: Aim, voxels: Voxels, rng: np.random.Generator) -> Seen:
    """Pool everything an adapter may read."""
    masks = aim.masks
    every = torch.arange(len(sight.levels[0]))
    features = at_finest(sight.features, sight.levels, every)  # [V, C]
    which, rows = (masks > 0.5).nonzero(as_tuple=True)
    weight = masks[which, rows]
    count, width = len(masks), features.shape[1]
    total = torch.zeros(count).index_add(0, which, weight).clamp(min=1e-6)[:, None]
    values = features[rows]
    mean = torch.zeros(count, width).index_add(0, which, values * weight[:, None]) / total
    square = torch.zeros(count, width).index_add(0, which, values**2 * weight[:, None]) / total
    number = torch.bincount(which, minlength=count).clamp(min=1)[:, None]
    finest = sight.features[0].shape[1]
    plain = torch.zeros(count, finest).index_add(0, which, values[:, :finest]) / number
    first = torch.cumsum(number[:, 0], 0) - number[:, 0]
    drawn = first[:, None] + torch.from_numpy(rng.random((count, TOKENS))) * number
    shape = describe_shape(sight.levels[0].coords[:, 1:], which, rows, voxels.size_m)
    return Seen(
        mean=mean.numpy(),
        spread=(square - mean**2).clamp(min=0).sqrt().numpy(),
        plain=plain.numpy(),
        shape=shape.numpy(),
        tokens=values[drawn.long()].numpy().astype(np.float16),
        owner=aim.owner,
        origin=np.full(count, aim.origin, np.int64),
        look=np.full(count, aim.look, np.int64),
        quality=np.ones(count, np.float32),
        starts=np.zeros(1, np.int64),
        points=np.zeros(0, np.int32),
    )


def _with_points(seen: Seen, inside: Tensor, voxels: Voxels) -> Seen:
    which, rows = inside.nonzero(as_tuple=True)
    starts, points = expand_masks(which.numpy(), rows.numpy(), len(inside), voxels)
    return replace(seen, starts=starts, points=_rising(starts, points))


def _rising(starts: NDArray[np.int64], points: NDArray[np.int32]) -> NDArray[np.int32]:
    parts = [np.sort(points[a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True)]
    return np.concatenate([np.zeros(0, np.int32), *parts])


def match(inside: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return which given mask [G, V] each predicted one [S, V] is, -1 for none."""
    if not len(inside) or not len(truth):
        return np.full(len(inside), -1, np.int64)
    shared = inside.astype(np.float32) @ truth.T.astype(np.float32)
    union = inside.sum(1)[:, None] + truth.sum(1)[None] - shared
    iou = shared / np.maximum(union, 1)
    return np.where(iou.max(1) > MATCH_IOU, iou.argmax(1), -1).astype(np.int64)


def joined(parts: Sequence[Seen]) -> Seen:
    """Join what was seen in several looks; predicted masks of look 0 must come first."""
    arrays = {
        item.name: np.concatenate([getattr(part, item.name) for part in parts])
        for item in fields(Seen)
        if item.name not in ('starts', 'points')
    }
    return Seen(**arrays, starts=parts[0].starts, points=parts[0].points)


def save_seen(path: Path, seen: Seen) -> None:
    """Write a feature file, at once or not at all."""
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.part')
    save_file({item.name: np.ascontiguousarray(getattr(seen, item.name)) for item in fields(Seen)},
              temporary)  # fmt: skip
    os.replace(temporary, path)


def load_seen(path: Path, tokens: bool = False) -> Seen:
    """Read a feature file; single voxels only if asked for."""
    arrays: dict[str, Any] = {}
    try:
        with safe_open(path, 'np') as file:
            for item in fields(Seen):
                if item.name != 'tokens' or tokens:
                    arrays[item.name] = file.get_tensor(item.name)
    except (OSError, SafetensorError) as error:
        raise ValueError(f'{path}: not a feature file ({error}); remove it') from error
    arrays.setdefault('tokens', np.zeros((len(arrays['owner']), 0, 0), np.float16))
    return Seen(**arrays)
