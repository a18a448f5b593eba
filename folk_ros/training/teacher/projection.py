"""Points of a cloud in a posed RGB-D image: where they fall and whether they are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.scene import View


@dataclass(frozen=True)
class SeenPoints:
    """The points of a cloud that a view sees."""

    index: NDArray[np.int64]  # [P] rows of the cloud
    pixel: NDArray[np.int64]  # [P] row * W + column


def project(
    xyz: NDArray[np.float32], view: View
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Project points [N, 3], metres in the world; return (column, row) [N, 2] and depth [N].

    Columns and rows are pixels, depth is metres along the optical axis; where that is not
    positive the pixel is not a number.
    """
    rotation = view.T_world_camera[:3, :3].astype(np.float64)
    camera = (xyz - view.T_world_camera[:3, 3].astype(np.float64)) @ rotation  # [N, 3]
    depth = camera[:, 2]
    safe = np.where(depth > 0, depth, np.nan)
    pixel = camera[:, :2] / safe[:, None] @ view.intrinsics[:2, :2].T + view.intrinsics[:2, 2]
    return pixel, depth


def seen_points(xyz: NDArray[np.float32], view: View, tolerance_m: float) -> SeenPoints:
    """Return the points [N, 3] that fall on a pixel whose depth is theirs, within a tolerance."""
    height, width = view.depth.shape
    pixel, depth = project(xyz, view)
    with np.errstate(invalid='ignore'):
        column, row = np.rint(pixel[:, 0]), np.rint(pixel[:, 1])
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = np.flatnonzero(inside)
    flat = row[index].astype(np.int64) * width + column[index].astype(np.int64)
    measured = view.depth.reshape(-1)[flat]
    seen = (measured > 0) & (np.abs(measured - depth[index]) <= tolerance_m)
    return SeenPoints(index[seen], flat[seen])


def count_pixels(
    seen: SeenPoints, point_instance: NDArray[np.int32], instances: int, size: int
) -> NDArray[np.int64]:
    """Count the distinct pixels [I], of an image of `size` pixels, on which instances are seen."""
    owner = point_instance[seen.index].astype(np.int64)
    owned = owner >= 0
    pairs = np.unique(owner[owned] * size + seen.pixel[owned])
    return np.bincount(pairs // size, minlength=instances)
