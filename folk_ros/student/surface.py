"""The surface in and around each voxel: what the grid alone rounds away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from folk_ros.structures import Voxels

SURFACE = 10  # place in the voxel (3), products of the normal with itself (6), thickness (1)
SIDES = (-1, 0, 1)
HALF = [(i, j, k) for i in SIDES for j in SIDES for k in SIDES if (i, j, k) > (0, 0, 0)]
UPPER = np.triu_indices(3)


def surface_of(voxels: Voxels) -> Tensor:
    """Describe the surface at the voxels of a cloud: [V, SURFACE]."""
    places = (voxels.centres.astype(np.float64) - voxels.origin) / voxels.size_m
    return surface_input(voxels.coords, places)


def surface_input(coords: NDArray[np.integer], places: NDArray[np.floating]) -> Tensor:
    """
    Describe the surface at voxels with grid `coords` [V, 3]: [V, SURFACE].

    `places` [V, 3] are the means of the points in them, in voxels on the same grid. The plane is
    fitted to a voxel and its 26 neighbours. Nothing depends on the side a normal points to, and
    where the neighbours span no plane its products are 0.
    """
    inside = places - coords - 0.5  # [V, 3] from -0.5 to 0.5
    values, vectors = np.linalg.eigh(spread_around(coords, places))  # rising
    normal = vectors[:, :, 0]
    flat = (values[:, 1] - values[:, 0]) / np.maximum(values[:, 1], 1e-3)  # 1: plane, 0: line
    products = normal[:, UPPER[0]] * normal[:, UPPER[1]] * flat.clip(0, 1)[:, None]
    thickness = 3 * np.sqrt(values[:, :1].clip(0))
    return torch.from_numpy(np.concatenate([2 * inside, products, thickness], 1)).float()


def spread_around(
    coords: NDArray[np.integer], places: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the covariance [V, 3, 3] of the places in each voxel's 3x3x3 neighbourhood."""
    base = places.mean(0) if len(places) else np.zeros(3)
    p = np.asarray(places - base, np.float64)
    own = np.concatenate([np.ones((len(p), 1)), p, p[:, UPPER[0]] * p[:, UPPER[1]]], 1)
    total = own.copy()
    for here, there in touching(coords):
        total[here] += own[there]
        total[there] += own[here]
    mean = total[:, 1:4] / total[:, :1]
    spread = np.zeros((len(p), 3, 3))
    spread[:, UPPER[0], UPPER[1]] = total[:, 4:] / total[:, :1]
    spread[:, UPPER[1], UPPER[0]] = spread[:, UPPER[0], UPPER[1]]
    return np.asarray(spread - mean[:, :, None] * mean[:, None])


def touching(
    coords: NDArray[np.integer],
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return, for half of the 26 neighbours, the voxels that have it and its rows: [E], [E]."""
    grid = coords.astype(np.int64) + 1
    keys = (grid[:, 0] << 40) | (grid[:, 1] << 20) | grid[:, 2]
    order = np.argsort(keys, kind='stable')
    ordered = keys[order]
    pairs = []
    for offset in HALF:
        wanted = keys + ((offset[0] << 40) + (offset[1] << 20) + offset[2])
        found = np.searchsorted(ordered, wanted).clip(max=max(len(keys) - 1, 0))
        here = np.flatnonzero(ordered[found] == wanted) if len(keys) else found
        pairs.append((here, order[found[here]]))
    return pairs
