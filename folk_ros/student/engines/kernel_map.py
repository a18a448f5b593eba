"""Which input rows each output row of a sparse convolution reads, in the forms products need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from folk_ros.student.engines.workers import share_out

# Output rows in a block of pairs (measured): float32 products are as fast on few rows, and what an
# offset gathers then stays in cache; a call for narrower products costs more than its rows do.
PAIR_ROWS, NARROW_PAIR_ROWS = 2048, 8192
SAMPLED = 16  # of so many output rows, one is looked at for the share of entries
MAX_SORTED = 31  # offsets whose presence fits the bits of a sort key


@dataclass(frozen=True)
class Pairs:
    """Who reads whom for a block of output rows: P pairs, offset after offset."""

    rows: slice  # of the output
    hit: Tensor  # [K, R] bool which entries of the table exist
    sizes: tuple[int, ...]  # [K] how many pairs each offset has
    sources: tuple[Tensor, ...]  # [K] int32 input row of each of them
    order: Tensor  # [P] int32 the pairs again, output row after output row
    begins: Tensor  # [R + 1] int32 where each output row's pairs begin in `order`

    @cached_property
    def targets(self) -> tuple[Tensor, ...]:
        """Find the output row within the block of each pair: [K] int32."""
        return self.hit.nonzero()[:, 1].to(torch.int32).split(self.sizes)


class KernelMap:
    """A table [K, R] int32 of the input row at each offset of each output row; `inputs`: none."""

    def __init__(self, table: Tensor, inputs: int) -> None:
        self.table, self.inputs = table, inputs
        self._pairs: dict[int, list[Pairs]] = {}

    @property
    def rows(self) -> int:
        """Number of output rows."""
        return self.table.shape[1]

    @cached_property
    def share(self) -> float:
        """Estimate which share of the table's entries exist; waits for the device."""
        sample = self.table[:, ::SAMPLED]
        return int((sample < self.inputs).sum()) / max(1, sample.numel())

    def pairs(self, compute: torch.dtype) -> list[Pairs]:
        """List the entries that exist, some output rows at a time; waits for the device."""
        step = self._step(compute)
        if step not in self._pairs:
            begins = range(0, self.rows, max(1, step))

            def run(number: int, count: int) -> list[Pairs]:
                return [self._block(begin, step) for begin in begins[number::count]]

            parts = share_out(run, 1 if self.table.is_cuda else len(begins))
            self._pairs[step] = [
                parts[index % len(parts)][index // len(parts)] for index in range(len(begins))
            ]
        return self._pairs[step]

    def pieces(self, compute: torch.dtype) -> int:
        """Return into how many blocks the pairs are cut: as many for each thread."""
        threads = torch.get_num_threads()
        most = NARROW_PAIR_ROWS if compute.itemsize < 4 else PAIR_ROWS
        return -(-self.rows // (most * threads)) * threads

    def _step(self, compute: torch.dtype) -> int:
        return -(-self.rows // max(1, self.pieces(compute)))

    def _block(self, begin: int, step: int) -> Pairs:
        part = self.table[:, begin : begin + step]  # [K, R]
        rows, hit = part.shape[1], part < self.inputs
        number = hit.view(-1).cumsum(0, dtype=torch.int32).sub_(1).view_as(part)  # of each pair
        begins = torch.zeros(rows + 1, dtype=torch.int32, device=part.device)
        torch.cumsum(hit.sum(0, dtype=torch.int32), 0, dtype=torch.int32, out=begins[1:])
        sizes = tuple(hit.sum(1).tolist())
        return Pairs(
            rows=slice(begin, begin + rows),
            hit=hit,
            sizes=sizes,
            sources=part.masked_select(hit).split(sizes),
            order=number.t().masked_select(hit.t()),
            begins=begins,
        )

    @cached_property
    def order(self) -> Tensor:
        """Sort output rows [R] int32 by which entries they have, the rarest counting most."""
        volume = len(self.table)
        if volume > MAX_SORTED:
            return torch.arange(self.rows, dtype=torch.int32, device=self.table.device)
        there = self.table < self.inputs
        common = there.sum(1).argsort(descending=True)  # the rarest gets the highest bit
        bit = torch.arange(volume, dtype=torch.int32, device=self.table.device)
        key = (there[common].to(torch.int32) << bit[:, None]).sum(0)
        return key.argsort(stable=True).to(torch.int32)


def stride_maps(cells: Tensor, coarse: int) -> tuple[KernelMap, KernelMap]:
    """Map fine voxels to cells [V] (8 a coarse voxel): the way down [8, V'], back up [8, V]."""
    fine = len(cells)
    rows = torch.arange(fine, dtype=torch.int32, device=cells.device)
    parent, slot = cells >> 3, cells & 7
    down = torch.full((8, coarse), fine, dtype=torch.int32, device=cells.device)
    down.view(-1)[slot * coarse + parent] = rows
    up = torch.full((8, fine), coarse, dtype=torch.int32, device=cells.device)
    up.scatter_(0, slot[None], parent[None].to(torch.int32))
    return KernelMap(down, fine), KernelMap(up, coarse)
