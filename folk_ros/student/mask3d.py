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
from folk_ros.student.engine import Level
from folk_ros.student.face import PooledStudent, Sight
from folk_ros.student.mask3d_decoder import DecoderConfig, MaskAnswer, QueryDecoder
from folk_ros.student.query_sources import furthest_points
from folk_ros.student.res16unet import Res16UNet, Res16UNetConfig
from folk_ros.student.vl_adapter import adapter_width, FOLK, VLAdapter

SCORE_POWER = 0.25  # raw scores are small, the class being one of 200: 0.04 becomes 0.45


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


class Mask3D(PooledStudent):
    """Backbone, decoder and, once distilled, VL-adapter."""

    config: Mask3DConfig

    def __init__(self, config: Mask3DConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Res16UNet(config.backbone)
        channels = self.backbone.channels
        self.decoder = QueryDecoder(channels, config.decoder)
        self.adapter: VLAdapter | None = None
        if config.embedding_dim:
            width = adapter_width(config.pooling, channels)
            self.adapter = VLAdapter(width, config.adapter_hidden, config.embedding_dim)

    @property
    def depth(self) -> int:
        """Number of resolutions."""
        return len(self.backbone.channels)

    def forward(
        self, x: Tensor, xyz: Tensor, levels: list[Level]
    ) -> tuple[list[Tensor], MaskAnswer]:
        """Map colours [V, 3] and places [V, 3] to features of each level and Q masks."""
        features = self.backbone(x, levels)
        queries = furthest_points(levels[0].coords[:, 1:], self.config.decoder.queries)
        return features, self.decoder(queries, features, levels, xyz)

    def normalised_colour(self, voxels: Voxels) -> Tensor:
        """Return the network's input [V, 3]; a cloud without colour is plain grey."""
        mean, std = torch.tensor(self.config.colour_mean), torch.tensor(self.config.colour_std)
        return (torch.from_numpy(voxels.rgb) - mean) / std

    def look(self, voxels: Voxels) -> Sight:
        """Run the network on one voxelised cloud."""
        levels = self.build_levels_of(voxels)
        device = levels[0].coords.device
        x, xyz = self.normalised_colour(voxels), torch.from_numpy(voxels.centres)
        features, answer = self(x.to(device), xyz.to(device), levels)
        return Sight(levels, features, answer.logits.sigmoid(), mask_quality(answer))


def mask_quality(answer: MaskAnswer) -> Tensor:
    """
    Return class-agnostic qualities [Q]: sureness of the likeliest class times mean mask value.

    The product is Mask3D's score; it is spread by a power so that Open-YOLO 3D's threshold for it
    (0.04) stands at the program's usual one.
    """
    sure = answer.classes.softmax(1)[:, :-1].amax(1)
    inside = (answer.logits > 0).to(sure.dtype)
    mean = (answer.logits.sigmoid() * inside).sum(1) / (inside.sum(1) + 1e-6)
    quality: Tensor = (sure * mean) ** SCORE_POWER
    return quality
