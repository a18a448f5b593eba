"""What is made of weights once, and used as long as they stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.weak import WeakIdKeyDictionary


@dataclass(frozen=True)
class _Made:
    """Tensors, and the state of the weights they were made of."""

    memory: tuple[StorageWeakRef, ...]  # weak, yet no other memory can have the same address
    versions: tuple[int, ...]
    result: tuple[Tensor, ...]


_MADE = WeakIdKeyDictionary()  # by the first weight, then by what is made of it


def kept(
    what: Any, make: Callable[..., tuple[Tensor, ...]], *weights: Tensor
) -> tuple[Tensor, ...]:
    """
    Return `make(*weights)`, made before if the weights have not changed or moved since.

    Without gradients. `what` tells apart what is made of the same weights.
    """
    if any(weight.is_inference() for weight in weights):  # nobody counts their changes
        return make(*weights)
    versions = tuple(weight._version for weight in weights)
    memory = [weight.untyped_storage() for weight in weights]
    known: dict[Any, _Made] = _MADE.setdefault(weights[0], {})
    found = known.get(what)
    if found is None or not (
        found.versions == versions
        and all(ref.cdata == now._cdata for ref, now in zip(found.memory, memory, strict=True))
    ):
        with torch.inference_mode(False), torch.no_grad():
            result = make(*weights)
        found = _Made(tuple(StorageWeakRef(each) for each in memory), versions, result)
        known[what] = found
    return found.result


def narrowed(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a weight in the dtype of products, rows side by side."""
    return kept(dtype, lambda own: (own.to(dtype).contiguous(),), weight)[0]


def forget() -> None:
    """Free everything that was kept."""
    _MADE.clear()
