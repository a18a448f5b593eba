"""Folders of scenes to learn from, mixed by weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path

import numpy as np

UNNAMED = 'object'  # what scans without names call everything; nothing to learn from it


@dataclass(frozen=True)
class Source:
    """A folder of scene folders; its share of the crops is its weight over all weights."""

    folder: Path
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read 'DIR' or 'DIR:WEIGHT'; raises ValueError for a weight that is none."""
        folder, colon, weight = text.rpartition(':')
        if not colon:
            return cls(Path(text))
        try:
            value = float(weight)
        except ValueError:
            return cls(Path(text))  # a colon in the path itself
        if not 0 < value < float('inf'):
            raise ValueError(f'{text}: expected a weight above 0 after the colon, got {weight}')
        return cls(Path(folder), value)

    def scenes(self) -> list[Path]:
        """Return its train_* folders; where there is none, all scene folders."""
        ready = sorted(path.parent for path in self.folder.glob('*/truth.json'))
        found = [path for path in ready if path.name.startswith('train_')]
        if not ready:
            raise ValueError(f'{self.folder}: expected folders of scenes with truth, found none')
        return found or ready


class Mixture:
    """Scenes of several sources."""

    def __init__(self, sources: Sequence[Source]) -> None:
        if not sources:
            raise ValueError('expected at least one folder of scenes to learn from')
        self.scenes = [source.scenes() for source in sources]
        weights = np.array([source.weight for source in sources])
        self.shares = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> Path:
        """Pick a source by its weight, then any of its scenes."""
        scenes = self.scenes[int(rng.choice(len(self.scenes), p=self.shares))]
        return scenes[int(rng.integers(len(scenes)))]

    def names(self) -> list[str]:
        """Return the names of all things in the scenes, sorted."""
        names: set[str] = set()
        for scenes in self.scenes:
            for folder in scenes:
                names.update(json.loads((folder / 'truth.json').read_text())['names'])
        return sorted(names - {UNNAMED})
