"""A student of queries: backbone, mask fields, mask decoder and VL-adapter, of any size."""

from __future__ import annotations

import torch
from torch import nn, Tensor

from folk_ros.structures import Voxels
from folk_ros.student.engine import Level
from folk_ros.student.face import PooledStudent, Sight
from folk_ros.student.mask_decoder import DecoderConfig, MaskDecoder, Queries
from folk_ros.student.mask_fields import (
    FPS,
    MaskFieldHead,
    MaskFields,
    pick_seeds,
    UNIT_VOXELS,
)
from folk_ros.student.mask_quality import calibrated, quality_of_classes, quality_of_seeds
from folk_ros.student.query_sources import furthest_points
from folk_ros.student.vl_adapter import new_vl_adapter, VLAdapter

INPUT = 6  # r g b, has colour, height above the lowest voxel, 1
WIDE = 64  # channels of the finest features, from which a network is
MIN_SEED = 0.1  # weaker seeds start no mask


class QueryStudent(PooledStudent):
    """
    The network, around a backbone with `channels` at each level, finest first.

    Its config says `pooling`, `adapter_hidden` and `calibration`, beside what MaskStudent asks.
    Without an `embedding_dim` it has no adapter.
    """

    def __init__(self, config: object, backbone: nn.Module, form: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = backbone
        channels: tuple[int, ...] = backbone.channels  # type: ignore[assignment]
        self.channels = channels
        self.wide = channels[0] >= WIDE
        self.fields = MaskFieldHead(channels[0], form)
        self.decoder = MaskDecoder(channels, form)
        self.adapter: VLAdapter | None = None
        if self.config.embedding_dim:
            hidden, dim = self.config.adapter_hidden, self.config.embedding_dim
            self.adapter = new_vl_adapter(self.config.pooling, channels, hidden, dim)

    @property
    def depth(self) -> int:
        """Number of resolutions."""
        return len(self.channels)

    def inputs(self, voxels: Voxels) -> Tensor:
        """Build what is known of each voxel [V, INPUT or more]."""
        return student_input(voxels)

    def prepared(self, x: Tensor) -> Tensor:
        """Turn inputs [V, INPUT] into what the backbone reads."""
        return x

    def features(
        self, x: Tensor, levels: list[Level], place: Tensor | None = None
    ) -> tuple[list[Tensor], MaskFields]:
        """
        Run the backbone on inputs [V, INPUT]: features of each level, and the mask fields.

        `place` [V, 3] says where in its voxel each voxel's points lie, in units of 25 voxels.
        """
        features = self.backbone(self.prepared(x), levels)
        if place is None:
            place = levels[0].coords[:, 1:].to(features[0].dtype) / UNIT_VOXELS
        return features, self.fields(features[0], place)

    def starts(self, fields: MaskFields) -> Tensor:
        """Choose the voxels [Q] where queries begin."""
        form = self.decoder.config
        if form.source == FPS:
            return furthest_points(fields.place, form.queries)
        return pick_seeds(fields, MIN_SEED, form.queries)

    def look(self, voxels: Voxels) -> Sight:
        """Run the network on one voxelised cloud."""
        levels = self.build_levels_of(voxels)
        x = self.inputs(voxels).to(levels[0].coords.device)
        features, fields = self.features(x, levels, self.place_of(voxels, x))
        starts = self.starts(fields)
        if len(starts) == 0:
            nothing = x.new_zeros(0, len(x))
            return Sight(levels, features, nothing, nothing.sum(1))
        last = self.decoder(starts, features, levels, fields)[-1]
        masks = self.decoder.masks(last, fields).sigmoid()
        quality = self.quality(starts, last, fields, masks)
        return Sight(levels, features, masks, calibrated(quality, self.config.calibration))

    def place_of(self, voxels: Voxels, like: Tensor) -> Tensor | None:
        """Return where in its voxel each voxel's points lie, as a tensor like another, or None."""
        return None

    def quality(self, starts: Tensor, last: Queries, fields: MaskFields, masks: Tensor) -> Tensor:
        """Return the quality [Q], not yet calibrated, of masks [Q, V] of queries."""
        if self.decoder.config.source == FPS:
            return quality_of_classes(self.decoder.judged(last), masks)
        assert fields.seed is not None and fields.foreground is not None
        iou = self.decoder.expected_iou(last)
        return quality_of_seeds(fields.seed[starts], fields.foreground[starts], iou, masks)


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
