"""The student: a voxelised cloud goes in, masks with quality and embeddings come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from folk_ros.structures import Voxels
from folk_ros.student.engine import Level
from folk_ros.student.face import PooledStudent, Sight
from folk_ros.student.mask_decoder import MaskDecoder, MaskStage
from folk_ros.student.mask_fields import MaskFieldHead, MaskFields, pick_seeds
from folk_ros.student.unet import SparseUNet
from folk_ros.student.vl_adapter import adapter_width, LEVELS, VLAdapter

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
    pooling: str = LEVELS  # what the adapter reads; see vl_adapter
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


class Student(PooledStudent):
    """Backbone, mask fields, mask decoder and VL-adapter."""

    config: StudentConfig
    nested = NESTED

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = SparseUNet(INPUT, config.encoder, config.decoder)
        channels = self.backbone.channels
        self.fields = MaskFieldHead(channels[0])
        self.decoder = MaskDecoder(channels, config.decoder_reads)
        width = adapter_width(config.pooling, channels)
        self.adapter = VLAdapter(width, config.adapter_hidden, config.embedding_dim)

    @property
    def depth(self) -> int:
        """Number of resolutions."""
        return len(self.config.encoder)

    def features(self, x: Tensor, levels: list[Level]) -> tuple[list[Tensor], MaskFields]:
        """Run the backbone on inputs [V, INPUT]: features of each level, and the mask fields."""
        features = self.backbone(x, levels)
        return features, self.fields(features[0], levels[0].coords[:, 1:])

    def look(self, voxels: Voxels) -> Sight:
        """Run the network on one voxelised cloud."""
        levels = self.build_levels_of(voxels)
        x = student_input(voxels).to(levels[0].coords.device)
        features, fields = self.features(x, levels)
        seeds = pick_seeds(fields, MIN_SEED, MAX_SEEDS)
        if len(seeds) == 0:
            nothing = x.new_zeros(0, len(x))
            return Sight(levels, features, nothing, nothing.sum(1))
        stages = self.decoder(seeds, features, levels, fields)
        masks, quality = score_masks(stages, fields, seeds)
        return Sight(levels, features, masks, quality)


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
