"""
A sparse convolution as one fused kernel on CUDA: gather, product, sum and finish in registers.

Implicit GEMM: a program owns a tile of output rows and channels, walks over the offsets that any
of its rows has, gathers the neighbours' features and multiplies them by the offset's matrix,
accumulating in float32; norm, skip and ReLU follow before anything is written. Rows with the same
neighbours are put into one tile. Takes float32, float16 and bfloat16; float32 in smaller tiles,
for its products need many registers.

A forward pass of Res16UNet34C is 328 operations with all its maps (1332 before norm, skip and ReLU
were fused and weights kept ready), 55 of them convolutions, and waits for the GPU 6 times: about
2 ms of launching at 5 us each, of the 15 ms it may take. A CUDA graph would save most of these
2 ms, but is recorded for fixed sizes, and each cloud has others at five levels: rows would have to
be padded to steps and graphs kept for each combination. So there are none.

Never run on a GPU so far: the numbers were checked by Triton's interpreter on a CPU, and the
kernels compiled ahead of time for several generations of GPUs: no registers spilled, at most
49 KB of shared memory. Tile sizes are guesses, and no speed is known. engines/choose.py compares
it with the plain form before use.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from folk_ros.student.engines import triton_kernels
from folk_ros.student.engines.finish import Finish
from folk_ros.student.engines.kept import narrowed
from folk_ros.student.engines.kernel_map import KernelMap
from folk_ros.student.engines.tables import AXIS_BITS

TILE_ROWS, FEW_ROWS, SMALL_LEVEL = 64, 32, 2048  # of a program; few in a level of at most so many
PROGRAMS = 128  # about as many as a GPU runs at once; channels are cut finer below that
FINEST_CUT = 32
WIDE, WIDE_EXACT, DEEP, DEEP_EXACT = 128, 64, 64, 32  # tiles at most: outputs, inputs; float32
SUM_ROWS = 64  # rows a program of the weight gradient takes at once
SPLITS = 32  # programs that share the rows of one offset's weight gradient
SEARCHED = 128  # voxels of a program that searches neighbours
MAX_SORTED = 31  # offsets whose presence fits the bits of a sort key


@dataclass(frozen=True)
class Tiles:
    """A kernel map, its rows sorted into tiles."""

    size: int  # rows in one
    order: Tensor  # [R] int64 which output row comes when
    table: Tensor  # [K, R] int32 of those rows
    active: Tensor  # [T, K] int32 the offsets that each tile has; only the first ones
    counts: Tensor  # [T] int32 how many

    @classmethod
    def of(cls, along: KernelMap) -> Tiles:
        """Sort the rows of a map by the offsets they have, once for all layers."""
        made = along.tiles
        if not isinstance(made, cls):
            made = along.tiles = cls._sorted(along.table, along.inputs)
        return made

    @classmethod
    def _sorted(cls, table: Tensor, inputs: int) -> Tiles:
        volume, rows = table.shape
        size = TILE_ROWS if rows > SMALL_LEVEL else FEW_ROWS
        if volume <= MAX_SORTED:
            key = table.new_empty(rows)
            grid = (_parts(rows, SEARCHED),)
            triton_kernels.presence[grid](
                table, key, rows, inputs, table.stride(0), volume, SEARCHED
            )
            order = key.argsort(stable=True)
            table = table.index_select(1, order)
        else:
            order = torch.arange(rows, device=table.device)
        count = _parts(rows, size)
        active, counts = table.new_empty(count, volume), table.new_empty(count)
        triton_kernels.active[(count,)](
            table, active, counts, rows, inputs, table.stride(0), volume, size
        )
        return cls(size, order, table, active, counts)


def neighbour_table(keys: Tensor, size: int) -> Tensor:
    """Do as tables.neighbour_table, in one launch."""
    rows = len(keys)
    table = torch.empty(size**3, rows, dtype=torch.int32, device=keys.device)
    if rows:
        grid = (_parts(rows, SEARCHED), size * size)
        triton_kernels.search[grid](
            keys, table, rows, rows.bit_length(), AXIS_BITS, size, SEARCHED
        )
    return table


def convolve(
    x: Tensor,
    weight: Tensor,
    along: KernelMap,
    finish: Finish | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """
    Convolve [M, Cin] with [K, Cin, Cout], both of one dtype, along a map: [R, Cout] in it.

    Finished, if there is anything to do, and into memory `out` of any dtype, if there is some.
    """
    volume, cin, cout = weight.shape
    out = x.new_empty(along.rows, cout) if out is None else out
    if not along.rows:
        return out
    tiles, skip = Tiles.of(along), None
    if finish is not None and finish.skip is not None:
        skip = finish.skip
        if finish.matrix is not None:
            skip = skip.to(x.dtype) @ narrowed(finish.matrix, x.dtype)
    exact = x.dtype == torch.float32
    warps, stages = effort(exact)
    count, wide = len(tiles.counts), _tile(cout, WIDE_EXACT if exact else WIDE)
    while wide > FINEST_CUT and count * _parts(cout, wide) < PROGRAMS:
        wide //= 2
    deep = _depth(cin, DEEP_EXACT if exact else DEEP)
    triton_kernels.convolve[count, _parts(cout, wide)](
        x.contiguous(), weight.contiguous(), tiles.table, tiles.order, tiles.active, tiles.counts,
        finish and finish.scale, finish and finish.shift, skip, out, along.rows, along.inputs,
        tiles.table.stride(0), cin, cout, volume, 0 if skip is None else skip.stride(0),
        out.stride(0), finish is not None, skip is not None, tiles.size, wide, deep,
        num_warps=warps, num_stages=stages,
    )  # fmt: skip
    return out


def weight_gradient(x: Tensor, grad: Tensor, along: KernelMap) -> Tensor:
    """Sum the outer products of x [M, Cin] and grad [R, Cout]: float32 [K, Cin, Cout]."""
    table, rows, volume = along.table, along.rows, along.volume
    cin, cout = x.shape[1], grad.shape[1]
    if not rows:
        return x.new_zeros(volume, cin, cout, dtype=torch.float32)
    splits = max(1, min(SPLITS, _parts(rows, 8 * SUM_ROWS)))
    share = _parts(_parts(rows, splits), SUM_ROWS) * SUM_ROWS
    parts = torch.empty(splits, volume, cin, cout, dtype=torch.float32, device=x.device)
    exact = x.dtype == torch.float32
    wide, deep = _tile(cout, 64), _tile(cin, 64)
    grid = (_parts(cin, deep) * _parts(cout, wide), volume, splits)
    triton_kernels.weight[grid](
        x.contiguous(), grad.contiguous(), table, parts, rows, along.inputs, table.stride(0),
        share, cin, cout, volume, DEEP_EXACT if exact else SUM_ROWS, wide, deep,
        num_warps=effort(exact)[0],
    )  # fmt: skip
    return parts.sum(0)


def effort(exact: bool) -> tuple[int, int]:
    """
    Return the warps of a program and the stages of its loop, for float32 or narrower products.

    Four stages: an offset, its rows, their features and the product, each one step ahead.
    """
    return (8, 2) if exact else (4, 4)


def _parts(count: int, size: int) -> int:
    return -(-count // size)


def _tile(channels: int, most: int) -> int:
    return max(16, min(most, 1 << (channels - 1).bit_length()))


def _depth(channels: int, most: int) -> int:
    """Return how many input channels are multiplied at once: as many as leave few idle."""
    deep = _tile(channels, most)
    return deep // 2 if deep == most and 0 < channels % deep <= deep // 2 else deep
