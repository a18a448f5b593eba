"""What an engine for sparse convolution owes the network."""

from __future__ import annotations

from typing import Protocol, TYPE_CHECKING

import torch
from torch import Tensor

from folk_ros.student.engines.finish import Finish

if TYPE_CHECKING:
    from folk_ros.student.engine import Level


class SparseEngine(Protocol):
    """
    Convolves features [V, C] whose rows are the voxels of a Level, in that order.

    Weights are canonical: [K, Cin, Cout], the last spatial axis of the kernel fastest, and every
    convolution is a cross-correlation, `out[u] = sum_k x[u + offset_k] W[k]`. So one state_dict
    serves every engine, and their numbers differ by rounding alone. What an engine needs to know
    about a cloud it builds once and keeps in the Level's `maps`, for all layers of the level.
    A `finish` is given only where no gradients are recorded.
    """

    name: str

    def problem(self, device: torch.device) -> str | None:
        """Return why it cannot compute on a device, as a sentence, or None if it can."""

    def prepare(self, levels: list[Level]) -> None:
        """Look at the levels of a new cloud, finest first, before the first convolution."""

    def submanifold(
        self, x: Tensor, weight: Tensor, level: Level, finish: Finish | None = None
    ) -> Tensor:
        """Convolve [V, Cin] with an odd cube [n^3, Cin, Cout] onto the same voxels."""

    def down(
        self,
        x: Tensor,
        weight: Tensor,
        fine: Level,
        coarse_count: int,
        finish: Finish | None = None,
    ) -> Tensor:
        """Convolve [V, Cin] with [8, Cin, Cout], stride 2, to the coarser [V', Cout]."""

    def up(self, x: Tensor, weight: Tensor, fine: Level, finish: Finish | None = None) -> Tensor:
        """Transpose of `down`: [V', Cin] with [8, Cin, Cout] onto the finer [V, Cout]."""
