"""The backbone: a sparse residual U-Net (the Res16UNet family), small enough for a CPU."""

from __future__ import annotations

import torch
from torch import nn, Tensor

from folk_ros.student import engine
from folk_ros.student.engine import Level


class SparseConv(nn.Module):
    """A sparse convolution's weight [K, Cin, Cout]: K is 27 or 125 (own voxels), 8 (down, up)."""

    def __init__(self, volume: int, cin: int, cout: int) -> None:
        super().__init__()
        scale = (2.0 / (cin * volume**0.75)) ** 0.5  # about 12 of 27 neighbours exist indoors
        self.weight = nn.Parameter(torch.randn(volume, cin, cout) * scale)


class Submanifold(SparseConv):
    """Convolution with a cube of 3 or 5 voxels onto its own voxels."""

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """Map [V, Cin] to [V, Cout]."""
        return engine.submanifold(x, self.weight, level)


class Down(SparseConv):
    """2x2x2 convolution with stride 2."""

    def forward(self, x: Tensor, fine: Level, coarse_count: int) -> Tensor:
        """Map [V, Cin] to the coarser [V', Cout]."""
        return engine.down(x, self.weight, fine, coarse_count)


class Up(SparseConv):
    """Transposed 2x2x2 convolution."""

    def forward(self, x: Tensor, fine: Level) -> Tensor:
        """Map [V', Cin] to the finer [V, Cout]."""
        return engine.up(x, self.weight, fine)


class ResidualBlock(nn.Module):
    """Two 3x3x3 convolutions with a skip connection."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = Submanifold(27, cin, cout), nn.BatchNorm1d(cout, momentum=0.05)
        self.conv2, self.norm2 = Submanifold(27, cout, cout), nn.BatchNorm1d(cout, momentum=0.05)
        self.skip = nn.Linear(cin, cout, bias=False) if cin != cout else nn.Identity()

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """Map [V, Cin] to [V, Cout]."""
        y = torch.relu(self.norm1(self.conv1(x, level)))
        y = self.norm2(self.conv2(y, level))
        return torch.relu(y + self.skip(x))


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
        x = torch.relu(self.stem_norm(self.stem(x, levels[0])))
        skips: list[Tensor] = []
        for index, block in enumerate(self.encode):
            if index:
                x = self.down[index - 1](skips[-1], levels[index - 1], len(levels[index]))
                x = torch.relu(self.down_norm[index - 1](x))
            x = block(x, levels[index])
            skips.append(x)
        outputs = [x]
        for index, block in enumerate(self.decode):
            fine = levels[len(levels) - 2 - index]
            x = torch.relu(self.up_norm[index](self.up[index](x, fine)))
            x = block(torch.cat([x, skips[-2 - index]], 1), fine)
            outputs.append(x)
        return outputs[::-1]
