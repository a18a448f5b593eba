"""
The big student: Res16UNet34C and Mask3D's decoder, which public checkpoints load into.

Mask3D names a closed set of classes; here its class scores only say how sure it is of an object,
and the VL-adapter embeds the mask for free words. Freshly imported weights have no adapter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from folk_ros.structures import Voxels
from folk_ros.student.mask_decoder import DecoderConfig
from folk_ros.student.mask_fields import UNIT_VOXELS
from folk_ros.student.mask_quality import NO_CALIBRATION
from folk_ros.student.query_student import QueryStudent
from folk_ros.student.res16unet import Res16UNet, Res16UNetConfig
from folk_ros.student.vl_adapter import FOLK


@dataclass(frozen=True)
class Mask3DConfig:
    """What the weights need to be read again; stored in their metadata."""

    voxel_size_m: float = 0.02
    backbone: Res16UNetConfig = Res16UNetConfig()
    decoder: DecoderConfig = DecoderConfig()
    colour_mean: tuple[float, ...] = (0.47793125906962, 0.4303257521323044, 0.3749598901421883)
    colour_std: tuple[float, ...] = (0.2834475483823543, 0.27566157565723015, 0.27018971370874995)
    pooling: str = FOLK  # what the adapter reads; see vl_adapter
    adapter_hidden: int = 512
    embedding_dim: int = 0  # 0: masks alone, no adapter was distilled
    clip: str = ''
    text_tower: str = ''
    calibration: tuple[float, float] = NO_CALIBRATION  # of the mask quality

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Mask3DConfig:
        """Build from stored values, in which tuples have become lists."""
        ready = {k: _tuples(v) for k, v in values.items()}
        ready['backbone'] = Res16UNetConfig(**ready['backbone'])
        ready['decoder'] = DecoderConfig(**ready['decoder'])
        return cls(**ready)


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(value) if isinstance(value, list) else value


class Mask3D(QueryStudent):
    """Res16UNet and what every student of queries has."""

    config: Mask3DConfig
    nms_iou = 0.6  # as Open-YOLO 3D takes it for these weights

    def __init__(self, config: Mask3DConfig) -> None:
        super().__init__(config, Res16UNet(config.backbone), config.decoder)

    def prepared(self, x: Tensor) -> Tensor:
        """Turn inputs [V, INPUT] into normalised colours; a cloud without any is plain grey."""
        mean, std = x.new_tensor(self.config.colour_mean), x.new_tensor(self.config.colour_std)
        return ((x[:, :3] + 1) / 2 - mean) / std

    def place_of(self, voxels: Voxels, like: Tensor) -> Tensor:
        """Return where the points of each voxel lie, as Mask3D does."""
        place = (voxels.centres - voxels.origin) / (voxels.size_m * UNIT_VOXELS)
        return torch.from_numpy(place).to(like)
