"""Random sparse clouds, as coordinates and as dense grids."""

import torch

from folk_ros.student import engine

SIZE = 8


def random_cloud(batch=2, share=0.3, seed=0):
    torch.manual_seed(seed)
    dense = torch.rand(batch, SIZE, SIZE, SIZE) < share
    return dense, dense.nonzero()


def levels_of(coords, depth, made):
    return engine.build_levels(coords, depth, torch.float64, made)


def random_tensor(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)
