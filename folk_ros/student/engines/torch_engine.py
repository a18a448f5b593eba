"""
Sparse convolution in plain PyTorch: runs everywhere, and faster than the libraries on CPUs.

Two forms of a layer, whichever does less work. *Pairs*: offset by offset, only the rows that have
a neighbour there are gathered and multiplied, and each output row then sums its own products.
*Chunks*: the whole neighbourhoods of some rows are gathered side by side and multiplied at once,
missing neighbours being zeros. On CUDA both can give way to one fused kernel (triton_kernels.py).
"""

from __future__ import annotations

from typing import Any, TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from folk_ros.student.engines.kernel_map import KernelMap, stride_maps

if TYPE_CHECKING:
    from folk_ros.student.engine import Level

PATCH_BYTES = 2 << 20  # gathered at once on a CPU: stays in its cache (measured)
MIN_ROWS = 256
CUDA_PATCH_BYTES = 256 << 20  # on a GPU launches cost more than memory
# What pairs cost beyond their products, in multiply-adds: per pair and output channel (gather,
# write, sum), and per product called (narrow ones first bring the matrix into another layout).
# Measured with AVX-512, 200 to 100,000 rows, 16 to 256 channels.
PAIR_COST = 12
CALL_COST, NARROW_CALL_COST = 1e5, 2.5e6
PAIR_MARGIN = 0.95  # pairs must look that much better than chunks
WHOLE_CELLS = 64 * 96  # Cin * Cout up to which strided layers multiply absent voxels too


class TorchEngine:
    """The engine that is always there; `fused` takes the CUDA kernel where it is wanted."""

    name = 'torch'

    def __init__(self, fused: bool = False) -> None:
        self.fused = fused

    def problem(self, device: torch.device) -> str | None:
        """Return None: it computes wherever torch does."""
        return None

    def prepare(self, levels: list[Level]) -> None:
        """Let all layers of a cloud share their buffers; maps are built when first asked for."""
        buffers = Buffers()
        for level in levels:
            level.maps['buffers'] = buffers

    def submanifold(self, x: Tensor, weight: Tensor, level: Level) -> Tensor:
        """Convolve [V, Cin] with an odd cube [n^3, Cin, Cout] onto the same voxels."""
        volume = len(weight)
        if volume == 1:
            return x @ weight[0].to(x.dtype)
        if ('own', volume) not in level.maps:
            table = level.neighbours(_edge(volume))
            level.maps['own', volume] = KernelMap(table, len(level))
        own = level.maps['own', volume]
        # x[v] reached out[u] through offset k where u = v - offset_k: the mirrored neighbour
        return _Convolution.run(x, weight, Route(own, own, True, level, self.fused))

    def down(self, x: Tensor, weight: Tensor, fine: Level, coarse_count: int) -> Tensor:
        """Convolve [V, Cin] with [8, Cin, Cout], stride 2, to the coarser [V', Cout]."""
        if self._by_cells(weight):
            cells = x.new_zeros(coarse_count * 8, x.shape[1]).index_copy(0, _cells(fine), x)
            return cells.view(coarse_count, 8 * x.shape[1]) @ weight.to(x.dtype).flatten(0, 1)
        there, back = _stride(fine, coarse_count)
        return _Convolution.run(x, weight, Route(there, back, False, fine, self.fused))

    def up(self, x: Tensor, weight: Tensor, fine: Level) -> Tensor:
        """Transpose of `down`: [V', Cin] with [8, Cin, Cout] onto the finer [V, Cout]."""
        if self._by_cells(weight):
            matrix = weight.to(x.dtype).transpose(0, 1).reshape(weight.shape[1], -1)
            return (x @ matrix).view(-1, weight.shape[2]).index_select(0, _cells(fine))
        back, there = _stride(fine, len(x))
        return _Convolution.run(x, weight, Route(there, back, False, fine, self.fused))

    def _by_cells(self, weight: Tensor) -> bool:
        """Say whether one product over all 8 cells of each coarse voxel is the quickest."""
        return not self.fused and weight.shape[1] * weight.shape[2] <= WHOLE_CELLS


class Buffers:
    """Memory used again by layer after layer: fresh pages would cost a third of the time."""

    def __init__(self) -> None:
        self._kept: dict[Any, Tensor] = {}

    def take(self, name: str, rows: int, columns: int, like: Tensor) -> Tensor:
        """Return [rows, columns] of the dtype and device of `like`, contents undefined."""
        key = name, like.dtype, like.device, torch.is_inference_mode_enabled()
        if key not in self._kept or self._kept[key].numel() < rows * columns:
            self._kept[key] = like.new_empty(rows * columns)
        return self._kept[key][: rows * columns].view(rows, columns)


class Route:
    """What a convolution needs beside features and weights: maps there and back, and how."""

    def __init__(
        self, there: KernelMap, back: KernelMap, mirrored: bool, level: Level, fused: bool
    ) -> None:
        self.there, self.back, self.mirrored, self.fused = there, back, mirrored, fused
        self.product_type = level.product_type
        self.buffers: Buffers = level.maps.setdefault('buffers', Buffers())


class _Convolution(torch.autograd.Function):
    """Multiply and sum along a map; gradients go back along the other one."""

    @classmethod
    def run(cls, x: Tensor, weight: Tensor, route: Route) -> Tensor:
        result: Tensor = cls.apply(x, weight, route)
        return result

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, route: Route) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.route = route
        return _convolve(x, weight, route.there, route)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        route: Route = ctx.route
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            turned = (weight.flip(0) if route.mirrored else weight).transpose(1, 2)
            grad_x = _convolve(grad, turned, route.back, route)
        if ctx.needs_input_grad[1]:
            grad_weight = _weight_gradient(x, grad, route).to(weight.dtype)
        return grad_x, grad_weight, None


def _convolve(x: Tensor, weight: Tensor, along: KernelMap, route: Route) -> Tensor:
    compute = route.product_type(x)
    matrices = weight.to(compute).contiguous()
    if route.fused and compute != torch.float64:
        from folk_ros.student.engines import triton_kernels

        return triton_kernels.convolve(x.to(compute), matrices, along).to(x.dtype)
    out = x.new_empty(along.rows, weight.shape[2])
    if _pairs_win(along, matrices):
        _convolve_pairs(x.to(compute), matrices, along, out, route.buffers)
    else:
        _convolve_chunks(_padded(x, compute, route), matrices, along, out, route.buffers)
    return out


def _convolve_pairs(
    x: Tensor, matrices: Tensor, along: KernelMap, out: Tensor, buffers: Buffers
) -> None:
    blocks = along.pairs(x.dtype)
    most = max((len(block.source) for block in blocks), default=0)
    gathered = buffers.take('gathered', most, matrices.shape[1], x)
    products = buffers.take('products', most, matrices.shape[2], x)
    for block in blocks:
        near, made = gathered[: len(block.source)], products[: len(block.source)]
        torch.index_select(x, 0, block.source, out=near)
        steps = zip(near.split(block.sizes), matrices, made.split(block.sizes), strict=True)
        for features, matrix, product in steps:
            torch.mm(features, matrix, out=product)
        out[block.rows] = F.embedding_bag(
            block.order, made, block.begins, mode='sum', include_last_offset=True
        )


def _convolve_chunks(
    padded: Tensor, matrices: Tensor, along: KernelMap, out: Tensor, buffers: Buffers
) -> None:
    matrix = matrices.view(-1, matrices.shape[2])
    step = _chunk_rows(padded, len(matrices))
    for begin in range(0, len(out), step):
        near = _gather(padded, along.table[:, begin : begin + step], buffers)
        product = buffers.take('products', len(near), matrix.shape[1], padded)
        torch.mm(near, matrix, out=product)
        out[begin : begin + step] = product


def _weight_gradient(x: Tensor, grad: Tensor, route: Route) -> Tensor:
    """Sum the outer products of inputs and gradients over the pairs of each offset."""
    compute, along = route.product_type(x), route.there
    narrow, volume = grad.to(compute), len(along.table)
    if route.fused and compute != torch.float64:
        from folk_ros.student.engines import triton_kernels

        return triton_kernels.weight_gradient(x.to(compute), narrow, along)
    total = grad.new_zeros(volume, x.shape[1], grad.shape[1])
    if not _pairs_win(along, total, compute):
        padded = _padded(x, compute, route)
        step, flat = _chunk_rows(padded, volume), total.view(-1, grad.shape[1])
        for begin in range(0, len(grad), step):
            near = _gather(padded, along.table[:, begin : begin + step], route.buffers)
            flat += near.t() @ narrow[begin : begin + step]
        return total
    narrow_x = x.to(compute)
    for block in along.pairs(compute):
        read = narrow_x.index_select(0, block.source).split(block.sizes)
        written = narrow[block.rows].index_select(0, block.target).split(block.sizes)
        for gradient, features, slope in zip(total, read, written, strict=True):
            gradient += features.t() @ slope
    return total


def _gather(padded: Tensor, table: Tensor, buffers: Buffers) -> Tensor:
    """Gather the neighbourhoods of R rows side by side: [R, K * C]."""
    volume, count = table.shape
    near = buffers.take('gathered', volume * count, padded.shape[1], padded)
    torch.index_select(padded, 0, table.t().reshape(-1), out=near)
    return near.view(count, -1)


def _padded(x: Tensor, compute: torch.dtype, route: Route) -> Tensor:
    """Append a row of zeros, which stands for "no neighbour"."""
    like = x.new_empty(0, dtype=compute)
    padded = route.buffers.take('padded', len(x) + 1, x.shape[1], like)
    padded[:-1] = x
    padded[-1] = 0
    return padded


def _chunk_rows(padded: Tensor, volume: int) -> int:
    room = CUDA_PATCH_BYTES if padded.is_cuda else PATCH_BYTES
    rows = room // (volume * padded.shape[1] * padded.element_size())
    return max(MIN_ROWS, rows // 64 * 64)


def _pairs_win(along: KernelMap, matrices: Tensor, compute: torch.dtype | None = None) -> bool:
    """Say whether pairs are less work than chunks; never on CUDA (too many launches)."""
    if matrices.is_cuda:
        return False
    volume, cin, cout = matrices.shape
    narrow = (compute or matrices.dtype).itemsize < 4
    calls = volume * along.pieces(compute or matrices.dtype)
    pairs = along.share * along.rows * volume * (cin + PAIR_COST) * cout
    pairs += calls * (NARROW_CALL_COST if narrow else CALL_COST)
    return pairs < PAIR_MARGIN * along.rows * volume * cin * cout


def _cells(fine: Level) -> Tensor:
    """Number the cells of all coarse voxels: which one each fine voxel fills [V]."""
    if fine.parent is None or fine.slot is None:
        raise ValueError('the coarsest level has no coarser one; build one level more')
    return fine.parent * 8 + fine.slot


def _stride(fine: Level, coarse_count: int) -> tuple[KernelMap, KernelMap]:
    """Return the maps down and up between a level and the next coarser one."""
    if 'stride' not in fine.maps:
        fine.maps['stride'] = stride_maps(_cells(fine), coarse_count)
    maps: tuple[KernelMap, KernelMap] = fine.maps['stride']
    return maps


def _edge(volume: int) -> int:
    size = round(volume ** (1 / 3))
    if size**3 != volume or size % 2 == 0:
        raise ValueError(f'weight: expected an odd cube of offsets (1, 27, 125), got {volume}')
    return size
