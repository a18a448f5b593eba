"""The backbone: a sparse residual U-Net (the Res16UNet family), small enough for a CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn, Tensor

from folk_ros.student import engine
from folk_ros.student.engine import Level
from folk_ros.student.engines.finish import Finish, scale_and_shift
from folk_ros.student.engines.kept import kept
from folk_ros.student.engines.workers import share_rows


class SparseConv(nn.Module):
    """A sparse convolution's weight [K, Cin, Cout]: K is 27 or 125 (own voxels), 8 (down, up)."""

    def __init__(self, volume: int, cin: int, cout: int) -> None:
        super().__init__()
        scale = (2.0 / (cin * volume**0.75)) ** 0.5  # about 12 of 27 neighbours exist indoors
        self.weight = nn.Parameter(torch.randn(volume, cin, cout) * scale)


class NormedLinear(nn.Sequential):
    """A linear layer and its norm."""

    def __init__(self, cin: int, cout: int, norm: nn.BatchNorm1d) -> None:
        super().__init__(nn.Linear(cin, cout, bias=False), norm)


class Submanifold(SparseConv):
    """Convolution with a cube of 3 or 5 voxels onto its own voxels."""

    def forward(self, x: Tensor, level: Level, finish: Finish | None = None) -> Tensor:
        """Map [V, Cin] to [V, Cout]."""
        return engine.submanifold(x, self.weight, level, finish)


class Down(SparseConv):
    """2x2x2 convolution with stride 2."""

    def forward(
        self, x: Tensor, fine: Level, coarse_count: int, finish: Finish | None = None
    ) -> Tensor:
        """Map [V, Cin] to the coarser [V', Cout]."""
        return engine.down(x, self.weight, fine, coarse_count, finish)


class Up(SparseConv):
    """Transposed 2x2x2 convolution."""

    def forward(self, x: Tensor, fine: Level, finish: Finish | None = None) -> Tensor:
        """Map [V', Cin] to the finer [V, Cout]."""
        return engine.up(x, self.weight, fine, finish)


def normed(
    conv: nn.Module,
    norm: nn.Module,
    x: Tensor,
    *place: Any,
    into: Tensor | None = None,
    brief: bool = False,
) -> Tensor:
    """
    Convolve at a place in the levels, normalise, ReLU.

    Where no gradients are recorded the result is written `into` given memory, or, if only the
    next layer reads it (`brief`), where the next such result will lie.
    """
    if _recorded(norm):
        return torch.relu(norm(conv(x, *place)))
    scale, shift = scale_and_shift(norm)
    result: Tensor = conv(x, *place, finish=Finish(scale, shift, into=into, brief=brief))
    return result


def residual(
    layer: tuple[nn.Module, nn.Module],
    y: Tensor,
    level: Level,
    skip: nn.Module,
    x: Tensor,
    spent: bool = False,
) -> Tensor:
    """
    Convolve y, normalise (the layer), add what `skip` makes of x (itself or linear), ReLU.

    Where no gradients are recorded and x is `spent`, the result may be written over it.
    """
    conv, norm = layer
    if _recorded(norm):
        return torch.relu(norm(conv(y, level)) + skip(x))
    scale, shift = scale_and_shift(norm)
    matrix = None
    if not isinstance(skip, nn.Identity):
        matrix, more = _matrix_and_shift(skip)
        shift = shift + more
    into = x if spent and matrix is None else None
    result: Tensor = conv(y, level, finish=Finish(scale, shift, x, into, matrix=matrix))
    return result


def _recorded(norm: nn.Module) -> bool:
    return norm.training or torch.is_grad_enabled()


def _matrix_and_shift(skip: nn.Module) -> tuple[Tensor, Tensor | float]:
    """Return a linear map as x @ matrix + shift."""
    if not isinstance(skip, NormedLinear):
        return skip.get_parameter('weight').t(), 0.0
    scale, shift = scale_and_shift(skip[1])
    matrix = kept('scaled', _scaled, skip[0].get_parameter('weight'), scale)
    return matrix[0], shift


def _scaled(weight: Tensor, scale: Tensor) -> tuple[Tensor, ...]:
    return ((weight * scale[:, None]).t(),)


def joined(up: nn.Module, norm: nn.Module, x: Tensor, fine: Level, skip: Tensor) -> Tensor:
    """
    Raise to a finer level, normalise, ReLU; append features there: [V, Cout + C].

    Where no gradients are recorded the result lies where the next one will.
    """
    if _recorded(norm):
        return torch.cat([normed(up, norm, x, fine), skip], 1)
    channels = up.get_parameter('weight').shape[2]
    both = fine.scratch('joined', channels + skip.shape[1], skip)
    share_rows(lambda rows: both[rows, channels:].copy_(skip[rows]), len(skip), skip.is_cuda)
    normed(up, norm, x, fine, into=both[:, :channels])
    return both


class ResidualBlock(nn.Module):
    """Two 3x3x3 convolutions with a skip connection."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = Submanifold(27, cin, cout), nn.BatchNorm1d(cout, momentum=0.05)
        self.conv2, self.norm2 = Submanifold(27, cout, cout), nn.BatchNorm1d(cout, momentum=0.05)
        self.skip = nn.Linear(cin, cout, bias=False) if cin != cout else nn.Identity()

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """Map [V, Cin] to [V, Cout]."""
        y = normed(self.conv1, self.norm1, x, level, brief=True)
        return residual((self.conv2, self.norm2), y, level, self.skip, x)


class SparseUNet(nn.Module):
    """
    Features at every level of a cloud, finest first.

    `encoder` gives the channels of each level on the way down, `decoder` on the way up (one less).
    """

    def __init__(self, cin: int, encoder: tuple[int, ...], decoder: tuple[int, ...]) -> None:
        super().__init__()
        if len(decoder) != len(encoder) - 1:
            raise ValueError(f'decoder: expected {len(encoder) - 1} channels, got {len(decoder)}')
        self.stem, self.stem_norm = Submanifold(27, cin, encoder[0]), nn.BatchNorm1d(encoder[0])
        self.down = nn.ModuleList(
            Down(8, a, b) for a, b in zip(encoder[:-1], encoder[1:], strict=True)
        )
        self.down_norm = nn.ModuleList(nn.BatchNorm1d(a) for a in encoder[1:])
        self.encode = nn.ModuleList(ResidualBlock(a, a) for a in encoder)
        below = (encoder[-1], *decoder[:-1])
        self.up = nn.ModuleList(Up(8, a, b) for a, b in zip(below, decoder, strict=True))
        self.up_norm = nn.ModuleList(nn.BatchNorm1d(a) for a in decoder)
        skips = encoder[-2::-1]
        self.decode = nn.ModuleList(
            ResidualBlock(a + s, a) for a, s in zip(decoder, skips, strict=True)
        )
        self.channels = (*decoder[::-1], encoder[-1])  # of each level returned, finest first

    def forward(self, x: Tensor, levels: list[Level]) -> list[Tensor]:
        """Map [V, Cin] to features [V_l, C_l] of each level, finest first."""
        given = x.dtype
        x = normed(self.stem, self.stem_norm, x, levels[0])
        skips: list[Tensor] = []
        for index, block in enumerate(self.encode):
            if index:
                above, count = levels[index - 1], len(levels[index])
                x = normed(
                    self.down[index - 1], self.down_norm[index - 1], skips[-1], above, count
                )
            x = block(x, levels[index])
            skips.append(x)
        outputs = [x]
        for index, block in enumerate(self.decode):
            fine = levels[len(levels) - 2 - index]
            x = joined(self.up[index], self.up_norm[index], x, fine, skips[-2 - index])
            x = block(x, fine)
            outputs.append(x)
        return [each.to(given) for each in outputs[::-1]]  # an engine may keep fewer bits
