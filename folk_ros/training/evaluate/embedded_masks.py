"""Masks with embeddings of any origin, read from teacher files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open, SafetensorError

from folk_ros.instances import masks_from_owners
from folk_ros.structures import Boxes, Instances
from folk_ros.training.scenes.scene import GroundTruth

Fusion = Literal['visibility', 'evenly']  # how the views of an object are weighted


def read_teacher_masks(
    path: Path, clip: str, truth: GroundTruth | None, fusion: Fusion = 'visibility'
) -> Instances:
    """
    Read a teacher file as instances, embedded by the mean of their views.

    Views are weighted by visibility, or evenly as OpenMask3D does. Masks are the file's own
    (point_instance) or else the true ones, in rows. Instances that no view sees are left out.
    Raises ValueError if it is no teacher file or of another CLIP.
    """
    try:
        with safe_open(path, 'np') as file:
            metadata = file.metadata() or {}
            arrays: dict[str, Any] = {
                key: file.get_tensor(key)
                for key in file.keys()  # noqa: SIM118 - the file is no dictionary
            }
        views = arrays['embeddings'].astype(np.float32)  # [I, K, D]
        weight = arrays['visibility'].astype(np.float32)[..., None]  # [I, K, 1]
        if fusion == 'evenly':
            weight = (weight > 0).astype(np.float32)
    except (OSError, SafetensorError, KeyError) as error:
        raise ValueError(f'{path}: not a teacher file ({error!r}); make it again') from error
    if metadata.get('clip') != clip:
        raise ValueError(
            f'{path}: embeddings live in {metadata.get("clip")!r}, the text tower in {clip!r}'
        )
    owner = _owners(path, arrays, truth, len(views))
    starts, points = masks_from_owners(owner, len(views))
    mean = (views * weight).sum(1)
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    quality = arrays.get('quality', np.ones(len(views), np.float32)).astype(np.float32)
    everything = instances_of(
        starts, points, mean / np.maximum(length, 1e-9), np.clip(quality, 0, 1), len(owner)
    )
    return everything.select(length[:, 0] > 0)


def teaching_seconds(path: Path) -> float:
    """Return how long masks and naming took for a scene, NaN if its file does not say."""
    with safe_open(path, 'np') as file:
        facts = file.metadata() or {}
    return float(facts.get('seconds', 'nan')) + float(facts.get('mask_seconds', '0'))


def teacher_settings(path: Path) -> str:
    """Say in words how a teacher file was made; '' if it does not say."""
    with safe_open(path, 'np') as file:
        facts = file.metadata() or {}
    try:
        stored = json.loads(facts.get('settings', ''))
        masks = Path(stored['masks']).name or 'the true ones'
        told = (
            f'{facts["clip"]}, {stored["pooling"]} pooling, masks: {masks}, at most '
            f'{stored["views"]} views turned by {stored["min_angle_deg"]:g} degrees or more, '
            f'depth within {stored["depth_tolerance_m"]:g} m'
        )
        steps = (stored['completion']['coarse_steps'], stored['completion']['guided_steps'])
        return f'{told}, masks grown by {steps[0]} + {steps[1]} pixels'
    except (ValueError, KeyError, TypeError):
        return ''


def _owners(
    path: Path, arrays: dict[str, Any], truth: GroundTruth | None, count: int
) -> NDArray[np.int32]:
    """Return which row of a teacher file each point [N] belongs to, -1 for none."""
    own: NDArray[np.int32] | None = arrays.get('point_instance')
    if own is not None:
        return own
    if truth is None or len(truth.names) != count:
        raise ValueError(
            f'{path}: has {count} rows and no masks of its own, the scene '
            f'{"no truth" if truth is None else f"{len(truth.names)} true instances"}'
        )
    return truth.point_instance


def instances_of(
    starts: NDArray[np.int64],
    points: NDArray[np.int32],
    embeddings: NDArray[np.float32],
    quality: NDArray[np.float32],
    num_points: int,
) -> Instances:
    """Build instances without boxes: what is scored has no need of them."""
    count = len(quality)
    nothing = np.zeros((count, 3), np.float32)
    return Instances(
        starts=starts,
        points=points,
        embeddings=embeddings.astype(np.float32),
        quality=quality,
        boxes=Boxes(nothing, nothing, np.zeros(count, np.float32)),
        ids=np.arange(1, count + 1, dtype=np.uint32),
        num_points=num_points,
    )
