"""Give the objects of successive clouds the same ids: same place, same object."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import Boxes, Instances, PointCloud

CELL_M = 0.1
MIN_IOU = 0.25
MAX_UNSEEN = 200  # objects remembered that the last cloud did not show
MAX_SAMPLE = 20_000  # points of an object from which its cells are made
LAST_ID = 2**32 - 1


@dataclass(frozen=True)
class _Signature:
    """Where an object was when it was last seen."""

    id: int
    cells: NDArray[np.int64]  # [C] occupied cells, sorted
    centre: NDArray[np.float32]  # [3]
    size: NDArray[np.float32]  # [3]
    yaw: float


class SceneMemory:
    """
    Remembers where objects were, to know them again in the next cloud.

    Clouds must come in one frame that does not move; another frame_id starts afresh. An object
    that some clouds do not show keeps its id if it comes back where it was.
    """

    def __init__(self) -> None:
        self._known: list[_Signature] = []  # seen longest ago first
        self._frame_id = ''
        self._last_id = 0

    def update(self, instances: Instances, cloud: PointCloud) -> Instances:
        """Return the instances with ids that last; new objects count on from the last id."""
        if len(cloud) != instances.num_points:
            raise ValueError(
                f'instances: expected those of this cloud of {len(cloud)} points, got masks over '
                f'{instances.num_points}'
            )
        if cloud.frame_id != self._frame_id:
            self._known.clear()
            self._frame_id = cloud.frame_id
        cells = [_cells(cloud.xyz, instances.points_of(row)) for row in range(len(instances))]
        same = _associate(self._known, cells, instances.boxes)
        ids = np.empty(len(instances), np.uint32)
        for row in range(len(instances)):
            ids[row] = self._known[same[row]].id if row in same else self._new_id()
        seen = [
            _Signature(int(ids[row]), cells[row], *_box(instances.boxes, row))
            for row in range(len(instances))
        ]
        taken = set(same.values())
        unseen = [known for index, known in enumerate(self._known) if index not in taken]
        self._known = unseen[-MAX_UNSEEN:] + seen
        return replace(instances, ids=ids)

    def reset(self) -> None:
        """Forget every object; ids begin at 1 again."""
        self._known.clear()
        self._last_id = 0

    def _new_id(self) -> int:
        self._last_id = self._last_id % LAST_ID + 1  # 0 is nobody's
        return self._last_id


def _box(boxes: Boxes, row: int) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    return boxes.centre[row].copy(), boxes.size[row].copy(), float(boxes.yaw[row])


def _cells(xyz: NDArray[np.float32], points: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the cells [C] that some points of a cloud fill, each as one number, sorted."""
    sample = points[:: len(points) // MAX_SAMPLE + 1]
    grid = np.floor(xyz[sample] / CELL_M).clip(-(2**20), 2**20 - 1).astype(np.int64)  # 21 bits
    packed = (grid + 2**20) << np.array([42, 21, 0])
    return np.unique(packed.sum(1))


def _associate(
    known: list[_Signature], cells: list[NDArray[np.int64]], boxes: Boxes
) -> dict[int, int]:
    """Return which known object (value) each instance (key) is; every one at most once."""
    if not known or not cells:
        return {}
    overlap = _overlap([signature.cells for signature in known], cells)  # [K, I]
    near = _nearness(known, boxes)  # [K, I]
    # Overlap first; a box that holds the other's centre only where no overlap says more.
    rank = np.where(overlap >= MIN_IOU, 1 + overlap, near)
    order = np.argsort(-rank, axis=None, kind='stable')
    same: dict[int, int] = {}
    taken: set[int] = set()
    for index in order[: np.count_nonzero(rank)]:
        old, new = divmod(int(index), len(cells))
        if old not in taken and new not in same:
            same[new] = old
            taken.add(old)
    return same


def _overlap(
    known: list[NDArray[np.int64]], cells: list[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Intersection over union [K, I] of sets of cells, each set without repeats."""
    old, new = np.concatenate(known), np.concatenate(cells)
    old_owner = np.repeat(np.arange(len(known)), [len(c) for c in known])
    new_owner = np.repeat(np.arange(len(cells)), [len(c) for c in cells])
    order = np.argsort(old, kind='stable')
    old, old_owner = old[order], old_owner[order]
    first, last = np.searchsorted(old, new, 'left'), np.searchsorted(old, new, 'right')
    amount = last - first  # how many known objects fill the same cell
    within = np.arange(amount.sum()) - np.repeat(np.cumsum(amount) - amount, amount)
    rows = old_owner[np.repeat(first, amount) + within]
    pairs = rows * len(cells) + np.repeat(new_owner, amount)
    shared = np.bincount(pairs, minlength=len(known) * len(cells)).reshape(len(known), -1)
    old_size = np.bincount(old_owner, minlength=len(known))[:, None]
    new_size = np.bincount(new_owner, minlength=len(cells))[None]
    return shared / np.maximum(old_size + new_size - shared, 1)


def _nearness(known: list[_Signature], boxes: Boxes) -> NDArray[np.float64]:
    """Between 0 and 1 [K, I]: above 0 where each box holds the other's centre."""
    centre = np.stack([signature.centre for signature in known])  # [K, 3]
    size = np.stack([signature.size for signature in known])
    yaw = np.array([signature.yaw for signature in known])
    away = boxes.centre[None] - centre[:, None]  # [K, I, 3]
    in_old = _holds(away, size[:, None], yaw[:, None])
    in_new = _holds(-away, boxes.size[None], boxes.yaw[None])
    return np.where(in_old & in_new, 1 / (1 + np.linalg.norm(away, axis=-1)), 0.0)


def _holds(
    away: NDArray[np.float32], size: NDArray[np.float32], yaw: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Whether boxes of some size and yaw hold points that lie `away` from their centres."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    along = cos * away[..., 0] + sin * away[..., 1]
    across = cos * away[..., 1] - sin * away[..., 0]
    half = size / 2
    level = (np.abs(along) <= half[..., 0]) & (np.abs(across) <= half[..., 1])
    return np.asarray(level & (np.abs(away[..., 2]) <= half[..., 2]))
