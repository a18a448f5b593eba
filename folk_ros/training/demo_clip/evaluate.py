"""How often the demo CLIP names what it sees in rooms it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import torch
from torch.nn import functional

from folk_ros.text import TextEncoder
from folk_ros.training.demo_clip.data import cell_counts, image_tensor, pool_regions, Regions
from folk_ros.training.demo_clip.tower import DemoImageTower
from folk_ros.training.scenes.objects.catalog import CATEGORIES


@dataclass(frozen=True)
class NamingReport:
    """Top-1 naming of instances, each by the mean of its views."""

    accuracy: float  # over instances
    mean_accuracy: float  # over names
    by_name: dict[str, tuple[int, int]]  # name -> right, all
    confusions: dict[tuple[str, str], int]  # (true, said) -> times


@dataclass(frozen=True)
class Seen:
    """What a tower makes of the instances of some rooms."""

    embeddings: NDArray[np.float32]  # [I, D] unit, the mean over views; zeros if unseen
    most: NDArray[np.int64]  # [I] the most pixels that a view shows of an instance


def embed_instances(tower: DemoImageTower, regions: Regions, min_pixels: int = 30) -> Seen:
    """Embed all instances; views with fewer than `min_pixels` of one are left out for it."""
    sums = np.zeros((len(regions.names), tower.dim), np.float32)
    most = np.zeros(len(regions.names), np.int64)
    for begin in range(0, len(regions.images), 32):
        part = slice(begin, begin + 32)
        image, rows, weights = cell_counts(regions.instance[part], tower.stride)
        pixels = weights.sum((1, 2))
        kept = (pixels >= min_pixels).numpy()
        if not kept.any():
            continue
        with torch.inference_mode():
            features = tower.features(image_tensor(regions.images[part]))
            pooled = pool_regions(features, image[kept], weights[kept])
            embeddings = functional.normalize(tower.project(pooled), dim=1).numpy()
        np.add.at(sums, rows[kept], embeddings)
        np.maximum.at(most, rows, pixels.numpy().astype(np.int64))
    norm = np.linalg.norm(sums, axis=1, keepdims=True)
    return Seen(sums / np.maximum(norm, 1e-6), most)


def naming_report(
    seen: Seen,
    regions: Regions,
    text_tower: TextEncoder,
    names: Sequence[str],
    min_pixels: int = 200,
) -> NamingReport:
    """
    Name each instance whose name is among `names` by its nearest text.

    Instances that no view shows with `min_pixels` are left out.
    """
    said = (seen.embeddings @ text_tower.encode(names).T).argmax(1)
    by_name: dict[str, tuple[int, int]] = {}
    confusions: dict[tuple[str, str], int] = {}
    for name, guess, pixels in zip(regions.names, said, seen.most, strict=True):
        if name not in names or pixels < min_pixels:
            continue
        right, count = by_name.get(name, (0, 0))
        by_name[name] = (right + (names[guess] == name), count + 1)
        if names[guess] != name:
            pair = (name, names[guess])
            confusions[pair] = confusions.get(pair, 0) + 1
    rates = [right / count for right, count in by_name.values()]
    total = sum(count for _, count in by_name.values())
    return NamingReport(
        accuracy=sum(right for right, _ in by_name.values()) / max(1, total),
        mean_accuracy=float(np.mean(rates)) if rates else 0.0,
        by_name=by_name,
        confusions=confusions,
    )


def retrieval_report(
    seen: Seen, regions: Regions, text_tower: TextEncoder, min_pixels: int = 200
) -> dict[str, tuple[int, int]]:
    """
    Ask every room for all words that fit something in it; return right and all per kind of word.

    An answer is right if the words fit the object with the highest cosine of its room. Kinds are
    names, synonyms, uses (what an object is for, or is like) and looks ('a red chair').
    """
    counts: dict[str, tuple[int, int]] = {}
    for room in np.unique(regions.room):
        rows = np.flatnonzero((regions.room == room) & (seen.most >= min_pixels))
        words = {word: kind for row in rows for word, kind in _kinds(regions, int(row)).items()}
        if not words:
            continue
        best = rows[(text_tower.encode(list(words)) @ seen.embeddings[rows].T).argmax(1)]
        for (word, kind), row in zip(words.items(), best, strict=True):
            right, asked = counts.get(kind, (0, 0))
            counts[kind] = (right + (word in regions.captions[row]), asked + 1)
    return counts


def _kinds(regions: Regions, row: int) -> dict[str, str]:
    """Return the words that fit an instance, each with its kind."""
    name = regions.names[row]
    category = CATEGORIES[name]
    kinds = {**dict.fromkeys(category.says, 'uses'), **dict.fromkeys(category.words, 'synonyms')}
    return {word: kinds.get(word, 'looks') for word in regions.captions[row]} | {name: 'names'}
