"""Posed RGB-D views become one cloud, with the instance of every point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.fusion.depth_image import DepthImage
from folk_ros.training.scenes.fusion.tsdf import build, TsdfConfig
from folk_ros.training.scenes.views import View

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

SIGHT = 2.5  # voxels between a surface point and a measured depth that is of it
CHUNK = 1 << 15  # points worked on at once
GRAIN_M = 2.0**-13  # points lie on a grid of about 0.1 mm, which packs well
MERGE = 1 << 21  # votes kept before they are summed


def back_project(view: View) -> tuple[Floats, Ints]:
    """Return world points [M, 3] of the measured pixels, and those pixels' flat indices [M]."""
    pixels = np.flatnonzero(view.depth > 0)
    z = view.depth.reshape(-1)[pixels].astype(np.float64)
    v, u = np.divmod(pixels, view.depth.shape[1])
    k = view.intrinsics.astype(np.float64)
    camera = np.stack([(u - k[0, 2]) / k[0, 0] * z, (v - k[1, 2]) / k[1, 1] * z, z], axis=1)
    T = view.T_world_camera.astype(np.float64)
    return (camera @ T[:3, :3].T + T[:3, 3]).astype(np.float32), pixels


def fuse(
    views: Sequence[View], cell_m: float, min_views: int = 1
) -> tuple[PointCloud, NDArray[np.int32]]:
    """
    Fuse views in a TSDF of voxels of `cell_m`; return the cloud and instances [N], -1 none.

    A point's colour is the mean, and its instance the most frequent one, of the pixels that
    measured it; near and exact ones count more. Points measured by fewer than `min_views` views
    are dropped. Goes through the views three times, one at a time, so they may stay on disk.
    Raises ValueError for a pose that is not finite and for views that touch too much space.
    """
    for k, view in enumerate(views):
        if not (np.isfinite(view.T_world_camera).all() and np.isfinite(view.depth).all()):
            raise ValueError(f'fuse: pose and depth of view {k} must be finite; leave it out')
    volume = build(views, TsdfConfig(voxel_m=cell_m))
    surface = [np.zeros((0, 3)), *volume.crossings()]
    xyz = (np.rint(np.concatenate(surface) / GRAIN_M) * GRAIN_M).astype(np.float32)
    sightings = Sightings(xyz, SIGHT * cell_m)
    for view in views:
        sightings.add(view)
    kept = sightings.count >= max(min_views, 1)
    cloud = PointCloud(xyz, sightings.colour(), 'world').select(kept)
    return cloud, sightings.instance()[kept]


class Sightings:
    """What views show at the points [N] of a surface: colours are averaged, instances voted."""

    def __init__(self, xyz: Floats, tolerance_m: float) -> None:
        """Take points [N, 3]; a view sees one if it measured its depth up to the tolerance."""
        self.xyz, self.tolerance = xyz, np.float32(tolerance_m)
        self.count = np.zeros(len(xyz), np.int32)  # [N] views
        self._rgb = np.zeros((len(xyz), 3), np.float32)
        self._total = np.zeros(len(xyz), np.float32)
        self._votes = Votes(len(xyz))

    def add(self, view: View) -> None:
        """Let a view speak for the points that it sees."""
        image = DepthImage(view)
        rgb = np.pad(view.rgb, ((1, 1), (1, 1), (0, 0))).reshape(-1, 3)
        shown = None if view.instance is None else np.pad(view.instance, 1).reshape(-1)
        for start in range(0, len(self.xyz), CHUNK):
            own = ((self.xyz[start : start + CHUNK] - image.o) @ image.R).astype(np.float32)
            z = np.maximum(own[:, 2], np.float32(1e-3))
            pixel = image.pixel(own[:, 0], own[:, 1], z)
            depth = image.depth.take(pixel)
            off = np.abs(depth - own[:, 2]) / self.tolerance
            seen = np.flatnonzero((depth > 0) & (off <= 1))
            rows, pixel = start + seen, pixel[seen]
            weight = image.trust.take(pixel) * (1.01 - off[seen]) ** 2
            self.count[rows] += 1
            self._rgb[rows] += rgb[pixel] * weight[:, None]
            self._total[rows] += weight
            if shown is not None:
                self._votes.add(rows, shown.take(pixel), weight)

    def colour(self) -> NDArray[np.uint8]:
        """Return mean colours [N, 3]; black where no view sees the point."""
        total = np.maximum(self._total, np.finfo(np.float32).tiny)
        return np.rint(self._rgb / total[:, None]).astype(np.uint8)

    def instance(self) -> NDArray[np.int32]:
        """Return instances [N], -1 none."""
        return self._votes.winners()


class Votes:
    """Weighted votes for the label of each of many things; memory grows with what differs."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._keys: Ints = np.zeros(0, np.int64)
        self._sums: NDArray[np.float64] = np.zeros(0)
        self._new: list[tuple[Ints, Floats]] = []
        self._waiting = 0

    def add(self, rows: Ints, labels: NDArray[np.int32], weight: Floats) -> None:
        """Vote for labels, -1 or more, of some things [M]."""
        self._new.append((rows * (1 << 32) + (labels.astype(np.int64) + 1), weight))
        self._waiting += len(rows)
        if self._waiting > MERGE:
            self._merge()

    def _merge(self) -> None:
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._new)])
        sums = np.concatenate([self._sums, *(weight for _, weight in self._new)])
        self._keys, which = np.unique(keys, return_inverse=True)
        self._sums = np.bincount(which, sums, len(self._keys)).astype(np.float64)
        self._new, self._waiting = [], 0

    def winners(self) -> NDArray[np.int32]:
        """Return the label [count] with the most votes, -1 without; the lowest wins a tie."""
        self._merge()
        rows, labels = self._keys >> 32, (self._keys & 0xFFFFFFFF) - 1
        order = np.lexsort((labels, -self._sums, rows))
        first = order[np.diff(rows[order], prepend=-1) > 0]
        result = np.full(self.count, -1, np.int32)
        result[rows[first]] = labels[first]
        return result
