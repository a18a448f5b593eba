"""What is in a set of scenes: how many objects of which category, how many points on each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.scene import Scene

ENOUGH_POINTS = 100  # objects with fewer are not scored by the ScanNet200 rules
QUANTILES = (5, 50, 95)


@dataclass
class Counts:
    """Counts over scenes that are added one by one; only numbers are kept."""

    points: list[int] = field(default_factory=list)  # per scene
    views: list[int] = field(default_factory=list)  # per scene
    objects: list[int] = field(default_factory=list)  # per scene with truth: those with points
    sizes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # points
    unseen: Counter[str] = field(default_factory=Counter)  # objects without any point
    novel: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, scene: Scene) -> None:
        """Count one scene."""
        self.points.append(len(scene.cloud))
        self.views.append(len(scene.views))
        self.kinds[str(scene.facts.get('kind', 'unknown'))] += 1
        if scene.truth is None:
            return
        owner = scene.truth.point_instance
        per_object = np.bincount(owner[owner >= 0], minlength=len(scene.truth.names))
        self.objects.append(int((per_object > 0).sum()))
        rows = zip(scene.truth.names, per_object.tolist(), scene.truth.novel, strict=True)
        for name, size, is_novel in rows:
            if size:
                self.sizes[name].append(size)
            else:
                self.unseen[name] += 1
            if is_novel:
                self.novel.add(name)

    def totals(self) -> dict[str, Any]:
        """Return flat figures, each with its unit in its name."""
        sizes = np.array([size for own in self.sizes.values() for size in own], np.int64)
        enough = float((sizes >= ENOUGH_POINTS).mean()) if len(sizes) else 0.0
        return {
            'scenes': len(self.points),
            'points': sum(self.points),
            'views': sum(self.views),
            'objects': len(sizes),
            'objects_without_points': self.unseen.total(),
            'categories': len(self.sizes),
            'novel_categories': len(self.novel),
            f'share_of_objects_with_{ENOUGH_POINTS}_points': enough,
            **_quantiles('points_per_scene', self.points),
            **_quantiles('points_per_object', sizes),
            **_quantiles('objects_per_scene', self.objects),
            **_quantiles('views_per_scene', self.views),
        }

    def by_category(self) -> list[dict[str, Any]]:
        """Return one row per category, the most frequent first."""
        names = sorted(self.sizes, key=lambda name: (-len(self.sizes[name]), name))
        return [
            {
                'name': name,
                'objects': len(self.sizes[name]),
                'points_median': int(np.median(self.sizes[name])),
                f'with_{ENOUGH_POINTS}_points': sum(s >= ENOUGH_POINTS for s in self.sizes[name]),
                'novel': name in self.novel,
            }
            for name in names
        ]


def _quantiles(name: str, values: Iterable[int] | NDArray[np.int64]) -> dict[str, int]:
    values = np.asarray(list(values), np.int64)
    if not len(values):
        return {}
    found = np.percentile(values, QUANTILES, method='nearest')
    return {f'{name}_p{q}': int(v) for q, v in zip(QUANTILES, found, strict=True)}
