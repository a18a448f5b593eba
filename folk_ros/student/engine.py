"""
Sparse convolution for the network's layers: voxels of a cloud at several resolutions.

Layers own canonical weights and call `submanifold`, `down` and `up` here; the Level says which
engine computes them (see engines/protocol.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from folk_ros.student.engines.buffers import Buffers
from folk_ros.student.engines.finish import Finish
from folk_ros.student.engines.lines import Lines, lines_of
from folk_ros.student.engines.protocol import SparseEngine
from folk_ros.student.engines.tables import coords_of, inner_table, keys_of, LIMIT, neighbour_table
from folk_ros.student.engines.torch_engine import TorchEngine
from folk_ros.student.engines.workers import on_one_core

WIDEST = 5  # edge of the largest kernel a layer may have


@dataclass(frozen=True)
class Level:
    """Occupied voxels at one resolution, and what engines have found out about them."""

    coords: Tensor  # [V, 4] int64: batch, x, y, z
    parent: Tensor | None  # [V] int64 row of the voxel above in the next coarser level
    slot: Tensor | None  # [V] int64 which of the parent's 8 cells this voxel is
    compute: torch.dtype = torch.float32  # of the products; sums over voxels stay float32
    engine: SparseEngine = field(default_factory=TorchEngine)
    maps: dict[Any, Any] = field(default_factory=dict)  # filled on first use, for all layers

    def __len__(self) -> int:
        return len(self.coords)

    @property
    def keys(self) -> Tensor:
        """Coordinates packed into keys [V] int64, rising."""
        if 'keys' not in self.maps:
            self.maps['keys'] = keys_of(self.coords)
        keys: Tensor = self.maps['keys']
        return keys

    def neighbours(
        self, size: int = 3, search: Callable[[Tensor, int], Tensor] = neighbour_table
    ) -> Tensor:
        """
        Return the row of each neighbour in a cube, V where there is none: [size^3, V] int32.

        They are found by `search` where nothing is known of them yet.
        """
        if ('neighbours', size) not in self.maps:
            wider, lines = self.maps.get(('neighbours', WIDEST)), self.lines(size)
            if lines is not None:
                table = lines.table()
            elif wider is not None:
                table = inner_table(wider, size)
            else:
                table = search(self.keys, size)
            self.maps['neighbours', size] = table
        found: Tensor = self.maps['neighbours', size]
        return found

    def lines(self, size: int = 3) -> Lines | None:
        """Return the lines of neighbours in a cube; None where they are better searched."""
        if ('lines', size) not in self.maps:
            wider = self.maps.get(('lines', WIDEST))
            self.maps['lines', size] = (
                wider.inner(size) if wider is not None else lines_of(self.coords, size)
            )
        found: Lines | None = self.maps['lines', size]
        return found

    def scratch(self, name: str, columns: int, like: Tensor) -> Tensor:
        """Return memory [V, columns] like a tensor's, until it is asked for by that name again."""
        buffers: Buffers = self.maps.setdefault('buffers', Buffers())
        return buffers.take(name, len(self), columns, like)

    def product_type(self, x: Tensor) -> torch.dtype:
        """Return the dtype in which features are multiplied; only float32 is narrowed."""
        return self.compute if x.dtype == torch.float32 else x.dtype


def build_levels(
    coords: Tensor,
    depth: int,
    compute: torch.dtype = torch.float32,
    engine: SparseEngine | None = None,
) -> list[Level]:
    """
    Build `depth` levels, each half as fine as the one before.

    `coords` [V, 4] int64 (batch, x, y, z), unique, from 0 to LIMIT, sorted by that order: what
    `voxelize` gives. Raises ValueError if they are not. `engine` defaults to plain torch.
    """
    engine = engine or TorchEngine()
    levels = on_one_core(lambda: _levels(coords, depth, compute, engine), coords.is_cuda)
    engine.prepare(levels)
    return levels


def _levels(coords: Tensor, depth: int, compute: torch.dtype, engine: SparseEngine) -> list[Level]:
    keys = keys_of(coords)
    if len(keys) > 1 and not bool((keys[1:] > keys[:-1]).all()):
        raise ValueError('coords: expected unique rows sorted by batch, x, y, z')
    if len(keys) and not bool(((coords >= 0) & (coords <= LIMIT)).all()):
        raise ValueError(
            f'coords: expected grid coordinates from 0 to {LIMIT}, got {int(coords.min())} to '
            f'{int(coords.max())}; is the cloud in millimetres?'
        )
    levels = []
    for _ in range(depth - 1):
        coarse = torch.cat([coords[:, :1], coords[:, 1:] >> 1], 1)
        coarse_keys, parent = torch.unique(keys_of(coarse), return_inverse=True)
        bit = coords[:, 1:] & 1  # [V, 3]
        slot = bit[:, 0] * 4 + bit[:, 1] * 2 + bit[:, 2]
        levels.append(Level(coords, parent, slot, compute, engine, {'keys': keys}))
        coords, keys = coords_of(coarse_keys), coarse_keys
    levels.append(Level(coords, None, None, compute, engine, {'keys': keys}))
    return levels


def part_of(levels: list[Level], batch: int) -> tuple[list[Level], list[slice]]:
    """
    Take one cloud out of a batch: its levels (coordinates and parents) and its rows in each.

    No engine prepares them: the result is for pooling and attention, not convolution.
    """
    spans = []
    for level in levels:
        own = (level.coords[:, 0] == batch).nonzero()[:, 0]
        spans.append(slice(int(own[0]), int(own[-1]) + 1))  # rows are sorted by batch
    parts = []
    for index, (level, span) in enumerate(zip(levels, spans, strict=True)):
        parent = slot = None
        if level.parent is not None and level.slot is not None:
            parent, slot = level.parent[span] - spans[index + 1].start, level.slot[span]
        parts.append(Level(level.coords[span], parent, slot))
    return parts, spans


def submanifold(x: Tensor, weight: Tensor, level: Level, finish: Finish | None = None) -> Tensor:
    """Convolve [V, Cin] with [n^3, Cin, Cout], n odd, onto the same voxels: [V, Cout]."""
    return level.engine.submanifold(x, weight, level, finish)


def down(
    x: Tensor, weight: Tensor, fine: Level, coarse_count: int, finish: Finish | None = None
) -> Tensor:
    """Convolve with kernel 2, stride 2: [V, Cin] with [8, Cin, Cout] to the coarser [V', Cout]."""
    return fine.engine.down(x, weight, fine, coarse_count, finish)


def up(x: Tensor, weight: Tensor, fine: Level, finish: Finish | None = None) -> Tensor:
    """Transpose of `down`: [V', Cin] with [8, Cin, Cout] onto the finer voxels [V, Cout]."""
    return fine.engine.up(x, weight, fine, finish)
