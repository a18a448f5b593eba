"""
Truncated signed distances on a sparse grid: many noisy depth images become one surface.

As in Open3D's VoxelBlockGrid, voxels lie at whole multiples of their size, each takes the depth of
the pixel that it falls on, distances are averaged and the surface is where neighbours along an
axis change their sign. Otherwise: an image weighs less the farther it measured and the deeper a
voxel lies behind its surface (both sides of a thin board survive), every known voxel in view is
updated (free space wipes out flying pixels), and where free space borders on what lies behind a
surface (the rim of what a camera saw) there is no point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.fusion.depth_image import DepthImage
from folk_ros.training.scenes.views import View

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

EDGE = 8  # voxels along a block
CELLS = EDGE**3
CHUNK = 96  # blocks worked on at once: what fits the processor's cache
MAX_BLOCKS = 1 << 19  # 2 GB
REACH = 1 << 20  # blocks from the origin that a key can name
RIM = 0.9  # share of the front distance from which on a voxel beside a surface is just free
OFFSETS = np.indices((EDGE, EDGE, EDGE)).reshape(3, -1).T  # [512, 3]


@dataclass(frozen=True)
class TsdfConfig:
    """How distances are kept; lengths in voxels but for the first."""

    voxel_m: float = 0.02
    """Edge of a voxel."""
    front: float = 4.0
    """Distance before a measured surface from which on space is just free."""
    behind: float = 3.0
    """Distance behind a measured surface up to which a measurement speaks, ever more softly."""

    def __post_init__(self) -> None:
        lengths = (self.voxel_m, self.front, self.behind)
        if not all(np.isfinite(v) and v > 0 for v in lengths):
            raise ValueError(f'TsdfConfig: expected finite lengths above 0, got {lengths}')


class Volume:
    """Signed distances in blocks of 8 x 8 x 8 voxels, 8 bytes a voxel."""

    def __init__(self, keys: Ints, config: TsdfConfig) -> None:
        """Make empty blocks [B] by their keys (see `touched`); ValueError if too many."""
        if len(keys) > MAX_BLOCKS:
            raise ValueError(
                f'the views touch {len(keys)} blocks of {EDGE * config.voxel_m:g} m, at most '
                f'{MAX_BLOCKS} fit: fuse on a coarser grid than {config.voxel_m:g} m, or less'
            )
        self.config = config
        self.keys = np.unique(keys)
        self.corner = unpack(self.keys) * EDGE  # [B, 3] voxels
        self.distance = np.zeros((len(self.keys), CELLS), np.float32)  # metres, + is free
        self.weight = np.zeros((len(self.keys), CELLS), np.float32)

    def integrate(self, view: View) -> None:
        """Average one depth image into all blocks that it sees."""
        image = DepthImage(view)
        rows = self._in_view(image)
        size = self.config.voxel_m
        inside = (OFFSETS * size @ image.R).astype(np.float32).T  # [3, 512] camera frame
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            corner = (self.corner[chunk] * size - image.o) @ image.R
            self._update(image, chunk, corner.astype(np.float32), inside)

    def _update(self, image: DepthImage, chunk: Ints, corner: Floats, inside: Floats) -> None:
        z = corner[:, 2, None] + inside[2]  # [b, 512]
        pixel = image.pixel(corner[:, 0, None] + inside[0], corner[:, 1, None] + inside[1], z)
        gap = image.depth.take(pixel) - z
        behind = np.float32(self.config.behind * self.config.voxel_m)
        heard = np.flatnonzero(gap > -behind)  # a pixel without depth has 0 there
        gap, pixel = gap.reshape(-1)[heard], pixel.reshape(-1)[heard]
        softer = np.minimum(gap, 0) / behind + 1
        weight = image.trust.take(pixel) * softer
        block, cell = np.divmod(heard, CELLS)
        where = chunk[block] * CELLS + cell
        distance, total = self.distance.reshape(-1), self.weight.reshape(-1)
        before = total[where]
        after = before + weight
        gap = np.minimum(gap, np.float32(self.config.front * self.config.voxel_m))
        distance[where] = (distance[where] * before + gap * weight) / after
        total[where] = after

    def _in_view(self, image: DepthImage) -> Ints:
        """Return the blocks [b] that may lie before, at or just behind what an image measured."""
        size = self.config.voxel_m
        half = EDGE / 2 * size
        radius = np.sqrt(3) * half
        middle = (self.corner * size + (half - size / 2) - image.o) @ image.R  # [B, 3]
        behind = self.config.behind * size
        rows = np.flatnonzero(middle[:, 2] > radius + behind)
        x, y, z = middle[rows].T
        farthest = image.farthest(x, y, z, radius)
        return rows[(farthest > 0) & (z - radius < farthest + behind)]

    def crossings(self) -> Iterator[NDArray[np.float64]]:
        """Go through the surface points [M, 3], metres, a few blocks at a time."""
        for start in range(0, len(self.keys), CHUNK):
            rows = np.arange(start, min(start + CHUNK, len(self.keys)))
            for axis in range(3):
                yield self._crossings(rows, axis)

    def _crossings(self, rows: Ints, axis: int) -> NDArray[np.float64]:
        distance, known = self._with_next(rows, axis)
        here, ahead = [slice(None)] * 4, [slice(None)] * 4
        here[axis + 1], ahead[axis + 1] = slice(0, EDGE), slice(1, EDGE + 1)
        a, b = distance[tuple(here)], distance[tuple(ahead)]
        free = RIM * self.config.front * self.config.voxel_m
        found = ((a > 0) != (b > 0)) & (np.maximum(a, b) < free)
        found &= known[tuple(here)] & known[tuple(ahead)]
        block, *cell = np.nonzero(found)
        place = np.stack(cell, 1).astype(np.float64)
        a, b = a[found].astype(np.float64), b[found].astype(np.float64)
        place[:, axis] += a / (a - b)
        return (self.corner[rows][block] + place) * self.config.voxel_m

    def _with_next(self, rows: Ints, axis: int) -> tuple[Floats, NDArray[np.bool_]]:
        """Return distances and what is known of blocks, longer by one layer: [b, 9, 8, 8]."""
        shape = [len(rows), EDGE, EDGE, EDGE]
        step = np.zeros(3, np.int64)
        step[axis] = 1
        wanted = pack(unpack(self.keys[rows]) + step)
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        has = self.keys[place] == wanted
        layers = []
        for values in (self.distance, self.weight):
            own = values[rows].reshape(shape)
            first = np.take(values[place].reshape(shape), [0], axis + 1)
            first[~has] = 0
            layers.append(np.concatenate([own, first], axis + 1))
        return layers[0], layers[1] > 0


def touched(view: View, config: TsdfConfig) -> Ints:
    """Return the keys of the blocks around what a view measured."""
    edge = EDGE * config.voxel_m
    k = view.intrinsics.astype(np.float64)
    stride = max(1, int(edge / 4 * min(k[0, 0], k[1, 1]) / max(float(view.depth.max()), 0.1)))
    sparse = view.depth[::stride, ::stride].astype(np.float64)
    v, u = np.nonzero(sparse)
    z = sparse[v, u]
    ray = np.stack([(u * stride - k[0, 2]) / k[0, 0], (v * stride - k[1, 2]) / k[1, 1]], 1)
    ray = np.concatenate([ray, np.ones((len(ray), 1))], 1)
    T = view.T_world_camera.astype(np.float64)
    reach = config.behind * config.voxel_m
    steps = np.linspace(-reach, reach, 2 + int(2 * reach / (edge / 2)))
    keys = []
    for step in steps:
        world = (ray * (z + step)[:, None]) @ T[:3, :3].T + T[:3, 3]
        keys.append(np.unique(pack(np.floor(world / edge).astype(np.int64))))
    return np.unique(np.concatenate(keys))


def pack(block: Ints) -> Ints:
    """Return one number for each block [B, 3]; the order of numbers is that of x, y, z."""
    moved = block + REACH
    return (moved[:, 0] << 42) | (moved[:, 1] << 21) | moved[:, 2]


def unpack(keys: Ints) -> Ints:
    """Return the blocks [B, 3] of keys."""
    low = (1 << 21) - 1
    return np.stack([keys >> 42, keys >> 21 & low, keys & low], 1) - REACH


def build(views: Sequence[View], config: TsdfConfig) -> Volume:
    """
    Fuse views, which are gone through twice: to find the space they need, then to fill it.

    Raises ValueError where they need too much.
    """
    keys = np.zeros(0, np.int64)
    for view in views:
        keys = np.union1d(keys, touched(view, config))
    volume = Volume(keys, config)
    for view in views:
        volume.integrate(view)
    return volume
