"""Which input rows each output row of a sparse convolution reads, in the forms products need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from folk_ros.student.engines.workers import share_out

# Output rows in a block of pairs (measured): float32 products are as fast on few rows, and what is
# gathered at once then stays in cache; a call for narrower products costs more than its rows do.
PAIR_ROWS, NARROW_PAIR_ROWS = 4096, 8192
RUN_ROWS = 1024  # in a block of fewer there are too few runs of a kind for a product
SAMPLED = 16  # of so many output rows, one is looked at for the share of entries
MAX_SORTED = 31  # offsets whose presence fits the bits of a sort key
EDGES = {8: 2, 27: 3}  # of kernels read in runs, by volume; kinds of run are counted in a byte


@dataclass(frozen=True)
class Pairs:
    """
    Who reads whom for a block of output rows: P runs, kind after kind.

    Voxels that follow one another along the last axis are rows that follow one another, and so are
    the matrices of their offsets: where an output row has several neighbours in such a line, they
    are one run, gathered as one longer row and multiplied by their matrices as one taller one.
    """

    rows: slice  # of the output
    offsets: tuple[range, ...]  # of each kind: what it reads; a step of 2 passes over a gap
    sizes: tuple[int, ...]  # of each kind: how many runs
    sources: tuple[Tensor, ...]  # of each kind: int32 first input row of each run
    order: Tensor  # [P] int32 the runs again, output row after output row
    begins: Tensor  # [R + 1] int32 where each output row's runs begin in `order`

    @cached_property
    def targets(self) -> tuple[Tensor, ...]:
        """Find the output row within the block of each run, kind by kind, int32."""
        row = torch.arange(len(self.begins) - 1, dtype=torch.int32)
        found = torch.empty_like(self.order)
        found[self.order.long()] = row.repeat_interleave(self.begins.diff())
        return found.split(self.sizes)


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
        """List the entries that exist, some output rows at a time; for tables on a CPU."""
        step = self._step(compute)
        if step not in self._pairs:
            begins = range(0, self.rows, max(1, step))
            edge = EDGES.get(len(self.table), 1) if step >= RUN_ROWS else 1

            def run(number: int, count: int) -> list[Pairs]:
                return [self._block(begin, step, edge) for begin in begins[number::count]]

            parts = share_out(run, len(begins))
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

    def _block(self, begin: int, step: int, edge: int) -> Pairs:
        """Find the runs of some output rows in lines of `edge` offsets."""
        part = self.table[:, begin : begin + step].unflatten(0, (-1, edge))  # [L, E, R]
        there = (part < self.inputs).to(torch.uint8)
        bits = sum(there[:, place] << place for place in range(edge))  # [L, R] who is there
        present = bits.t().contiguous().numpy()  # [R, L]
        found = np.flatnonzero(present)  # [P] row after row
        lines = present.shape[1]
        kind = (present * np.uint8(lines) + np.arange(lines, dtype=np.uint8))[present > 0]
        by_kind = np.argsort(kind, kind='stable')  # of bytes: they are counted, not compared
        order = np.empty(len(found), np.int32)
        order[by_kind] = np.arange(len(found), dtype=np.int32)
        begins = np.zeros(len(present) + 1, np.int32)
        np.cumsum((present > 0).sum(1), out=begins[1:])
        first = part.amin(1).t().reshape(-1).numpy()  # the missing have the highest number
        counts = np.bincount(kind)
        kinds = np.flatnonzero(counts)
        sizes = tuple(counts[kinds].tolist())
        return Pairs(
            rows=slice(begin, begin + len(present)),
            offsets=tuple(_offsets(each // lines, each % lines, edge) for each in kinds.tolist()),
            sizes=sizes,
            sources=torch.from_numpy(first[found[by_kind]]).split(sizes),
            order=torch.from_numpy(order),
            begins=torch.from_numpy(begins),
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


def _offsets(bits: int, line: int, edge: int) -> range:
    """Return the offsets of a run: those in a line whose bits are set, at most three."""
    places = [place for place in range(edge) if bits >> place & 1]
    step = places[1] - places[0] if len(places) > 1 else 1
    return range(line * edge + places[0], line * edge + places[-1] + 1, step)


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
