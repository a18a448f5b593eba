"""
One scene: a fused cloud, what stands in it, and the posed RGB-D views it came from.

Folder layout, `<dir>/<scene_id>/`: `cloud.npz` (xyz [N,3] float32 metres, rgb [N,3] uint8,
instance [N] int32), `truth.json` (names, captions, novel, and facts about the scene; where the
truth is not known `facts.json` holds the facts alone), and the views: packed in `views.npz` (see
views.py) or left in image files listed in `views.jsonl` (see view_files.py), which wins where
both are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import shutil
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import check_arrays, PointCloud
from folk_ros.training.scenes.view_files import FileViews, INDEX, read_views, ViewFile
from folk_ros.training.scenes.view_recording import copy_images, write_views
from folk_ros.training.scenes.views import (
    open_archive,
    read_key,
    StoredViews,
    View,
    view_arrays,
)

__all__ = ['GroundTruth', 'load_scene', 'save_scene', 'Scene', 'View', 'view_arrays']


@dataclass(frozen=True)
class GroundTruth:
    """What stands in a scene, point by point. Walls, floor and ceiling are no instances."""

    point_instance: NDArray[np.int32]  # [N] -1 where the point belongs to no instance
    names: list[str]  # [I] ScanNet200 label names
    captions: tuple[tuple[str, ...], ...]  # [I] words a person may use for the instance
    novel: NDArray[np.bool_]  # [I] category never seen in training scenes

    def __post_init__(self) -> None:
        check_arrays(
            'GroundTruth',
            point_instance=(self.point_instance, 'N', np.int32),
            novel=(self.novel, 'I', np.bool_),
        )
        count = len(self.names)
        if len(self.captions) != count or len(self.novel) != count:
            raise ValueError(
                f'GroundTruth: {count} names need as many captions and novel flags, '
                f'got {len(self.captions)} and {len(self.novel)}'
            )
        ids = self.point_instance
        if len(ids) and not -1 <= ids.min() <= ids.max() < count:
            raise ValueError(
                f'GroundTruth.point_instance: expected ids in [-1, {count}), '
                f'got {ids.min()} to {ids.max()}'
            )


@dataclass(frozen=True)
class Scene:
    """A fused cloud with its truth, where known, and the views it was fused from."""

    scene_id: str
    cloud: PointCloud
    truth: GroundTruth | None = None
    views: Sequence[View] = ()
    facts: dict[str, Any] = field(default_factory=dict)  # room kind, seed, ...: JSON values

    def __post_init__(self) -> None:
        if self.truth is not None and len(self.truth.point_instance) != len(self.cloud):
            raise ValueError(
                f'{self.scene_id}: truth speaks of {len(self.truth.point_instance)} points, '
                f'the cloud has {len(self.cloud)}'
            )


def save_scene(scene: Scene, folder: Path | str, copy: bool = False) -> Path:
    """
    Write a scene as `<folder>/<scene_id>/` and return that path.

    The folder appears whole or not at all. It replaces an older scene, and nothing else: a folder
    of that name that is no scene raises ValueError. Views in memory or in an npz file are packed,
    depth in whole millimetres. Views in image files stay where they are and are pointed at,
    unless `copy`.
    """
    target = Path(folder) / scene.scene_id
    if target.exists() and not (target / 'cloud.npz').is_file():
        raise ValueError(f'{target}: is there already and is no scene; write to another folder')
    target.parent.mkdir(parents=True, exist_ok=True)
    # one level deeper, so that what a killed process leaves is no scene to anybody's search
    work = Path(tempfile.mkdtemp(prefix=f'.{scene.scene_id}.', dir=target.parent))
    temporary = work / 'scene'
    try:
        temporary.mkdir()
        _write_cloud(scene, temporary)
        if isinstance(scene.views, FileViews):
            _write_files(scene.views.files, temporary, target, copy)
        else:
            arrays = view_arrays(scene.views)
            np.savez_compressed(temporary / 'views.npz', allow_pickle=False, **arrays)
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _write_files(files: Sequence[ViewFile], folder: Path, target: Path, copy: bool) -> None:
    """Point at images or copy them; those in the folder that will be replaced are copied."""
    place = target.absolute()
    moved = [
        copy_images(entry, folder, number)
        if copy or any(path.absolute().is_relative_to(place) for path in entry.images())
        else entry
        for number, entry in enumerate(files)
    ]
    write_views(moved, folder)


def _write_cloud(scene: Scene, folder: Path) -> None:
    cloud: dict[str, NDArray[Any]] = {'xyz': scene.cloud.xyz}
    if scene.cloud.rgb is not None:
        cloud['rgb'] = scene.cloud.rgb
    if scene.truth is not None:
        cloud['instance'] = scene.truth.point_instance
        truth = {
            'names': scene.truth.names,
            'captions': scene.truth.captions,
            'novel': scene.truth.novel.tolist(),
            'facts': scene.facts,
        }
        (folder / 'truth.json').write_text(json.dumps(truth, indent=1) + '\n', encoding='utf-8')
    elif scene.facts:
        (folder / 'facts.json').write_text(json.dumps(scene.facts) + '\n', encoding='utf-8')
    np.savez_compressed(folder / 'cloud.npz', allow_pickle=False, **cloud)


def load_scene(folder: Path | str) -> Scene:
    """Read one scene folder; views stay on disk until asked for."""
    folder = Path(folder)
    path = folder / 'cloud.npz'
    if not path.is_file():
        raise ValueError(f'{folder}: not a scene folder, cloud.npz is missing')
    with open_archive(path) as archive:
        rgb = read_key(archive, 'rgb', path) if 'rgb' in archive else None
        cloud = PointCloud(read_key(archive, 'xyz', path), rgb, frame_id='world')
        instance = read_key(archive, 'instance', path) if 'instance' in archive else None
    truth, facts = None, {}
    if instance is not None:
        stored = _read_object(folder / 'truth.json', {'names', 'captions', 'novel'})
        facts = stored.get('facts', {})
        truth = GroundTruth(
            point_instance=instance,
            names=list(stored['names']),
            captions=tuple(tuple(words) for words in stored['captions']),
            novel=np.array(stored['novel'], np.bool_),
        )
    elif (folder / 'facts.json').is_file():
        facts = _read_object(folder / 'facts.json', set())
    return Scene(folder.name, cloud, truth, _stored_views(folder), facts)


def _stored_views(folder: Path) -> Sequence[View]:
    if (folder / INDEX).is_file():
        return read_views(folder)
    packed = folder / 'views.npz'
    return StoredViews(packed) if packed.is_file() else ()


def _read_object(path: Path, keys: set[str]) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ValueError(f'{path}: cannot be read ({error})') from error
    if not isinstance(stored, dict):
        raise ValueError(f'{path}: expected a JSON object, got {type(stored).__name__}')
    missing = keys - set(stored)
    if missing:
        raise ValueError(f'{path}: keys are missing: {sorted(missing)}')
    return stored
