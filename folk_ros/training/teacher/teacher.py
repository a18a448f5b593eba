"""The teacher: one CLIP embedding for each instance and view of a scene (FOLK section 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
import logging
import math

import numpy as np
from numpy.typing import NDArray
import torch

from folk_ros.training.scenes.scene import Scene, View
from folk_ros.training.teacher.crops import CropConfig, embed_by_crops
from folk_ros.training.teacher.image_tower import ImageTower
from folk_ros.training.teacher.mask_completion import complete_mask, CompletionConfig
from folk_ros.training.teacher.mask_pooling import pool_embeddings
from folk_ros.training.teacher.projection import count_pixels, seen_points
from folk_ros.training.teacher.teacher_file import TeacherFile
from folk_ros.training.teacher.view_selection import select_views

log = logging.getLogger(__name__)
POOLINGS = ('mask', 'crops')
IN_MEMORY = 40  # views; of scans with more, each image is read once for depth and once for colour


@dataclass(frozen=True)
class TeacherConfig:
    """How instances are looked at."""

    pooling: str = 'mask'
    """'mask': dense features under the mask; 'crops': OpenMask3D's multi-scale crops."""
    views: int = 6
    """The most visible views considered for an instance (the paper's K_pre)."""
    min_angle_deg: float = 5.0
    """Of two cameras turned by less than this, only the one that sees more is used."""
    every: int = 1
    """Each nth view of a scene is looked at (OpenMask3D takes each tenth of a film)."""
    depth_tolerance_m: float = 0.05
    """A point is seen if the depth measured at its pixel is its own, within this."""
    min_pixels: int = 20
    """A view that sees an instance on fewer pixels is not used."""
    batch: int = 4
    """Images per run of the image tower."""
    completion: CompletionConfig = field(default_factory=CompletionConfig)
    crops: CropConfig = field(default_factory=CropConfig)

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling: expected one of {POOLINGS}, got '{self.pooling}'")
        for name in ('views', 'every', 'batch', 'min_pixels'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name}: expected 1 or more, got {getattr(self, name)}')


@dataclass(frozen=True)
class Texts:
    """Names that the views are asked to choose from, in the space of the image tower."""

    names: tuple[str, ...] = ()
    embeddings: NDArray[np.float32] | None = None  # [Q, D] unit length


@dataclass(frozen=True)
class Predicted:
    """Instances that a student found, each point with the best one that claims it."""

    owner: NDArray[np.int32]  # [N] -1 for none
    quality: NDArray[np.float32]  # [I] in [0, 1]


@dataclass(frozen=True)
class Subject:
    """What is looked at: points that belong to instances."""

    xyz: NDArray[np.float32]  # [N, 3]
    owner: NDArray[np.int32]  # [N] -1 for none
    count: int


def teach_scene(
    scene: Scene,
    tower: ImageTower,
    config: TeacherConfig,
    predicted: Predicted | None = None,
    texts: Texts | None = None,
) -> TeacherFile:
    """
    Embed the instances of a scene in the views that see them best.

    They are the true ones, or the predicted ones if they are given. Raises ValueError if the scene
    has no views that can be read, or neither truth nor predicted instances.
    """
    texts = texts or Texts()
    subject, views = _subject(scene, predicted), ReadableViews(scene, config.every)
    chosen, visibility = choose_views(subject, views, config)
    embeddings = np.zeros((*chosen.shape, tower.dim), np.float32)
    for numbers in _batches(np.unique(chosen[chosen >= 0]).tolist(), config.batch):
        for number, found in _look(subject, views, numbers, tower, config, chosen):
            embeddings[chosen == number] = found
    blind = ~embeddings.any(-1)  # a mask may come out empty
    chosen[blind], visibility[blind] = -1, 0
    names = np.zeros((0, tower.dim), np.float32) if texts.embeddings is None else texts.embeddings
    taught = TeacherFile(
        scene.scene_id,
        tower.name,
        embeddings,
        chosen,
        visibility,
        texts.names,
        embeddings @ names.T,
        predicted.owner if predicted else None,
        predicted.quality if predicted else None,
        views_missing=len(views.missing),
    )
    if taught.unseen:
        log.info('%s: no view sees %d of %d instances', scene.scene_id, taught.unseen, len(chosen))
    return taught


def _subject(scene: Scene, predicted: Predicted | None) -> Subject:
    if not len(scene.views):
        raise ValueError(f'{scene.scene_id}: the teacher needs posed RGB-D views, there are none')
    if predicted is not None:
        if len(predicted.owner) != len(scene.cloud):
            raise ValueError(
                f'{scene.scene_id}: instances are given for {len(predicted.owner)} points, the '
                f'cloud has {len(scene.cloud)}'
            )
        return Subject(scene.cloud.xyz, predicted.owner, len(predicted.quality))
    if scene.truth is None:
        raise ValueError(
            f'{scene.scene_id}: has no true instances; let a student predict them (--masks)'
        )
    return Subject(scene.cloud.xyz, scene.truth.point_instance, len(scene.truth.names))


class ReadableViews:
    """The views of a scene by number; few are kept in memory, and broken ones are told once."""

    def __init__(self, scene: Scene, every: int) -> None:
        self.missing: list[int] = []
        self._scene = scene
        self._numbers = range(0, len(scene.views), every)
        self._kept: dict[int, View] = {}

    def __iter__(self) -> Iterator[tuple[int, View]]:
        for number in self._numbers:
            try:
                view = self._scene.views[number]
            except (ValueError, OSError) as error:
                log.warning('%s: view %d is left out: %s', self._scene.scene_id, number, error)
                self.missing.append(number)
                continue
            if len(self._numbers) <= IN_MEMORY:
                self._kept[number] = view
            yield number, view
        if len(self.missing) == len(self._numbers):
            raise ValueError(f'{self._scene.scene_id}: none of its views can be read')

    def __getitem__(self, number: int) -> View:
        return self._kept[number] if number in self._kept else self._scene.views[number]


def choose_views(
    subject: Subject, views: ReadableViews, config: TeacherConfig
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return view ids [I, K], most visible first, -1 where none, and visible pixels [I, K]."""
    numbers, rotations, counted = [], [], []
    for number, view in views:
        seen = seen_points(subject.xyz, view, config.depth_tolerance_m)
        counted.append(count_pixels(seen, subject.owner, subject.count, view.depth.size))
        numbers.append(number)
        rotations.append(view.T_world_camera[:3, :3])
    pixels, turns = np.stack(counted, 1), np.stack(rotations)  # [I, V], [V, 3, 3]
    pixels[pixels < config.min_pixels] = 0
    chosen = np.full((subject.count, config.views), -1, np.int32)
    visibility = np.zeros((subject.count, config.views), np.float32)
    for row in range(subject.count):
        kept = select_views(pixels[row], turns, config.views, math.radians(config.min_angle_deg))
        chosen[row, : len(kept)] = np.array(numbers, np.int32)[kept]
        visibility[row, : len(kept)] = pixels[row, kept]
    return chosen, visibility


def _batches(numbers: list[int], size: int) -> Iterator[list[int]]:
    for begin in range(0, len(numbers), size):
        yield numbers[begin : begin + size]


def _look(
    subject: Subject,
    views: ReadableViews,
    numbers: list[int],
    tower: ImageTower,
    config: TeacherConfig,
    chosen: NDArray[np.int32],
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield each view's number and the embeddings [R, D] of the instances that chose it."""
    batch = [views[number] for number in numbers]
    images = [torch.tensor(view.rgb).permute(2, 0, 1) / 255 for view in batch]  # [3, H, W]
    dense = _dense(images, tower) if config.pooling == 'mask' else []
    for k, (number, view) in enumerate(zip(numbers, batch, strict=True)):
        masks = instance_masks(subject, view, np.nonzero(chosen == number)[0], config)
        if config.pooling == 'crops':
            yield number, embed_by_crops(images[k], masks, tower, config.crops)
            continue
        stacked = torch.from_numpy(np.stack(masks)).to(dense[k].device)
        yield number, pool_embeddings(dense[k], stacked).cpu().numpy()


def _dense(images: list[torch.Tensor], tower: ImageTower) -> list[torch.Tensor]:
    """Return the features [D, h, w] of images; those of one size go through together."""
    with torch.inference_mode():
        if len({image.shape for image in images}) == 1:
            return list(tower.dense(torch.stack(images)).float())
        return [tower.dense(image[None])[0].float() for image in images]


def instance_masks(
    subject: Subject, view: View, rows: NDArray[np.int64], config: TeacherConfig
) -> list[NDArray[np.bool_]]:
    """Return the dense masks [H, W] of some instances in a view."""
    seen = seen_points(subject.xyz, view, config.depth_tolerance_m)
    owner = subject.owner[seen.index]
    shape, size = view.depth.shape, view.depth.size
    every = np.bincount(seen.pixel, minlength=size).reshape(shape)
    masks = []
    for row in rows:
        own = np.bincount(seen.pixel[owner == row], minlength=size).reshape(shape)
        masks.append(complete_mask(own, every - own, view.depth, config.completion))
    return masks
