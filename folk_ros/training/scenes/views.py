"""
One posed RGB-D image of a scene, and the views of a scene stored in one npz file.

Layout of `views.npz`: count, and per view k: `rgb_kkk` [H,W,3] uint8, `depth_kkk` [H,W] uint16
millimetres with 0 for none, `instance_kkk` [H,W] uint16 holding instance + 1 with 0 for none,
`T_world_camera_kkk` [4,4] and `intrinsics_kkk` [3,3] float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload
import zipfile

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import check_arrays


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
