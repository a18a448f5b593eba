"""The two recipes that weights are shipped for; all but the grid and the crops is the same."""

from __future__ import annotations

from dataclasses import dataclass

from folk_ros.student.student import StudentConfig
from folk_ros.training.masks.augment import AugmentConfig
from folk_ros.training.masks.samples import CropConfig


@dataclass(frozen=True)
class Preset:
    """What the training of one kind of weights needs to know."""

    student: StudentConfig
    crop: CropConfig


ROOMS = Preset(StudentConfig(voxel_size_m=0.04), CropConfig(voxel_size_m=0.04))
TABLETOP = Preset(
    StudentConfig(voxel_size_m=0.01),
    CropConfig(
        voxel_size_m=0.01,
        voxels=6000,
        on_objects=0.9,
        augment=AugmentConfig(
            scale=(0.85, 1.15),
            tilt_deg=1.5,
            jitter=0.2,
            elastic=0.8,
            optical=0.12,
            points_kept=(0.3, 1.0),
            colour_dropped=0.25,
            colour_spread=0.3,
        ),
    ),
)
PRESETS = {'rooms': ROOMS, 'tabletop': TABLETOP}
