"""Where the queries of a mask decoder stand; `pick_seeds` of mask_fields is the other source."""

from __future__ import annotations

import torch
from torch import Tensor


def furthest_points(coords: Tensor, count: int) -> Tensor:
    """
    Choose `count` rows of [V, 3], each as far as can be from all before it; the first is row 0.

    Returns rows [min(count, V)]. Of equally far rows it takes the first; pointnet2's CUDA kernel,
    with which Mask3D was trained, breaks such ties by thread.
    """
    axes = coords.to(torch.float32).t().contiguous()  # by axis: seven times as fast as by row
    distance = axes.new_full((len(coords),), torch.inf)  # [V] squared, to the nearest chosen
    chosen = torch.zeros(min(count, len(coords)), dtype=torch.int64, device=coords.device)
    for index in range(1, len(chosen)):
        apart = torch.zeros_like(distance)
        for axis in axes:
            apart += (axis - axis.index_select(0, chosen[index - 1 : index])).square_()
        torch.minimum(distance, apart, out=distance)
        chosen[index] = distance.argmax()
    return chosen
