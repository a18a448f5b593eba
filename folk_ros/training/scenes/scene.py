"""
One scene: a fused cloud, what stands in it, and the posed RGB-D views it came from.

Folder layout, `<dir>/<scene_id>/`: `cloud.npz` (xyz [N,3] float32 metres, rgb [N,3] uint8,
instance [N] int32), `truth.json` (names, captions, novel, and facts about the scene), `views.npz`
(count, and per view k: `rgb_kkk` [H,W,3] uint8, `depth_kkk` [H,W] uint16 millimetres with 0 for
none, `instance_kkk` [H,W] uint16 holding instance + 1 with 0 for none, `T_world_camera_kkk` [4,4]
and `intrinsics_kkk` [3,3] float32). A scene without truth has no `truth.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import shutil
import tempfile
from typing import Any, overload
import zipfile

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import check_arrays, PointCloud


@dataclass(frozen=True)
class View:
    """One posed RGB-D image. Camera frame is optical: x right, y down, z forward."""

    rgb: NDArray[np.uint8]  # [H, W, 3]
    depth: NDArray[np.float32]  # [H, W] metres along z, 0 where nothing was measured
    intrinsics: NDArray[np.float32]  # [3, 3] pixels; pixel centres at whole numbers
    T_world_camera: NDArray[np.float32]  # [4, 4] camera to world
    instance: NDArray[np.int32] | None = None  # [H, W] row of GroundTruth, -1 none

    def __post_init__(self) -> None:
        arrays: dict[str, tuple[NDArray[Any], str, Any]] = {
            'rgb': (self.rgb, 'H W 3', np.uint8),
            'depth': (self.depth, 'H W', np.float32),
            'intrinsics': (self.intrinsics, '3 3', np.float32),
            'T_world_camera': (self.T_world_camera, '4 4', np.float32),
        }
        if self.instance is not None:
            arrays['instance'] = (self.instance, 'H W', np.int32)
        check_arrays('View', **arrays)


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


class StoredViews(Sequence[View]):
    """The views of a stored scene; each is read from disk when it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._count: int | None = None

    def __len__(self) -> int:
        if self._count is None:
            with open_archive(self.path) as archive:
                self._count = int(read_key(archive, 'count', self.path))
        return self._count

    @overload
    def __getitem__(self, index: int) -> View: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[View]: ...

    def __getitem__(self, index: int | slice) -> View | Sequence[View]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f'{self.path}: view {index} of {count}')
        with open_archive(self.path) as archive:
            return self._read(archive, index % count)

    def __iter__(self) -> Iterator[View]:
        with open_archive(self.path) as archive:
            for k in range(len(self)):
                yield self._read(archive, k)

    def _read(self, archive: Any, k: int) -> View:
        instance_key = f'instance_{k:03d}'
        instance = None
        if instance_key in archive:
            instance = read_key(archive, instance_key, self.path).astype(np.int32) - 1
        return View(
            rgb=read_key(archive, f'rgb_{k:03d}', self.path),
            depth=read_key(archive, f'depth_{k:03d}', self.path).astype(np.float32)
            / np.float32(1000),
            intrinsics=read_key(archive, f'intrinsics_{k:03d}', self.path),
            T_world_camera=read_key(archive, f'T_world_camera_{k:03d}', self.path),
            instance=instance,
        )


def open_archive(path: Path) -> Any:
    """Open an npz file for reading by key; raise ValueError naming a broken file."""
    try:
        return np.load(path, allow_pickle=False)
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise ValueError(f'{path}: not a readable npz file ({error}); make it again') from error


def read_key(archive: Any, key: str, path: Path) -> NDArray[Any]:
    """Read one array; raise ValueError naming file, key and the keys there are."""
    if key not in archive:
        raise ValueError(f"{path}: array '{key}' is missing (found: {sorted(archive.files)[:8]})")
    try:
        return archive[key]
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path}: array '{key}' cannot be read ({error})") from error


def view_arrays(views: Sequence[View]) -> dict[str, NDArray[Any]]:
    """Lay views out as the named arrays of `views.npz`."""
    arrays: dict[str, NDArray[Any]] = {'count': np.array(len(views), np.int64)}
    for k, view in enumerate(views):
        arrays[f'rgb_{k:03d}'] = view.rgb
        millimetres = np.clip(np.rint(view.depth * 1000), 0, 65535)
        arrays[f'depth_{k:03d}'] = millimetres.astype(np.uint16)
        if view.instance is not None:
            arrays[f'instance_{k:03d}'] = (view.instance + 1).astype(np.uint16)
        arrays[f'T_world_camera_{k:03d}'] = view.T_world_camera
        arrays[f'intrinsics_{k:03d}'] = view.intrinsics
    return arrays


def save_scene(scene: Scene, folder: Path | str) -> Path:
    """
    Write a scene as `<folder>/<scene_id>/` and return that path.

    The folder appears whole or not at all. Depth is stored in whole millimetres.
    """
    target = Path(folder) / scene.scene_id
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f'.{scene.scene_id}.', dir=target.parent))
    try:
        _write_parts(scene, temporary)
        temporary.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return target


def _write_parts(scene: Scene, folder: Path) -> None:
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
    np.savez_compressed(folder / 'cloud.npz', allow_pickle=False, **cloud)
    np.savez_compressed(folder / 'views.npz', allow_pickle=False, **view_arrays(scene.views))


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
        stored = _read_truth(folder / 'truth.json')
        facts = stored.get('facts', {})
        truth = GroundTruth(
            point_instance=instance,
            names=list(stored['names']),
            captions=tuple(tuple(words) for words in stored['captions']),
            novel=np.array(stored['novel'], np.bool_),
        )
    views = folder / 'views.npz'
    stored_views: Sequence[View] = StoredViews(views) if views.is_file() else ()
    return Scene(folder.name, cloud, truth, stored_views, facts)


def _read_truth(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ValueError(f'{path}: cannot be read ({error})') from error
    missing = {'names', 'captions', 'novel'} - set(stored)
    if missing:
        raise ValueError(f'{path}: keys are missing: {sorted(missing)}')
    return stored
