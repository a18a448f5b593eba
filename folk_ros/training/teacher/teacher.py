"""The teacher: one CLIP embedding for each instance and view of a scene (FOLK section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
import logging
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open, SafetensorError
from safetensors.numpy import save_file
import torch

from folk_ros.structures import check_arrays
from folk_ros.training.scenes.scene import Scene, View
from folk_ros.training.teacher.image_tower import ImageTower
from folk_ros.training.teacher.mask_completion import complete_mask, CompletionConfig
from folk_ros.training.teacher.mask_pooling import pool_embeddings
from folk_ros.training.teacher.projection import count_pixels, seen_points, SeenPoints
from folk_ros.training.teacher.view_selection import select_views

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TeacherConfig:
    """How instances are looked at."""

    views: int = 6
    """The most visible views considered for an instance (the paper's K_pre)."""
    min_angle_deg: float = 5.0
    """Of two cameras turned by less than this, only the one that sees more is used."""
    depth_tolerance_m: float = 0.05
    """A point is seen if the depth measured at its pixel is its own, within this."""
    min_pixels: int = 20
    """A view that sees an instance on fewer pixels is not used."""
    completion: CompletionConfig = field(default_factory=CompletionConfig)


@dataclass(frozen=True)
class TeacherFile:
    """What the teacher says of one scene. Rows without a view are zeros."""

    scene_id: str
    clip: str  # the CLIP space of the embeddings
    embeddings: NDArray[np.float32]  # [I, K, D] unit length, zeros where there is no view
    view_ids: NDArray[np.int32]  # [I, K] most visible first, -1 where there is no view
    visibility: NDArray[np.float32]  # [I, K] distinct pixels on which points are seen, 0 for none

    def __post_init__(self) -> None:
        check_arrays(
            'TeacherFile',
            embeddings=(self.embeddings, 'I K D', np.float32),
            view_ids=(self.view_ids, 'I K', np.int32),
            visibility=(self.visibility, 'I K', np.float32),
        )


def teach_scene(scene: Scene, tower: ImageTower, config: TeacherConfig) -> TeacherFile:
    """
    Embed the true instances of a scene in the views that see them best.

    Raises ValueError if the scene has no views or no truth.
    """
    if scene.truth is None or not len(scene.views):
        raise ValueError(f'{scene.scene_id}: the teacher needs instances and posed RGB-D views')
    owner, count = scene.truth.point_instance, len(scene.truth.names)
    views = list(scene.views)  # read once: each is looked at twice
    seen = [seen_points(scene.cloud.xyz, view, config.depth_tolerance_m) for view in views]
    chosen, visibility = _choose(seen, views, owner, count, config)
    embeddings = np.zeros((count, config.views, tower.dim), np.float32)
    for number in np.unique(chosen[chosen >= 0]):
        rows, slots = np.nonzero(chosen == number)
        masks = [_mask(seen[number], views[number], owner == row, owner, config) for row in rows]
        embeddings[rows, slots] = _embed(views[number], masks, tower)
    blind = ~embeddings.any(-1)  # a mask may come out empty
    chosen[blind], visibility[blind] = -1, 0
    unseen = int((chosen < 0).all(1).sum())
    if unseen:
        log.info('%s: no view sees %d of %d instances', scene.scene_id, unseen, count)
    return TeacherFile(scene.scene_id, tower.name, embeddings, chosen, visibility)


def _choose(
    seen: Sequence[SeenPoints],
    views: Sequence[View],
    owner: NDArray[np.int32],
    count: int,
    config: TeacherConfig,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return view ids [I, K], -1 where none, and visible pixels [I, K]."""
    pixels = np.stack(
        [count_pixels(s, owner, count, v.depth.size) for s, v in zip(seen, views, strict=True)], 1
    )  # [I, V]
    pixels[pixels < config.min_pixels] = 0
    rotations = np.stack([view.T_world_camera[:3, :3] for view in views])
    chosen = np.full((count, config.views), -1, np.int32)
    visibility = np.zeros((count, config.views), np.float32)
    for row in range(count):
        kept = select_views(
            pixels[row], rotations, config.views, math.radians(config.min_angle_deg)
        )
        chosen[row, : len(kept)] = kept
        visibility[row, : len(kept)] = pixels[row, kept]
    return chosen, visibility


def _mask(
    seen: SeenPoints,
    view: View,
    own: NDArray[np.bool_],
    owner: NDArray[np.int32],
    config: TeacherConfig,
) -> NDArray[np.bool_]:
    """Return the dense mask [H, W] of the instance whose points [N] are true in `own`."""
    mine = own[seen.index]
    shape, size = view.depth.shape, view.depth.size
    counts = np.bincount(seen.pixel[mine], minlength=size).reshape(shape)
    others = np.bincount(seen.pixel[~mine], minlength=size).reshape(shape)
    return complete_mask(counts, others, view.depth, config.completion)


def _embed(
    view: View, masks: Sequence[NDArray[np.bool_]], tower: ImageTower
) -> NDArray[np.float32]:
    """Return unit embeddings [I, D] of masks in one view, zeros for an empty mask."""
    image = torch.from_numpy(view.rgb).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        features = tower.dense(image)[0]
        stacked = torch.from_numpy(np.stack(masks)).to(features.device)
        return pool_embeddings(features.float(), stacked).cpu().numpy()


def save_teacher_file(taught: TeacherFile, folder: Path) -> Path:
    """Write `<folder>/<scene_id>.safetensors` (float16 embeddings), at once or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'{taught.scene_id}.safetensors'
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    arrays: dict[str, NDArray[Any]] = {
        'embeddings': taught.embeddings.astype(np.float16),
        'view_ids': taught.view_ids,
        'visibility': taught.visibility,
    }
    save_file(arrays, temporary, {'clip': taught.clip, 'scene_id': taught.scene_id})
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    os.replace(temporary, path)
    return path


def load_teacher_file(path: Path) -> TeacherFile:
    """Read a file of `save_teacher_file`; raise ValueError if it is not one."""
    try:
        with safe_open(path, 'np') as file:
            metadata = file.metadata() or {}
            return TeacherFile(
                metadata['scene_id'],
                metadata['clip'],
                file.get_tensor('embeddings').astype(np.float32),
                file.get_tensor('view_ids'),
                file.get_tensor('visibility'),
            )
    except (OSError, SafetensorError, KeyError) as error:
        raise ValueError(f'{path}: not a teacher file ({error!r}); make it again') from error
