"""
Per-voxel fields from which masks are made: where an object's voxels meet and how they look.

Each voxel predicts an embedding e. The mask logit of kernel k at voxel i is

    w_k . e_i  [+ b_k - exp(g_k) |s_i - c_k|^2 - exp(h_k) (z_i - z_k)^2]  [+ 2 log sigmoid(f_i)]

The first bracket is the spatial term: a Gaussian in the space of s = position + offset, where
voxels of one object meet; without it masks do not form in a short training. The second is there
where queries are seeds: those voxels also predict f, whether they are of an object at all, how
good a mask they would start, and its kernel. Plain dot products are Mask3D's form. Lengths are in
units of 25 voxels, so that one recipe fits rooms (4 cm) and tabletops (1 cm).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import torch
from torch import nn, Tensor
from torch.nn import functional as F

UNIT_VOXELS = 25.0
AHEAD = 16  # seeds are chosen on a GPU before it is asked whether the last one was any good
FPS, SEEDS = 'fps', 'seeds'  # where queries come from


@dataclass(frozen=True)
class MaskForm:
    """What masks are made of; the defaults are Mask3D's."""

    source: str = FPS
    """Where queries come from: 'fps', furthest points, or 'seeds', picked by predicted quality."""
    spatial: bool = False
    """Whether a mask's voxels must also be near each other."""
    embed: int = 128
    """Length of the embedding."""

    def __post_init__(self) -> None:
        if self.source not in (FPS, SEEDS):
            raise ValueError(f'source: expected {FPS!r} or {SEEDS!r}, got {self.source!r}')

    @property
    def kernel(self) -> int:
        """Numbers in a kernel: weights, bias, horizontal and vertical log-sharpness."""
        return self.embed + (3 if self.spatial else self.source == SEEDS)

    @property
    def parts(self) -> dict[str, int]:
        """Numbers that each voxel predicts."""
        own = {'embedding': self.embed}
        if self.spatial:
            own['offset'] = 3
        if self.source == SEEDS:
            own |= {'kernel': self.kernel, 'seed': 1, 'foreground': 1}
        return own


@dataclass(frozen=True)
class MaskFields:
    """The fields of one cloud; what a MaskForm does not use is None."""

    embedding: Tensor  # [V, E]
    place: Tensor  # [V, 3] where the voxels are, units of 25 voxels
    shifted: Tensor | None = None  # [V, 3] place + offset
    kernel: Tensor | None = None  # [V, K] of the mask that a voxel would start
    seed: Tensor | None = None  # [V] logit
    foreground: Tensor | None = None  # [V] logit

    @cached_property
    def middle(self) -> Tensor:
        """Middle of the shifted positions [3]: distances are multiplied out around it."""
        assert self.shifted is not None
        return self.shifted.detach().mean(0)

    @cached_property
    def basis(self) -> Tensor:
        """What a kernel is multiplied with, [B, V]; see mask_factors."""
        if self.shifted is None and self.foreground is None:
            return self.embedding.t()
        columns = [self.embedding]
        if self.shifted is not None:
            xy, z = (self.shifted - self.middle).split([2, 1], 1)
            columns += [xy, xy.square().sum(1, keepdim=True), z, z.square()]
        columns.append(self.embedding.new_ones(len(self.embedding), 1))
        if self.foreground is not None:
            columns.append(2.0 * F.logsigmoid(self.foreground)[:, None])
        return torch.cat(columns, 1).t()

    def rows(self, rows: slice | Tensor) -> MaskFields:
        """Keep some voxels."""
        parts = {item.name: getattr(self, item.name) for item in fields(self)}
        kept: dict[str, Any] = {k: v if v is None else v[rows] for k, v in parts.items()}
        return MaskFields(**kept)

    def start(self, rows: slice | Tensor) -> tuple[Tensor, Tensor]:
        """Return the kernels [Q, K] and centres [Q, 3] of the masks that voxels would start."""
        assert self.kernel is not None
        return self.kernel[rows], (self.place if self.shifted is None else self.shifted)[rows]


class MaskFieldHead(nn.Module):
    """Finest backbone features to mask fields."""

    def __init__(self, channels: int, form: MaskForm) -> None:
        super().__init__()
        self.parts = form.parts
        wide = sum(self.parts.values())
        if form.source == FPS:
            self.hidden: nn.Module = nn.Identity()
            self.out = nn.Linear(channels, wide)
            return
        self.hidden = nn.Sequential(nn.Linear(channels, 64), nn.ReLU())
        self.out = nn.Linear(64, wide)
        nn.init.normal_(self.out.weight, std=0.02)
        with torch.no_grad():
            self.out.bias.zero_()
            first = wide - 2 - form.kernel + form.embed
            self.out.bias[first] = 2.0  # mask bias: begin inside the mask
            self.out.bias[first + 1 : -2] = 2.5  # exp: 12 / m^2
            self.out.bias[-2] = -2.0  # seed

    def forward(self, features: Tensor, place: Tensor) -> MaskFields:
        """Map features [V, C] of voxels at places [V, 3], in units of 25 voxels, to fields."""
        numbers = self.out(self.hidden(features)).split(list(self.parts.values()), 1)
        found = dict(zip(self.parts, numbers, strict=True))
        offset = found.pop('offset', None)
        found |= {name: found[name][:, 0] for name in ('seed', 'foreground') if name in found}
        shifted = None if offset is None else place + offset
        return MaskFields(place=place, shifted=shifted, **found)


def mask_logits(kernel: Tensor, centre: Tensor, fields: MaskFields) -> Tensor:
    """Mask logits [Q, V] of kernels [Q, K] placed at centres [Q, 3]."""
    return mask_factors(kernel, centre, fields) @ fields.basis


def mask_factors(kernel: Tensor, centre: Tensor, fields: MaskFields) -> Tensor:
    """
    Return what multiplies the basis [Q, B]: all of a mask logit is one matrix product.

    The squared distances are multiplied out. So the logits of a sum of voxels, a coarser one, are
    those of the summed basis.
    """
    embed = fields.embedding.shape[1]
    weight, bias, sharp = kernel[:, :embed], kernel[:, embed : embed + 1], kernel[:, embed + 1 :]
    factors = [weight]
    if fields.shifted is not None:
        flat, tall = sharp.clamp(-4, 6).exp().split(1, 1)
        xy, z = (centre - fields.middle).split([2, 1], 1)
        bias = bias - flat * xy.square().sum(1, keepdim=True) - tall * z.square()
        factors += [2 * flat * xy, -flat, 2 * tall * z, -tall]
    factors.append(bias)  # empty in Mask3D's form
    if fields.foreground is not None:
        factors.append(torch.ones_like(bias))
    return torch.cat(factors, 1)


def pick_seeds(fields: MaskFields, minimum: float, limit: int) -> Tensor:
    """
    Choose voxels that start masks, best first: each choice silences the voxels of its own mask.

    Returns rows [Q]. The best of top-k would spend all its seeds on the few largest objects.
    """
    assert fields.seed is not None and fields.foreground is not None
    scores = fields.seed.sigmoid() * fields.foreground.sigmoid()  # [V]
    able = (scores > minimum).nonzero()[:, 0]  # [S] the others start none, silenced or not
    scores, basis = scores[able], fields.basis[:, able]
    factors = mask_factors(*fields.start(able), fields)  # [S, B]
    ahead = AHEAD if scores.is_cuda else 1
    rows, values = [able[:0]], [scores[:0]]  # what is chosen, best first
    while len(rows) <= limit and len(able):
        value, best = scores.max(0, keepdim=True)
        if len(rows) % ahead == 0 and float(value) <= minimum:
            break
        rows.append(best)
        values.append(value)
        silenced = factors.index_select(0, best)[0] @ basis > 0
        scores.masked_fill_(silenced, 0.0).index_fill_(0, best, 0.0)
    return able[torch.cat(rows)[torch.cat(values) > minimum]]
