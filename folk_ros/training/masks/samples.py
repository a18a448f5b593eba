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
from folk_ros.student.query_student import assemble_input
from folk_ros.student.surface import surface_of
from folk_ros.training.masks.augment import (
    AugmentConfig,
    distorted,
    missing,
    recoloured,
    turned,
)
from folk_ros.voxels import voxelize

__all__ = ['LabelledCloud', 'majority', 'make_sample', 'read_labelled', 'Sample', 'turned']

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
    """One crop on the grid; all tensors lie on the same device."""

    coords: Tensor  # [V, 3] int64
    inputs: Tensor  # [V, INPUT], with the surface [V, INPUT + SURFACE]
    instance: Tensor  # [V] int64 from 0 without gaps; -1 for none
    label: Tensor  # [T] int64 index into the training names, -1 unknown
    offset: Tensor  # [V, 3] to the centre of the own instance, voxels; 0 for none
    masks_known: bool = True  # whether masks are learnt from it: they are true, and all there

    def to(self, device: torch.device) -> Sample:
        """Return the crop on a device."""
        coords, inputs, instance, label, offset = (
            value.to(device)
            for value in (self.coords, self.inputs, self.instance, self.label, self.offset)
        )
        return Sample(coords, inputs, instance, label, offset, self.masks_known)


@dataclass(frozen=True)
class CropConfig:
    """How clouds become samples."""

    voxel_size_m: float = 0.04
    voxels: int = 12_000  # of a crop
    whole: float = 0.15  # share of samples that are twice as large
    on_objects: float = 0.0  # share of crops around a point of an object rather than any point
    surface: bool = False  # whether the student reads the surface, too
    augment: AugmentConfig = AugmentConfig()


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
    augment, size = config.augment, config.voxel_size_m
    kept = rng.random(len(cloud.xyz)) < rng.uniform(*augment.points_kept)
    xyz, rgb, instance = cloud.xyz[kept], cloud.rgb[kept], cloud.instance[kept]
    near = _nearest(xyz, instance, config, rng)
    near = near[missing(xyz[near], size, augment, rng)]
    xyz, rgb, instance = xyz[near], recoloured(rgb[near], augment, rng), instance[near]
    voxels = voxelize(PointCloud(distorted(xyz, size, augment, rng), rgb), size)
    owner, kinds = _renumber(majority(voxels.point_to_voxel, instance))
    label = [names.get(cloud.names[k], -1) for k in kinds]
    coloured = rng.random() >= augment.colour_dropped
    colours = torch.from_numpy(voxels.rgb) * 2 - 1 if coloured else torch.zeros(len(owner), 3)
    coords = torch.from_numpy(voxels.coords).to(torch.int64)
    inputs = assemble_input(colours, coloured, coords[:, 2])
    return Sample(
        coords=coords,
        inputs=torch.cat([inputs, surface_of(voxels)], 1) if config.surface else inputs,
        instance=torch.from_numpy(owner),
        label=torch.tensor(label, dtype=torch.int64),
        offset=_offsets(coords, torch.from_numpy(owner), len(kinds)),
    )


def _nearest(
    xyz: NDArray, instance: NDArray, config: CropConfig, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose the points of the voxels nearest in plan to some point."""
    wanted = config.voxels * (2 if rng.random() < config.whole else 1)
    choice = np.flatnonzero(instance >= 0) if rng.random() < config.on_objects else ()
    row = rng.choice(choice) if len(choice) else rng.integers(len(xyz))
    order = np.argsort(np.square(xyz[:, :2] - xyz[row, :2]).sum(1), kind='stable')
    cells = np.floor(xyz[order] / config.voxel_size_m).astype(np.int64) + (1 << 19)
    keys = (cells[:, 0] << 40) | (cells[:, 1] << 20) | cells[:, 2]
    _, first = np.unique(keys, return_index=True)
    if len(first) <= wanted:
        return order
    return order[: np.partition(first, wanted)[wanted]]


def majority(point_to_voxel: NDArray, instance: NDArray) -> NDArray[np.int64]:
    """Return the instance [V] that most points of each voxel belong to."""
    base = int(instance.max(initial=-1)) + 2
    keys, counts = np.unique(point_to_voxel * base + instance + 1, return_counts=True)
    order = np.argsort(counts, kind='stable')  # the last written is the most frequent
    owner = np.empty(int(point_to_voxel.max(initial=-1)) + 1, np.int64)
    owner[keys[order] // base] = keys[order] % base - 1
    return owner


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
