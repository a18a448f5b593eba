"""Features of a student joined with the targets of a teacher: what an adapter learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from folk_ros.student.vl_adapter import ATTENTION, FOLK, LEVELS, VLAdapter
from folk_ros.training.distill.features import GIVEN, load_seen, Seen
from folk_ros.training.distill.recipes import Recipe
from folk_ros.training.distill.targets import fuse, read_views, Targets

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taught:
    """A scene that was looked at, and what the teacher says of it."""

    scene_id: str
    seen: Path  # feature file
    teacher: Path
    labelled: bool  # whether its masks are true ones


@dataclass(frozen=True)
class AdapterData:
    """S samples of I objects; pooled features and what they are to become."""

    pooled: Tensor  # [S, C]
    instance: Tensor  # [S] int64 which object
    teacher: Tensor  # [I, D] unit length
    odds: Tensor  # [I, B] probability of each name
    voxels: Tensor | None = None  # [S, TOKENS, C] some of each mask, where attention is to learn

    def __len__(self) -> int:
        return len(self.instance)


@dataclass(frozen=True)
class Counts:
    """What became of the objects of all scenes."""

    scenes: int = 0
    objects: int = 0
    unseen: int = 0  # by every view
    disagreed: int = 0  # every view named them otherwise
    skipped: int = 0  # scenes whose files cannot be used

    def words(self) -> str:
        """Say it as a line of the log."""
        return (
            f'{self.scenes} scenes with {self.objects} objects to learn from; no view sees '
            f'{self.unseen}, the views of {self.disagreed} all disagree; {self.skipped} scenes '
            'skipped'
        )


def adapter_reads(seen: Seen, pooling: str) -> NDArray[np.float32]:
    """Return what an adapter reads of masks that were seen [S, C], without what it attends to."""
    if pooling == FOLK:
        return seen.plain
    parts = [seen.mean] if pooling == LEVELS else [seen.mean, seen.spread]
    return np.concatenate([*parts, seen.shape], 1)


def attend(adapter: VLAdapter, pooled: Tensor, voxels: Tensor | None) -> Tensor:
    """Add to pooled features [S, C] what an adapter attends to in voxels [S, T, C], if it does."""
    if adapter.attention is None or voxels is None:
        return pooled
    owner = torch.arange(len(voxels)).repeat_interleave(voxels.shape[1])
    flat = voxels.float().flatten(0, 1)
    return torch.cat([pooled, adapter.attention(flat, owner, pooled[:, : flat.shape[1]])], 1)


def gather(
    scenes: Sequence[Taught],
    text: NDArray[np.float32],
    clip: str,
    recipe: Recipe,
    level: int = logging.INFO,
) -> tuple[AdapterData, Counts]:
    """
    Vote and fuse for every scene, and pair the results with features.

    A scene whose files cannot be used, or disagree, is said and skipped; of the others it is said
    at a log `level` how many objects cannot be learned from. Raises ValueError if nothing is left.
    """
    parts: list[tuple[Seen, Targets]] = []
    skipped = 0
    for scene in scenes:
        if not (scene.labelled or recipe.unlabelled):
            continue
        try:
            seen, targets = (
                load_seen(scene.seen, recipe.pooling == ATTENTION),
                fuse(read_views(scene.teacher, clip), text, recipe),
            )
            if seen.owner.max(initial=-1) >= len(targets.label):
                raise ValueError(
                    f'{scene.teacher}: speaks of {len(targets.label)} masks, the scene has more; '
                    'teach it again'
                )
        except ValueError as error:
            log.warning('%s skipped: %s', scene.scene_id, error)
            skipped += 1
            continue
        if targets.unseen or targets.disagreed:
            log.log(
                level,
                '%s: no view sees %d of %d objects, the views of %d all disagree',
                scene.scene_id, targets.unseen, len(targets.label), targets.disagreed,
            )  # fmt: skip
        parts.append((seen, targets))
    data = _join(parts, recipe)
    counts = Counts(
        len(parts),
        len(data.teacher),
        sum(t.unseen for _, t in parts),
        sum(t.disagreed for _, t in parts),
        skipped,
    )
    return data, counts


def _join(parts: Sequence[tuple[Seen, Targets]], recipe: Recipe) -> AdapterData:
    pooled, instance, teacher, odds, voxels = [], [], [], [], []
    first = 0
    for seen, targets in parts:
        good = np.append(targets.label, -1)[seen.owner] >= 0  # an owner of -1 reads the end
        if not recipe.predicted_masks:
            good &= seen.origin == GIVEN
        kept = np.flatnonzero(targets.label >= 0)
        number = np.full(len(targets.label), -1)
        number[kept] = first + np.arange(len(kept))
        pooled.append(adapter_reads(seen, recipe.pooling)[good])
        voxels.append(seen.tokens[good])
        instance.append(number[seen.owner[good]])
        teacher.append(targets.embedding[kept])
        odds.append(targets.odds[kept])
        first += len(kept)
    if not any(len(part) for part in pooled):
        raise ValueError('no scene has an object that a view names; teach some first')
    return AdapterData(
        torch.from_numpy(np.concatenate(pooled)),
        torch.from_numpy(np.concatenate(instance)),
        torch.from_numpy(np.concatenate(teacher)),
        torch.from_numpy(np.concatenate(odds)),
        torch.from_numpy(np.concatenate(voxels)) if recipe.pooling == ATTENTION else None,
    )
