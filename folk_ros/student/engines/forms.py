"""
The two forms in which plain PyTorch computes a sparse convolution, and its weights' gradient.

*Pairs*: offset by offset, only the rows that have a neighbour there are gathered and multiplied,
and each output row then sums its own products. *Chunks*: the whole neighbourhoods of some rows are
gathered side by side and multiplied at once, missing neighbours being zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from folk_ros.student.engines.finish import Finish
from folk_ros.student.engines.kernel_map import KernelMap, Pairs
from folk_ros.student.engines.workers import share_out

PATCH_BYTES = 2 << 20  # gathered at once on a CPU: stays in its cache (measured)
MIN_ROWS = 256
CUDA_PATCH_BYTES = 256 << 20  # on a GPU launches cost more than memory
# What pairs cost beyond their products, in multiply-adds: per pair and output channel (gather,
# write, sum), and per product called (narrow ones first bring the matrix into another layout).
# Measured with AVX-512, 200 to 100,000 rows, 16 to 256 channels.
PAIR_COST = 12
CALL_COST, NARROW_CALL_COST = 1e5, 2.5e6
# Rows of so many bytes are gathered as numbers of a type that large: twice as fast as copies.
AS_NUMBERS = {8: torch.complex64, 16: torch.complex128}
PAIR_MARGIN = 0.95  # pairs must look that much better than chunks


class Buffers:
    """
    Memory used again by layer after layer: fresh pages would cost a third of the time.

    `kept` is what another one has left behind; what this one takes is put there too.
    """

    def __init__(self, kept: dict[Any, Tensor] | None = None) -> None:
        self._kept = {} if kept is None else kept

    def take(self, name: str, rows: int, columns: int, like: Tensor) -> Tensor:
        """Return [rows, columns] of the dtype and device of `like`, contents undefined."""
        key = name, like.dtype, like.device, torch.is_inference_mode_enabled()
        if key not in self._kept or self._kept[key].numel() < rows * columns:
            self._kept.pop(key, None)  # before more is taken
            self._kept[key] = like.new_empty(rows * columns)
        return self._kept[key][: rows * columns].view(rows, columns)


def pairs_win(along: KernelMap, cin: int, cout: int, compute: torch.dtype) -> bool:
    """Say whether pairs are less work than chunks; never on CUDA (too many launches)."""
    if along.table.is_cuda:
        return False
    volume = len(along.table)
    calls = volume * along.pieces(compute)
    pairs = along.share * along.rows * volume * (cin + PAIR_COST) * cout
    pairs += calls * (NARROW_CALL_COST if compute.itemsize < 4 else CALL_COST)
    return pairs < PAIR_MARGIN * along.rows * volume * cin * cout


def by_pairs(
    x: Tensor,
    matrices: Tensor,
    along: KernelMap,
    out: Tensor,
    finish: Finish | None,
    buffers: Buffers,
) -> None:
    """Convolve x [M, Cin] with [K, Cin, Cout], the dtype of products, into out [R, Cout]."""
    x = _narrowed(x, matrices.dtype, buffers)
    blocks = along.pairs(x.dtype)
    left, flat = iter(blocks), _flat(matrices, blocks)

    def run(number: int, count: int) -> None:
        for block in left:  # whoever is free takes the next
            made = buffers.take(f'products {number}', len(block.order), matrices.shape[2], x)
            read = _each_kind(x, block, number, buffers)
            products = made.split(block.sizes)
            for near, own, product in zip(read, block.offsets, products, strict=True):
                torch.mm(near, flat[own], out=product)
            _put(_totals(made, block), out, block.rows, finish)

    share_out(run, len(blocks))


def by_chunks(
    x: Tensor,
    matrices: Tensor,
    along: KernelMap,
    out: Tensor,
    finish: Finish | None,
    buffers: Buffers,
) -> None:
    """Convolve x [M, Cin] with [K, Cin, Cout], the dtype of products, into out [R, Cout]."""
    padded = _padded(x, matrices.dtype, buffers)
    matrix = F.pad(matrices, (0, 0, 0, padded.shape[1] - x.shape[1])).flatten(0, 1)
    begins = _chunks(padded, along)
    left = iter(begins)

    def run(number: int, count: int) -> None:
        for begin in left:
            rows = slice(begin, begin + begins.step)
            near = _gather(padded, along.table[:, rows], number, buffers)
            made = buffers.take(f'products {number}', len(near), matrix.shape[1], padded)
            _put(torch.mm(near, matrix, out=made), out, rows, finish)

    share_out(run, 1 if out.is_cuda else len(begins))


def both_by_pairs(
    other: Tensor,
    x: Tensor,
    matrices: Tensor,
    along: KernelMap,
    out: Tensor,
    buffers: Buffers,
) -> Tensor:
    """
    Convolve as `by_pairs`, and sum the outer products of other [R, C] and what was gathered.

    Returns [K, C, Cin]. With gradients for x that is both gradients of a layer from one gathering.
    """
    x, other = _narrowed(x, matrices.dtype, buffers), other.to(matrices.dtype)
    blocks = along.pairs(x.dtype)
    flat = _flat(matrices, blocks)

    def run(number: int, count: int) -> Tensor:
        total = out.new_zeros(len(matrices), other.shape[1], x.shape[1])
        for block in blocks[number::count]:  # always the same ones, so that sums are the same
            made = buffers.take(f'products {number}', len(block.order), matrices.shape[2], x)
            read, written = _each_kind(x, block, number, buffers), other[block.rows]
            products = made.split(block.sizes)
            steps = zip(read, block.targets, block.offsets, products, strict=True)
            for near, target, own, product in steps:
                torch.mm(near, flat[own], out=product)
                outer = written.index_select(0, target).t() @ near  # [C, n * Cin]
                for offset, part in zip(own, outer.split(x.shape[1], 1), strict=True):
                    total[offset] += part
            _put(_totals(made, block), out, block.rows, None)
        return total

    return _sum(share_out(run, len(blocks)))


def both_by_chunks(
    other: Tensor,
    x: Tensor,
    matrices: Tensor,
    along: KernelMap,
    out: Tensor,
    buffers: Buffers,
) -> Tensor:
    """Do the same as `both_by_pairs` in the other form."""
    padded, other = _padded(x, matrices.dtype, buffers), other.to(matrices.dtype)
    volume, channels, _ = matrices.shape
    wide = padded.shape[1]
    matrix = F.pad(matrices, (0, 0, 0, wide - channels)).flatten(0, 1)
    begins = _chunks(padded, along)

    def run(number: int, count: int) -> Tensor:
        total = out.new_zeros(other.shape[1], volume * wide)
        for begin in begins[number::count]:
            rows = slice(begin, begin + begins.step)
            near = _gather(padded, along.table[:, rows], number, buffers)
            made = buffers.take(f'products {number}', len(near), matrix.shape[1], padded)
            _put(torch.mm(near, matrix, out=made), out, rows, None)
            total += other[rows].t() @ near
        return total

    total = _sum(share_out(run, 1 if out.is_cuda else len(begins)))
    return total.view(-1, volume, wide)[:, :, :channels].transpose(0, 1)


def outer_by_pairs(x: Tensor, grad: Tensor, along: KernelMap, buffers: Buffers) -> Tensor:
    """Sum the outer products of x [M, Cin] and grad [R, Cout], in products of its dtype."""
    x = _narrowed(x, grad.dtype, buffers)
    blocks = along.pairs(x.dtype)

    def run(number: int, count: int) -> Tensor:
        total = _zeros(x, grad, along)
        for block in blocks[number::count]:
            read, written = _each_kind(x, block, number, buffers), grad[block.rows]
            for near, target, own in zip(read, block.targets, block.offsets, strict=True):
                outer = near.t() @ written.index_select(0, target)  # [n * Cin, Cout]
                for offset, part in zip(own, outer.split(x.shape[1]), strict=True):
                    total[offset] += part
        return total

    return _sum(share_out(run, len(blocks)))


def outer_by_chunks(x: Tensor, grad: Tensor, along: KernelMap, buffers: Buffers) -> Tensor:
    """Do the same as `outer_by_pairs` in the other form."""
    padded = _padded(x, grad.dtype, buffers)
    begins = _chunks(padded, along)

    def run(number: int, count: int) -> Tensor:
        total = _zeros(padded, grad, along)
        for begin in begins[number::count]:
            rows = slice(begin, begin + begins.step)
            near = _gather(padded, along.table[:, rows], number, buffers)
            total.view(-1, grad.shape[1]).add_(near.t() @ grad[rows])
        return total

    return _sum(share_out(run, 1 if grad.is_cuda else len(begins)))[:, : x.shape[1]]


def _zeros(x: Tensor, grad: Tensor, along: KernelMap) -> Tensor:
    """Return where outer products are summed, at least in float32: [K, Cin, Cout]."""
    exact = torch.promote_types(grad.dtype, torch.float32)
    return grad.new_zeros(len(along.table), x.shape[1], grad.shape[1], dtype=exact)


def _sum(totals: list[Tensor]) -> Tensor:
    for other in totals[1:]:
        totals[0] += other
    return totals[0]


def _put(made: Tensor, out: Tensor, rows: slice, finish: Finish | None) -> None:
    if finish is None:
        out[rows] = made
    else:
        finish.write(made, out, rows)


def _narrowed(x: Tensor, compute: torch.dtype, buffers: Buffers) -> Tensor:
    """Return x in the dtype of products, rows side by side."""
    if x.dtype == compute:
        return x.contiguous()
    like = x.new_empty(0, dtype=compute)
    return buffers.take('narrow', len(x), x.shape[1], like).copy_(x)


def _flat(matrices: Tensor, blocks: list[Pairs]) -> dict[range, Tensor]:
    """Put the matrices of each kind of run one below another: [n * Cin, Cout]."""
    kinds = {own for block in blocks for own in block.offsets}
    return {own: matrices[own.start : own.stop : own.step].flatten(0, 1) for own in kinds}


def _each_kind(x: Tensor, block: Pairs, number: int, buffers: Buffers) -> Iterator[Tensor]:
    """Gather kind after kind of run, each into the same memory, which so stays in cache."""
    count, channels = x.shape
    lengths = [len(own) for own in block.offsets]
    room = max((s * n for s, n in zip(block.sizes, lengths, strict=True)), default=0)
    near = buffers.take(f'gathered {number}', room, channels, x)
    runs = {n: x.as_strided((count - n + 1, n * channels), (channels, 1)) for n in {*lengths}}
    for source, size, length in zip(block.sources, block.sizes, lengths, strict=True):
        wide = length * channels
        place = near.as_strided((size, wide), (wide, 1))
        yield torch.index_select(runs[length], 0, source, out=place)


def _totals(made: Tensor, block: Pairs) -> Tensor:
    """Sum the products of each output row: [R, Cout]."""
    return F.embedding_bag(block.order, made, block.begins, mode='sum', include_last_offset=True)


def _gather(padded: Tensor, table: Tensor, number: int, buffers: Buffers) -> Tensor:
    """Gather the neighbourhoods of R rows side by side: [R, K * C]."""
    volume, count = table.shape
    near = buffers.take(f'gathered {number}', volume * count, padded.shape[1], padded)
    number_type = AS_NUMBERS.get(near[:1].nbytes)
    if number_type is None:
        torch.index_select(padded, 0, table.t().reshape(-1), out=near)
    else:
        rows, read = (each.view(number_type)[:, 0] for each in (near, padded))
        torch.index_select(read, 0, table.t().reshape(-1), out=rows)
    return near.view(count, -1)


def _padded(x: Tensor, compute: torch.dtype, buffers: Buffers) -> Tensor:
    """Append a row of zeros, for "no neighbour", and a channel of zeros where there are three."""
    like, channels = x.new_empty(0, dtype=compute), x.shape[1]
    wide = 4 if channels == 3 and compute.itemsize < 8 else channels
    padded = buffers.take('padded', len(x) + 1, wide, like)
    padded[:-1, :channels] = x
    padded[:-1, channels:] = 0
    padded[-1] = 0
    return padded


def _chunks(padded: Tensor, along: KernelMap) -> range:
    """Say at which output rows chunks begin."""
    room = CUDA_PATCH_BYTES if padded.is_cuda else PATCH_BYTES
    rows = room // (len(along.table) * padded.shape[1] * padded.element_size())
    return range(0, along.rows, max(MIN_ROWS, rows // 64 * 64))
