"""Which voxels of one level lie in which voxel of the next coarser one."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from folk_ros.student.engines.kernel_map import KernelMap, Pairs, sorted_out

CELLS = 8  # of a coarse voxel


class Parents(KernelMap):
    """Each fine voxel reads its coarse one, through the offset that says where in it it lies."""

    def __init__(self, cells: Tensor, coarse: int) -> None:
        super().__init__(cells[None], coarse)
        self.volume = CELLS
        self._parent, self._slot = (cells >> 3).to(torch.int32), (cells & 7).to(torch.uint8)

    @cached_property
    def table(self) -> Tensor:
        """The coarse voxel at the one offset of each fine one: [8, V] int32."""
        table = self._parent.new_full((CELLS, self.rows), self.inputs)
        return table.scatter_(0, self._slot[None].long(), self._parent[None])

    def _counted(self, every: int) -> Tensor:
        """Count the one entry of each row."""
        return torch.ones_like(self._slot[::every], dtype=torch.int64)

    def _runs(self, rows: slice, edge: int) -> tuple[Tensor, Tensor]:
        """Return offset and parent of some fine voxels [R]."""
        return self._slot[rows], self._parent[rows]

    def _block(self, rows: slice, edge: int, round_to: int) -> Pairs:
        """Sort some fine voxels by offset."""
        kind, parent = (part.numpy() for part in self._runs(rows, edge))
        offsets = [range(slot, slot + 1) for slot in range(CELLS)]
        return sorted_out(rows, kind, parent, np.arange(len(kind) + 1), offsets, round_to)


def stride_maps(cells: Tensor, coarse: int) -> tuple[KernelMap, KernelMap]:
    """Map fine voxels to cells [V] (8 a coarse voxel): the way down [8, V'], back up [8, V]."""
    fine = len(cells)
    rows = torch.arange(fine, dtype=torch.int32, device=cells.device)
    down = torch.full((CELLS, coarse), fine, dtype=torch.int32, device=cells.device)
    down.view(-1)[(cells & 7) * coarse + (cells >> 3)] = rows
    return KernelMap(down, fine), Parents(cells, coarse)
