"""Voxels laid out along the last axis, so that the lines of a neighbourhood are found whole."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from folk_ros.student.engines.tables import AXIS_BITS, keys_of
from folk_ros.student.engines.workers import on_one_core, share_out, share_rows

SPACE = 64  # cells per voxel up to which whole columns of a cloud are laid out in memory
LOOKED_UP = 8192  # voxels at once: stays in cache


class Lines:
    """
    Voxels in cells, column after column along the last axis, empty cells between them.

    Two of a column have as many cells between them as in the grid, or, like those of different
    columns, so many that no line of neighbours reaches from one to the other. So the cells of any
    line lie side by side, and one lookup finds them all.
    """

    def __init__(self, size: int, places: Tensor, begins: Tensor, length: int) -> None:
        self.size = size  # cells of a line: the edge of the neighbourhood, odd
        self.places = places  # [V] int64 the cell of each voxel
        self.begins = begins  # [V, size^2] int32 the first cell of each line of neighbours
        self.length = length  # number of cells

    def __len__(self) -> int:
        return len(self.begins)

    def inner(self, size: int) -> Lines:
        """Return the lines of smaller neighbourhoods."""
        less = (self.size - size) // 2
        square = self.begins.view(-1, self.size, self.size)
        begins = square[:, less : less + size, less : less + size].reshape(-1, size * size) + less
        return Lines(size, self.places, begins, self.length)

    @cached_property
    def rows_at(self) -> Tensor:
        """Say which voxel lies in each cell, V where none does: int32."""
        count = len(self)
        rows = torch.full((self.length,), count, dtype=torch.int32)
        return rows.index_copy_(0, self.places, torch.arange(count, dtype=torch.int32))

    @cached_property
    def runs(self) -> tuple[Tensor, Tensor]:
        """
        Look along a line from each cell it may begin in: who is there, and who is the first.

        The one as bits, uint8; the other int32, V where the line is empty.
        """
        line = self.rows_at.unfold(0, self.size, 1)
        there = (line < len(self)).to(torch.uint8)
        bits = torch.zeros_like(there[:, 0])
        for place in range(self.size):
            bits += there[:, place] << place
        return bits, line.amin(1)  # the missing have the highest number

    def counted(self, every: int) -> Tensor:
        """Count the neighbours of one of so many voxels, itself among them."""
        filled = (self.rows_at < len(self)).to(torch.uint8).unfold(0, self.size, 1).sum(1)
        begins = self.begins[::every]
        return filled.index_select(0, begins.reshape(-1)).view_as(begins).sum(1)

    def table(self) -> Tensor:
        """Return the row of each neighbour, V where there is none: [size^3, V] int32."""
        rows = self.rows_at
        table = torch.empty(self.size**3, len(self), dtype=torch.int32)
        lines = iter(enumerate(table.split(self.size)))

        def run(number: int, count: int) -> None:
            for line, found in lines:  # whoever is free takes the next
                cell = self.begins[:, line].contiguous()
                for row in found:
                    torch.index_select(rows, 0, cell, out=row)
                    cell += 1

        share_out(run, self.size**2)
        return table

    def spread(self, x: Tensor, cells: Tensor) -> Tensor:
        """Write features [V, C] into cells [length, C], zeros where no voxel is."""

        def run(rows: slice) -> None:
            begin = int(self.places[rows.start]) if rows.start else 0
            end = int(self.places[rows.stop]) if rows.stop < len(self) else self.length
            cells[begin:end] = 0
            cells.index_copy_(0, self.places[rows], x[rows].to(cells.dtype))

        share_rows(run, len(self))
        return cells


def lines_of(coords: Tensor, size: int) -> Lines | None:
    """
    Lay out voxels at coordinates [V, 4], sorted, for neighbourhoods of odd edge `size`.

    Returns None on a GPU and for clouds whose columns are nearly empty: search those.
    """
    if coords.is_cuda or not len(coords):
        return None
    columns = on_one_core(lambda: _Columns(keys_of(coords), size))
    if max(columns.cells, columns.squares) > SPACE * len(coords):
        return None
    places, starts, beside = on_one_core(columns.laid_out)
    length = int(places[-1]) + size  # a line may begin at the last voxel
    return Lines(size, places, columns.begins(starts, beside), length)


class _Columns:
    """Voxels by columns along the last axis, columns by slabs along the last but one."""

    def __init__(self, keys: Tensor, size: int) -> None:
        self.size, self.reach = size, size // 2
        # the axes before the last in one number, each column once, sorted as the voxels are
        columns, self.own = torch.unique_consecutive(keys >> AXIS_BITS, return_inverse=True)
        self.count = len(columns)
        self.height, self.depth = self._place(keys)
        self.cells = (self.count + 1) * self.depth  # the last column is empty
        self.slabs, self.slab = torch.unique_consecutive(columns >> AXIS_BITS, return_inverse=True)
        self.across, self.width = self._place(columns)
        self.squares = (len(self.slabs) + 1) * self.width

    def _place(self, keys: Tensor) -> tuple[Tensor, int]:
        """Return the place on the last axis of keys, and the extent, with room for neighbours."""
        place = keys & (1 << AXIS_BITS) - 1
        lowest, highest = (int(end) for end in place.aminmax())
        return place - (lowest - self.reach), highest - lowest + 1 + 2 * self.reach

    def places(self) -> Tensor:
        """Give each voxel its cell [V]: as far from the one before as a line can tell apart."""
        steps = self.height.diff().clamp_(max=self.size)
        steps[self.own.diff() > 0] = self.size
        first = steps.new_full((1,), self.size)  # before it is the empty line
        return torch.cat([first, steps]).cumsum(0)

    def laid_out(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return places, by cell of the grid where its line begins, and `_beside` in cells."""
        places = self.places()
        starts = torch.zeros(self.cells, dtype=torch.int32)
        cell, place = self.own * self.depth + self.height, places.to(torch.int32)
        for step in range(-self.reach, self.reach + 1):
            starts.index_copy_(0, cell + step, place + (step - self.reach))
        return places, starts, self._beside() * self.depth

    def begins(self, starts: Tensor, beside: Tensor) -> Tensor:
        """Look up where each line of neighbours begins: [V, size^2] int32."""
        count = len(self.own)
        begins = torch.empty(count, self.size**2, dtype=torch.int32)
        parts = iter(range(0, count, LOOKED_UP))

        def run(number: int, threads: int) -> None:
            for begin in parts:  # whoever is free takes the next
                rows = slice(begin, begin + LOOKED_UP)
                near = beside.index_select(0, self.own[rows])
                near += self.height[rows, None].to(torch.int32)
                torch.index_select(starts, 0, near.view(-1), out=begins[rows].view(-1))

        share_out(run, -(-count // LOOKED_UP))
        return begins

    def _beside(self) -> Tensor:
        """Return the number of each column near each column, `count` if none: [C, size^2]."""
        squares = torch.full((self.squares,), self.count, dtype=torch.int32)
        own = self.slab * self.width + self.across
        squares.index_copy_(0, own, torch.arange(self.count, dtype=torch.int32))
        wanted = self.slabs[:, None] + torch.arange(-self.reach, self.reach + 1)
        found = torch.searchsorted(self.slabs, wanted).clamp_(max=len(self.slabs) - 1)
        slab = torch.where(self.slabs[found] == wanted, found, len(self.slabs))  # the last: empty
        first = slab.index_select(0, self.slab) * self.width + (self.across - self.reach)[:, None]
        near = (first[:, :, None] + torch.arange(self.size)).view(-1)
        return squares.index_select(0, near).view(self.count, -1)
