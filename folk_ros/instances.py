"""From masks over voxels to instances over points, with upright boxes around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import Boxes, Instances, PointCloud, Voxels

TURNS = 45  # box directions tried in a quarter turn: 2 degrees apart
TRIM = 0.01  # share of a mask that may stray on each side without stretching its box
BOX_SAMPLE = 4000  # voxels of an instance from which its box is made


def expand_masks(
    owner: NDArray[np.int64], rows: NDArray[np.int64], count: int, voxels: Voxels
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """
    Turn mask pairs over voxels into point lists.

    Voxel `rows` [M] belongs to mask `owner` [M], owners ascending from 0 to `count` - 1. Returns
    starts [count + 1] and points (see Instances).
    """
    order = np.argsort(voxels.point_to_voxel, kind='stable')  # points, voxel by voxel
    amount = np.bincount(voxels.point_to_voxel, minlength=len(voxels))  # [V]
    first = np.cumsum(amount) - amount  # [V]
    lengths = amount[rows]  # [M]
    total = int(lengths.sum())
    begin = np.cumsum(lengths) - lengths
    within = np.arange(total) - np.repeat(begin, lengths)
    points = order[np.repeat(first[rows], lengths) + within].astype(np.int32)
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(owner, weights=lengths, minlength=count), out=starts[1:])
    return starts, points


def masks_from_owners(
    owner: NDArray[np.integer], count: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """
    Return point lists of the instances of points [N], -1 for none: starts and points.

    There are `count` of them, or as many as are named where that is more.
    """
    order = np.argsort(owner, kind='stable').astype(np.int32)[int((owner < 0).sum()) :]
    counts = np.bincount(owner[owner >= 0], minlength=count)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), order


def fit_boxes(
    owner: NDArray[np.int64], rows: NDArray[np.int64], count: int, voxels: Voxels
) -> Boxes:
    """Fit the smallest upright box around the voxels of each mask (pairs as in expand_masks)."""
    bounds = np.searchsorted(owner, np.arange(count + 1))
    fitted = [
        _fit_box(voxels.centres[rows[a:b]].astype(np.float64), voxels.size_m)
        for a, b in zip(bounds[:-1], bounds[1:], strict=True)
    ]
    flat = np.array(fitted, np.float32).reshape(count, 7)
    return Boxes(flat[:, :3].copy(), flat[:, 3:6].copy(), flat[:, 6].copy())


def _fit_box(xyz: NDArray[np.float64], voxel: float) -> NDArray[np.float64]:
    """Return centre, size and yaw [7] of the box of least floor area around [M, 3]."""
    if len(xyz) > BOX_SAMPLE:
        xyz = xyz[:: len(xyz) // BOX_SAMPLE + 1]
    angles = np.arange(TURNS) * (np.pi / 2 / TURNS)  # [A]
    along = np.stack([np.cos(angles), np.sin(angles)])  # [2, A] first axis of each direction
    across = np.stack([-np.sin(angles), np.cos(angles)])
    u, w = xyz[:, :2] @ along, xyz[:, :2] @ across  # [M, A]
    low = np.stack([np.quantile(u, TRIM, axis=0), np.quantile(w, TRIM, axis=0)])  # [2, A]
    high = np.stack([np.quantile(u, 1 - TRIM, axis=0), np.quantile(w, 1 - TRIM, axis=0)])
    best = int(np.argmin((high - low + voxel).prod(0)))
    size = high[:, best] - low[:, best] + voxel / 2  # half a voxel: centres are means of points
    middle = (high[:, best] + low[:, best]) / 2
    centre = along[:, best] * middle[0] + across[:, best] * middle[1]
    yaw = angles[best]
    if size[1] > size[0]:  # the long side leads, so that a box has one name for its direction
        size, yaw = size[::-1], yaw + np.pi / 2
    yaw = yaw - np.pi if yaw > np.pi / 2 else yaw
    z = np.quantile(xyz[:, 2], [TRIM, 1 - TRIM])
    return np.array([*centre, (z[0] + z[1]) / 2, *size, z[1] - z[0] + voxel / 2, yaw])


def assemble(
    owner: NDArray[np.int64],
    rows: NDArray[np.int64],
    quality: NDArray[np.float32],
    embeddings: NDArray[np.float32],
    cloud: PointCloud,
    voxels: Voxels,
) -> Instances:
    """Build the instances of a cloud from a student's prediction over its voxels."""
    count = len(quality)
    starts, points = expand_masks(owner, rows, count, voxels)
    return Instances(
        starts=starts,
        points=points,
        embeddings=embeddings,
        quality=np.clip(quality, 0, 1),
        boxes=fit_boxes(owner, rows, count, voxels),
        ids=np.arange(1, count + 1, dtype=np.uint32),
        num_points=len(cloud),
        frame_id=cloud.frame_id,
        stamp_ns=cloud.stamp_ns,
    )
