"""
Find RGB-D frames that were exported to numbered files, as ScanNet's own reader does.

`color/N.jpg`, `depth/N.png` and `pose/N.txt` (camera to world, [4,4], metres; inf where tracking
was lost) with `intrinsic/intrinsic_depth.txt` and `intrinsic_color.txt`, or one
`intrinsics.txt` of the colour images (Open-YOLO 3D). They lie in the folder itself or in its
`frames/` or `data/`; with `data/`, images may lie in `data_compressed/` (OpenMask3D).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.images import image_size
from folk_ros.training.scenes.view_files import ViewFile

COLOUR_SUFFIXES = ('.jpg', '.png', '.jpeg')
POSES, COLOURS, DEPTHS = ('pose', 'poses'), ('color', 'colour', 'rgb'), ('depth',)
PLACES = ('', 'frames', 'data')


@dataclass(frozen=True)
class Frames:
    """The frames of a scene that have a pose, and how many had none."""

    files: tuple[ViewFile, ...] = ()
    without_pose: int = 0


def read_matrix(path: Path, size: int = 4) -> NDArray[np.float64]:
    """Read a matrix [size, size] of numbers from a text file; inf and nan are let through."""
    try:
        values = [float(word) for word in path.read_text(encoding='ascii').split()]
    except (OSError, ValueError) as error:
        raise ValueError(f'{path}: expected {size * size} numbers ({error})') from None
    if len(values) != size * size:
        raise ValueError(f'{path}: expected {size * size} numbers, got {len(values)}')
    return np.array(values).reshape(size, size)


def find_frames(
    folder: Path,
    every: int,
    depth_per_metre: float,
    T_world_scan: NDArray[np.float64],
    depth_size: tuple[int, int] | None = None,
) -> Frames:
    """
    List the frames of a folder whose number divides by `every`; images are looked at, not read.

    `T_world_scan` [4, 4] brings the scan's poses to the scene's frame. `depth_size` (W, H) is
    that of the sensor, where known. No frames where the folder has no poses. Raises ValueError
    naming the file that is missing or does not fit.
    """
    base, poses = _with_poses(folder)
    if poses is None:
        return Frames()
    numbers = sorted(int(p.stem) for p in poses.glob('*.txt') if p.stem.isdecimal())
    found = {n: read_matrix(poses / f'{n}.txt') for n in numbers if n % every == 0}
    known = {n: T_world_scan @ pose for n, pose in found.items() if np.isfinite(pose).all()}
    places = [base, folder / 'data_compressed']
    depth, colour = _first_of(places, DEPTHS), _first_of(places, COLOURS)
    paths = [(_colour_file(colour, n), depth / f'{n}.png') for n in known]
    own, other = _cameras(base, *paths[0]) if paths else (np.eye(3, dtype=np.float32), None)
    files = tuple(
        ViewFile(
            rgb=paths[row][0],
            depth=paths[row][1],
            intrinsics=own,
            rgb_intrinsics=other,
            T_world_camera=pose.astype(np.float32),
            depth_per_metre=depth_per_metre,
            size=depth_size,
        ).check()
        for row, pose in enumerate(known.values())
    )
    return Frames(files, len(found) - len(known))


def _with_poses(folder: Path) -> tuple[Path, Path | None]:
    """Return the folder that holds the frames, and its folder of poses."""
    for base in (folder / place for place in PLACES):
        poses = _first(base, POSES)
        if poses is not None:
            return base, poses
    return folder, None


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def _first_of(folders: list[Path], names: tuple[str, ...]) -> Path:
    found = (_first(folder, names) for folder in folders)
    return next((path for path in found if path is not None), folders[0] / names[0])


def _colour_file(folder: Path, number: int) -> Path:
    paths = [folder / f'{number}{suffix}' for suffix in COLOUR_SUFFIXES]
    return next((path for path in paths if path.is_file()), paths[0])


def _cameras(
    folder: Path, rgb: Path, depth: Path
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return the intrinsics of depth, and of colour where they differ."""
    exported = folder / 'intrinsic'
    if (exported / 'intrinsic_depth.txt').is_file():
        both = [exported / f'intrinsic_{kind}.txt' for kind in ('depth', 'color')]
        own, other = (read_matrix(path)[:3, :3].astype(np.float32) for path in both)
        return own, None if np.array_equal(own, other) else other
    paths = (exported / 'intrinsic_color.txt', folder / 'intrinsics.txt')
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise ValueError(
            f'{folder}: expected intrinsic/intrinsic_depth.txt and intrinsic_color.txt, or '
            'intrinsics.txt; export the frames with their intrinsics'
        )
    colour = read_matrix(path)[:3, :3]
    if image_size(rgb) == image_size(depth):
        return colour.astype(np.float32), None
    # one camera whose depth was stored in another size: both see the same
    scale = np.array(image_size(depth)) / image_size(rgb)
    scaled = colour.copy()
    scaled[:2] *= scale[:, None]
    scaled[:2, 2] += (scale - 1) / 2  # pixel centres at whole numbers
    return scaled.astype(np.float32), colour.astype(np.float32)
