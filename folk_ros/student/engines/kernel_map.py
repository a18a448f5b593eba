"""Which input rows each output row of a sparse convolution reads, in the forms products need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from folk_ros.student.engines.lines import Lines
from folk_ros.student.engines.workers import on_one_core, share_out

# Output rows in a block of pairs (measured): float32 products are as fast on few rows, and what is
# gathered at once then stays in cache; a call for narrower products costs more than its rows do.
PAIR_ROWS, NARROW_PAIR_ROWS = 4096, 8192
PRODUCT_ROWS = 1024  # multiplied at once: what is gathered stays in a core's own cache
# Narrow products have multiples of so many rows: for each new number of rows oneDNN first makes a
# kernel, which takes as long as multiplying 1500 rows (measured).
NARROW_STEP = 128
RUN_ROWS = 1024  # in a block of fewer there are too few runs of a kind for a product
SAMPLED = 16  # of so many output rows, one is looked at for the share of entries,
FEWEST = 256  # if so many are left
ENDS = 0b101  # of a line of three
EDGES = {8: 2, 27: 3}  # of kernels read in runs, by volume; kinds of run are counted in a byte


@dataclass(frozen=True)
class Pairs:
    """
    Who reads whom for a block of output rows: P runs, kind after kind.

    Voxels that follow one another along the last axis are rows that follow one another, and so are
    the matrices of their offsets: neighbours of an output row in such a line, without a gap, are
    one run, gathered as one longer row and multiplied by their matrices as one taller one.
    """

    rows: slice  # of the output
    offsets: tuple[range, ...]  # of each kind: what it reads
    sizes: tuple[int, ...]  # of each kind: how many runs
    rooms: tuple[int, ...]  # of each kind: how many rows its product has, at least as many
    sources: tuple[Tensor, ...]  # of each kind: int32 first input row of each run
    order: Tensor  # [P] int32 rows of all products, output row after output row
    begins: Tensor  # [R + 1] int32 where each output row's runs begin in `order`

    @cached_property
    def targets(self) -> tuple[Tensor, ...]:
        """Find the output row within the block of each run, kind by kind, int32."""
        row = torch.arange(len(self.begins) - 1, dtype=torch.int32)
        found = self.order.new_empty(sum(self.rooms))
        found[self.order.long()] = row.repeat_interleave(self.begins.diff())
        parts = found.split(self.rooms)
        return tuple(part[:size] for part, size in zip(parts, self.sizes, strict=True))


class KernelMap:
    """
    Which input row each output row reads at each offset.

    Made of a table [K, R] int32 of rows, `inputs` where there is none, or of the lines of a cloud,
    which many layers can do with.
    """

    def __init__(self, source: Tensor | Lines, inputs: int) -> None:
        self.inputs = inputs
        self.lines = source if isinstance(source, Lines) else None
        self._given = None if isinstance(source, Lines) else source
        if isinstance(source, Lines):
            self.volume, self.rows, self.on_gpu = source.size**3, len(source), False
        else:
            (self.volume, self.rows), self.on_gpu = source.shape, source.is_cuda
        self._pairs: dict[tuple[int, int], list[Pairs]] = {}
        self.tiles: Any = None  # the rows in the order of the fused kernel, once it was wanted

    @cached_property
    def table(self) -> Tensor:
        """The input row at each offset of each output row: [K, R] int32."""
        if self.lines is not None:
            return self.lines.table()
        assert self._given is not None
        return self._given

    @cached_property
    def share(self) -> float:
        """Estimate which share of the table's entries exist; waits for the device."""
        return int(self._sample.sum()) / max(1, len(self._sample) * self.volume)

    @cached_property
    def _sample(self) -> Tensor:
        """Count the entries of some rows that stand for all, in their order."""
        every = max(1, min(SAMPLED, self.rows // FEWEST))
        return on_one_core(lambda: self._counted(every), self.on_gpu)

    def _counted(self, every: int) -> Tensor:
        """Count the entries of one of so many rows."""
        if self.lines is not None:
            return self.lines.counted(every)
        return (self.table[:, ::every] < self.inputs).sum(0)

    def pairs(self, compute: torch.dtype) -> list[Pairs]:
        """List the entries that exist, some output rows at a time; for tables on a CPU."""
        count = self.pieces(compute)
        round_to = NARROW_STEP if compute.itemsize < 4 else 1
        if (count, round_to) not in self._pairs:
            edge = EDGES.get(self.volume, 1) if self.rows >= RUN_ROWS * count else 1
            parts = self._parts(count)
            on_one_core(lambda: self._runs(slice(0), edge))  # finds out what all blocks need

            def run(number: int, threads: int) -> list[Pairs]:
                return [self._block(part, edge, round_to) for part in parts[number::threads]]

            shares = share_out(run, len(parts))
            self._pairs[count, round_to] = [
                shares[index % len(shares)][index // len(shares)] for index in range(len(parts))
            ]
        return self._pairs[count, round_to]

    def pieces(self, compute: torch.dtype) -> int:
        """Return into how many blocks the pairs are cut: as many for each thread."""
        threads = torch.get_num_threads()
        narrow = compute.itemsize < 4 or self.rows <= NARROW_PAIR_ROWS * threads
        most = NARROW_PAIR_ROWS if narrow else PAIR_ROWS
        return -(-self.rows // (most * threads)) * threads

    def _parts(self, count: int) -> list[slice]:
        """Cut the rows into blocks of about as many entries."""
        if not count:
            return []
        reached = self._sample.cumsum(0).double()
        wanted = torch.arange(1, count) * (reached[-1] / count)
        cuts = (torch.searchsorted(reached, wanted) + 0.5) * (self.rows / len(reached))
        ends = [0, *cuts.long().tolist(), self.rows]
        return [slice(*pair) for pair in itertools.pairwise(ends) if pair[0] < pair[1]]

    def _block(self, rows: slice, edge: int, round_to: int) -> Pairs:
        """Find the runs of some output rows in lines of `edge` offsets."""
        bits, first = (part.numpy() for part in self._runs(rows, edge))
        lines = bits.shape[1]
        if edge == 3:  # the ends of a line without its middle are two runs
            split = bits == ENDS
            bits = np.hstack([np.where(split, np.uint8(1), bits), split * np.uint8(ENDS - 1)])
            first = np.hstack([first, first + 1])
        kinds = bits * np.uint8(lines) + np.arange(bits.shape[1], dtype=np.uint8) % lines
        found = np.flatnonzero(bits)  # [P] row after row
        kind, source = kinds.take(found), first.take(found)
        begins = np.searchsorted(found, np.arange(0, bits.size + 1, bits.shape[1]))
        offsets = [_offsets(each // lines, each % lines, edge) for each in range(lines << edge)]
        return sorted_out(rows, kind, source, begins, offsets, round_to)

    def _runs(self, rows: slice, edge: int) -> tuple[Tensor, Tensor]:
        """Return, for each line of some rows [R, L], who is there as bits, and the first row."""
        if self.lines is not None and edge == self.lines.size:
            begins = self.lines.begins[rows]
            bits, first = (each.index_select(0, begins.view(-1)) for each in self.lines.runs)
            return bits.view_as(begins), first.view_as(begins)
        part = self.table[:, rows].unflatten(0, (-1, edge))  # [L, E, R]
        there = (part < self.inputs).to(torch.uint8)
        bits = sum(there[:, place] << place for place in range(edge))
        first = part.amin(1)  # the missing have the highest number
        return bits.t().contiguous(), first.t().contiguous()


def sorted_out(
    rows: slice,
    kind: NDArray[np.uint8],
    source: NDArray[np.int32],
    begins: NDArray[np.integer[Any]],
    offsets: list[range],
    round_to: int,
) -> Pairs:
    """
    Sort the runs of some output rows by kind; products have multiples of so many rows.

    `kind` and `source` [P] come row after row, `begins` [R + 1] says where each row's begin, and
    `offsets` what each kind reads.
    """
    by_kind = np.argsort(kind, kind='stable')  # of bytes: they are counted, not compared
    counts = np.bincount(kind).tolist()
    pieces = [(each, n) for each, count in enumerate(counts) for n in _cut(count, round_to)]
    sizes = tuple(size for _, size in pieces)
    rooms = tuple(-(-size // round_to) * round_to for size in sizes)
    place = np.arange(len(kind), dtype=np.int32)
    if rooms != sizes:
        ahead = np.cumsum([0, *(r - s for r, s in zip(rooms, sizes, strict=True))])[:-1]
        place += np.repeat(ahead, sizes).astype(np.int32)
    order = np.empty(len(kind), np.int32)
    order[by_kind] = place
    return Pairs(
        rows=rows,
        offsets=tuple(offsets[each] for each, _ in pieces),
        sizes=sizes,
        rooms=rooms,
        sources=torch.from_numpy(source.take(by_kind)).split(sizes),
        order=torch.from_numpy(order),
        begins=torch.from_numpy(begins.astype(np.int32)),
    )


def _cut(count: int, round_to: int) -> list[int]:
    """Cut a count into parts of at most PRODUCT_ROWS: as equal as can be, or whole ones first."""
    parts = -(-count // PRODUCT_ROWS)
    if round_to == 1:
        return [count * (part + 1) // parts - count * part // parts for part in range(parts)]
    return [min(PRODUCT_ROWS, count - PRODUCT_ROWS * part) for part in range(parts)]


def _offsets(bits: int, line: int, edge: int) -> range:
    """Return the offsets of a run: those in a line whose bits are set, one after another."""
    places = [place for place in range(edge) if bits >> place & 1] or [0]
    return range(line * edge + places[0], line * edge + places[-1] + 1)
