"""The demo CLIP's image tower: a small convolutional net with a dense output."""

from __future__ import annotations

import json
import os
from pathlib import Path

from safetensors import safe_open, SafetensorError
from safetensors.torch import save_file
import torch
from torch import nn
from torch.nn import functional

IMAGE_WEIGHTS = 'image_tower.safetensors'
WIDTHS = (24, 48, 80, 112, 128)  # at strides 2, 4, 8, 16 (in patches), and of the fused map
PATCH = 2  # pixels of a square that enters the net as one
SHAKE = 0.05  # of each weight, when channels are copied


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
    between them, which is the same and costs less, because `project` is linear. Each square of
    `patch` x `patch` pixels enters as one with all its values, so that images of 320 x 240 cost
    what 160 x 120 would, without their detail being lost.
    """

    def __init__(
        self, name: str, dim: int, widths: tuple[int, ...] = WIDTHS, patch: int = PATCH
    ) -> None:
        super().__init__()
        self.name, self.dim, self.widths, self.patch = name, dim, tuple(widths), patch
        self.stride = 4 * patch  # pixels per cell of the dense output
        w2, w4, w8, w16, fused = widths
        self.stem = nn.Sequential(_conv(3 * patch**2, w2, 2), _conv(w2, w4, 2), Residual(w4))
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
        """Map RGB in [0, 1] [B, 3, H, W] to [B, C, ceil(H / stride), ceil(W / stride)]."""
        patches = functional.pixel_unshuffle(self._padded(images), self.patch)
        stem = self.stem((patches - 0.5) * 4)
        mid = self.mid(stem)
        deep = self.deep(mid)
        context = self.context(deep.mean((2, 3)))[:, :, None, None]
        top = _resize(self.from_deep(deep) + context, mid) + self.from_mid(mid)
        return self.refine(_resize(self.fuse(top), stem) + self.from_stem(stem))

    def _padded(self, images: torch.Tensor) -> torch.Tensor:
        height, width = images.shape[2:]
        rest = (0, -width % self.patch, 0, -height % self.patch)
        return functional.pad(images, rest, mode='replicate') if any(rest) else images

    def dense(self, images: torch.Tensor) -> torch.Tensor:
        """Map RGB in [0, 1] [B, 3, H, W] to [B, D, ceil(H / stride), ceil(W / stride)]."""
        features = self.features(images).movedim(1, -1)
        return self.project(features).movedim(-1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Do as `dense` does."""
        return self.dense(images)


def _resize(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, like.shape[2:], mode='bilinear', align_corners=False)


def grown(tower: DemoImageTower, patch: int = PATCH) -> DemoImageTower:
    """
    Return a tower with patches to train on, begun with the weights of another.

    If that has none, the new one does to means over patches what it did to pixels.
    """
    if tower.patch not in (1, patch):
        raise ValueError(f'a tower with patches of {tower.patch} cannot get patches of {patch}')
    wanted = DemoImageTower(tower.name, tower.dim, tower.widths, patch)
    weights = tower.state_dict()
    times = (patch // tower.patch) ** 2
    first = weights['stem.0.0.weight']
    weights['stem.0.0.weight'] = first.repeat_interleave(times, 1) / times  # as pixel_unshuffle
    wanted.load_state_dict(weights)
    return wanted


def widened(tower: DemoImageTower, widths: tuple[int, ...], seed: int) -> DemoImageTower:
    """
    Return a wider tower that begins by doing almost what another does (Net2Net).

    Each new channel is a copy of an old one; what reads the old one reads the mean of the copies.
    Weights are shaken by some percent, so that copies part. Raises ValueError if a width would
    shrink, or if two old widths are the same: channels are told apart by their number.
    """
    old = tower.widths
    if len(widths) != len(old) or len({*old, tower.dim, 3 * tower.patch**2}) < len(old) + 2:
        raise ValueError(f'a tower of widths {old} cannot be widened to {widths}')
    if any(new < before for before, new in zip(old, widths, strict=True)):
        raise ValueError(f'a tower of widths {old} cannot shrink to {widths}')
    random = torch.Generator().manual_seed(seed)
    source = {
        before: _copies(before, new, random) for before, new in zip(old, widths, strict=True)
    }
    weights = tower.state_dict()
    for key, value in weights.items():
        if value.ndim > 0 and value.shape[0] in source:
            value = value[source[value.shape[0]]]
        if value.ndim > 1 and value.shape[1] in source:
            rows = source[value.shape[1]]
            times = torch.bincount(rows)[rows].reshape(1, -1, *[1] * (value.ndim - 2))
            value = value[:, rows] / times
        if value.ndim > 1:
            value = value * (1 + SHAKE * torch.randn(value.shape, generator=random))
        weights[key] = value
    wanted = DemoImageTower(tower.name, tower.dim, widths, tower.patch)
    wanted.load_state_dict(weights)
    return wanted


def _copies(old: int, new: int, random: torch.Generator) -> torch.Tensor:
    """Return for each of `new` channels which of `old` it copies: all at least once."""
    more = torch.randint(old, (new - old,), generator=random)
    return torch.cat([torch.arange(old), more])


def save_image_tower(tower: DemoImageTower, path: Path, facts: dict[str, str]) -> None:
    """Write float16 weights with name, sizes and facts in the metadata, at once or not at all."""
    weights = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in tower.state_dict().items()
        if not key.endswith('num_batches_tracked')
    }
    own = {'clip': tower.name, 'dim': str(tower.dim), 'widths': json.dumps(tower.widths)}
    own['patch'] = str(tower.patch)
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
        widths = tuple(json.loads(metadata['widths']))
        patch = int(metadata.get('patch', '1'))
        tower = DemoImageTower(metadata['clip'], int(metadata['dim']), widths, patch)
        missing, unknown = tower.load_state_dict(weights, strict=False)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise ValueError(f'{path}: not the weights of a demo image tower ({error})') from error
    missing = [key for key in missing if not key.endswith('num_batches_tracked')]
    if missing or unknown:
        raise ValueError(f'{path}: weights missing {missing[:3]}, unknown {unknown[:3]}')
    return tower.eval().requires_grad_(False)
