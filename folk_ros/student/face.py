"""What the program asks of a student, whichever network it is, and what those of ours share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn, Tensor

from folk_ros.structures import Voxels
from folk_ros.student.engine import build_levels, Level
from folk_ros.student.engines.protocol import SparseEngine
from folk_ros.student.mask_quality import doubted
from folk_ros.student.suppression import exclusive, suppress
from folk_ros.student.vl_adapter import pool_for_adapter, VLAdapter

SURE = 0.35  # masks of this quality take voxels away from others where voxels are exclusive


@dataclass(frozen=True)
class Prediction:
    """Raw answer of a student: masks over voxels as pairs, one quality and embedding each."""

    owner: Tensor  # [M] int64 which mask, ascending
    rows: Tensor  # [M] int64 which voxel
    quality: Tensor  # [I] in [0, 1], best first
    embeddings: Tensor  # [I, D] unit length; D is 0 for a student without an adapter


class MaskStudent(nn.Module):
    """
    A network that segments a voxelised cloud.

    Its `config`, a dataclass stored with the weights, says at least `voxel_size_m`,
    `embedding_dim` (0 if it gives masks alone), `clip` (the CLIP space its embeddings live in)
    and `text_tower` (that space's text side: a shipped model, a folder, or open_clip's
    'NAME/WEIGHTS').
    """

    config: Any
    engine_name = 'none'
    needs_cuda = False  # whether it cannot run on a CPU
    nms_iou = 0.4  # of two masks that overlap more, the better stays, if nobody asks for else
    exclusive = False  # whether a voxel belongs to one object alone
    doubt_small = 0.0  # see mask_quality.doubted
    nested = 1.0  # a mask with more than this share inside a better one is dropped

    def predict(self, voxels: Voxels, min_quality: float, nms_iou: float) -> Prediction:
        """Find masks of at least that quality, none overlapping a better one by more than IoU."""
        raise NotImplementedError


@dataclass(frozen=True)
class Sight:
    """What a student of ours sees in one cloud, before anything is thrown away."""

    levels: list[Level]
    features: list[Tensor]  # [V_l, C_l] of each level, finest first
    masks: Tensor  # [Q, V] probabilities
    quality: Tensor  # [Q] in [0, 1]


class PooledStudent(MaskStudent):
    """A student whose embeddings come from features pooled over its masks (FOLK's adapter)."""

    adapter: VLAdapter | None
    engine: SparseEngine | None = None  # None: plain torch
    compute = torch.float32  # of the sparse products
    wide = False  # whether layers have so many channels that products take most of the time

    @property
    def engine_name(self) -> str:  # type: ignore[override]
        """Name of the engine that computes the sparse convolutions."""
        return self.engine.name if self.engine else 'torch'

    @property
    def depth(self) -> int:
        """Number of resolutions."""
        raise NotImplementedError

    def look(self, voxels: Voxels) -> Sight:
        """Run the network on a cloud; without gradients only if the caller says so."""
        raise NotImplementedError

    def build_levels_of(self, voxels: Voxels) -> list[Level]:
        """Build the resolutions of a cloud on the network's device."""
        device = next(self.parameters()).device
        coords = torch.from_numpy(voxels.coords).to(device, torch.int64)
        batch = torch.cat([coords.new_zeros(len(coords), 1), coords], 1)
        return build_levels(batch, self.depth, self.compute, self.engine)

    @torch.inference_mode()
    def predict(self, voxels: Voxels, min_quality: float, nms_iou: float) -> Prediction:
        """Segment one voxelised cloud; see MaskStudent."""
        sight = self.look(voxels)
        keep, inside, quality = self.choose(sight, min_quality, nms_iou)
        owner, rows = inside.nonzero(as_tuple=True)
        embeddings = sight.quality.new_zeros(len(keep), self.config.embedding_dim)
        if self.adapter is not None and len(keep):
            weight = sight.masks[keep][owner, rows]
            embeddings = self.adapter(self.adapter_input(sight, owner, rows, weight))
        return Prediction(owner, rows, quality, embeddings)

    def choose(
        self, sight: Sight, min_quality: float, nms_iou: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Choose among masks: rows [I], best first, their voxels [I, V] and qualities [I]."""
        inside = sight.masks > 0.5
        keep = suppress(inside, sight.quality, min_quality, nms_iou, self.nested)
        inside, quality = inside[keep], sight.quality[keep]
        final = doubted(quality, inside.sum(1), self.doubt_small)
        if self.exclusive and len(keep):
            inside = exclusive(sight.masks[keep], inside, quality >= SURE)
        order = final.argsort(descending=True, stable=True)
        order = order[(final[order] >= min_quality) & inside[order].any(1)]
        return keep[order], inside[order], final[order]

    def adapter_input(self, sight: Sight, owner: Tensor, rows: Tensor, weight: Tensor) -> Tensor:
        """Pool what the adapter reads over masks given as pairs (see pool_masks): [I, C]."""
        config, masks = self.config, (owner, rows, weight)
        attention = None if self.adapter is None else self.adapter.attention
        return pool_for_adapter(
            config.pooling, sight.features, sight.levels, masks, config.voxel_size_m, attention
        )
