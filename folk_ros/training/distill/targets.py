"""Distillation targets: the views of an instance, fused to one 2D embedding, and its labels."""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open, SafetensorError

from folk_ros.training.distill.recipes import MAJORITY, Recipe
from folk_ros.training.distill.voting import soft_vote, vote

SURE = 0.45  # quality from which predicted masks are learned from


@dataclass(frozen=True)
class Targets:
    """What the student is to reproduce in one scene."""

    embedding: NDArray[np.float32]  # [I, D] unit length, zeros where no view counts
    label: NDArray[np.int64]  # [I] likeliest name, -1 where no view counts
    odds: NDArray[np.float32]  # [I, B] probability of each name
    unseen: int  # instances that no view sees
    disagreed: int  # instances that every view names otherwise, and are therefore left out


@dataclass(frozen=True)
class Views:
    """What a teacher file says of a scene."""

    embeddings: NDArray[np.float32]  # [I, K, D] unit length, zeros where there is no view
    visibility: NDArray[np.float32]  # [I, K] 0 where there is no view
    quality: NDArray[np.float32] | None = None  # [I] of predicted masks; none: true ones


def read_views(path: Path, clip: str) -> Views:
    """Read a teacher file; ValueError if it is none, or was made with another CLIP."""
    try:
        with safe_open(path, 'np') as file:
            found = (file.metadata() or {}).get('clip', 'none')
            views = file.get_tensor('embeddings').astype(np.float32)  # [I, K, D]
            visibility = file.get_tensor('visibility').astype(np.float32)  # [I, K]
            predicted = 'quality' in file.keys()  # noqa: SIM118 - the file is no dictionary
            quality = file.get_tensor('quality') if predicted else None
    except (OSError, SafetensorError) as error:
        raise ValueError(f'{path}: not a teacher file ({error!r}); make it again') from error
    if found != clip:
        raise ValueError(
            f'{path}: teacher embeddings live in {found!r}, the text tower in {clip!r}; '
            'run `folk teach` with the CLIP you distil for'
        )
    if views.ndim != 3 or visibility.shape != views.shape[:2] or not np.isfinite(views).all():
        raise ValueError(
            f'{path}: expected finite embeddings [I, K, D] and visibility [I, K], got '
            f'{views.shape} and {visibility.shape}; make it again'
        )
    return Views(views, visibility, quality)


def read_names(path: Path) -> tuple[str, ...]:
    """Return what the views of a teacher file were asked to choose from; none: nothing."""
    try:
        with safe_open(path, 'np') as file:
            return tuple(json.loads((file.metadata() or {}).get('names', '[]')))
    except (OSError, SafetensorError, ValueError) as error:
        raise ValueError(f'{path}: not a teacher file ({error!r}); make it again') from error


def fuse(views: Views, text: NDArray[np.float32], recipe: Recipe) -> Targets:
    """Vote on the names `text` [B, D] and fuse the views that count."""
    seen = np.any(views.visibility > 0, axis=1, keepdims=True)[:, 0]
    if recipe.voting == MAJORITY:
        votes = vote(views.embeddings, views.visibility, text)
        odds = np.zeros((len(seen), len(text)), np.float32)
        good = seen & ~votes.disagreed
        odds[good, votes.label[good]] = 1.0
        counts = votes.consistent & good[:, None]
        weight = np.where(counts, views.visibility if recipe.by_visibility else 1.0, 0.0)
        disagreed = int(votes.disagreed.sum())
    else:
        odds, weight = soft_vote(views.embeddings, views.visibility, text, recipe.vote_scale)
        disagreed = 0
    fused = (views.embeddings * weight[..., None]).sum(1)
    length = np.linalg.norm(fused, axis=1, keepdims=True)
    counted = length[:, 0] > 0
    if views.quality is not None:
        counted &= views.quality >= SURE  # the pictures of a bad mask show something else
    label = np.where(counted, odds.argmax(1), -1).astype(np.int64)
    embedding = (fused / np.maximum(length, 1e-9)).astype(np.float32)
    return Targets(embedding, label, odds, int((~seen).sum()), disagreed)
