"""
Mask decoder: queries look at their own region of the cloud and at each other, then refine.

One decoder for every student. Queries from furthest points begin empty, visit the levels several
rounds with the same weights, and after each layer say anew which mask they mean: Mask3D (Schult
et al., ICRA 2023), wired so exactly that public checkpoints load. Queries from seeds begin with
the mask and the feature of their voxel, and each layer corrects that. Either may use the spatial
term of mask_fields.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn, Tensor

from folk_ros.student.engine import Level
from folk_ros.student.mask_fields import (
    mask_factors,
    mask_logits,
    MaskFields,
    MaskForm,
    SEEDS,
)
from folk_ros.student.query_sources import BoxPlaces, coarsened, VoxelPlaces


@dataclass(frozen=True)
class DecoderConfig(MaskForm):
    """Form of the masks and sizes of the decoder; the defaults are Mask3D's."""

    width: int = 128
    heads: int = 8
    feed: int = 1024
    rounds: int = 3  # through all levels read, with the same weights
    reads: tuple[int, ...] = (4, 3, 2, 1)  # levels of the backbone, 0 the finest
    queries: int = 150  # at test, at most; Mask3D trains with 100
    classes: int = 200  # of objects, where queries are points; "no object" is one more


@dataclass(frozen=True)
class Queries:
    """What Q queries are at one stage."""

    content: Tensor  # [Q, W]
    kernel: Tensor  # [Q, K] of their masks, and
    centre: Tensor  # [Q, 3] where those lie; see mask_logits

    def rows(self, rows: Tensor) -> Queries:
        """Keep some queries."""
        return Queries(self.content[rows], self.kernel[rows], self.centre[rows])


class MaskDecoderLayer(nn.Module):
    """Masked cross-attention to one level, self-attention, feed-forward (Mask2Former order)."""

    def __init__(self, channels: int, config: DecoderConfig) -> None:
        super().__init__()
        width, heads, feed = config.width, config.heads, config.feed
        self.values_know_place = config.source == SEEDS  # Mask3D's do not: places are keys alone
        self.memory = nn.Linear(channels, width)
        self.cross = nn.MultiheadAttention(width, heads, batch_first=True)
        self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feed = nn.Sequential(nn.Linear(width, feed), nn.ReLU(), nn.Linear(feed, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def forward(
        self, query: Tensor, place: Tensor, feature: Tensor, spots: Tensor, blocked: Tensor
    ) -> Tensor:
        """
        Update queries [Q, W] that stand at `place` [Q, W].

        They look at a level's `feature` [M, C] at `spots` [M, W], except where `blocked` [Q, M].
        """
        memory = self.memory(feature)
        keys = memory + spots
        values = keys if self.values_know_place else memory
        q = (query + place)[None]
        seen, _ = self.cross(q, keys[None], values[None], attn_mask=blocked, need_weights=False)
        query = self.norms[0](query + seen[0])
        q = (query + place)[None]
        talked, _ = self.self_attention(q, q, query[None], need_weights=False)
        query = self.norms[1](query + talked[0])
        updated: Tensor = self.norms[2](query + self.feed(query))
        return updated


class MaskDecoder(nn.Module):
    """Queries to masks over one cloud."""

    def __init__(self, channels: tuple[int, ...], config: DecoderConfig) -> None:
        super().__init__()
        width, seeds = config.width, config.source == SEEDS
        self.config, self.seeds = config, seeds
        if seeds:
            self.content = nn.Linear(channels[0], width)
        self.place = VoxelPlaces(width) if seeds else BoxPlaces(width)
        self.layers = nn.ModuleList(MaskDecoderLayer(channels[i], config) for i in config.reads)
        moved = 3 if config.spatial else 0
        if seeds:
            self.delta = nn.Linear(width, config.kernel + moved)
            self.iou = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
            nn.init.zeros_(self.delta.weight)  # begin with the seeds' own masks
            nn.init.zeros_(self.delta.bias)
            return
        self.norm = nn.LayerNorm(width)
        self.mask_embed = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, config.embed)
        )
        self.classes = nn.Linear(width, config.classes + 1)
        if config.spatial:
            self.reach = nn.Linear(width, 3 + moved)  # bias, log-sharpness, way to the centre
            nn.init.zeros_(self.reach.weight)  # begin with a ball about the point
            with torch.no_grad():
                self.reach.bias.copy_(torch.tensor([2.0, 2.5, 2.5, 0.0, 0.0, 0.0]))

    def forward(
        self, starts: Tensor, features: list[Tensor], levels: list[Level], fields: MaskFields
    ) -> list[Queries]:
        """Return queries that start on voxels (rows [Q]): at first, and after each layer."""
        at = fields.place[starts]
        spots = self.place.spots(fields.place, levels)
        coarse = [] if self.seeds else coarsened(fields.basis.t(), levels)
        stages = [self._begin(starts, features[0], fields)]
        steps = [*zip(self.config.reads, self.layers, strict=True)] * self.config.rounds
        for level, layer in steps:
            old = stages[-1]
            with torch.no_grad():
                if self.seeds:
                    inside = inside_coarse(self.masks(old, fields) > 0, levels[: level + 1])
                else:
                    inside = mask_factors(old.kernel, old.centre, fields) @ coarse[level].t() >= 0
                blocked = ~inside & inside.any(1, keepdim=True)  # an empty mask sees everything
            place = self.place.of_queries(old.centre if self.seeds else at, fields.place)
            content = layer(old.content, place, features[level], spots[level], blocked)
            stages.append(self._corrected(old, content) if self.seeds else self._said(content, at))
        return stages

    def masks(self, queries: Queries, fields: MaskFields) -> Tensor:
        """Return the logits [Q, V] of the queries' masks."""
        return mask_logits(queries.kernel, queries.centre, fields)

    def judged(self, queries: Queries) -> Tensor:
        """Return class logits [Q, classes + 1], "no object" last; for queries from points."""
        logits: Tensor = self.classes(self.norm(queries.content))
        return logits

    def expected_iou(self, queries: Queries) -> Tensor:
        """Return the logit [Q] of the IoU that the masks reach; for queries from seeds."""
        logits: Tensor = self.iou(queries.content)[:, 0]
        return logits

    def _begin(self, starts: Tensor, feature: Tensor, fields: MaskFields) -> Queries:
        if self.seeds:
            return Queries(self.content(feature[starts]), *fields.start(starts))
        return self._said(feature.new_zeros(len(starts), self.config.width), fields.place[starts])

    def _corrected(self, old: Queries, content: Tensor) -> Queries:
        """Add what the contents [Q, W] say to the masks there were."""
        change = self.delta(content)
        kernel, centre = old.kernel + change[:, : self.config.kernel], old.centre
        if self.config.spatial:
            centre = centre + change[:, self.config.kernel :]
        return Queries(content, kernel, centre)

    def _said(self, content: Tensor, at: Tensor) -> Queries:
        """Read the masks from the contents [Q, W] of queries that stand at places [Q, 3]."""
        normed = self.norm(content)
        kernel = self.mask_embed(normed)
        if not self.config.spatial:
            return Queries(content, kernel, at)
        reach = self.reach(normed)
        return Queries(content, torch.cat([kernel, reach[:, :3]], 1), at + reach[:, 3:])


def inside_coarse(inside: Tensor, levels: list[Level]) -> Tensor:
    """Mark the voxels [Q, M] of the last level that masks [Q, V] bool on the first touch."""
    touched = inside.to(torch.float32)
    for level, coarse in zip(levels[:-1], levels[1:], strict=True):
        assert level.parent is not None
        rows = level.parent[None].expand(len(touched), -1)
        empty = touched.new_zeros(len(touched), len(coarse))
        touched = empty.scatter_reduce(1, rows, touched, 'amax')
    return touched > 0
