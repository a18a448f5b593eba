"""Which voxel is whose neighbour: sorted integer keys, searched; on the CPU or a GPU alike."""

from __future__ import annotations

import torch
from torch import Tensor

from folk_ros.student.engines.workers import share_out

AXIS_BITS = 16  # grid coordinates and batch index each fit 16 bits of an int64 key
MARGIN = 4  # keys stand off the borders, so that no neighbour's key runs over into another axis
LIMIT = (1 << AXIS_BITS) - 1 - 2 * MARGIN  # largest grid coordinate
SPACE = 64  # cells per voxel up to which whole columns of a cloud are laid out in memory


def keys_of(coords: Tensor) -> Tensor:
    """Pack coordinates [V, 4] (batch, x, y, z; from 0 to LIMIT) into int64 keys of that order."""
    b, x, y, z = coords.unbind(1)
    moved = ((b << AXIS_BITS | x + MARGIN) << AXIS_BITS) | y + MARGIN
    return moved << AXIS_BITS | z + MARGIN


def coords_of(keys: Tensor) -> Tensor:
    """Unpack keys to coordinates [V, 4]."""
    mask = (1 << AXIS_BITS) - 1
    parts = [keys >> AXIS_BITS * axis & mask for axis in (2, 1, 0)]
    return torch.stack([keys >> 3 * AXIS_BITS, *(part - MARGIN for part in parts)], 1)


def neighbour_table(keys: Tensor, size: int) -> Tensor:
    """
    Look up the neighbours in a cube of odd edge `size`: [size^3, V] int32, V where there is none.

    `keys` must be sorted. On a CPU most clouds are looked up in columns laid out in memory; others
    are searched, and so is everything on a GPU, where no step of the search waits for data.
    """
    if not keys.is_cuda and len(keys):
        columns = _Columns(keys, size // 2)
        if columns.cells <= SPACE * len(keys):
            return columns.table()
    return _searched(keys, size)


class _Columns:
    """Voxels by columns along the last axis; the cells of each column lie side by side."""

    def __init__(self, keys: Tensor, reach: int) -> None:
        self.reach = reach
        # the axes before the last in one number, each column once, sorted as the voxels are
        self.columns, self.own = torch.unique_consecutive(keys >> AXIS_BITS, return_inverse=True)
        height = (keys & (1 << AXIS_BITS) - 1).to(torch.int32)
        lowest, highest = (int(end) for end in height.aminmax())
        self.place = height - lowest + reach  # [V] within the column, with room for neighbours
        self.depth = highest - lowest + 1 + 2 * reach
        self.cells = (len(self.columns) + 1) * self.depth  # the last column is empty

    def table(self) -> Tensor:
        """Look up every cell of every neighbouring column."""
        count, size = len(self.own), 2 * self.reach + 1
        rows = torch.full((self.cells,), count, dtype=torch.int32)
        rows[self.own * self.depth + self.place] = torch.arange(count, dtype=torch.int32)
        own = self.own.to(torch.int32)
        table = torch.empty(size**3, count, dtype=torch.int32)
        lines = iter(enumerate(table.split(size)))

        def run(number: int, threads: int) -> None:
            for line, found in lines:  # whoever is free takes the next
                x, y = divmod(line, size)
                begin = self._beside(x - self.reach, y - self.reach) * self.depth
                cell = begin.to(torch.int32).index_select(0, own).add_(self.place - self.reach)
                for row in found:
                    torch.index_select(rows, 0, cell, out=row)
                    cell += 1

        share_out(run, size * size)
        return table

    def _beside(self, x: int, y: int) -> Tensor:
        """Return the number of the column so far away from each column, or of the empty one."""
        wanted = self.columns + ((x << AXIS_BITS) + y)
        place = torch.searchsorted(self.columns, wanted).clamp_(max=len(self.columns) - 1)
        return torch.where(self.columns[place] == wanted, place, len(self.columns))


def _searched(keys: Tensor, size: int) -> Tensor:
    """
    Look neighbours up by search.

    Those along the last axis stand side by side among the keys, so one search finds a line of
    them; the table is symmetric, so half the lines do. On a GPU all lines are one batch, on a CPU
    one follows the other and stays in cache.
    """
    count, reach = len(keys), size // 2
    line = torch.arange(size * size // 2 + 1, device=keys.device)  # the last is the voxel's own
    shift = (line // size - reach) << 2 * AXIS_BITS
    shift = shift + ((line % size - reach) << AXIS_BITS) - reach  # to the line's first cell
    # the spare last column takes what is written for "no neighbour"
    table = torch.full((size**3, count + 1), count, dtype=torch.int32, device=keys.device)
    by_line, flat = table.view(size * size, size, count + 1), table.view(-1)
    ahead = torch.cat([keys, keys.new_full((1,), torch.iinfo(torch.int64).max)])
    rows = torch.arange(count, dtype=torch.int32, device=keys.device)
    step = len(line) if keys.is_cuda else 1
    for begin in range(0, len(line), step):
        group = slice(begin, begin + step)
        first = keys + shift[group, None]  # [L, V]
        place = torch.searchsorted(keys, first)
        for cell in range(size):
            met = ahead.index_select(0, place.view(-1)).view_as(place) == first + cell
            found = torch.where(met, place, count)
            place += met
            by_line[group, cell, :-1] = found
            opposite = (size**3 - 1 - line[group] * size - cell) * (count + 1)
            mirrored = (found + opposite[:, None]).view(-1)
            flat.scatter_(0, mirrored, rows.expand_as(found).reshape(-1))
    return table[:, :-1]


def inner_table(table: Tensor, size: int) -> Tensor:
    """Take the table of a smaller cube out of that of a larger one."""
    outer = round(len(table) ** (1 / 3))
    near = torch.arange(size, device=table.device) + (outer - size) // 2
    offsets = (near[:, None, None] * outer + near[:, None]) * outer + near
    return table.index_select(0, offsets.view(-1))
