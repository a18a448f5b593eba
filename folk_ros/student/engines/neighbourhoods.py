"""The whole neighbourhoods of some output rows, gathered side by side for one product."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from folk_ros.student.engines.buffers import Buffers
from folk_ros.student.engines.kernel_map import KernelMap

PATCH_BYTES = 2 << 20  # gathered at once on a CPU: stays in its cache (measured)
MIN_ROWS = 256
CUDA_PATCH_BYTES = 256 << 20  # on a GPU launches cost more than memory
# Rows of so many bytes are gathered as numbers of a type that large: twice as fast as copies.
AS_NUMBERS = {8: torch.complex64, 16: torch.complex128}


class Neighbourhoods:
    """
    Features [M, C], made ready for their neighbourhoods to be gathered in a dtype.

    Where the voxels are laid out in lines, whole lines are gathered; else one row after another.
    """

    def __init__(
        self, x: Tensor, compute: torch.dtype, along: KernelMap, buffers: Buffers
    ) -> None:
        like = x.new_empty(0, dtype=compute)
        self.along, self.buffers, self.lines = along, buffers, along.lines
        self.channels = self.wide = x.shape[1]
        if self.lines is not None:
            cells = buffers.take('cells', self.lines.length, self.wide, like)
            self.cells = self.lines.spread(x, cells)
            return
        if self.channels == 3 and compute.itemsize < 8:
            self.wide = 4  # so that a row is one number
        self.cells = buffers.take('cells', len(x) + 1, self.wide, like)
        self.cells[:-1, : self.channels] = x
        self.cells[:-1, self.channels :] = 0
        self.cells[-1] = 0  # "no neighbour"

    def parts(self) -> range:
        """Say at which output rows the parts begin that are gathered at once."""
        room = CUDA_PATCH_BYTES if self.along.on_gpu else PATCH_BYTES
        rows = room // (self.along.volume * self.wide * self.cells.element_size())
        return range(0, self.along.rows, max(MIN_ROWS, rows // 64 * 64))

    def matrix(self, matrices: Tensor) -> Tensor:
        """Return [K, C, Cout] as the one matrix that neighbourhoods are multiplied by."""
        return F.pad(matrices, (0, 0, 0, self.wide - self.channels)).flatten(0, 1)

    def gather(self, rows: slice, number: int) -> Tensor:
        """Gather the neighbourhoods of some rows: [R, K * wide]."""
        if self.lines is not None:
            return self._gather_lines(self.lines.begins[rows], self.lines.size, number)
        table = self.along.table[:, rows]
        volume, count = table.shape
        near = self._memory(volume * count, self.wide, number)
        number_type = AS_NUMBERS.get(near[:1].nbytes)
        if number_type is None:
            torch.index_select(self.cells, 0, table.t().reshape(-1), out=near)
        else:
            found, read = (each.view(number_type)[:, 0] for each in (near, self.cells))
            torch.index_select(read, 0, table.t().reshape(-1), out=found)
        return near.view(count, -1)

    def _gather_lines(self, begins: Tensor, size: int, number: int) -> Tensor:
        count, wide = len(self.cells) - size + 1, size * self.wide
        lines = self.cells.as_strided((count, wide), (self.wide, 1))
        near = self._memory(begins.numel(), wide, number)
        torch.index_select(lines, 0, begins.view(-1), out=near)
        return near.view(len(begins), -1)

    def _memory(self, rows: int, columns: int, number: int) -> Tensor:
        return self.buffers.take(f'gathered {number}', rows, columns, self.cells)
