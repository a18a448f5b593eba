"""Mask decoder: queries look at their own region of the cloud and at each other, then refine."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn, Tensor

from folk_ros.student.engine import Level
from folk_ros.student.mask_fields import KERNEL, mask_logits, MaskFields, UNIT_VOXELS

WIDTH = 64
HEADS = 4


@dataclass(frozen=True)
class MaskStage:
    """Masks of Q queries at one stage of the decoder."""

    logits: Tensor  # [Q, V]
    iou: Tensor | None  # [Q] logit of the mask's expected IoU; the first stage has none


class MaskDecoderLayer(nn.Module):
    """Masked cross-attention to one level, self-attention, feed-forward (Mask2Former order)."""

    def __init__(
        self,
        channels: int,
        width: int = WIDTH,
        heads: int = HEADS,
        feed: int = 2 * WIDTH,
        values_know_place: bool = True,
    ) -> None:
        super().__init__()
        self.values_know_place = values_know_place  # Mask3D's do not: places are keys alone
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
    """Refine the kernels of seed queries; each layer reads one backbone level, coarse to fine."""

    def __init__(self, channels: tuple[int, ...], layers: tuple[int, ...]) -> None:
        super().__init__()
        self.read_levels = layers
        self.content = nn.Linear(channels[0], WIDTH)
        self.place = nn.Sequential(nn.Linear(3, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
        self.layers = nn.ModuleList(MaskDecoderLayer(channels[i]) for i in layers)
        self.delta = nn.Linear(WIDTH, KERNEL + 3)
        self.iou = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))
        nn.init.zeros_(self.delta.weight)  # begin with the seeds' own masks
        nn.init.zeros_(self.delta.bias)

    def forward(
        self, seeds: Tensor, features: list[Tensor], levels: list[Level], fields: MaskFields
    ) -> list[MaskStage]:
        """Return the masks of the seeds (rows [Q]) and of each layer after them."""
        kernel, centre = fields.kernel[seeds], fields.shifted[seeds]  # [Q, KERNEL], [Q, 3]
        query = self.content(features[0][seeds])  # [Q, W]
        stages = [MaskStage(mask_logits(kernel, centre, fields), None)]
        ground = levels[0].coords[:, 1:].to(query.dtype).mean(0) / UNIT_VOXELS  # [3]
        for index, layer in zip(self.read_levels, self.layers, strict=True):
            place = self.place(centre - ground)
            spots = levels[index].coords[:, 1:].to(query.dtype) * (2**index / UNIT_VOXELS) - ground
            blocked = _outside(stages[-1].logits.detach(), levels, index)
            query = layer(query, place, features[index], self.place(spots), blocked)
            change = self.delta(query)
            kernel, centre = kernel + change[:, :KERNEL], centre + change[:, KERNEL:]
            logits = mask_logits(kernel, centre, fields)
            stages.append(MaskStage(logits, self.iou(query)[:, 0]))
        return stages


def _outside(logits: Tensor, levels: list[Level], index: int) -> Tensor:
    """Mark the coarse voxels [Q, M] that a mask does not touch; an empty mask sees everything."""
    inside = (logits > 0).to(torch.float32)  # [Q, V]
    for level, coarse in zip(levels[:index], levels[1 : index + 1], strict=True):
        assert level.parent is not None
        rows = level.parent[None].expand(len(inside), -1)
        empty = inside.new_zeros(len(inside), len(coarse))
        inside = empty.scatter_reduce(1, rows, inside, 'amax')
    blocked = inside == 0
    return blocked & ~blocked.all(1, keepdim=True)
