"""Where the queries of a mask decoder stand, and how places are told to attention."""

from __future__ import annotations

import math

import torch
from torch import nn, Tensor

from folk_ros.student.engine import Level
from folk_ros.student.mask_fields import UNIT_VOXELS


def furthest_points(coords: Tensor, count: int, first: int = 0) -> Tensor:
    """
    Choose `count` rows of [V, 3], each as far as can be from all before it, from row `first`.

    Returns rows [min(count, V)]. Of equally far rows it takes the first; pointnet2's CUDA kernel,
    with which Mask3D was trained, breaks such ties by thread.
    """
    axes = coords.to(torch.float32).t().contiguous()  # by axis: seven times as fast as by row
    distance = axes.new_full((len(coords),), torch.inf)  # [V] squared, to the nearest chosen
    chosen = torch.full((min(count, len(coords)),), first, dtype=torch.int64, device=coords.device)
    for index in range(1, len(chosen)):
        last = chosen[index - 1 : index]
        if axes.is_cuda:  # few launches
            apart = (axes - axes.index_select(1, last)).square_().sum(0)
        else:
            apart = torch.zeros_like(distance)
            for axis in axes:
                apart += (axis - axis.index_select(0, last)).square_()
        torch.minimum(distance, apart, out=distance)
        chosen[index] = distance.argmax()
    return chosen


class VoxelPlaces(nn.Sequential):
    """Places by a learnt map, from the middle of the cloud, in units of 25 voxels."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, width))

    def spots(self, place: Tensor, levels: list[Level]) -> list[Tensor]:
        """Map the voxels of each level to [V_l, W]; those of the finest stand at [V, 3]."""
        middle = place.mean(0)
        return [
            self(level.coords[:, 1:].to(place.dtype) * (2**index / UNIT_VOXELS) - middle)
            for index, level in enumerate(levels)
        ]

    def of_queries(self, at: Tensor, place: Tensor) -> Tensor:
        """Map queries at [Q, 3] in a cloud of voxels at [V, 3] to [Q, W]."""
        told: Tensor = self(at - place.mean(0))
        return told


class BoxPlaces(nn.Module):
    """Places as sines and cosines of random directions, relative to the box of the cloud."""

    basis: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer('basis', torch.randn(3, width // 2))
        self.query = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )

    def spots(self, place: Tensor, levels: list[Level]) -> list[Tensor]:
        """Map the voxels of each level to [V_l, W]; those of the finest stand at [V, 3]."""
        return [self._waves(each, each) for each in coarsened(place, levels)]

    def of_queries(self, at: Tensor, place: Tensor) -> Tensor:
        """Map queries at [Q, 3] in a cloud of voxels at [V, 3] to [Q, W]."""
        told: Tensor = self.query(self._waves(at, place))
        return told

    def _waves(self, xyz: Tensor, cloud: Tensor) -> Tensor:
        low, high = cloud.amin(0), cloud.amax(0)
        share = (xyz - low) / (high - low).clamp(min=1e-6)  # a flat cloud has no height
        turns = (share * (2 * math.pi)) @ self.basis
        return torch.cat([turns.sin(), turns.cos()], 1)


def coarsened(values: Tensor, levels: list[Level]) -> list[Tensor]:
    """Average [V, C] over the voxels of each level, each the mean of its children: [V_l, C]."""
    result = [values]
    for level, coarse in zip(levels[:-1], levels[1:], strict=True):
        assert level.parent is not None
        sums = values.new_zeros(len(coarse), values.shape[1])
        children = torch.bincount(level.parent, minlength=len(coarse))
        values = sums.index_add(0, level.parent, values) / children[:, None]
        result.append(values)
    return result
