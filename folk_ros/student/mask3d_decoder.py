"""
Mask3D's decoder (Schult et al., ICRA 2023), wired exactly so: public checkpoints load into it.

A query begins empty at a place of the cloud. It visits the backbone's levels from coarse to fine,
several rounds with the same weights, each time looking only at the voxels of its present mask.
A mask is a dot product of query and voxel, so its mean over a coarse voxel is the dot product
with that voxel's mean: the masks in between are made on the coarse levels alone.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import torch
from torch import nn, Tensor

from folk_ros.student.engine import Level
from folk_ros.student.mask_decoder import MaskDecoderLayer


@dataclass(frozen=True)
class DecoderConfig:
    """Sizes of the decoder; the defaults are Mask3D's."""

    width: int = 128
    heads: int = 8
    feed: int = 1024
    rounds: int = 3
    reads: tuple[int, ...] = (4, 3, 2, 1)  # levels of the backbone, 0 the finest
    queries: int = 150  # at test; Mask3D trains with 100
    classes: int = 200  # of objects; "no object" is one more


@dataclass(frozen=True)
class MaskAnswer:
    """What Q queries say at one stage of the decoder."""

    logits: Tensor  # [Q, V] of the masks
    classes: Tensor  # [Q, classes + 1] logits, "no object" last


class FourierPlace(nn.Module):
    """Places as sines and cosines of random directions, relative to a box."""

    basis: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer('basis', torch.randn(3, width // 2))

    def forward(self, xyz: Tensor, box: tuple[Tensor, Tensor]) -> Tensor:
        """Map [M, 3] within a box of corners [3] to [M, W]."""
        low, high = box
        share = (xyz - low) / (high - low).clamp(min=1e-6)  # a flat cloud has no height
        turns = (share * (2 * math.pi)) @ self.basis
        return torch.cat([turns.sin(), turns.cos()], 1)


class QueryDecoder(nn.Module):
    """Queries to masks and classes over one cloud."""

    def __init__(self, channels: tuple[int, ...], config: DecoderConfig) -> None:
        super().__init__()
        width = config.width
        self.rounds, self.reads = config.rounds, config.reads
        self.mask_features = nn.Linear(channels[0], width)
        self.place = FourierPlace(width)
        self.query_place = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        self.layers = nn.ModuleList(
            MaskDecoderLayer(channels[level], width, config.heads, config.feed, False)
            for level in config.reads
        )
        self.norm = nn.LayerNorm(width)
        self.mask_embed = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)
        )
        self.classes = nn.Linear(width, config.classes + 1)

    def forward(
        self, starts: Tensor, features: list[Tensor], levels: list[Level], xyz: Tensor
    ) -> MaskAnswer:
        """
        Return masks and classes of queries that start on voxels (rows [Q]).

        `features` are the backbone's; `xyz` [V, 3] are places within the voxels, in metres.
        """
        ground = self.mask_features(features[0])  # [V, W]
        last = self.refine(starts, features, levels, xyz, ground)[-1]
        return self.answer(last, ground)

    def answer(self, query: Tensor, ground: Tensor) -> MaskAnswer:
        """Return masks over `ground` [V, W] and classes of queries [Q, W]."""
        normed = self.norm(query)
        return MaskAnswer(self.mask_embed(normed) @ ground.t(), self.classes(normed))

    def refine(
        self,
        starts: Tensor,
        features: list[Tensor],
        levels: list[Level],
        xyz: Tensor,
        ground: Tensor,
    ) -> list[Tensor]:
        """Return the queries [Q, W] before the first layer and after each; see `forward`."""
        coarse_ground = coarsened(ground, levels)
        spots = [self.place(each, _box(each)) for each in coarsened(xyz, levels)]
        place = self.query_place(self.place(xyz[starts], _box(xyz)))
        queries = [torch.zeros_like(place)]
        steps = [*zip(self.reads, self.layers, strict=True)] * self.rounds  # shared weights
        for level, layer in steps:
            masks = self.mask_embed(self.norm(queries[-1])) @ coarse_ground[level].t()  # [Q, M]
            blocked = (masks < 0).detach()
            blocked = blocked & ~blocked.all(1, keepdim=True)  # an empty mask sees everything
            queries.append(layer(queries[-1], place, features[level], spots[level], blocked))
        return queries


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


def _box(xyz: Tensor) -> tuple[Tensor, Tensor]:
    return xyz.amin(0), xyz.amax(0)
