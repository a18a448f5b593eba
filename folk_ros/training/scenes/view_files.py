"""
Views that stay in image files, as datasets and recorders leave them.

Layout of `views.jsonl` in a scene folder, one JSON object a line, so that a recorder only appends
and an interrupted recording is usable: `rgb` and `depth` (paths, absolute or relative to the
folder; JPEG or PNG, and PNG of 16 bits), `depth_per_metre` (what the depth image counts in a
metre; default 1000), `intrinsics` [3,3] of the depth image, `rgb_intrinsics` [3,3] where the
colour image has other ones, `T_world_camera` [4,4] of the depth camera, and where known `size`
[W,H] of the depth image, `stamp_ns`, and `instance` (path to a PNG of 16 bits with instance + 1,
0 for none). Both cameras are taken to be in one place: colour is moved to the pixels of the depth
image by their intrinsics alone, black where the colour camera does not look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
import logging
import math
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.images import (
    image_size,
    read_colour,
    read_counts,
)
from folk_ros.training.scenes.views import View

INDEX = 'views.jsonl'
PATHS = ('rgb', 'depth', 'instance')
MATRICES = {'intrinsics': (3, 3), 'rgb_intrinsics': (3, 3), 'T_world_camera': (4, 4)}
REQUIRED = ('rgb', 'depth', 'intrinsics', 'T_world_camera')
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ViewFile:
    """Where one view lies, and what its images do not say themselves."""

    rgb: Path
    depth: Path
    intrinsics: NDArray[np.float32]  # [3, 3] pixels of the depth image
    T_world_camera: NDArray[np.float32]  # [4, 4] camera to world, metres
    depth_per_metre: float = 1000.0
    rgb_intrinsics: NDArray[np.float32] | None = None  # [3, 3], None: as those of depth
    size: tuple[int, int] | None = None  # (W, H) of the depth image, None: not known
    stamp_ns: int = 0
    instance: Path | None = None

    def __post_init__(self) -> None:
        for name, shape in MATRICES.items():
            matrix = getattr(self, name)
            if matrix is None:
                continue
            if matrix.shape != shape or not np.isfinite(matrix).all():
                raise ValueError(
                    f'{self.depth}: {name}: expected finite numbers {list(shape)}, got '
                    f'{matrix.tolist()}; leave this view out'
                )
        if not (math.isfinite(self.depth_per_metre) and self.depth_per_metre > 0):
            raise ValueError(
                f'{self.depth}: depth_per_metre must be positive, got {self.depth_per_metre}'
            )

    def read(self) -> View:
        """Read the images; raise ValueError naming the file that is missing or does not fit."""
        depth = read_counts(self.depth)
        self._check_size(self.depth, depth.shape)
        instance = None
        if self.instance is not None:
            instance = read_counts(self.instance) - 1
            if instance.shape != depth.shape:
                raise ValueError(
                    f'{self.instance}: expected {list(depth.shape)} pixels as in {self.depth}, '
                    f'got {list(instance.shape)}'
                )
        to_colour = None
        if self.rgb_intrinsics is not None:
            inverse = np.linalg.inv(self.intrinsics.astype(np.float64))
            to_colour = self.rgb_intrinsics.astype(np.float64) @ inverse
        return View(
            rgb=read_colour(self.rgb, depth.shape[::-1], to_colour),
            depth=depth.astype(np.float32) / np.float32(self.depth_per_metre),
            intrinsics=self.intrinsics,
            T_world_camera=self.T_world_camera,
            instance=instance,
        )

    def check(self) -> ViewFile:
        """Look at the headers of the images; return self, or raise what reading would raise."""
        width, height = image_size(self.depth)
        self._check_size(self.depth, (height, width))
        if image_size(self.rgb) != (width, height) and self.rgb_intrinsics is None:
            read_colour(self.rgb, (width, height))  # says what is wrong
        return self

    def _check_size(self, path: Path, shape: tuple[int, ...]) -> None:
        height, width = shape
        if self.size is not None and self.size != (width, height):
            raise ValueError(
                f'{path}: expected a depth image of {self.size[0]}x{self.size[1]} pixels, got '
                f'{width}x{height}; export it again, or correct its intrinsics'
            )
        if not (0 < self.intrinsics[0, 2] < width and 0 < self.intrinsics[1, 2] < height):
            raise ValueError(
                f'{path}: the principal point {self.intrinsics[:2, 2].tolist()} lies outside of '
                f'{width}x{height} pixels; the intrinsics are those of another image'
            )

    def images(self) -> list[Path]:
        """Return the paths of its images."""
        paths = (getattr(self, name) for name in PATHS)
        return [path for path in paths if path is not None]

    def as_line(self, folder: Path) -> str:
        """Return the JSON object of views.jsonl; files below `folder` get relative paths."""
        entry: dict[str, Any] = {}
        for name in PATHS:
            path = getattr(self, name)
            if path is not None:
                inside = path.is_relative_to(folder)
                entry[name] = (path.relative_to(folder) if inside else path.absolute()).as_posix()
        entry['depth_per_metre'] = self.depth_per_metre
        for name in MATRICES:
            if getattr(self, name) is not None:
                entry[name] = getattr(self, name).tolist()
        if self.size is not None:
            entry['size'] = list(self.size)
        entry['stamp_ns'] = self.stamp_ns
        return json.dumps(entry) + '\n'

    @classmethod
    def from_entry(cls, entry: Any, folder: Path) -> ViewFile:
        """Check one object of views.jsonl; raise ValueError without naming the file."""
        if not isinstance(entry, dict) or not set(REQUIRED) <= set(entry):
            raise ValueError(f'expected an object with {", ".join(REQUIRED)}, got {entry!r:.80}')
        try:
            parts: dict[str, Any] = {name: folder / entry[name] for name in PATHS if name in entry}
            parts |= {k: np.array(entry[k], np.float32) for k in MATRICES if k in entry}
            size = entry.get('size')
            return cls(
                **parts,
                depth_per_metre=float(entry.get('depth_per_metre', 1000.0)),
                size=None if size is None else (int(size[0]), int(size[1])),
                stamp_ns=int(entry.get('stamp_ns', 0)),
            )
        except (TypeError, IndexError) as error:
            raise ValueError(f'a value has the wrong type ({error})') from None


class FileViews(Sequence[View]):
    """The views of a scene in image files; each is read when it is asked for."""

    def __init__(self, files: Sequence[ViewFile]) -> None:
        self.files = tuple(files)

    def __len__(self) -> int:
        return len(self.files)

    @overload
    def __getitem__(self, index: int) -> View: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[View]: ...

    def __getitem__(self, index: int | slice) -> View | Sequence[View]:
        if isinstance(index, slice):
            return FileViews(self.files[index])
        return self.files[index].read()


def read_views(folder: Path | str) -> FileViews:
    """
    Read `views.jsonl` of a folder; images stay on disk until asked for.

    A last line that was cut off is left out with a warning: the recording was interrupted.
    """
    path = Path(folder) / INDEX
    try:
        lines = path.read_text(encoding='utf-8').split('\n')
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f'{path}: cannot be read ({error})') from None
    files = []
    for number, line in enumerate(lines, 1):
        try:
            if line:
                files.append(ViewFile.from_entry(json.loads(line), path.parent))
        except ValueError as error:
            if number < len(lines) or not isinstance(error, json.JSONDecodeError):
                raise ValueError(f'{path}: line {number}: {error}') from None
            log.warning('%s: the last line was cut off and is left out', path)
    return FileViews(files)
