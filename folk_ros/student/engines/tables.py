"""Which voxel is whose neighbour: sorted integer keys, searched; on the CPU or a GPU alike."""

from __future__ import annotations

import torch
from torch import Tensor

AXIS_BITS = 16  # grid coordinates and batch index each fit 16 bits of an int64 key
MARGIN = 4  # keys stand off the borders, so that no neighbour's key runs over into another axis
LIMIT = (1 << AXIS_BITS) - 1 - 2 * MARGIN  # largest grid coordinate


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
    Search the neighbours in a cube of odd edge `size`: [size^3, V] int32, V where there is none.

    `keys` must be sorted. Neighbours along the last axis stand side by side among them, so one
    search finds a line of them; the table is symmetric, so half the lines do. On a GPU all lines
    are one batch and no step waits for data, on a CPU one follows the other and stays in cache.
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
