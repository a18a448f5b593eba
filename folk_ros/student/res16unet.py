"""
The backbone of the big model: Res16UNet of the MinkowskiEngine family, as Mask3D uses it (34C).

It differs from SparseUNet in what public checkpoints fix: a 5x5x5 stem at full resolution and no
block there on the way down, strided convolutions that keep the channels, normalised skips.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn, Tensor

from folk_ros.student.engine import Level
from folk_ros.student.unet import Down, joined, normed, NormedLinear, residual, Submanifold, Up

MOMENTUM = 0.02  # of the batch norms, Mask3D's


@dataclass(frozen=True)
class Res16UNetConfig:
    """Sizes of a Res16UNet; the defaults are those of 34C."""

    inputs: int = 3
    stem: int = 32
    stem_kernel: int = 5
    encoder: tuple[int, ...] = (32, 64, 128, 256)  # channels of the levels below the finest
    decoder: tuple[int, ...] = (256, 128, 96, 96)  # on the way up, the finest last
    encoder_blocks: tuple[int, ...] = (2, 3, 4, 6)
    decoder_blocks: tuple[int, ...] = (2, 2, 2, 2)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each level's features, finest first."""
        return (*self.decoder[::-1], self.encoder[-1])


class BasicBlock(nn.Module):
    """Two 3x3x3 convolutions with a skip connection, normalised where the channels change."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = Submanifold(27, cin, cout), _norm(cout)
        self.conv2, self.norm2 = Submanifold(27, cout, cout), _norm(cout)
        self.skip: nn.Module = nn.Identity()
        if cin != cout:
            self.skip = NormedLinear(cin, cout, _norm(cout))

    def forward(self, x: Tensor, level: Level, spent: bool = False) -> Tensor:
        """Map [V, Cin] to [V, Cout]; where x is `spent`, the result may be written over it."""
        y = normed(self.conv1, self.norm1, x, level, brief=True)
        return residual((self.conv2, self.norm2), y, level, self.skip, x, spent)


class Blocks(nn.ModuleList):
    """Residual blocks one after another on one level."""

    def __init__(self, count: int, cin: int, cout: int) -> None:
        super().__init__(BasicBlock(cout if index else cin, cout) for index in range(count))

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """Map [V, Cin] to [V, Cout]."""
        for index, block in enumerate(self):
            x = block(x, level, spent=index > 0)
        return x


class Res16UNet(nn.Module):
    """Features at every level of a cloud, finest first."""

    def __init__(self, config: Res16UNetConfig) -> None:
        super().__init__()
        down, up = config.encoder, config.decoder
        self.channels = config.channels
        self.stem = Submanifold(config.stem_kernel**3, config.inputs, config.stem)
        self.stem_norm = _norm(config.stem)
        above = (config.stem, *down[:-1])
        self.down = nn.ModuleList(Down(8, a, a) for a in above)
        self.down_norm = nn.ModuleList(_norm(a) for a in above)
        self.encode = nn.ModuleList(
            Blocks(n, a, b) for n, a, b in zip(config.encoder_blocks, above, down, strict=True)
        )
        below = (down[-1], *up[:-1])
        self.up = nn.ModuleList(Up(8, a, b) for a, b in zip(below, up, strict=True))
        self.up_norm = nn.ModuleList(_norm(a) for a in up)
        self.decode = nn.ModuleList(
            Blocks(n, a + skip, a)
            for n, a, skip in zip(config.decoder_blocks, up, above[::-1], strict=True)
        )

    def forward(self, x: Tensor, levels: list[Level]) -> list[Tensor]:
        """Map [V, Cin] to features [V_l, C_l] of each level, finest first."""
        given = x.dtype
        x = normed(self.stem, self.stem_norm, x, levels[0])
        skips = [x]
        for index, blocks in enumerate(self.encode):
            fine, coarse = levels[index : index + 2]
            x = normed(self.down[index], self.down_norm[index], x, fine, len(coarse))
            x = blocks(x, coarse)
            skips.append(x)
        outputs = [x]
        for index, blocks in enumerate(self.decode):
            fine = levels[len(levels) - 2 - index]
            x = joined(self.up[index], self.up_norm[index], x, fine, skips[-2 - index])
            x = blocks(x, fine)
            outputs.append(x)
        return [each.to(given) for each in outputs[::-1]]  # an engine may keep fewer bits


def _norm(channels: int) -> nn.BatchNorm1d:
    return nn.BatchNorm1d(channels, momentum=MOMENTUM)
