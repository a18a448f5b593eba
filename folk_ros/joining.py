"""
Parts of one thing: objects known apart that look the same and take points from each other.

A student may cut a thing into parts, and elsewhere in each cloud. The parts have identities of
their own (see identity.py); the thing is answered as one object, by the id of the largest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.places import Cells, contains, mean_colour, same_colour
from folk_ros.sharing import refitted
from folk_ros.structures import Instances, PointCloud

ALIKE = 0.65  # cosine of embeddings of parts of one thing, at least
TAKEN = 0.15  # share of a part that was another's, of a thing that is cut elsewhere than before
FEW = 60  # points; of masks that keep fewer, nothing is said
SAME_COLOUR = 20.0  # of 255: how far their mean colours may be from each other


class Wholes:
    """Which objects, by their ids, are parts of one thing."""

    def __init__(self) -> None:
        self._of: dict[int, int] = {}  # what each part is answered as; others are themselves

    def of(self, one: int) -> int:
        """Return the id that an object is answered by."""
        return self._of.get(one, one)

    def join(self, one: int, other: int, sizes: Mapping[int, int]) -> None:
        """
        Know two objects, with all that they were joined with, as one thing.

        It is answered by the id of the larger; `sizes` are those of the objects.
        """
        first, second = self.of(one), self.of(other)
        if first == second:
            return
        parts = {whole: self._parts(whole) for whole in (first, second)}
        total = {whole: sum(sizes.get(part, 0) for part in parts[whole]) for whole in parts}
        small, large = sorted(parts, key=lambda whole: (total[whole], -whole))
        self._of |= dict.fromkeys(parts[small], large)

    def _parts(self, whole: int) -> set[int]:
        return {whole} | {part for part, of in self._of.items() if of == whole}

    def part(self, ids: Iterable[int]) -> None:
        """Let go of what went its own way; without the part that it is called by, a thing ends."""
        gone = set(ids)
        self._of = {
            part: whole
            for part, whole in self._of.items()
            if part not in gone and whole not in gone
        }

    def keep(self, ids: Iterable[int]) -> None:
        """Forget all others."""
        known = set(ids)
        self._of = {part: whole for part, whole in self._of.items() if part in known}

    def answered(self, scene: Instances, cloud: PointCloud) -> Instances:
        """
        Return a scene in which the parts of a thing are one instance, where its first part was.

        It looks and is as good as its parts on average; its box has the direction of the largest.
        """
        groups: dict[int, list[int]] = {}
        for row, one in enumerate(scene.ids.tolist()):
            groups.setdefault(self.of(one), []).append(row)
        ids = np.array(list(groups), np.uint32)
        if len(groups) == len(scene):
            return replace(scene, ids=ids)
        rows = [max(group, key=lambda row: scene.point_counts[row]) for group in groups.values()]
        points = [_points_of(scene, group) for group in groups.values()]
        result = replace(
            scene.select(np.array(rows)),
            starts=np.cumsum([0, *map(len, points)]),
            points=np.concatenate(points),
            ids=ids,
        )
        made = [at for at, group in enumerate(groups.values()) if len(group) > 1]
        for at in made:
            group = groups[int(ids[at])]
            weights = scene.point_counts[group] + 1e-6  # parts out of view have none
            look = weights @ scene.embeddings[group]
            result.embeddings[at] = look / max(float(np.linalg.norm(look)), 1e-12)
            result.quality[at] = np.average(scene.quality[group], weights=weights)
        return replace(result, boxes=refitted(result, made, cloud))


def _points_of(scene: Instances, rows: list[int]) -> NDArray[np.int32]:
    if len(rows) == 1:
        return scene.points_of(rows[0])
    return np.unique(np.concatenate([scene.points_of(row) for row in rows]))


def parts_of_one(
    found: Instances, cloud: PointCloud, was: Mapping[int, Cells], now: Mapping[int, Cells]
) -> list[tuple[int, int]]:
    """
    Return pairs of instances that are parts of one thing, by their rows.

    Where they are `now` and `was` says so, and that they look the same. Nothing is said without
    colours.
    """
    alike = found.embeddings @ found.embeddings.T >= ALIKE
    alike &= np.minimum(found.point_counts[:, None], found.point_counts) >= FEW
    pairs = [
        (one, other)
        for one, other in np.argwhere(np.triu(alike, 1)).tolist()
        if taken_over(one, other, was, now) or taken_over(other, one, was, now)
    ]
    colour = {row: mean_colour(cloud, found.points_of(row)) for pair in pairs for row in pair}
    return [
        (one, other)
        for one, other in pairs
        if same_colour(colour[one], colour[other], SAME_COLOUR)
    ]


def taken_over(one: int, other: int, was: Mapping[int, Cells], now: Mapping[int, Cells]) -> bool:
    """Say whether much of where one object `now` is `was` the other's place and not its own."""
    if other not in was or one not in now:
        return False
    before = was[other]
    if one in was:
        before = before[~contains(was[one], before)]
    return bool(contains(before, now[one]).mean() >= TAKEN) if len(now[one]) else False
