"""Memory that layers use one after another."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Buffers:
    """
    Memory used again by layer after layer: fresh pages would cost a third of the time.

    `kept` is what another one has left behind; what this one takes is put there too.
    """

    def __init__(self, kept: dict[Any, Tensor] | None = None) -> None:
        self._kept = {} if kept is None else kept

    def take(self, name: str, rows: int, columns: int, like: Tensor) -> Tensor:
        """Return [rows, columns] of the dtype and device of `like`, contents undefined."""
        key = name, like.dtype, like.device, torch.is_inference_mode_enabled()
        if key not in self._kept or self._kept[key].numel() < rows * columns:
            self._kept.pop(key, None)  # before more is taken
            self._kept[key] = like.new_empty(rows * columns)
        return self._kept[key][: rows * columns].view(rows, columns)
