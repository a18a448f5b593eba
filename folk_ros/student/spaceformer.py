"""
SpaCeFormer (ICML 2026), a foreign student: masks and embeddings of its own, no adapter.

It runs in its authors' package (`warpconvnet`, Apache-2.0) on CUDA; its public weights carry a
licence of their own, see `folk weights fetch spaceformer`. What is checked without a GPU is
everything around the network: its input, and what becomes of its raw output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn, Tensor
from torch.nn import functional as F

from folk_ros.structures import Voxels
from folk_ros.student.face import MaskStudent, Prediction
from folk_ros.student.suppression import suppress

NEEDS = (
    'SpaCeFormer needs a CUDA device and the package warpconvnet with flash-attn, einops and '
    'jaxtyping (wheels on its GitHub page: NVlabs/WarpConvNet); choose another model on this '
    'machine'
)


@dataclass(frozen=True)
class SpaceFormerConfig:
    """What the weights need to be read again; stored in their metadata."""

    voxel_size_m: float = 0.02
    queries: int = 200
    embedding_dim: int = 1152
    clip: str = 'ViT-SO400M-14-SigLIP2/webli'  # google/siglip2-so400m-patch14-224
    text_tower: str = 'ViT-SO400M-14-SigLIP2/webli'

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SpaceFormerConfig:
        """Build from stored values."""
        return cls(**values)


class SpaceFormer(MaskStudent):
    """
    The network of warpconvnet behind the program's face.

    `net` maps {'coord' [N, 3] metres, 'feat' [N, 3] colour in [-1, 1], 'offset' [0, N]} to
    {'logit' [1, Q, 2], 'mask' [[N, Q]], 'clip_feat' [1, Q, D]}. Raises RuntimeError, with a
    sentence, if none is given and the package is not installed.
    """

    config: SpaceFormerConfig
    engine_name = 'warpconvnet'
    needs_cuda = True

    def __init__(self, config: SpaceFormerConfig, net: nn.Module | None = None) -> None:
        super().__init__()
        self.config = config
        self.net = net if net is not None else _released_network()

    @torch.inference_mode()
    def predict(self, voxels: Voxels, min_quality: float, nms_iou: float) -> Prediction:
        """Segment one voxelised cloud; see MaskStudent."""
        device = next(self.net.parameters()).device
        if device.type != 'cuda' and type(self.net).__module__.startswith('warpconvnet'):
            raise RuntimeError(NEEDS)
        raw = self.net(
            {
                'coord': torch.from_numpy(voxels.centres).to(device),
                'feat': torch.from_numpy(voxels.rgb).to(device) * 2 - 1,  # grey without colour
                'offset': torch.tensor([0, len(voxels)]),
            }
        )
        _check_raw(raw, len(voxels), self.config.embedding_dim)
        masks = raw['mask'][0].float().t()  # [Q, V] logits
        quality = object_quality(raw['logit'][0].float(), masks)
        inside = masks > 0
        keep = suppress(inside, quality, min_quality, nms_iou)
        owner, rows = inside[keep].nonzero(as_tuple=True)
        embeddings = F.normalize(raw['clip_feat'][0].float()[keep], dim=1)
        return Prediction(owner, rows, quality[keep], embeddings)


def object_quality(objectness: Tensor, masks: Tensor) -> Tensor:
    """
    Return qualities [Q] from logits of object and background [Q, 2] and of masks [Q, V].

    Sureness of an object times mean mask probability inside the mask; 0 for an empty mask.
    """
    inside = (masks > 0).to(masks.dtype)
    mean = (masks.sigmoid() * inside).sum(1) / inside.sum(1).clamp(min=1)
    quality: Tensor = objectness.softmax(1)[:, 0] * mean
    return quality


def _check_raw(raw: dict[str, Any], count: int, dim: int) -> None:
    """Compare the shapes of a raw output with those the released network gives."""
    queries = raw['logit'].shape[1]
    wanted = {'logit': [1, queries, 2], 'mask': [count, queries], 'clip_feat': [1, queries, dim]}
    got = {
        'logit': list(raw['logit'].shape),
        'mask': list(raw['mask'][0].shape),
        'clip_feat': list(raw['clip_feat'].shape),
    }
    if got != wanted:
        raise ValueError(
            f'SpaCeFormer: expected outputs {wanted}, got {got}; which version is it?'
        )
    if not all(bool(raw[name].isfinite().all()) for name in ('logit', 'clip_feat')):
        raise ValueError('SpaCeFormer: its outputs are not finite; was the cloud in metres?')


def _released_network() -> nn.Module:
    try:
        from warpconvnet.models.spaceformer import build_spaceformer
    except ImportError as error:
        raise RuntimeError(f'{NEEDS} ({error})') from error
    network: nn.Module = build_spaceformer()
    return network
