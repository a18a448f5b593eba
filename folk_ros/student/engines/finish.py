"""What follows a convolution when nothing is learned: norm, skip and ReLU while it is in cache."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn, Tensor

from folk_ros.student.engines.kept import kept


@dataclass(frozen=True)
class Finish:
    """
    relu(scale * y + shift + skip), by output channel; or skip @ matrix in place of skip.

    An engine writes the result into the memory `into` where that is given, and returns it: new
    memory costs more than what is written there. It may be that of a skip without a matrix. A
    `brief` result is read by the next layer alone: it may lie where the next brief one will.
    """

    scale: Tensor  # [Cout]
    shift: Tensor  # [Cout]
    skip: Tensor | None = None  # [R, Cout], or [R, C] if there is a matrix
    into: Tensor | None = None  # [R, Cout]
    brief: bool = False
    matrix: Tensor | None = None  # [C, Cout]

    def write(self, made: Tensor, out: Tensor, rows: slice) -> None:
        """Write some finished rows: `made` are those rows of the convolution alone, elsewhere."""
        place = out[rows]
        if self.skip is None:
            torch.addcmul(self.shift, made, self.scale, out=place)
        elif self.matrix is None:
            torch.addcmul(self.skip[rows], made, self.scale, out=place)
            place += self.shift
        else:
            torch.addmm(self.shift, self.skip[rows], self.matrix, out=place)
            place.addcmul_(made, self.scale)
        place.relu_()


def finished(made: Tensor, finish: Finish | None) -> Tensor:
    """Finish a whole result, if there is anything to do, in its own memory where none is given."""
    if finish is None:
        return made
    own = made if finish.matrix is None else torch.empty_like(made)
    out = own if finish.into is None else finish.into
    finish.write(made, out, slice(None))
    return out


def scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return what a norm multiplies each channel by in evaluation, and what it adds then."""
    if not isinstance(norm, nn.BatchNorm1d | nn.SyncBatchNorm):
        raise ValueError(f'norm: expected a batch norm, got {norm}')
    mean, variance, eps = norm.running_mean, norm.running_var, norm.eps
    if mean is None or variance is None:
        raise ValueError('norm: expected one that keeps running statistics')

    def make(weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, ...]:
        scale = weight * (variance + eps).rsqrt()
        return scale, bias - mean * scale

    scale, shift = kept(('norm', eps), make, norm.weight, norm.bias, mean, variance)
    return scale, shift
