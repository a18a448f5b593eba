"""
Dense features of open_clip's image towers, without training: what each place of an image says.

A ViT gives them by the value path of its last attention layer (MaskCLIP), a ResNet by the value
path of its attention pooling, a convolutional or pooled timm tower by passing each place of its
last map through its own head, as if that were a whole image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

CELL = 32  # pixels: what the sides of images are whole multiples of, for convolutional towers
CROPS = 16  # per run of the tower


class OpenClipTower:
    """
    An open_clip image tower; its kinds say how a map of features is had from it.

    The whole image is resized so that its short side is the tower's own size. `compute` is the
    type of mixed precision, none for float32.
    """

    def __init__(
        self, name: str, visual: Any, device: str = 'cpu', compute: torch.dtype | None = None
    ) -> None:
        self.name, self.device, self.compute = name, device, compute
        self.visual = visual.eval().requires_grad_(False).to(device)
        self.size: tuple[int, int] = _pair(visual.image_size)
        self.dim = self._find_dim()
        statistics = getattr(visual, 'preprocess_cfg', {})
        mean = statistics.get('mean', (0.48145466, 0.4578275, 0.40821073))
        std = statistics.get('std', (0.26862954, 0.26130258, 0.27577711))
        self.mean = torch.tensor(mean, device=device)[:, None, None]
        self.std = torch.tensor(std, device=device)[:, None, None]

    @torch.inference_mode()
    def dense(self, images: torch.Tensor) -> torch.Tensor:
        """Map RGB in [0, 1] [B, 3, H, W] to float32 features [B, D, h, w]."""
        x = _resize(images.to(self.device), self._whole_size(images.shape[2], images.shape[3]))
        with self._mixed():
            return self._map((x - self.mean) / self.std).float()

    @torch.inference_mode()
    def embed_crops(self, crops: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return unit embeddings [R, D] of pictures [3, h, w] of any size, in [0, 1]."""
        found = []
        for begin in range(0, len(crops), CROPS):
            part = [_resize(_square(c)[None], self.size) for c in crops[begin : begin + CROPS]]
            x = (torch.cat(part).to(self.device) - self.mean) / self.std
            with self._mixed():
                whole = self.visual(x)
            whole = whole[0] if isinstance(whole, tuple) else whole  # those that also give tokens
            found.append(functional.normalize(whole.float(), dim=1))
        return torch.cat(found) if found else torch.zeros(0, self.dim, device=self.device)

    def _mixed(self) -> torch.autocast:
        kind = torch.device(self.device).type
        return torch.autocast(kind, self.compute, enabled=self.compute is not None)

    def _find_dim(self) -> int:
        with torch.inference_mode():
            whole = self.visual(torch.zeros(1, 3, *self.size, device=self.device))
        return int((whole[0] if isinstance(whole, tuple) else whole).shape[1])

    def _whole_size(self, height: int, width: int) -> tuple[int, int]:
        scale = min(self.size) / min(height, width)
        sides = [max(1, round(side * scale / CELL)) * CELL for side in (height, width)]
        return sides[0], sides[1]

    def _map(self, x: torch.Tensor) -> torch.Tensor:
        """Map normalised images [B, 3, H, W] to [B, D, h, w]."""
        raise NotImplementedError


class VitTower(OpenClipTower):
    """open_clip's own ViT: the value path of the last attention layer."""

    def _find_dim(self) -> int:
        return int(self.visual.proj.shape[1])

    def _whole_size(self, height: int, width: int) -> tuple[int, int]:
        scale = min(self.size) / min(height, width)
        patches = _pair(self.visual.patch_size)
        sides = zip((height, width), patches, strict=True)
        high, wide = (max(1, round(side * scale / patch)) * patch for side, patch in sides)
        return high, wide

    def _map(self, x: torch.Tensor) -> torch.Tensor:
        visual = self.visual
        patches = visual.conv1(x)  # [B, C, h, w]
        grid = (patches.shape[2], patches.shape[3])
        tokens = patches.flatten(2).transpose(1, 2)  # [B, hw, C]
        own = visual.class_embedding.expand(len(tokens), 1, -1).to(tokens.dtype)
        x = visual.ln_pre(torch.cat([own, tokens], 1) + self._positions(grid))
        blocks = visual.transformer.resblocks
        first = getattr(visual.transformer, 'batch_first', False)
        x = x if first else x.transpose(0, 1)
        for block in blocks[:-1]:
            x = block(x)
        x = x if first else x.transpose(0, 1)
        values = visual.ln_post(self._values(blocks[-1], x[:, 1:])) @ visual.proj  # [B, hw, D]
        return values.transpose(1, 2).unflatten(2, grid)

    def _values(self, block: Any, x: torch.Tensor) -> torch.Tensor:
        """Return what each token [B, L, C] would tell the others in a block's attention."""
        attention, width = block.attn, x.shape[-1]
        weight = attention.in_proj_weight[2 * width :]
        values = functional.linear(block.ln_1(x), weight, attention.in_proj_bias[2 * width :])
        return attention.out_proj(values)

    def _positions(self, grid: tuple[int, int]) -> torch.Tensor:
        """Return position embeddings [1 + hw, C] for a grid of patches, interpolated."""
        embedding = self.visual.positional_embedding
        square = embedding[1:].T.unflatten(1, tuple(self.visual.grid_size))[None]  # [1, C, g, g]
        resized = functional.interpolate(square, grid, mode='bicubic', align_corners=False)
        return torch.cat([embedding[:1], resized[0].flatten(1).T])


class ResNetTower(OpenClipTower):
    """open_clip's ResNet: its last map through the value path of its attention pooling."""

    def _find_dim(self) -> int:
        return int(self.visual.attnpool.c_proj.out_features)

    def _map(self, x: torch.Tensor) -> torch.Tensor:
        visual, pool = self.visual, self.visual.attnpool
        x = visual.stem(x)
        for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            x = layer(x)
        return pool.c_proj(pool.v_proj(x.movedim(1, -1))).movedim(-1, 1)


class TimmTower(OpenClipTower):
    """A timm tower: each place of its last map goes through the head as an image of its own."""

    def _whole_size(self, height: int, width: int) -> tuple[int, int]:
        if hasattr(self.visual.trunk, 'patch_embed'):
            return self.size  # its positions are fixed: the image is squeezed to them
        return super()._whole_size(height, width)

    def _map(self, x: torch.Tensor) -> torch.Tensor:
        trunk, head = self.visual.trunk, self.visual.head
        found = trunk.forward_features(x)
        if found.ndim == 4:  # [B, C, h, w]
            grid = (found.shape[2], found.shape[3])
            cells = found.movedim(1, -1).flatten(0, 2)[:, :, None, None]
        else:  # [B, hw, C], no token of the whole
            grid = trunk.patch_embed.grid_size
            cells = found.flatten(0, 1)[:, None]
        embedded = head(trunk.forward_head(cells))  # [B * hw, D]
        return embedded.unflatten(0, (len(x), *grid)).movedim(-1, 1)


def open_clip_tower(
    name: str, visual: Any, device: str = 'cpu', compute: torch.dtype | None = None
) -> OpenClipTower:
    """Take an open_clip image tower; ValueError if no dense features can be had from its kind."""
    kind = type(visual).__name__
    if hasattr(visual, 'attnpool') and hasattr(visual, 'layer4'):
        return ResNetTower(name, visual, device, compute)
    if hasattr(visual, 'trunk'):
        _check_timm(name, visual)
        return TimmTower(name, visual, device, compute)
    blocks = getattr(getattr(visual, 'transformer', None), 'resblocks', None)
    if blocks is None or getattr(visual, 'attn_pool', None) is not None:
        raise ValueError(
            f'{name}: dense features need an open_clip ViT with a class token, a ResNet or a '
            f'convolutional timm tower, got {kind}; choose a ViT-B-16, RN50 or convnext kind, or '
            'pool crops (--pooling crops)'
        )
    if not isinstance(blocks[-1].attn, torch.nn.MultiheadAttention):
        raise ValueError(
            f'{name}: its attention is {type(blocks[-1].attn).__name__}, whose values are '
            'not reachable; choose a ViT-B-16 or ViT-L-14 kind, or pool crops (--pooling crops)'
        )
    return VitTower(name, visual, device, compute)


def _check_timm(name: str, visual: Any) -> None:
    trunk = visual.trunk
    tokens = getattr(trunk, 'num_prefix_tokens', 0)
    pooled_elsewhere = any(key.endswith('pool') for key, _ in visual.head.named_children())
    if tokens or pooled_elsewhere or not hasattr(trunk, 'forward_head'):
        raise ValueError(
            f'{name}: the timm tower {type(trunk).__name__} has tokens of the whole image or a '
            'pooling of its own, and gives no dense features; choose a convnext or SigLIP kind, '
            'or pool crops (--pooling crops)'
        )


def _resize(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return functional.interpolate(images, size, mode='bicubic', antialias=True)


def _square(crop: torch.Tensor) -> torch.Tensor:
    """Return the middle square of a picture [3, h, w], as CLIP's own preprocessing does."""
    height, width = crop.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return crop[:, top : top + side, left : left + side]


def _pair(size: Any) -> tuple[int, int]:
    return (int(size[0]), int(size[1])) if isinstance(size, Sequence) else (int(size), int(size))
