"""
The two forms in which plain PyTorch computes a sparse convolution, and its weights' gradient.

*Pairs*: offset by offset, only the rows that have a neighbour there are gathered and multiplied,
and each output row then sums its own products. *Chunks*: the whole neighbourhoods of some rows are
gathered side by side and multiplied at once, missing neighbours being zeros.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from folk_ros.student.engines.buffers import Buffers
from folk_ros.student.engines.finish import Finish
from folk_ros.student.engines.kernel_map import KernelMap, Pairs
from folk_ros.student.engines.neighbourhoods import Neighbourhoods
from folk_ros.student.engines.workers import share_out

# What pairs cost beyond their products, in multiply-adds: per pair and output channel (gather,
# write, sum), and per product called (narrow ones first bring the matrix into another layout).
# Measured with AVX-512, 200 to 100,000 rows, 16 to 256 channels.
PAIR_COST = 12
CALL_COST, NARROW_CALL_COST = 1e5, 2.5e6
LINE_CHANNELS = 8  # of fewer, whole lines are gathered as quickly as what there is of them
PAIR_MARGIN = 0.95  # pairs must look that much better than chunks


def pairs_win(along: KernelMap, cin: int, cout: int, compute: torch.dtype) -> bool:
    """Say whether pairs are less work than chunks; never on CUDA (too many launches)."""
    if along.on_gpu or (along.lines is not None and cin < LINE_CHANNELS):
        return False
    volume = along.volume
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
            made = buffers.take(f'products {number}', sum(block.rooms), matrices.shape[2], x)
            read = _each_kind(x, block, number, buffers)
            products = made.split(block.rooms)
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
    around = Neighbourhoods(x, matrices.dtype, along, buffers)
    matrix, begins = around.matrix(matrices), around.parts()
    left = iter(begins)

    def run(number: int, count: int) -> None:
        for begin in left:
            rows = slice(begin, begin + begins.step)
            near = around.gather(rows, number)
            made = buffers.take(f'products {number}', len(near), matrix.shape[1], near)
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
            made = buffers.take(f'products {number}', sum(block.rooms), matrices.shape[2], x)
            read, written = _each_kind(x, block, number, buffers), other[block.rows]
            products = made.split(block.rooms)
            steps = zip(read, block.targets, block.offsets, products, strict=True)
            for near, target, own, product in steps:
                torch.mm(near, flat[own], out=product)
                outer = written.index_select(0, target).t() @ near[: len(target)]  # [C, n * Cin]
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
    around = Neighbourhoods(x, matrices.dtype, along, buffers)
    matrix, begins, other = around.matrix(matrices), around.parts(), other.to(matrices.dtype)

    def run(number: int, count: int) -> Tensor:
        total = out.new_zeros(other.shape[1], len(matrix))
        for begin in begins[number::count]:
            rows = slice(begin, begin + begins.step)
            near = around.gather(rows, number)
            made = buffers.take(f'products {number}', len(near), matrix.shape[1], near)
            _put(torch.mm(near, matrix, out=made), out, rows, None)
            total += other[rows].t() @ near
        return total

    total = _sum(share_out(run, 1 if out.is_cuda else len(begins)))
    return total.view(-1, along.volume, around.wide)[:, :, : x.shape[1]].transpose(0, 1)


def outer_by_pairs(x: Tensor, grad: Tensor, along: KernelMap, buffers: Buffers) -> Tensor:
    """Sum the outer products of x [M, Cin] and grad [R, Cout], in products of its dtype."""
    x = _narrowed(x, grad.dtype, buffers)
    blocks = along.pairs(x.dtype)

    def run(number: int, count: int) -> Tensor:
        total = _zeros(x.shape[1], grad, along)
        for block in blocks[number::count]:
            read, written = _each_kind(x, block, number, buffers), grad[block.rows]
            for near, target, own in zip(read, block.targets, block.offsets, strict=True):
                outer = near[: len(target)].t() @ written.index_select(
                    0, target
                )  # [n * Cin, Cout]
                for offset, part in zip(own, outer.split(x.shape[1]), strict=True):
                    total[offset] += part
        return total

    return _sum(share_out(run, len(blocks)))


def outer_by_chunks(x: Tensor, grad: Tensor, along: KernelMap, buffers: Buffers) -> Tensor:
    """Do the same as `outer_by_pairs` in the other form."""
    around = Neighbourhoods(x, grad.dtype, along, buffers)
    begins = around.parts()

    def run(number: int, count: int) -> Tensor:
        total = _zeros(around.wide, grad, along)
        for begin in begins[number::count]:
            rows = slice(begin, begin + begins.step)
            near = around.gather(rows, number)
            total.view(-1, grad.shape[1]).add_(near.t() @ grad[rows])
        return total

    return _sum(share_out(run, 1 if grad.is_cuda else len(begins)))[:, : x.shape[1]]


def _zeros(channels: int, grad: Tensor, along: KernelMap) -> Tensor:
    """Return where outer products are summed, at least in float32: [K, Cin, Cout]."""
    exact = torch.promote_types(grad.dtype, torch.float32)
    return grad.new_zeros(along.volume, channels, grad.shape[1], dtype=exact)


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
    rows, channels = matrices.flatten(0, 1), matrices.shape[1]
    kinds = set().union(*(block.offsets for block in blocks))
    return {own: rows[own.start * channels : own.stop * channels] for own in kinds}


def _each_kind(x: Tensor, block: Pairs, number: int, buffers: Buffers) -> Iterator[Tensor]:
    """
    Gather kind after kind of run, each into the same memory, which so stays in cache.

    Rows of a product beyond its runs hold whatever was there; so do theirs of the product.
    """
    count, channels = x.shape
    lengths = [len(own) for own in block.offsets]
    room = max((r * n for r, n in zip(block.rooms, lengths, strict=True)), default=0)
    near = buffers.take(f'gathered {number}', room, channels, x)
    runs = {n: x.as_strided((count - n + 1, n * channels), (channels, 1)) for n in {*lengths}}
    kinds = zip(block.sources, block.sizes, block.rooms, lengths, strict=True)
    for source, size, rows, length in kinds:
        wide = length * channels
        place = near.as_strided((size, wide), (wide, 1))
        torch.index_select(runs[length], 0, source, out=place)
        yield place if rows == size else near.as_strided((rows, wide), (wide, 1))


def _totals(made: Tensor, block: Pairs) -> Tensor:
    """Sum the products of each output row: [R, Cout]."""
    return F.embedding_bag(block.order, made, block.begins, mode='sum', include_last_offset=True)
