"""Points on a grid, which cells touch, and what hangs together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

BITS = 20  # of a cell's place along one axis
SIDES = (-1, 0, 1)
HALF = [(i, j, k) for i in SIDES for j in SIDES for k in SIDES if (i, j, k) > (0, 0, 0)]


@dataclass(frozen=True)
class Cells:
    """Occupied cells of a grid."""

    centres: NDArray[np.float64]  # [V, 3] mean of the points
    coords: NDArray[np.int64]  # [V, 3]
    cell_of: NDArray[np.int64]  # [N] cell of each point
    keys: NDArray[np.int64]  # [V] rising

    @classmethod
    def of(cls, xyz: NDArray[np.floating], size_m: float) -> Cells:
        """Put points [N, 3] on a grid."""
        grid = np.floor(xyz / size_m).astype(np.int64) + (1 << BITS - 1)
        keys, cell_of = np.unique(_keys(grid), return_inverse=True)
        cell_of = cell_of.reshape(-1)
        count = np.bincount(cell_of, minlength=len(keys))
        sums = [np.bincount(cell_of, xyz[:, axis], len(keys)) for axis in range(3)]
        mask = (1 << BITS) - 1
        coords = np.stack([keys >> 2 * BITS, keys >> BITS & mask, keys & mask], 1)
        return cls(np.stack(sums, 1) / np.maximum(count, 1)[:, None], coords, cell_of, keys)

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def touching(self) -> NDArray[np.int64]:
        """Return pairs [E, 2] of cells that share a face, an edge or a corner."""
        pairs = [np.zeros((0, 2), np.int64)]
        for offset in HALF:
            wanted = _keys(self.coords + np.array(offset))
            found = np.searchsorted(self.keys, wanted)
            found[found == len(self.keys)] = 0
            hit = np.flatnonzero(self.keys[found] == wanted) if len(self.keys) else found
            pairs.append(np.stack([hit, found[hit]], 1))
        return np.concatenate(pairs)


def _keys(grid: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray((grid[:, 0] << 2 * BITS) | (grid[:, 1] << BITS) | grid[:, 2])


def components(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Number [count] what pairs [E, 2] hold together, from 0 without gaps."""
    root = np.arange(count)
    while len(pairs):
        a, b = root[pairs[:, 0]], root[pairs[:, 1]]
        apart = a != b
        if not apart.any():
            break
        a, b = a[apart], b[apart]
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        while (root[root] != root).any():  # everyone points to the root of all
            root = root[root]
        pairs = pairs[apart]
    return np.unique(root, return_inverse=True)[1].reshape(-1)
