"""VL-adapter (FOLK section 3.2, Eq. 7): pooled features of a mask become a CLIP embedding."""

from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional as F

from folk_ros.student.engine import Level

SHAPE = 6  # log size x y z, log voxel count, height of centre and of lowest point above the floor
# What the adapter reads of a mask: FOLK's form is the plain average of the finest features; the
# others average every level, weighted by mask probability, and add size and height; moments also
# read how much the features vary, attention also what learned heads look for in the voxels.
FOLK, LEVELS, MOMENTS, ATTENTION = 'folk', 'levels', 'moments', 'attention'
POOLINGS = (FOLK, LEVELS, MOMENTS, ATTENTION)
HEADS, HEAD_WIDTH, SCORE_WIDTH = 8, 32, 128


class MaskAttention(nn.Module):
    """Average a mask's voxels several times, each time weighted by what one head looks for."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels, affine=False)
        self.look = nn.Linear(channels, SCORE_WIDTH)
        self.context = nn.Linear(channels, SCORE_WIDTH, bias=False)
        self.score = nn.Linear(SCORE_WIDTH, HEADS)
        self.value = nn.Linear(channels, HEADS * HEAD_WIDTH)

    def forward(self, voxels: Tensor, owner: Tensor, mean: Tensor) -> Tensor:
        """
        Return what the heads see [I, HEADS * HEAD_WIDTH] of masks with mean features [I, C].

        Voxels [M, C] belong to instance `owner` [M]; each instance has at least one.
        """
        x, count = self.norm(voxels), len(mean)
        seen = self.look(x) + self.context(self.norm(mean))[owner]
        score = self.score(F.gelu(seen))  # [M, HEADS]
        index = owner[:, None].expand(-1, HEADS)
        top = score.new_full((count, HEADS), -torch.inf)
        top = top.scatter_reduce(0, index, score.detach(), 'amax')
        weight = (score - top[owner]).exp()
        total = score.new_zeros(count, HEADS).index_add(0, owner, weight)
        value = self.value(x) * weight.repeat_interleave(HEAD_WIDTH, 1)
        summed = value.new_zeros(count, value.shape[1]).index_add(0, owner, value)
        return summed / total.repeat_interleave(HEAD_WIDTH, 1)


class VLAdapter(nn.Module):
    """
    Two-layer MLP from mask-pooled features to a unit embedding.

    With `attended` channels it also has the attention that fills the last of its inputs.
    """

    def __init__(
        self, channels: int, hidden: int, dim: int, dropout: float = 0.2, attended: int = 0
    ) -> None:
        super().__init__()
        self.attention = MaskAttention(attended) if attended else None
        self.norm = nn.BatchNorm1d(channels, affine=False)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, dim)
        )

    def forward(self, pooled: Tensor) -> Tensor:
        """Map [I, C] to [I, D] of unit length."""
        return F.normalize(self.mlp(self.norm(pooled)), dim=1)


def adapter_width(pooling: str, channels: tuple[int, ...]) -> int:
    """Return the number of values the adapter reads, from the channels of each level."""
    if pooling not in POOLINGS:
        raise ValueError(f'pooling: expected one of {POOLINGS}, got {pooling!r}')
    if pooling == FOLK:
        return channels[0]
    moments = pooling in (MOMENTS, ATTENTION)
    heads = HEADS * HEAD_WIDTH if pooling == ATTENTION else 0
    return sum(channels) * (1 + moments) + SHAPE + heads


def new_vl_adapter(pooling: str, channels: tuple[int, ...], hidden: int, dim: int) -> VLAdapter:
    """Return an adapter that reads what a pooling gives of levels with so many channels."""
    attended = sum(channels) if pooling == ATTENTION else 0
    return VLAdapter(adapter_width(pooling, channels), hidden, dim, attended=attended)


def pool_for_adapter(
    pooling: str,
    features: list[Tensor],
    levels: list[Level],
    masks: tuple[Tensor, Tensor, Tensor],
    voxel_size_m: float,
    attention: MaskAttention | None = None,
) -> Tensor:
    """Return what the adapter reads [I, C] of masks (owner, rows, weight); see pool_masks."""
    owner, rows, weight = masks
    if pooling == FOLK:
        return pool_masks(features[:1], levels[:1], owner, rows, torch.ones_like(weight))
    pooled = pool_masks(features, levels, owner, rows, weight)
    shape = describe_shape(levels[0].coords[:, 1:], owner, rows, voxel_size_m).to(pooled.dtype)
    if pooling == LEVELS:
        return torch.cat([pooled, shape], 1)
    squares = pool_masks([f.float() ** 2 for f in features], levels, owner, rows, weight)
    spread = (squares - pooled.float() ** 2).clamp(min=0).sqrt().to(pooled.dtype)
    moments = torch.cat([pooled, spread, shape], 1)
    if attention is None:
        return moments
    voxels = at_finest(features, levels, rows)
    return torch.cat([moments, attention(voxels, owner, pooled).to(pooled.dtype)], 1)


def at_finest(features: list[Tensor], levels: list[Level], rows: Tensor) -> Tensor:
    """Return the features of all levels [M, C] at some of the finest voxels."""
    parts = []
    for level, feature in zip(levels, features, strict=True):
        parts.append(feature.float()[rows])
        if level.parent is not None:
            rows = level.parent[rows]
    return torch.cat(parts, 1)


def pool_masks(
    features: list[Tensor], levels: list[Level], owner: Tensor, rows: Tensor, weight: Tensor
) -> Tensor:
    """
    Average the features of every level over masks, weighted by mask probability.

    Masks come as pairs: voxel `rows` [M] belongs to instance `owner` [M] with `weight` [M];
    every instance 0..I-1 has at least one. Returns [I, sum of the levels' channels].
    """
    count = int(owner.max()) + 1
    total = weight.new_zeros(count).index_add(0, owner, weight).clamp(min=1e-6)
    pooled = []
    for level, feature in zip(levels, features, strict=True):
        sums = feature.new_zeros(count, feature.shape[1])
        sums = sums.index_add(0, owner, feature[rows] * weight[:, None].to(feature.dtype))
        pooled.append(sums / total[:, None])
        if level.parent is not None:
            rows = level.parent[rows]
    return torch.cat(pooled, 1)


def describe_shape(coords: Tensor, owner: Tensor, rows: Tensor, voxel_size_m: float) -> Tensor:
    """Return size, amount and height [I, SHAPE] of masks given as pairs, from metres."""
    count = int(owner.max()) + 1
    xyz = coords[rows].to(torch.float32) * voxel_size_m  # [M, 3]
    index = owner[:, None].expand(-1, 3)
    low = xyz.new_full((count, 3), torch.inf).scatter_reduce(0, index, xyz, 'amin')
    high = xyz.new_full((count, 3), -torch.inf).scatter_reduce(0, index, xyz, 'amax')
    amount = torch.bincount(owner, minlength=count).to(torch.float32)
    # horizontal sizes are ordered, since a room has no preferred direction
    flat = torch.sort((high - low)[:, :2], 1).values
    size = torch.cat([flat, (high - low)[:, 2:]], 1) + voxel_size_m
    floor = coords[:, 2].min().to(torch.float32) * voxel_size_m
    heights = torch.stack([(high + low)[:, 2] / 2 - floor, low[:, 2] - floor], 1)
    return torch.cat([size.log(), amount.log()[:, None], heights], 1)
