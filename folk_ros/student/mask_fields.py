"""
Per-voxel fields from which masks are made: where an object's voxels meet and how they look.

Each voxel predicts an embedding, an offset towards its object's centre, a seed score (how good a
mask it would start) and a kernel. The mask logit of kernel k at voxel i is

    w_k . e_i + b_k - exp(g_k) |s_i - c_k|^2 - exp(h_k) (z_i - z_k)^2 + 2 log sigmoid(foreground_i)

with s = position + offset: a dot product as in SOLOv2 and Mask3D, plus a Gaussian in the shifted
space, without which masks do not form in a short training. Lengths are in units of 25 voxels, so
that one recipe fits rooms (4 cm) and tabletops (1 cm).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn, Tensor
from torch.nn import functional as F

UNIT_VOXELS = 25.0
EMBED = 16
KERNEL = EMBED + 3  # weights, bias, horizontal and vertical log-sharpness


@dataclass(frozen=True)
class MaskFields:
    """The fields of one cloud."""

    embedding: Tensor  # [V, EMBED]
    shifted: Tensor  # [V, 3] position + offset, units of 25 voxels
    kernel: Tensor  # [V, KERNEL]
    seed: Tensor  # [V] logit
    foreground: Tensor  # [V] logit

    @cached_property
    def middle(self) -> Tensor:
        """Middle of the shifted positions [3]: distances are multiplied out around it."""
        return self.shifted.detach().mean(0)

    @cached_property
    def basis(self) -> Tensor:
        """What a kernel is multiplied with, [EMBED + 7, V]; see mask_logits."""
        xy, z = (self.shifted - self.middle).split([2, 1], 1)
        square = xy.square().sum(1, keepdim=True)
        inside = 2.0 * F.logsigmoid(self.foreground)[:, None]
        one = torch.ones_like(inside)
        return torch.cat([self.embedding, xy, square, z, z.square(), one, inside], 1).t()

    def rows(self, rows: slice | Tensor) -> MaskFields:
        """Keep some voxels."""
        parts = (self.embedding, self.shifted, self.kernel, self.seed, self.foreground)
        return MaskFields(*(p[rows] for p in parts))


class MaskFieldHead(nn.Module):
    """Finest backbone features to mask fields."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(channels, 64), nn.ReLU())
        self.out = nn.Linear(64, EMBED + 3 + KERNEL + 2)
        nn.init.normal_(self.out.weight, std=0.02)
        with torch.no_grad():
            self.out.bias.zero_()
            self.out.bias[EMBED + 3 + EMBED] = 2.0  # mask bias: begin inside the mask
            self.out.bias[EMBED + 3 + EMBED + 1 : EMBED + 3 + KERNEL] = 2.5  # exp: 12 / m^2
            self.out.bias[-2] = -2.0  # seed

    def forward(self, features: Tensor, coords: Tensor) -> MaskFields:
        """Map features [V, C] and grid coords [V, 3] to fields."""
        embedding, offset, kernel, rest = self.out(self.hidden(features)).split(
            [EMBED, 3, KERNEL, 2], 1
        )
        shifted = coords.to(offset.dtype) / UNIT_VOXELS + offset
        return MaskFields(embedding, shifted, kernel, rest[:, 0], rest[:, 1])


def mask_logits(kernel: Tensor, centre: Tensor, fields: MaskFields) -> Tensor:
    """
    Mask logits [Q, V] of kernels [Q, KERNEL] placed at centres [Q, 3].

    The squared distances are multiplied out, so that all of it is one matrix product.
    """
    weight, bias, flat, tall = kernel.split([EMBED, 1, 1, 1], 1)
    flat, tall = flat.clamp(-4, 6).exp(), tall.clamp(-4, 6).exp()
    xy, z = (centre - fields.middle).split([2, 1], 1)
    rest = bias - flat * xy.square().sum(1, keepdim=True) - tall * z.square()
    factors = [weight, 2 * flat * xy, -flat, 2 * tall * z, -tall, rest, torch.ones_like(rest)]
    return torch.cat(factors, 1) @ fields.basis


def pick_seeds(fields: MaskFields, minimum: float, limit: int) -> Tensor:
    """
    Choose voxels that start masks, best first: each choice silences the voxels of its own mask.

    Returns rows [Q]. The best of top-k would spend all its seeds on the few largest objects.
    """
    scores = (fields.seed.sigmoid() * fields.foreground.sigmoid()).clone()  # [V]
    chosen: list[int] = []
    while len(chosen) < limit and len(scores):
        best = int(scores.argmax())
        if float(scores[best]) <= minimum:
            break
        chosen.append(best)
        row = slice(best, best + 1)
        inside = mask_logits(fields.kernel[row], fields.shifted[row], fields)[0] > 0
        scores[inside] = 0.0
        scores[best] = 0.0
    return torch.tensor(chosen, dtype=torch.int64, device=scores.device)
