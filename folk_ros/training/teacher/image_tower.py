"""Image towers of a CLIP that give dense features: the demo's own and those of open_clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch.nn import functional

from folk_ros.text import create_open_clip
from folk_ros.training.demo_clip.tower import DemoImageTower, IMAGE_WEIGHTS, load_image_tower
from folk_ros.training.teacher.open_clip_towers import open_clip_tower, OpenClipTower


class ImageTower(Protocol):
    """What the teacher needs of an image tower."""

    name: str  # the CLIP space
    dim: int

    def dense(self, images: torch.Tensor) -> torch.Tensor:
        """Map RGB in [0, 1] [B, 3, H, W] to features [B, D, h, w], in the space of the texts."""
        ...

    def embed_crops(self, crops: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return unit embeddings [R, D] of pictures [3, h, w] of any size, in [0, 1]."""
        ...


class DemoTower:
    """The demo CLIP's tower; a crop is embedded as the mean of its dense features."""

    def __init__(
        self, tower: DemoImageTower, device: str = 'cpu', compute: torch.dtype | None = None
    ) -> None:
        self.name, self.dim = tower.name, tower.dim
        self.device, self.compute = device, compute
        self._tower = tower.to(device).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def dense(self, images: torch.Tensor) -> torch.Tensor:
        """Map RGB in [0, 1] [B, 3, H, W] to float32 features [B, D, h, w]."""
        kind, compute = torch.device(self.device).type, self.compute
        images = images.to(self.device, memory_format=torch.channels_last)
        with torch.autocast(kind, compute, enabled=compute is not None):
            features = self._tower.features(images)
        return self._tower.project(features.float().movedim(1, -1)).movedim(-1, 1)

    @torch.inference_mode()
    def embed_crops(self, crops: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return unit embeddings [R, D] of pictures [3, h, w] of any size, in [0, 1]."""
        means = [self.dense(crop[None]).mean((2, 3)) for crop in crops]
        whole = torch.cat(means) if means else torch.zeros(0, self.dim, device=self.device)
        return functional.normalize(whole, dim=1)


def load_tower(
    model: str | Path, device: str = 'cpu', mixed: bool = False, dense: bool = True
) -> ImageTower:
    """
    Load an image tower: a demo model folder, or 'ARCHITECTURE/WEIGHTS' as open_clip names them.

    `mixed` computes in half precision where that is faster. Raises ValueError for a model that is
    not there, or that gives no dense features where they are asked for.
    """
    compute = half_type(device) if mixed else None
    if Path(model).is_dir():
        return DemoTower(load_image_tower(Path(model) / IMAGE_WEIGHTS), device, compute)
    name, clip, _ = create_open_clip(str(model))
    kind = open_clip_tower if dense else OpenClipTower
    return kind(name, clip.visual, device, compute)


def random_tower(architecture: str, compute: torch.dtype | None = None) -> OpenClipTower:
    """Return an open_clip tower with random weights, to time: what it says means nothing."""
    import open_clip

    clip = open_clip.create_model(architecture)
    return open_clip_tower(architecture, clip.visual, compute=compute)


def half_type(device: str) -> torch.dtype | None:
    """Return the half precision that a device computes fast in, none if it has none."""
    if torch.device(device).type == 'cuda':
        return torch.float16
    return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else None
