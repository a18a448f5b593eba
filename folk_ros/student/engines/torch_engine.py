"""
Sparse convolution in plain PyTorch: runs everywhere, and faster than the libraries on CPUs.

Two forms of a layer, whichever does less work. *Pairs*: offset by offset, only the rows that have
a neighbour there are gathered and multiplied, and each output row then sums its own products;
neighbours in one line are taken at once. *Chunks*: the whole neighbourhoods of some rows are
gathered side by side and multiplied at once, missing neighbours being zeros. On CUDA both can give
way to one fused kernel (fused.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TYPE_CHECKING
import weakref

import torch
from torch import Tensor

from folk_ros.student.engines.buffers import Buffers
from folk_ros.student.engines.finish import Finish, finished
from folk_ros.student.engines.forms import (
    both_by_chunks,
    both_by_pairs,
    by_chunks,
    by_pairs,
    outer_by_chunks,
    outer_by_pairs,
    pairs_win,
)
from folk_ros.student.engines.kept import narrowed
from folk_ros.student.engines.kernel_map import KernelMap
from folk_ros.student.engines.strides import stride_maps
from folk_ros.student.engines.tables import neighbour_table
from folk_ros.student.engines.workers import on_one_core

if TYPE_CHECKING:
    from folk_ros.student.engine import Level

MOST_KEPT = 256 << 20  # bytes kept from cloud to cloud
WHOLE_CELLS = (
    64 * 96
)  # Cin * Cout up to which training multiplies absent voxels too, in strided layers


class TorchEngine:
    """The engine that is always there; `fused` takes the CUDA kernel where it is wanted."""

    name = 'torch'

    def __init__(self, fused: bool = False) -> None:
        self.fused = fused
        self._spare: list[dict[Any, Tensor]] = []  # at most one

    def problem(self, device: torch.device) -> str | None:
        """Return None: it computes wherever torch does."""
        return None

    def prepare(self, levels: list[Level]) -> None:
        """Let all layers of a cloud share their buffers; maps are built when first asked for."""
        try:
            kept = self._spare.pop()
        except IndexError:
            kept = {}
        buffers = Buffers(kept)
        weakref.finalize(buffers, self._keep, kept).atexit = False
        for level in levels:
            level.maps['buffers'] = buffers

    def _keep(self, kept: dict[Any, Tensor]) -> None:
        """Keep the memory of a cloud that is done with for the next one, if it is not too much."""
        size = sum(one.nbytes for one in kept.values())
        if not self._spare and size <= MOST_KEPT and not any(o.is_cuda for o in kept.values()):
            self._spare.append(kept)

    def submanifold(
        self, x: Tensor, weight: Tensor, level: Level, finish: Finish | None = None
    ) -> Tensor:
        """Convolve [V, Cin] with an odd cube [n^3, Cin, Cout] onto the same voxels."""
        volume = len(weight)
        if volume == 1:
            return finished(x @ weight[0].to(x.dtype), finish)
        if ('own', volume) not in level.maps:
            edge = _edge(volume)
            source = level.lines(edge) or level.neighbours(edge, self._search())
            level.maps['own', volume] = KernelMap(source, len(level))
        own = level.maps['own', volume]
        # x[v] reached out[u] through offset k where u = v - offset_k: the mirrored neighbour
        return _Convolution.run(x, weight, Route(own, own, True, level, self.fused), finish)

    def down(
        self,
        x: Tensor,
        weight: Tensor,
        fine: Level,
        coarse_count: int,
        finish: Finish | None = None,
    ) -> Tensor:
        """Convolve [V, Cin] with [8, Cin, Cout], stride 2, to the coarser [V', Cout]."""
        if finish is None and self._by_cells(weight):
            cells = x.new_zeros(coarse_count * 8, x.shape[1]).index_copy(0, _cells(fine), x)
            return cells.view(coarse_count, 8 * x.shape[1]) @ weight.to(x.dtype).flatten(0, 1)
        there, back = _stride(fine, coarse_count)
        return _Convolution.run(x, weight, Route(there, back, False, fine, self.fused), finish)

    def up(self, x: Tensor, weight: Tensor, fine: Level, finish: Finish | None = None) -> Tensor:
        """Transpose of `down`: [V', Cin] with [8, Cin, Cout] onto the finer [V, Cout]."""
        if finish is None and self._by_cells(weight):
            matrix = weight.to(x.dtype).transpose(0, 1).reshape(weight.shape[1], -1)
            return (x @ matrix).view(-1, weight.shape[2]).index_select(0, _cells(fine))
        back, there = _stride(fine, len(x))
        return _Convolution.run(x, weight, Route(there, back, False, fine, self.fused), finish)

    def _search(self) -> Callable[[Tensor, int], Tensor]:
        """Return what searches neighbours."""
        if not self.fused:
            return neighbour_table
        from folk_ros.student.engines import fused

        return fused.neighbour_table

    def _by_cells(self, weight: Tensor) -> bool:
        """Say whether one product over all 8 cells of each coarse voxel is the quickest."""
        return not self.fused and weight.shape[1] * weight.shape[2] <= WHOLE_CELLS


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
    def run(cls, x: Tensor, weight: Tensor, route: Route, finish: Finish | None) -> Tensor:
        if finish is not None:
            return _convolve(x, weight, route.there, route, finish)
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
        wanted_x, wanted_weight, _ = ctx.needs_input_grad
        if wanted_x and wanted_weight and not route.fused:
            return (*_both(x, weight, grad, route), None)
        grad_x = grad_weight = None
        if wanted_x:
            grad_x = _convolve(grad, _turned(weight, route), route.back, route)
        if wanted_weight:
            grad_weight = _weight_gradient(x, grad, route).to(weight.dtype)
        return grad_x, grad_weight, None


def _turned(weight: Tensor, route: Route) -> Tensor:
    """Return the weight of the way back."""
    return (weight.flip(0) if route.mirrored else weight).transpose(1, 2)


def _both(x: Tensor, weight: Tensor, grad: Tensor, route: Route) -> tuple[Tensor, Tensor]:
    """Return both gradients; what an input row fed is gathered once for them."""
    compute, back = route.product_type(x), route.back
    matrices = _turned(weight, route).to(compute).contiguous()
    form = (
        both_by_pairs
        if pairs_win(back, matrices.shape[1], matrices.shape[2], compute)
        else both_by_chunks
    )
    grad_x = grad.new_empty(x.shape)
    outer = form(x, grad, matrices, back, grad_x, route.buffers)  # [K, Cin, Cout]
    return grad_x, (outer.flip(0) if route.mirrored else outer).to(weight.dtype)


def _convolve(
    x: Tensor, weight: Tensor, along: KernelMap, route: Route, finish: Finish | None = None
) -> Tensor:
    compute = route.product_type(x)
    fused = route.fused and compute != torch.float64
    out = finish.into if finish is not None else None
    if out is None and finish is not None and finish.brief:
        like = x.new_empty(0, dtype=compute) if fused else x
        out = route.buffers.take('brief', along.rows, weight.shape[2], like)
    if fused:
        made = _fused(x.to(compute), weight, along, finish, out)
        return made.to(x.dtype) if finish is None else made
    matrices = weight.to(compute).contiguous()
    if out is None:
        out = x.new_empty(along.rows, weight.shape[2])
    form = (
        by_pairs if pairs_win(along, matrices.shape[1], matrices.shape[2], compute) else by_chunks
    )
    form(x, matrices, along, out, finish, route.buffers)
    return out


def _fused(
    x: Tensor, weight: Tensor, along: KernelMap, finish: Finish | None, out: Tensor | None
) -> Tensor:
    """Convolve by the fused kernel; what is finished stays in the dtype of products."""
    from folk_ros.student.engines import fused

    matrices = weight.to(x.dtype) if finish is None else narrowed(weight, x.dtype)
    return fused.convolve(x, matrices, along, finish, out)


def _weight_gradient(x: Tensor, grad: Tensor, route: Route) -> Tensor:
    """Sum the outer products of inputs and gradients over the pairs of each offset."""
    compute, along = route.product_type(x), route.there
    narrow = grad.to(compute)
    if route.fused and compute != torch.float64:
        from folk_ros.student.engines import fused

        return fused.weight_gradient(x.to(compute), narrow, along)
    pairs = pairs_win(along, x.shape[1], grad.shape[1], compute)
    form = outer_by_pairs if pairs else outer_by_chunks
    return form(x, narrow, along, route.buffers)


def _cells(fine: Level) -> Tensor:
    """Number the cells of all coarse voxels: which one each fine voxel fills [V]."""
    if fine.parent is None or fine.slot is None:
        raise ValueError('the coarsest level has no coarser one; build one level more')
    return fine.parent * 8 + fine.slot


def _stride(fine: Level, coarse_count: int) -> tuple[KernelMap, KernelMap]:
    """Return the maps down and up between a level and the next coarser one."""
    if 'stride' not in fine.maps:
        fine.maps['stride'] = on_one_core(
            lambda: stride_maps(_cells(fine), coarse_count), fine.coords.is_cuda
        )
    maps: tuple[KernelMap, KernelMap] = fine.maps['stride']
    return maps


def _edge(volume: int) -> int:
    size = round(volume ** (1 / 3))
    if size**3 != volume or size % 2 == 0:
        raise ValueError(f'weight: expected an odd cube of offsets (1, 27, 125), got {volume}')
    return size
