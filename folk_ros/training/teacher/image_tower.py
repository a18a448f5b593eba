"""Image towers of a CLIP that give dense features: the demo's own and any open_clip ViT."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch
from torch.nn import functional

from folk_ros.text import create_open_clip
from folk_ros.training.demo_clip.tower import IMAGE_WEIGHTS, load_image_tower


class ImageTower(Protocol):
    """What the teacher needs of an image tower."""

    name: str  # the CLIP space
    dim: int

    def dense(self, images: torch.Tensor) -> torch.Tensor:
        """Map RGB in [0, 1] [B, 3, H, W] to features [B, D, h, w], in the space of the texts."""
        ...


class OpenClipTower:
    """
    Dense features of an open_clip ViT by the value path of its last attention layer (MaskCLIP).

    The whole image is resized so that its short side is the tower's own size; positions are
    interpolated to the longer one.
    """

    def __init__(self, name: str, visual: Any, device: str = 'cpu') -> None:
        blocks = getattr(getattr(visual, 'transformer', None), 'resblocks', None)
        if blocks is None or getattr(visual, 'attn_pool', None) is not None:
            raise ValueError(
                f'{name}: dense features need a plain open_clip ViT with a class token, got '
                f'{type(visual).__name__}; choose a ViT-B-16 or ViT-L-14 kind'
            )
        if not isinstance(blocks[-1].attn, torch.nn.MultiheadAttention):
            raise ValueError(
                f'{name}: its attention is {type(blocks[-1].attn).__name__}, whose values are '
                'not reachable; choose a ViT-B-16 or ViT-L-14 kind'
            )
        self.name, self.device = name, device
        self.visual = visual.eval().requires_grad_(False).to(device)
        self.dim: int = visual.proj.shape[1]
        statistics = getattr(visual, 'preprocess_cfg', {})
        mean = statistics.get('mean', (0.48145466, 0.4578275, 0.40821073))
        std = statistics.get('std', (0.26862954, 0.26130258, 0.27577711))
        self.mean = torch.tensor(mean, device=device)[:, None, None]
        self.std = torch.tensor(std, device=device)[:, None, None]

    @torch.inference_mode()
    def dense(self, images: torch.Tensor) -> torch.Tensor:
        """Map RGB in [0, 1] [B, 3, H, W] to [B, D, h, w], one cell per patch."""
        visual = self.visual
        x = (self._resize(images.to(self.device)) - self.mean) / self.std
        patches = visual.conv1(x)  # [B, C, h, w]
        grid = (patches.shape[2], patches.shape[3])
        tokens = patches.flatten(2).transpose(1, 2)  # [B, hw, C]
        own = visual.class_embedding.expand(len(tokens), 1, -1)
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

    def _resize(self, images: torch.Tensor) -> torch.Tensor:
        patch, short = self.visual.patch_size[0], min(self.visual.image_size)
        height, width = images.shape[2:]
        scale = short / min(height, width)
        size = [max(1, round(side * scale / patch)) * patch for side in (height, width)]
        return functional.interpolate(images, size, mode='bicubic', antialias=True)

    def _positions(self, grid: tuple[int, int]) -> torch.Tensor:
        """Return position embeddings [1 + hw, C] for a grid of patches."""
        embedding = self.visual.positional_embedding
        square = embedding[1:].T.unflatten(1, tuple(self.visual.grid_size))[None]  # [1, C, g, g]
        resized = functional.interpolate(square, grid, mode='bicubic', align_corners=False)
        return torch.cat([embedding[:1], resized[0].flatten(1).T])


def load_tower(model: str | Path, device: str = 'cpu') -> ImageTower:
    """
    Load an image tower: a demo model folder, or 'ARCHITECTURE/WEIGHTS' as open_clip names them.

    Raises ValueError for a model that is not there or gives no dense features.
    """
    if Path(model).is_dir():
        return load_image_tower(Path(model) / IMAGE_WEIGHTS).to(device)
    name, clip, _ = create_open_clip(str(model))
    return OpenClipTower(name, clip.visual, device)
