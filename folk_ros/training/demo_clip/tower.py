"""The demo CLIP's image tower: a small convolutional net with a dense output at stride 4."""

from __future__ import annotations

import json
import os
from pathlib import Path

from safetensors import safe_open, SafetensorError
from safetensors.torch import save_file
import torch
from torch import nn
from torch.nn import functional

STRIDE = 4  # pixels per cell of the dense output
IMAGE_WEIGHTS = 'image_tower.safetensors'
WIDTHS = (24, 48, 80, 112, 128)  # at strides 2, 4, 8, 16, and of the fused map


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map [B, C, h, w] to the same shape."""
        return functional.relu(x + self.second(self.first(x)))


class DemoImageTower(nn.Module):
    """
    Dense image features in the space of the demo CLIP's text tower.

    `features` and `project` are the two halves of `dense`: the mean over a mask may be taken
    between them, which is the same and costs less, because `project` is linear.
    """

    def __init__(self, name: str, dim: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.name, self.dim, self.widths = name, dim, tuple(widths)
        w2, w4, w8, w16, fused = widths
        self.stem = nn.Sequential(_conv(3, w2, 2), _conv(w2, w4, 2), Residual(w4))
        self.mid = nn.Sequential(_conv(w4, w8, 2), Residual(w8), Residual(w8))
        self.deep = nn.Sequential(_conv(w8, w16, 2), Residual(w16))
        self.context = nn.Linear(w16, fused)  # the room as a whole
        self.from_deep = nn.Conv2d(w16, fused, 1)
        self.from_mid = nn.Conv2d(w8, fused, 1)
        self.from_stem = nn.Conv2d(w4, fused, 1)
        self.fuse = _conv(fused, fused)
        self.refine = nn.Sequential(
            nn.BatchNorm2d(fused),
            nn.ReLU(inplace=True),
            nn.Conv2d(fused, fused, 3, 1, 1, groups=fused, bias=False),
            nn.BatchNorm2d(fused),
            nn.ReLU(inplace=True),
        )
        self.project = nn.Linear(fused, dim)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Map RGB in [0, 1] [B, 3, H, W] to [B, C, ceil(H / 4), ceil(W / 4)]."""
        stem = self.stem((images - 0.5) * 4)
        mid = self.mid(stem)
        deep = self.deep(mid)
        context = self.context(deep.mean((2, 3)))[:, :, None, None]
        top = _resize(self.from_deep(deep) + context, mid) + self.from_mid(mid)
        return self.refine(_resize(self.fuse(top), stem) + self.from_stem(stem))

    def dense(self, images: torch.Tensor) -> torch.Tensor:
        """Map RGB in [0, 1] [B, 3, H, W] to features [B, D, ceil(H / 4), ceil(W / 4)]."""
        features = self.features(images).movedim(1, -1)
        return self.project(features).movedim(-1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Do as `dense` does."""
        return self.dense(images)


def _resize(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, like.shape[2:], mode='bilinear', align_corners=False)


def save_image_tower(tower: DemoImageTower, path: Path, facts: dict[str, str]) -> None:
    """Write float16 weights with name, sizes and facts in the metadata, at once or not at all."""
    weights = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in tower.state_dict().items()
        if not key.endswith('num_batches_tracked')
    }
    own = {'clip': tower.name, 'dim': str(tower.dim), 'widths': json.dumps(tower.widths)}
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    save_file(weights, temporary, facts | own)
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    os.replace(temporary, path)


def load_image_tower(path: Path) -> DemoImageTower:
    """Read a file of `save_image_tower` to float32; raise ValueError if it is not one."""
    try:
        with safe_open(path, 'pt') as file:
            metadata = file.metadata() or {}
            weights = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
        tower = DemoImageTower(
            metadata['clip'], int(metadata['dim']), tuple(json.loads(metadata['widths']))
        )
        missing, unknown = tower.load_state_dict(weights, strict=False)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise ValueError(f'{path}: not the weights of a demo image tower ({error})') from error
    missing = [key for key in missing if not key.endswith('num_batches_tracked')]
    if missing or unknown:
        raise ValueError(f'{path}: weights missing {missing[:3]}, unknown {unknown[:3]}')
    return tower.eval().requires_grad_(False)
