"""How well ids stay with their objects over the clouds of a sequence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import Instances

SAME = 0.5  # intersection over union of a mask and the object that it is of
VISIBLE = 30  # points of an object that a cloud must hold for it to be in view


@dataclass
class IdentityCounts:
    """What happened to ids; sums over sequences are made with `plus`."""

    matched: int = 0  # times an object was found that had been found before
    switched: int = 0  # of those, with another id than last time
    moved_matched: int = 0  # the same two for objects when they are first found elsewhere
    moved_switched: int = 0
    visible: int = 0  # times an object was in view that had been found before
    dropped: int = 0  # of those, its id was not in the scene
    removed: int = 0  # known objects that were taken away and whose place was seen empty
    lingered: int = 0  # clouds that the most stubborn of their ids stayed after that
    by_phase: dict[str, tuple[int, int]] = field(default_factory=dict)  # matched, switched

    @property
    def switch_share(self) -> float:
        """Switches per found object."""
        return self.switched / max(self.matched, 1)

    @property
    def dropout_share(self) -> float:
        """How often a known object in view was not in the scene."""
        return self.dropped / max(self.visible, 1)

    def plus(self, other: IdentityCounts) -> IdentityCounts:
        """Add another sequence up."""
        phases = {
            name: tuple(
                a + b
                for a, b in zip(
                    self.by_phase.get(name, (0, 0)), other.by_phase.get(name, (0, 0)), strict=True
                )
            )
            for name in {**self.by_phase, **other.by_phase}
        }
        return IdentityCounts(
            self.matched + other.matched,
            self.switched + other.switched,
            self.moved_matched + other.moved_matched,
            self.moved_switched + other.moved_switched,
            self.visible + other.visible,
            self.dropped + other.dropped,
            self.removed + other.removed,
            max(self.lingered, other.lingered),
            phases,  # type: ignore[arg-type]
        )


class IdentityJudge:
    """Watches the scenes found in the clouds of one sequence."""

    def __init__(self) -> None:
        self.counts = IdentityCounts()
        self._last: dict[int, int] = {}  # id of each object when it was last found
        self._elsewhere: set[int] = set()  # moved objects that were found where they are now
        self._empty: dict[int, int] = {}  # clouds since the place of a removed one was seen empty

    def see(
        self,
        scene: Instances,
        instance: NDArray[np.int32],
        phase: str = '',
        moved: frozenset[int] = frozenset(),
        seen_empty: frozenset[int] = frozenset(),
    ) -> None:
        """
        Judge the next scene by the object of each of its points [N], -1 none.

        `moved` objects stand elsewhere since; `seen_empty` are removed, and it shows.
        """
        counts, ids = self.counts, set(scene.ids.tolist())
        sizes = np.bincount(instance[instance >= 0], minlength=1)
        for one in np.flatnonzero(sizes >= VISIBLE).tolist():
            if one in self._last:
                counts.visible += 1
                counts.dropped += self._last[one] not in ids
        for one, row in objects_found(scene, instance).items():
            now, before = int(scene.ids[row]), self._last.get(one)
            self._last[one] = now
            if before is None:
                continue
            switched = now != before
            counts.matched += 1
            counts.switched += switched
            a, b = counts.by_phase.get(phase, (0, 0))
            counts.by_phase[phase] = a + 1, b + switched
            if one in moved and one not in self._elsewhere:
                self._elsewhere.add(one)
                counts.moved_matched += 1
                counts.moved_switched += switched
        for one in seen_empty & self._last.keys():
            counts.removed += one not in self._empty
            since = self._empty[one] = self._empty.get(one, -1) + 1
            if self._last[one] in ids:
                counts.lingered = max(counts.lingered, since + 1)


def objects_found(scene: Instances, instance: NDArray[np.int32]) -> dict[int, int]:
    """Return the row (value) of the instance that is each object (key), where one is."""
    count = int(instance.max(initial=-1)) + 1
    sizes = np.bincount(instance[instance >= 0], minlength=count)
    found: dict[int, tuple[float, int]] = {}
    for row in range(len(scene)):
        of = instance[scene.points_of(row)]
        shared = np.bincount(of[of >= 0], minlength=count)
        if not shared.any():
            continue
        iou = shared / (sizes + len(of) - shared)
        one = int(iou.argmax())
        if iou[one] > max(SAME, found.get(one, (0.0, 0))[0]):
            found[one] = float(iou[one]), row
    return {one: row for one, (_, row) in found.items()}
