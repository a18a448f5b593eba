"""The words of training regions in the frozen text space, and the losses that draw regions there."""

from __future__ import annotations

from dataclasses import dataclass

from folk_ros.text import TextEncoder
from folk_ros.training.demo_clip.data import Regions
import numpy as np
from numpy.typing import NDArray
import torch
from torch.nn import functional


@dataclass(frozen=True)
class Words:
    """The texts of all training instances in the frozen text space."""

    names: list[str]  # [C] classes: names of the instances that are not novel
    name_embeddings: torch.Tensor  # [C, D]
    caption_embeddings: torch.Tensor  # [T, D]
    label: NDArray[np.int64]  # [I] class, -1 where the instance is novel
    captions: list[NDArray[np.int64]]  # [I] caption rows of each instance
    member: NDArray[np.bool_]  # [I, T] true where the caption is one of the instance's
    centre: torch.Tensor  # [I, D] unit mean of the instance's captions


def embed_words(regions: Regions, tower: TextEncoder) -> Words:
    """Embed the names and captions of all instances."""
    known = zip(regions.names, regions.novel, strict=True)
    names = sorted({name for name, novel in known if not novel})
    texts = sorted({text for captions in regions.captions for text in captions})
    row = {text: index for index, text in enumerate(texts)}
    captions = [np.array([row[t] for t in c], np.int64) for c in regions.captions]
    member = np.zeros((len(captions), len(texts)), bool)
    for instance, rows in enumerate(captions):
        member[instance, rows] = True
    embeddings = torch.from_numpy(tower.encode(texts))
    index = {name: k for k, name in enumerate(names)}
    return Words(
        names=names,
        name_embeddings=torch.from_numpy(tower.encode(names)),
        caption_embeddings=embeddings,
        label=np.array([index.get(name, -1) for name in regions.names], np.int64),
        captions=captions,
        member=member,
        centre=functional.normalize(torch.stack([embeddings[r].mean(0) for r in captions]), dim=1),
    )


def name_loss(embeddings: torch.Tensor, label: torch.Tensor, names: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy [R] of scaled embeddings [R, D] against name embeddings [C, D]."""
    return functional.cross_entropy(embeddings @ names.T, label, reduction='none')


def caption_loss(
    embeddings: torch.Tensor, captions: torch.Tensor, member: torch.Tensor
) -> torch.Tensor:
    """
    Return InfoNCE [R] of scaled embeddings [R, D] against one caption [R, D] of each region.

    `member` [R, R] is true where caption j is also true of region i: no negative then.
    """
    logits = embeddings @ captions.T  # [R, R]
    own = torch.eye(len(logits), dtype=torch.bool)
    logits = logits.masked_fill(member & ~own, -torch.inf)
    return functional.cross_entropy(logits, torch.arange(len(logits)), reduction='none')


def draw_captions(
    words: Words, rows: NDArray[np.int64], random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw one caption for each instance row [R]: embeddings [R, D] and who shares it [R, R]."""
    drawn = np.array([random.choice(words.captions[row]) for row in rows], np.int64)
    member = words.member[rows[:, None], drawn[None, :]]
    return words.caption_embeddings[torch.from_numpy(drawn)], torch.from_numpy(member)
