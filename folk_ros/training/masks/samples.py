"""Training samples for masks: crops of labelled clouds, augmented, on the student's grid."""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from folk_ros.structures import PointCloud
from folk_ros.student.student import assemble_input
from folk_ros.voxels import voxelize

MIN_VOXELS = 6  # instances of fewer voxels in a crop are neither learnt nor punished


@dataclass(frozen=True)
class LabelledCloud:
    """A cloud with ground truth, as it lies on disk."""

    scene_id: str
    xyz: NDArray[np.float32]  # [N, 3] metres
    rgb: NDArray[np.uint8]  # [N, 3]
    instance: NDArray[np.int32]  # [N], -1 for none
    names: tuple[str, ...]  # [I]


@dataclass(frozen=True)
class Sample:
    """One crop on the grid."""

    coords: Tensor  # [V, 3] int64
    inputs: Tensor  # [V, INPUT]
    instance: Tensor  # [V] int64 from 0 without gaps; -1 for none
    label: Tensor  # [T] int64 index into the training names, -1 unknown
    offset: Tensor  # [V, 3] to the centre of the own instance, voxels; 0 for none


@dataclass(frozen=True)
class CropConfig:
    """How clouds become samples."""

    voxel_size_m: float = 0.04
    voxels: int = 12_000  # of a crop
    whole_rooms: float = 0.15  # share of samples that are twice as large
    colour_dropped: float = 0.1
    points_kept: float = 0.7


def read_labelled(folder: Path) -> LabelledCloud:
    """Read cloud and ground truth of a scene folder; the views are left alone."""
    with np.load(folder / 'cloud.npz', allow_pickle=False) as file:
        xyz, rgb, instance = file['xyz'], file['rgb'], file['instance']
    truth = json.loads((folder / 'truth.json').read_text())
    return LabelledCloud(
        folder.name, xyz.astype(np.float32), rgb, instance.astype(np.int32), tuple(truth['names'])
    )


def make_sample(
    cloud: LabelledCloud, names: dict[str, int], config: CropConfig, rng: np.random.Generator
) -> Sample:
    """Cut and augment one crop; `names` numbers the training names."""
    kept = rng.random(len(cloud.xyz)) < rng.uniform(config.points_kept - 0.2, 1.0)
    xyz, instance = cloud.xyz[kept], cloud.instance[kept]
    near = _nearest(xyz, config, rng)
    xyz, instance = turned(xyz[near], rng), instance[near]
    rgb = _recoloured(cloud.rgb[kept][near], rng)
    voxels = voxelize(PointCloud(xyz, rgb), config.voxel_size_m)
    owner = np.full(len(voxels), -1, np.int64)
    owner[voxels.point_to_voxel] = instance  # the last point of a voxel names it
    owner, kinds = _renumber(owner)
    label = [names.get(cloud.names[k], -1) for k in kinds]
    coloured = rng.random() >= config.colour_dropped
    colours = torch.from_numpy(voxels.rgb) * 2 - 1 if coloured else torch.zeros(len(owner), 3)
    coords = torch.from_numpy(voxels.coords).to(torch.int64)
    return Sample(
        coords=coords,
        inputs=assemble_input(colours, coloured, coords[:, 2]),
        instance=torch.from_numpy(owner),
        label=torch.tensor(label, dtype=torch.int64),
        offset=_offsets(coords, torch.from_numpy(owner), len(kinds)),
    )


def _nearest(xyz: NDArray, config: CropConfig, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose the points of the voxels nearest in plan to a random point."""
    wanted = config.voxels * (2 if rng.random() < config.whole_rooms else 1)
    centre = xyz[rng.integers(len(xyz)), :2]
    order = np.argsort(np.square(xyz[:, :2] - centre).sum(1), kind='stable')
    cells = np.floor(xyz[order] / config.voxel_size_m).astype(np.int64) + (1 << 19)
    keys = (cells[:, 0] << 40) | (cells[:, 1] << 20) | cells[:, 2]
    _, first = np.unique(keys, return_index=True)
    if len(first) <= wanted:
        return order
    return order[: np.partition(first, wanted)[wanted]]


def turned(xyz: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """Turn points [N, 3] about gravity, mirror, scale, and shift them a little."""
    angle = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) * rng.uniform(0.9, 1.1)
    if rng.random() < 0.5:
        turn[0] *= -1
    jitter = rng.normal(0, 0.003, xyz.shape)
    return (xyz @ turn.T + jitter + rng.uniform(0, 0.1, 3)).astype(np.float32)


def _recoloured(rgb: NDArray, rng: np.random.Generator) -> NDArray[np.uint8]:
    gain, shift = rng.uniform(0.8, 1.2, 3), rng.uniform(-15, 15, 3)
    noise = rng.normal(0, 4, rgb.shape)
    return np.clip(rgb * gain + shift + noise, 0, 255).astype(np.uint8)


def _renumber(owner: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the instances from 0; tiny ones keep no number but -2, "do not care"."""
    kinds, inverse, counts = np.unique(owner, return_inverse=True, return_counts=True)
    number = np.full(len(kinds), -1, np.int64)
    real = kinds >= 0
    number[real & (counts < MIN_VOXELS)] = -2
    big = real & (counts >= MIN_VOXELS)
    number[big] = np.arange(big.sum())
    return number[inverse.reshape(-1)], kinds[big]


def _offsets(coords: Tensor, owner: Tensor, count: int) -> Tensor:
    """Offset [V, 3] from each voxel to the mean of its instance."""
    offset = torch.zeros(len(coords), 3)
    own = owner >= 0
    if count:
        index, place = owner[own], coords[own].to(torch.float32)
        amount = torch.bincount(index, minlength=count).to(torch.float32)
        centre = torch.zeros(count, 3).index_add(0, index, place) / amount[:, None]
        offset[own] = centre[index] - place
    return offset
