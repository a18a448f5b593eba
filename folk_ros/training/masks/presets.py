"""The recipes for each kind of weights: network, crops, and how long to learn how fast."""

from __future__ import annotations

from dataclasses import dataclass, replace

from folk_ros.student.mask3d import Mask3DConfig
from folk_ros.student.mask_decoder import DecoderConfig
from folk_ros.student.student import StudentConfig
from folk_ros.training.masks.augment import AugmentConfig
from folk_ros.training.masks.networks import NetworkConfig
from folk_ros.training.masks.samples import CropConfig


@dataclass(frozen=True)
class Preset:
    """What the training of one kind of weights needs to know."""

    student: NetworkConfig
    crop: CropConfig
    steps: int = 4500
    crops: int = 2  # of one run of the network
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        for name in ('voxel_size_m', 'surface'):
            own, crops = getattr(self.student, name, False), getattr(self.crop, name)
            if own != crops:
                raise ValueError(f'{name}: the student has {own}, its crops {crops}')


ROOMS = Preset(StudentConfig(voxel_size_m=0.04), CropConfig(voxel_size_m=0.04))
TABLETOP = Preset(
    StudentConfig(voxel_size_m=0.01, surface=True, exclusive=True, doubt_small=1.1),
    CropConfig(
        voxel_size_m=0.01,
        voxels=3500,
        on_objects=0.9,
        surface=True,
        augment=AugmentConfig(
            scale=(0.85, 1.15),
            tilt_deg=1.5,
            jitter=0.2,
            elastic=0.8,
            points_kept=(0.3, 1.0),
            colour_dropped=0.25,
            colour_spread=0.3,
        ),
    ),
)
# The big student, for GPUs: Res16UNet34C and Mask3D's decoder, one class "object". Crops and rate
# are Mask3D's orders of magnitude; on a GPU it was never run.
MASK3D = Preset(
    Mask3DConfig(decoder=DecoderConfig(classes=1)),
    CropConfig(voxel_size_m=0.02, voxels=60_000, augment=AugmentConfig(points_kept=(0.7, 1.0))),
    steps=40_000,
    crops=4,
    learning_rate=2e-4,
)
PRESETS = {'rooms': ROOMS, 'tabletop': TABLETOP, 'mask3d': MASK3D}


def with_switches(preset: Preset, queries: str | None, spatial: bool | None) -> Preset:
    """Return a preset with another source of queries or form of masks; None keeps its own."""
    student = preset.student
    if isinstance(student, Mask3DConfig):
        old = student.decoder
        source = old.source if queries is None else queries
        decoder = replace(old, source=source, spatial=old.spatial if spatial is None else spatial)
        return replace(preset, student=replace(student, decoder=decoder))
    queries = student.queries if queries is None else queries
    spatial = student.spatial if spatial is None else spatial
    return replace(preset, student=replace(student, queries=queries, spatial=spatial))
