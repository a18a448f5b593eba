"""The masks of a scene that a teacher spoke of: the true ones, or those of its teacher file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open, SafetensorError

from folk_ros.instances import masks_from_owners
from folk_ros.structures import PointCloud


@dataclass(frozen=True)
class GivenMasks:
    """A cloud and G masks over its points; see Instances for starts and points."""

    cloud: PointCloud
    starts: NDArray[np.int64]  # [G + 1]
    points: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def on_voxels(
        self, kept: NDArray[np.bool_], point_to_voxel: NDArray[np.int64], count: int
    ) -> NDArray[np.bool_]:
        """
        Return the masks on a grid [G, V]: voxels at least half of whose points they hold.

        `kept` [N] are the points that are left, `point_to_voxel` where those lie.
        """
        voxel = np.full(len(kept), -1, np.int64)
        voxel[kept] = point_to_voxel
        amount = np.bincount(point_to_voxel, minlength=count)
        owner = np.repeat(np.arange(len(self)), np.diff(self.starts))
        cell = voxel[self.points]
        left = cell >= 0
        flat = np.bincount(owner[left] * count + cell[left], minlength=len(self) * count)
        held: NDArray[np.bool_] = 2 * flat.reshape(len(self), count) >= np.maximum(amount, 1)
        return held


def read_given_masks(scene: Path, teacher: Path | None) -> GivenMasks:
    """
    Read a scene folder's cloud, and masks: those in the teacher file, or else the true ones.

    The views are left alone. Raises ValueError where neither has masks or they are of another
    cloud.
    """
    with np.load(scene / 'cloud.npz', allow_pickle=False) as file:
        cloud = PointCloud(file['xyz'].astype(np.float32), file['rgb'])
        owner = file.get('instance')
    own = None if teacher is None else _masks_of(teacher)
    if own is not None:
        starts, points, count = own
        if count != len(cloud):
            raise ValueError(
                f'{teacher}: its masks are over {count} points, the cloud has {len(cloud)}'
            )
        return GivenMasks(cloud, starts, points)
    if owner is None or not (scene / 'truth.json').is_file():
        raise ValueError(f'{scene}: has no truth, and {teacher} no masks of its own')
    return GivenMasks(cloud, *masks_from_owners(owner))


def _masks_of(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int32], int] | None:
    """Return the masks that a teacher file carries, None for one of true instances."""
    try:
        with safe_open(path, 'np') as file:
            if 'point_instance' not in file.keys():  # noqa: SIM118 - the file is no dictionary
                return None
            owner = file.get_tensor('point_instance')
            rows = file.get_slice('embeddings').get_shape()[0]
    except (OSError, SafetensorError) as error:
        raise ValueError(f'{path}: not a teacher file ({error!r}); make it again') from error
    return *masks_from_owners(owner, rows), len(owner)


def own_masks(teacher: Path | None) -> Path | None:
    """Return a teacher file if it carries masks of its own, None for one of true instances."""
    if teacher is None:
        return None
    try:
        return teacher if _masks_of(teacher) is not None else None
    except ValueError:
        return teacher  # whoever reads it will say what is wrong
