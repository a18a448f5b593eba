"""The shipped demo room: a fused cloud, the truth about it, and how to score answers with it."""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud_files import read_cloud
from folk_ros.resources import find_file
from folk_ros.structures import PointCloud

SAME_IOU = 0.5  # an object is found where a mask overlaps it so much, counted in points


@dataclass(frozen=True)
class DemoRoom:
    """A cloud, which points are which object, what the objects are, and what to ask."""

    cloud: PointCloud
    instance: NDArray[np.int32]  # [N] row of names, -1 for none
    names: tuple[str, ...]
    questions: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.instance.shape != (len(self.cloud),):
            raise ValueError(
                f'demo room: expected an instance for each of {len(self.cloud)} points, '
                f'got {list(self.instance.shape)}'
            )
        if self.instance.max(initial=-1) >= len(self.names):
            raise ValueError(
                f'demo room: instance {self.instance.max()} has no name; {len(self.names)} have'
            )

    def objects(self) -> list[int]:
        """Return the rows of the objects that have points."""
        return sorted(set(self.instance[self.instance >= 0].tolist()))


def load_demo_room(folder: Path | None = None) -> DemoRoom:
    """Read room.npz (xyz, rgb, instance) and room.json (names, questions) of the demo folder."""
    folder = folder or find_file('resource/demo/room.npz').parent
    cloud = read_cloud(folder / 'room.npz')
    with np.load(folder / 'room.npz', allow_pickle=False) as arrays:
        instance = arrays['instance'].astype(np.int32)
    about = json.loads((folder / 'room.json').read_text(encoding='utf-8'))
    return DemoRoom(cloud, instance, tuple(about['names']), tuple(about['questions']))


def count_named_right(
    room: DemoRoom, point_ids: NDArray[np.uint32], names: dict[int, str]
) -> tuple[int, list[str]]:
    """
    Count the room's objects that were found, with the right best name.

    `point_ids` [N] is the id of the instance of each point, 0 for none; `names` the best name of
    each id. Also returns one line about each object, for a person to read.
    """
    right, lines = 0, []
    for row in room.objects():
        identity, iou = best_overlap(room.instance == row, point_ids)
        name = names.get(identity, '') if iou >= SAME_IOU else ''
        right += name == room.names[row]
        verdict = f'named {name}' if name else f'not found (best overlap {iou:.2f})'
        lines.append(f'{room.names[row]}: {"right" if name == room.names[row] else verdict}')
    return right, lines


def best_overlap(mask: NDArray[np.bool_], point_ids: NDArray[np.uint32]) -> tuple[int, float]:
    """Return the id that overlaps a mask [N] best and its IoU; (0, 0.0) where none does."""
    inside, shared = np.unique(point_ids[mask], return_counts=True)
    best = (0, 0.0)
    for identity, count in zip(inside.tolist(), shared.tolist(), strict=True):
        if identity == 0:
            continue
        union = int(mask.sum()) + int((point_ids == identity).sum()) - count
        best = max(best, (identity, count / union), key=lambda pair: pair[1])
    return best
