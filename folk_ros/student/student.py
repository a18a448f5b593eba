"""The small student, for CPUs; by default its queries are seeds and its masks are spatial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from folk_ros.structures import Voxels
from folk_ros.student.mask_decoder import DecoderConfig
from folk_ros.student.mask_fields import FPS, SEEDS
from folk_ros.student.mask_quality import NO_CALIBRATION
from folk_ros.student.query_student import INPUT, QueryStudent, student_input
from folk_ros.student.surface import SURFACE, surface_of
from folk_ros.student.unet import SparseUNet
from folk_ros.student.vl_adapter import LEVELS

NESTED = 0.5  # a mask with more than this inside a better one is a fragment of it


@dataclass(frozen=True)
class StudentConfig:
    """What the weights need to be read again; stored in their metadata."""

    voxel_size_m: float = 0.04
    encoder: tuple[int, ...] = (16, 32, 48, 64, 96)
    decoder: tuple[int, ...] = (64, 48, 32, 32)
    decoder_reads: tuple[int, ...] = (3, 2)  # levels read by the mask decoder's layers
    queries: str = SEEDS  # where they come from: 'seeds' or 'fps'
    spatial: bool = True  # whether a mask's voxels must be near each other
    surface: bool = False  # whether it also reads the surface in and around each voxel
    pooling: str = LEVELS  # what the adapter reads; see vl_adapter
    adapter_hidden: int = 512
    embedding_dim: int = 384
    clip: str = ''  # name of the CLIP space the embeddings live in
    text_tower: str = ''  # its text side: a shipped model, a folder, or open_clip's 'NAME/WEIGHTS'
    exclusive: bool = False  # whether a voxel belongs to one object alone
    doubt_small: float = 0.0  # how much less is thought of small masks; see mask_quality
    calibration: tuple[float, float] = NO_CALIBRATION  # of the mask quality

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> StudentConfig:
        """Build from stored values, in which tuples have become lists."""
        ready: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**ready)

    @property
    def mask_decoder(self) -> DecoderConfig:
        """Form of the masks and sizes of the mask decoder."""
        return DecoderConfig(
            source=self.queries,
            spatial=self.spatial,
            embed=64 if self.queries == FPS else 16,
            width=64,
            heads=4,
            feed=128,
            rounds=1,
            reads=self.decoder_reads,
            classes=1,
        )


class Student(QueryStudent):
    """Small U-Net and what every student of queries has."""

    config: StudentConfig
    nested = NESTED

    def __init__(self, config: StudentConfig) -> None:
        backbone = SparseUNet(INPUT + SURFACE * config.surface, config.encoder, config.decoder)
        super().__init__(config, backbone, config.mask_decoder)
        self.exclusive, self.doubt_small = config.exclusive, config.doubt_small

    def inputs(self, voxels: Voxels) -> Tensor:
        """Build what is known of each voxel [V, INPUT], with the surface [V, INPUT + SURFACE]."""
        x = student_input(voxels)
        return torch.cat([x, surface_of(voxels)], 1) if self.config.surface else x
