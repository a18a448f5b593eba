"""
A cloud in tiles: upright columns of 8 x 8 voxels, each with a sum that tells its content.

Where the sum of a tile is that of last time, it holds the same points, in any order. Where it is
not, its voxels are compared: points that jitter by less than a voxel are no change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.places import CellIndex, contains
from folk_ros.structures import PointCloud

Keys = NDArray[np.int64]

TILE_BITS, LEVEL_BITS = 3, 20  # a tile is 8 voxels wide; a voxel's height has 20 bits
COLUMN_BITS = 2 * TILE_BITS + LEVEL_BITS  # of a voxel in its tile; the tile itself has 36
SIDE_BITS = 18  # of a tile, along x and along y
REACH = 1 << 20  # voxels from the origin, in any direction: 40 km at 4 cm
PRIMES = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
STIR = np.uint64(0xD6E8FEB86659FD93)
DENSE = 1 << 20  # tiles of a bounding box that are counted directly
JITTER = 0.05  # share of a tile's voxels that may differ
AROUND = [(x - 1, y - 1, z - 1) for x, y, z in np.ndindex(3, 3, 3)]  # a voxel and its 26
REPAINTED = 40  # of 255: a voxel whose mean colour differs more has changed


@dataclass(frozen=True, eq=False)
class TiledCloud:
    """The tiles and voxels that points fall into."""

    tiles: Keys  # [T] sorted
    sums: NDArray[np.uint64]  # [T] of the points in each tile
    point_tile: NDArray[np.int64]  # [N] index into tiles
    index: CellIndex  # of the voxels

    @property
    def point_voxel(self) -> Keys:
        """Return the voxel of each point [N]."""
        return self.index.point_cells

    @property
    def content(self) -> tuple[Keys, NDArray[np.uint64]]:
        """What tells whether a tile is the same: tiles and sums [T]."""
        return self.tiles, self.sums

    def rows_in(self, tiles: Keys) -> NDArray[np.int64]:
        """Return the points that lie in some tiles, rising."""
        return np.flatnonzero(contains(tiles, self.tiles)[self.point_tile])


@dataclass(frozen=True, eq=False)
class VoxelSet:
    """Voxels that a cloud fills, with their colours where it has any."""

    keys: Keys  # [V] sorted, so tile by tile
    rgb: NDArray[np.uint8] | None  # [V, 3] means

    def within(self, tiles: Keys, inside: bool = True) -> VoxelSet:
        """Keep the voxels in some tiles, or those outside."""
        rows = contains(tiles, self.keys >> COLUMN_BITS) == inside
        return VoxelSet(self.keys[rows], None if self.rgb is None else self.rgb[rows])

    def updated(self, other: VoxelSet, tiles: Keys) -> VoxelSet:
        """Return these voxels with what another set holds in some tiles in place of theirs."""
        ours, theirs = self.within(tiles, inside=False), other.within(tiles)
        keys = np.concatenate([ours.keys, theirs.keys])
        order = np.argsort(keys, kind='stable')
        if ours.rgb is None or theirs.rgb is None:
            return VoxelSet(keys[order], None)
        return VoxelSet(keys[order], np.concatenate([ours.rgb, theirs.rgb])[order])


@dataclass(frozen=True, eq=False)
class MapPart:
    """The part of a map that was segmented, where the rest was kept as it was."""

    points: NDArray[np.int64]  # [P] of the cloud, rising
    tiles: Keys  # sorted
    voxel_m: float
    kept: NDArray[np.bool_]  # [I] instances that are those of the last map, ids included

    def holds(self, xy: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether places [M, 2] lie in it."""
        return contains(self.tiles, tiles_at(xy, self.voxel_m))


def into_tiles(cloud: PointCloud, voxel_m: float) -> TiledCloud:
    """Put a cloud into tiles; ValueError if it reaches farther than keys can count."""
    far = float(np.abs(cloud.xyz).max(initial=0.0))
    if far >= REACH / 2 * voxel_m:
        raise ValueError(
            f'the cloud reaches {far:.0f} m from the origin of {cloud.frame_id!r}, expected at '
            f'most {REACH / 2 * voxel_m:.0f} m'
        )
    x, y, z = (_steps(cloud.xyz[:, axis], voxel_m) for axis in range(3))
    side = (1 << TILE_BITS) - 1
    tile = (x >> TILE_BITS << SIDE_BITS) | (y >> TILE_BITS)
    local = ((x & side) << TILE_BITS | (y & side)) << LEVEL_BITS | z
    tiles, index = _compact(x >> TILE_BITS, y >> TILE_BITS, tile)
    return TiledCloud(
        tiles=tiles,
        sums=_sums(hashes(cloud), index, len(tiles)),
        point_tile=index,
        index=CellIndex(tile << COLUMN_BITS | local),
    )


def _steps(values: NDArray[np.float32], voxel_m: float) -> Keys:
    """Return the voxel, from 0 on, that each coordinate [N] lies in; as voxelize counts them."""
    return np.floor(values / np.float64(voxel_m)).astype(np.int64) + REACH // 2


def tiles_at(xy: NDArray[np.floating], voxel_m: float) -> Keys:
    """Return the tile of each place [M, 2]."""
    x, y = (_steps(xy[:, axis], voxel_m) >> TILE_BITS for axis in range(2))
    return x << SIDE_BITS | y


def _compact(x: Keys, y: Keys, tile: Keys) -> tuple[Keys, NDArray[np.int64]]:
    """Number the tiles of points: keys [T], and for every point the index of its own [N]."""
    if not len(tile):
        return tile, tile
    low, width = (int(x.min()), int(y.min())), int(np.ptp(y)) + 1
    if (np.ptp(x) + 1) * width > DENSE:
        tiles, index = np.unique(tile, return_inverse=True)
        return tiles, index.reshape(-1)
    flat = (x - low[0]) * width + (y - low[1])
    filled = np.flatnonzero(np.bincount(flat))
    number = np.zeros(int(filled[-1]) + 1, np.int64)
    number[filled] = np.arange(len(filled))
    return (filled // width + low[0]) << SIDE_BITS | (filled % width + low[1]), number[flat]


def hashes(cloud: PointCloud) -> NDArray[np.uint64]:
    """Return a number for each point [N] that tells its place and colour, to the last bit."""
    bits = np.ascontiguousarray(cloud.xyz).view(np.uint32)
    number = bits[:, 0] * PRIMES[0]
    for axis in (1, 2):
        number ^= number >> np.uint64(29)
        number += bits[:, axis]
        number *= PRIMES[axis]
    if cloud.rgb is not None:
        red, green, blue = (cloud.rgb[:, k].astype(np.uint64) for k in range(3))
        number += (red << np.uint64(16) | green << np.uint64(8) | blue) * STIR
    number ^= number >> np.uint64(32)
    number *= STIR
    return number ^ (number >> np.uint64(32))


def _sums(numbers: NDArray[np.uint64], index: NDArray[np.int64], count: int) -> NDArray[np.uint64]:
    """Add numbers up tile by tile; in halves, which floats hold exactly for 2 M points a tile."""
    low = np.bincount(index, (numbers & np.uint64(0xFFFFFFFF)).astype(np.float64), count)
    high = np.bincount(index, (numbers >> np.uint64(32)).astype(np.float64), count)
    return low.astype(np.uint64) + (high.astype(np.uint64) << np.uint64(32))


def voxel_set(cloud: PointCloud, voxels: Keys) -> VoxelSet:
    """Return the voxels of points [N], with mean colours."""
    keys, index, counts = np.unique(voxels, return_inverse=True, return_counts=True)
    if cloud.rgb is None:
        return VoxelSet(keys, None)
    index = index.reshape(-1)
    sums = [np.bincount(index, cloud.rgb[:, k], len(keys)) for k in range(3)]
    return VoxelSet(keys, np.rint(np.stack(sums, 1) / counts[:, None]).astype(np.uint8))


def differing(old: tuple[Keys, NDArray[np.uint64]], new: tuple[Keys, NDArray[np.uint64]]) -> Keys:
    """Return the tiles (sorted keys and sums) that are not the same in both."""
    tiles = np.union1d(old[0], new[0])
    sums = np.zeros((2, len(tiles)), np.uint64)
    there = np.zeros((2, len(tiles)), np.bool_)
    for row, (keys, values) in enumerate((old, new)):
        at = np.searchsorted(tiles, keys)
        sums[row, at], there[row, at] = values, True
    return tiles[(sums[0] != sums[1]) | (there[0] != there[1])]


def changed(old: VoxelSet, new: VoxelSet) -> Keys:
    """Return the tiles in which more than a small share of the voxels differs."""
    lost, added = _far_from(old.keys, new.keys), _far_from(new.keys, old.keys)
    both = contains(new.keys, old.keys)
    other = old.keys[:0]
    if old.rgb is not None and new.rgb is not None:
        now = new.rgb[np.searchsorted(new.keys, old.keys[both])].astype(np.int16)
        painted = (np.abs(now - old.rgb[both]) > REPAINTED).any(1)
        other = old.keys[both][painted]
    tiles, counts = np.unique(
        np.concatenate([lost, added, other]) >> COLUMN_BITS, return_counts=True
    )
    filled = np.sort(np.union1d(old.keys, new.keys) >> COLUMN_BITS)
    sizes = np.searchsorted(filled, tiles, 'right') - np.searchsorted(filled, tiles)
    return tiles[counts > JITTER * sizes]


def _far_from(these: Keys, those: Keys) -> Keys:
    """Return the voxels of one set that are neither in the other one nor beside one of it."""
    left = these[~contains(those, these)]
    for step in AROUND:
        left = left[~contains(those, moved(left, step))]
    return left


def moved(voxels: Keys, step: Sequence[int]) -> Keys:
    """Return the voxels some steps away, across the borders of tiles too."""
    x, y, z = unpacked(voxels)
    side = (1 << TILE_BITS) - 1
    x, y, z = x + step[0], y + step[1], z + step[2]
    tile = x >> TILE_BITS << SIDE_BITS | y >> TILE_BITS
    return tile << COLUMN_BITS | ((x & side) << TILE_BITS | (y & side)) << LEVEL_BITS | z


def unpacked(voxels: Keys) -> tuple[Keys, Keys, Keys]:
    """Return the grid coordinates of voxels."""
    tile, local = voxels >> COLUMN_BITS, voxels & ((1 << COLUMN_BITS) - 1)
    side = (1 << TILE_BITS) - 1
    x = (tile >> SIDE_BITS) << TILE_BITS | local >> (LEVEL_BITS + TILE_BITS)
    y = (tile & ((1 << SIDE_BITS) - 1)) << TILE_BITS | (local >> LEVEL_BITS) & side
    return x, y, local & ((1 << LEVEL_BITS) - 1)


def grown(tiles: Keys, reach: int = 1) -> Keys:
    """Return the tiles and those around them."""
    steps = np.arange(-reach, reach + 1)
    around = (steps[:, None] << SIDE_BITS) + steps
    return np.unique(tiles[:, None] + around.reshape(-1))
