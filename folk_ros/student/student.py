"""The student: a voxelised cloud goes in, masks with quality and embeddings come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn, Tensor

from folk_ros.structures import Voxels
from folk_ros.student.engine import build_levels, Level
from folk_ros.student.mask_decoder import MaskDecoder, MaskStage
from folk_ros.student.mask_fields import MaskFieldHead, MaskFields, pick_seeds
from folk_ros.student.unet import SparseUNet
from folk_ros.student.vl_adapter import describe_shape, pool_masks, SHAPE, VLAdapter

INPUT = 6  # r g b, has colour, height above the lowest voxel, 1
MIN_SEED = 0.1  # weaker seeds start no mask
MAX_SEEDS = 150
NESTED = 0.5  # a mask with more than this inside a better one is a fragment of it


@dataclass(frozen=True)
class StudentConfig:
    """What the weights need to be read again; stored in their metadata."""

    voxel_size_m: float = 0.04
    encoder: tuple[int, ...] = (16, 32, 48, 64, 96)
    decoder: tuple[int, ...] = (64, 48, 32, 32)
    decoder_reads: tuple[int, ...] = (3, 2)  # levels read by the mask decoder's layers
    adapter_hidden: int = 512
    embedding_dim: int = 384
    clip: str = ''  # name of the CLIP space the embeddings live in
    text_tower: str = ''  # its text side: a shipped model, a folder, or open_clip's 'NAME/WEIGHTS'

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> StudentConfig:
        """Build from stored values, in which tuples have become lists."""
        ready: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**ready)


@dataclass(frozen=True)
class Prediction:
    """Raw answer of a student: masks over voxels as pairs, one quality and embedding each."""

    owner: Tensor  # [M] int64 which mask
    rows: Tensor  # [M] int64 which voxel
    quality: Tensor  # [I] in [0, 1]
    embeddings: Tensor  # [I, D] unit length


class Student(nn.Module):
    """Backbone, mask fields, mask decoder and VL-adapter."""

    engine_name = 'torch'  # engine.py; the only one so far

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = SparseUNet(INPUT, config.encoder, config.decoder)
        channels = self.backbone.channels
        self.fields = MaskFieldHead(channels[0])
        self.decoder = MaskDecoder(channels, config.decoder_reads)
        self.adapter = VLAdapter(
            sum(channels) + SHAPE, config.adapter_hidden, config.embedding_dim
        )

    @property
    def depth(self) -> int:
        """Number of resolutions."""
        return len(self.config.encoder)

    def features(self, x: Tensor, levels: list[Level]) -> tuple[list[Tensor], MaskFields]:
        """Run the backbone on inputs [V, INPUT]: features of each level, and the mask fields."""
        features = self.backbone(x, levels)
        return features, self.fields(features[0], levels[0].coords[:, 1:])

    @torch.inference_mode()
    def predict(self, voxels: Voxels, min_quality: float, nms_iou: float) -> Prediction:
        """Segment one voxelised cloud."""
        device = self.fields.out.weight.device
        coords = torch.from_numpy(voxels.coords).to(device, torch.int64)
        levels = build_levels(torch.cat([coords.new_zeros(len(coords), 1), coords], 1), self.depth)
        features, fields = self.features(student_input(voxels).to(device), levels)
        seeds = pick_seeds(fields, MIN_SEED, MAX_SEEDS)
        if len(seeds) == 0:
            return self._nothing(device)
        stages = self.decoder(seeds, features, levels, fields)
        masks, quality = score_masks(stages, fields, seeds)  # [Q, V] probabilities, [Q]
        keep = suppress(masks > 0.5, quality, min_quality, nms_iou)
        if len(keep) == 0:
            return self._nothing(device)
        owner, rows = (masks[keep] > 0.5).nonzero(as_tuple=True)
        weight = masks[keep][owner, rows]
        embeddings = self.embed(features, levels, owner, rows, weight)
        return Prediction(owner, rows, quality[keep], embeddings)

    def adapter_input(
        self,
        features: list[Tensor],
        levels: list[Level],
        owner: Tensor,
        rows: Tensor,
        weight: Tensor,
    ) -> Tensor:
        """Pool features and shape of masks given as pairs (see pool_masks): [I, C]."""
        pooled = pool_masks(features, levels, owner, rows, weight)
        coords = levels[0].coords[:, 1:]
        shape = describe_shape(coords, owner, rows, self.config.voxel_size_m)
        return torch.cat([pooled, shape.to(pooled.dtype)], 1)

    def embed(
        self,
        features: list[Tensor],
        levels: list[Level],
        owner: Tensor,
        rows: Tensor,
        weight: Tensor,
    ) -> Tensor:
        """Embed masks given as pairs: [I, D] of unit length."""
        result: Tensor = self.adapter(self.adapter_input(features, levels, owner, rows, weight))
        return result

    def _nothing(self, device: torch.device) -> Prediction:
        none = torch.zeros(0, dtype=torch.int64, device=device)
        zero = torch.zeros(0, self.config.embedding_dim, device=device)
        return Prediction(none, none, zero[:, 0], zero)


def student_input(voxels: Voxels) -> Tensor:
    """Build the network's input [V, INPUT]."""
    rgb = (
        torch.from_numpy(voxels.rgb) * 2 - 1 if voxels.has_colour else torch.zeros(len(voxels), 3)
    )
    return assemble_input(rgb, voxels.has_colour, torch.from_numpy(voxels.coords[:, 2]))


def assemble_input(rgb: Tensor, has_colour: bool, z: Tensor) -> Tensor:
    """Join colour in [-1, 1] [V, 3] and grid height [V] to the network's input [V, INPUT]."""
    one = torch.ones(len(rgb), 1)
    height = (z - z.min()).to(torch.float32)[:, None] / 25.0 if len(z) else one
    return torch.cat([rgb, one * float(has_colour), height, one], 1)


def score_masks(
    stages: list[MaskStage], fields: MaskFields, seeds: Tensor
) -> tuple[Tensor, Tensor]:
    """Turn the last stage into mask probabilities [Q, V] and qualities [Q]."""
    last = stages[-1]
    masks = last.logits.sigmoid()
    quality = fields.seed[seeds].sigmoid() * fields.foreground[seeds].sigmoid()
    if last.iou is not None:
        quality = (quality.clamp(min=1e-6) * last.iou.sigmoid() ** 2) ** (1 / 3)
    inside = (masks > 0.5).to(masks.dtype)
    mean = (masks * inside).sum(1) / inside.sum(1).clamp(min=1)
    return masks, quality * mean


def suppress(inside: Tensor, quality: Tensor, min_quality: float, iou: float) -> Tensor:
    """Non-maximum suppression over masks [Q, V] bool: rows that stay, best first."""
    flat = inside.to(torch.float32)
    shared = flat @ flat.t()  # [Q, Q]
    area = flat.sum(1)
    overlap = shared / (area[:, None] + area[None] - shared).clamp(min=1)
    within = shared / area[:, None].clamp(min=1)  # part of the row's mask inside the column's
    keep: list[int] = []
    for row in quality.argsort(descending=True).tolist():
        if float(quality[row]) < min_quality or float(area[row]) == 0:
            continue
        if not any(float(overlap[row, k]) > iou or float(within[row, k]) > NESTED for k in keep):
            keep.append(row)
    return torch.tensor(keep, dtype=torch.int64, device=quality.device)
