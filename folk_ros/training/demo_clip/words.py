"""The words of training regions in the frozen text space, and losses that draw regions there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import torch
from torch.nn import functional

from folk_ros.text import TextEncoder
from folk_ros.training.demo_clip.data import Regions


@dataclass(frozen=True)
class Words:
    """The texts of all training instances in the frozen text space."""

    names: list[str]  # [C] classes
    name_embeddings: torch.Tensor  # [C, D]
    caption_embeddings: torch.Tensor  # [T, D]
    label: NDArray[np.int64]  # [I] class
    rarity: torch.Tensor  # [I] 1 for the usual name, more for rarer ones
    captions: list[NDArray[np.int64]]  # [I] caption rows of each instance
    shares: list[NDArray[np.float64]]  # [I] how much each of these captions counts, sum 1
    member: NDArray[np.bool_]  # [I, T] true where the caption is one of the instance's
    centre: torch.Tensor  # [I, D] unit mean of the instance's captions, by share


def embed_words(regions: Regions, tower: TextEncoder) -> Words:
    """Embed the names and captions of all instances."""
    names = sorted(set(regions.names))
    texts = sorted({text for captions in regions.captions for text in captions})
    row = {text: index for index, text in enumerate(texts)}
    captions = [np.array([row[t] for t in c], np.int64) for c in regions.captions]
    shares = [caption_shares(c) for c in regions.captions]
    member = np.zeros((len(captions), len(texts)), bool)
    for instance, rows in enumerate(captions):
        member[instance, rows] = True
    embeddings = torch.from_numpy(tower.encode(texts))
    means = [
        torch.from_numpy(share).float() @ embeddings[rows]
        for share, rows in zip(shares, captions, strict=True)
    ]
    index = {name: k for k, name in enumerate(names)}
    label = np.array([index[name] for name in regions.names], np.int64)
    return Words(
        names=names,
        name_embeddings=torch.from_numpy(tower.encode(names)),
        caption_embeddings=embeddings,
        label=label,
        rarity=rarity_of(label),
        captions=captions,
        shares=shares,
        member=member,
        centre=functional.normalize(torch.stack(means), dim=1),
    )


def rarity_of(label: NDArray[np.int64]) -> torch.Tensor:
    """
    Return a weight for each instance [I]: the root of how rare its label is.

    1 for a label of middle frequency, at most 3; labels of -1 get 1.
    """
    known = label >= 0
    counts = np.bincount(label[known])
    weights = np.ones(len(label), np.float32)
    if known.any():
        middle = float(np.median(counts[counts > 0]))
        weights[known] = np.clip(np.sqrt(middle / counts[label[known]]), 0.0, 3.0)
    return torch.from_numpy(weights)


def caption_shares(captions: tuple[str, ...]) -> NDArray[np.float64]:
    """
    Return how much each caption of an instance counts [T], sum 1.

    The name, what it looks like (captions that end in another one: 'a red chair'), and all other
    words and uses count as 1 to 1 to 2. Measured on 80 rooms with embeddings that are these means:
    99.4 % keep the right name, 91 % of the uses ('something to sit on') find the right object;
    with the name alone it is 100 % and 67 %.
    """
    looks = np.array([any(c.endswith(f' {other}') for other in captions) for c in captions])
    name = np.arange(len(captions)) == 0
    looks &= ~name
    shares = np.zeros(len(captions))
    for group, weight in ((name, 1.0), (looks, 1.0), (~name & ~looks, 2.0)):
        shares[group] = weight / max(1, group.sum())
    return shares / shares.sum()


def name_loss(embeddings: torch.Tensor, label: torch.Tensor, names: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy [R] of scaled embeddings [R, D] against name embeddings [C, D]."""
    return functional.cross_entropy(embeddings @ names.T, label, reduction='none')


def caption_loss(
    embeddings: torch.Tensor, captions: torch.Tensor, member: torch.Tensor
) -> torch.Tensor:
    """
    Return InfoNCE [R] of scaled embeddings [R, D] against one caption [R, D] of each region.

    `member` [R, R] is true where caption j is also true of region i: no negative then. With both
    swapped and `member` transposed, each caption seeks its region: what a query does.
    """
    logits = embeddings @ captions.T  # [R, R]
    own = torch.eye(len(logits), dtype=torch.bool)
    logits = logits.masked_fill(member & ~own, -torch.inf)
    return functional.cross_entropy(logits, torch.arange(len(logits)), reduction='none')


def draw_captions(
    words: Words, rows: NDArray[np.int64], random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw one caption for each instance row [R]: embeddings [R, D] and who shares it [R, R]."""
    draws = [random.choice(words.captions[row], p=words.shares[row]) for row in rows]
    drawn = np.array(draws, np.int64)
    member = words.member[rows[:, None], drawn[None, :]]
    return words.caption_embeddings[torch.from_numpy(drawn)], torch.from_numpy(member)
