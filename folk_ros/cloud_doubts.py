"""
Whether a cloud looks like what the student expects: metres, and z pointing up.

The student has no other way to know; a cloud in millimetres or with another axis up gives masks,
only poor ones. Doubts are notices, not errors: the cloud is segmented as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.notices import Notice
from folk_ros.structures import PointCloud, Voxels
from folk_ros.upright import in_camera_view

Floats = NDArray[np.float64]

SAMPLE = 40_000  # points looked at
FEWEST = 200  # points that tell something
TRIM = 0.02  # share of the points that may stray on each side
TALL_M, WIDE_M, SPARSE_M = 30.0, 1000.0, 50.0  # the last: where no surface is seen, too
ALONE = 0.97  # share of voxels that no other fills a cell of twice the size with
TINY_M = 0.1
CELLS_ACROSS = 40  # of those in which flat surface is looked for, along the cloud's diagonal
CELL_M = (0.04, 0.25)
CELL_POINTS = 8
FLAT, ROUND = 0.05, 0.15  # thickness of a flat cell; least width to length (squared ratios)
FLAT_CELLS = 60
LEAN = np.sin(np.deg2rad(20.0))  # surface this near level counts as level, and so with upright
FEW_LEVEL, FEW_EITHER = 0.10, 0.75  # shares of surface; of rooms and tables over 0.11 and 0.97
GROUND = 0.25  # lowest part of a cloud, in which its floor or table lies
AXES = 'expected z up (x ahead, y left)'


def doubts_about(cloud: PointCloud, voxels: Voxels, turned: bool = False) -> tuple[Notice, ...]:
    """Say what is odd about a cloud; `turned`: its axes were put right before segmentation."""
    sample = cloud.xyz[:: len(cloud) // SAMPLE + 1]
    if len(sample) < FEWEST:
        return ()
    found = (_doubt_scale(cloud, sample, voxels), _doubt_axes(cloud.frame_id, sample, turned))
    return tuple(notice for notice in found if notice is not None)


def _doubt_scale(cloud: PointCloud, sample: NDArray[np.float32], voxels: Voxels) -> Notice | None:
    low, high = bounds_of(sample)
    size = np.sort(high - low)
    whole = float((cloud.xyz.max(0) - cloud.xyz.min(0)).max())
    if whole < TINY_M:
        text = f'only {whole * 1000:.3g} mm large; is it scaled twice, or in kilometres?'
    elif size[0] > TALL_M or size[2] > WIDE_M or (size[2] > SPARSE_M and _no_surface(voxels)):
        across = ' x '.join(f'{side:.0f}' for side in (high - low))
        text = f'{across} m large; is it in millimetres or centimetres?'
    else:
        return None
    return Notice(
        'scale', f'expected a cloud in metres, but this one is {text} Scale it to metres'
    )


def bounds_of(xyz: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return the corners of what most points [N, 3] lie in; a few may stray."""
    first = int(TRIM * len(xyz))
    ends = (first, len(xyz) - 1 - first)
    low, high = np.partition(xyz, ends, axis=0)[list(ends)].astype(np.float64)
    return low, high


def _no_surface(voxels: Voxels) -> bool:
    """Say whether nearly every voxel is alone: points lie far apart, for what they are."""
    pairs = voxels.coords >> 1
    keys = (pairs[:, 0].astype(np.int64) << 32) | (pairs[:, 1].astype(np.int64) << 16)
    return bool(len(np.unique(keys | pairs[:, 2])) > ALONE * len(voxels))


def _doubt_axes(frame_id: str, sample: NDArray[np.float32], turned: bool) -> Notice | None:
    optical = frame_id.endswith(('_optical_frame', '_optical'))
    named = f'frame {frame_id!r}' if frame_id else 'no named frame'
    if turned:
        text = (
            f'a cloud in {named} comes as a camera sees it: its largest plane was taken as level'
        )
        return Notice('axes', text)
    seen = f'{AXES}, but this cloud, in {named},'
    cure = 'transform it into a frame like map or base_link'
    if optical:
        text = f'{seen} is in an optical frame (x right, y down, z ahead); {cure}'
        return Notice('axes', text)
    surface = find_surface(sample)
    if len(surface.normals) < FLAT_CELLS:
        return None
    tilt = np.abs(surface.normals[:, 2])
    level, upright = tilt > np.sqrt(1 - LEAN**2), tilt < LEAN
    if level.mean() < FEW_LEVEL and level.mean() + upright.mean() < FEW_EITHER:
        text = f'{seen} has nearly no level surface ({level.mean():.0%}); {cure}'
        return Notice('axes', text)
    if in_camera_view(sample) and not _lies_low(surface.places[level, 2], sample[:, 2]):
        text = f'{seen} lies in the view of a camera that looks along z: an optical frame? {cure}'
        return Notice('axes', text)
    return None


def _lies_low(heights: Floats, z: NDArray[np.float32]) -> bool:
    """Say whether most level surface is at the bottom, as a table or floor under its things."""
    low, high = np.quantile(z, [TRIM, 1 - TRIM])
    return bool(len(heights) and np.median(heights) < low + GROUND * (high - low) + CELL_M[0])


@dataclass(frozen=True)
class Surface:
    """Flat pieces of a cloud, of equal size."""

    normals: Floats  # [P, 3] unit length, of either sign
    places: Floats  # [P, 3] metres


def find_surface(xyz: NDArray[np.float32]) -> Surface:
    """Find where points [N, 3] lie flat: principal axes of the points in each cell of a grid."""
    low, high = bounds_of(xyz)
    cell = float(np.clip(np.linalg.norm(high - low) / CELLS_ACROSS, *CELL_M))
    inside = xyz[((xyz >= low) & (xyz <= high)).all(1)].astype(np.float64) - low
    grid = (inside / cell).astype(np.int64)
    key = (grid[:, 0] << 42) | (grid[:, 1] << 21) | grid[:, 2]
    _, owner, count = np.unique(key, return_inverse=True, return_counts=True)
    owner = owner.reshape(-1)
    mean = np.stack([np.bincount(owner, column) for column in inside.T], 1) / count[:, None]
    away = inside - mean[owner]
    spread = np.empty((len(count), 3, 3))
    for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        spread[:, i, j] = spread[:, j, i] = np.bincount(owner, away[:, i] * away[:, j]) / count
    enough = count >= CELL_POINTS
    width, axes = np.linalg.eigh(spread[enough])  # [C, 3] rising, [C, 3, 3]
    flat = (width[:, 0] < FLAT * width[:, 1]) & (width[:, 1] > ROUND * width[:, 2])
    return Surface(axes[flat][:, :, 0], mean[enough][flat] + low)
