"""Distillation targets: label-consistent views of an instance, fused to one 2D embedding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from folk_ros.training.distill.voting import vote


@dataclass(frozen=True)
class Targets:
    """What the student is to reproduce in one scene."""

    embedding: NDArray[np.float32]  # [I, D] unit length, fused over the consistent views
    label: NDArray[np.int64]  # [I] voted name, -1 where no view sees the instance


def read_targets(path: Path, text: NDArray[np.float32], clip: str) -> Targets:
    """
    Read a teacher file and vote.

    `text` [B, D] embeds the vocabulary in space `clip`. Raises ValueError if the file was made
    with another CLIP.
    """
    with safe_open(path, 'np') as file:
        found = (file.metadata() or {}).get('clip', 'none')
        if found != clip:
            raise ValueError(
                f'{path}: teacher embeddings live in {found!r}, the text tower in {clip!r}; '
                'run `folk teach` with the CLIP you distil for'
            )
        views = file.get_tensor('embeddings').astype(np.float32)  # [I, K, D]
        visibility = file.get_tensor('visibility').astype(np.float32)  # [I, K]
    return fuse(views, visibility, text)


def fuse(
    views: NDArray[np.float32], visibility: NDArray[np.float32], text: NDArray[np.float32]
) -> Targets:
    """Vote, drop the views that disagree, and average the others by visibility."""
    votes = vote(views, visibility, text)
    weight = np.where(votes.consistent, visibility, 0.0)[..., None]
    fused = (views * weight).sum(1)
    length = np.linalg.norm(fused, axis=1, keepdims=True)
    return Targets((fused / np.maximum(length, 1e-9)).astype(np.float32), votes.label)
