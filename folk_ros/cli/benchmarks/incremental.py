"""Measure how a large map that comes again, 5 % of it changed, is answered: in parts, and anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from folk_ros.cli.output import Progress, say
from folk_ros.structures import Instances, PointCloud

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk

POINTS = 1_000_000
ROOMS, SEED = 5, 20_000
CHANGED = 0.05  # share of the points
GAP_M = 0.5  # between rooms
NOISE_M = 0.003  # with which the changed part is measured anew
PUSHED = np.array([0.25, 0.15, 0.0], np.float32)  # metres that every third object in it moves
SAME = 0.95  # intersection over union of masks that are the same
FOUND = 0.5  # of masks that are of the same object
TRIES = 3


@dataclass(frozen=True)
class ChangedMap:
    """A map that comes again."""

    cloud: PointCloud
    before: NDArray[np.int64]  # [N] row of each point in the map as it was
    low: NDArray[np.float32]  # [2] corners of the changed square, metres
    high: NDArray[np.float32]


def run(model: str) -> dict[str, float]:
    """Return seconds of both ways, and how alike the objects outside the changed part are."""
    from folk_ros.pipeline import Folk

    rooms = make_rooms(ROOMS, SEED)
    cloud, instance = side_by_side(rooms, POINTS)
    later = change(cloud, instance, CHANGED)
    folk = Folk.load(model)
    folk.warm_up()
    say(f'segmenting maps of {len(cloud)} points, {2 * TRIES + 1} times')
    return compare(folk, cloud, later, TRIES)


def make_rooms(count: int, seed: int) -> list[tuple[PointCloud, NDArray[np.int32]]]:
    """Make rooms never trained on: clouds, and the object of each of their points."""
    from folk_ros.training.scenes.synthetic import make_scene, RoomConfig

    progress, rooms = Progress('rooms', count), []
    for number in range(count):
        scene = make_scene(seed + number, RoomConfig(novel=True))
        assert scene.truth is not None
        rooms.append((scene.cloud, scene.truth.point_instance))
        progress.step()
    return rooms


def side_by_side(
    rooms: Sequence[tuple[PointCloud, NDArray[np.int32]]], count: int
) -> tuple[PointCloud, NDArray[np.int32]]:
    """Join rooms to one map of so many points (fewer where there are not as many), in a row."""
    xyz, rgb, owner, first, edge = [], [], [], 0, np.float32(0)
    for cloud, instance in rooms:
        assert cloud.rgb is not None
        xyz.append(cloud.xyz + np.array([edge - cloud.xyz[:, 0].min(), 0, 0], np.float32))
        rgb.append(cloud.rgb)
        owner.append(np.where(instance >= 0, instance + first, -1))
        first += int(instance.max(initial=-1)) + 1
        edge = xyz[-1][:, 0].max() + np.float32(GAP_M)
    whole = PointCloud(np.concatenate(xyz), np.concatenate(rgb), 'map')
    rows = np.random.default_rng(0).permutation(len(whole))[:count]
    return whole.select(rows), np.concatenate(owner).astype(np.int32)[rows]


def change(cloud: PointCloud, instance: NDArray[np.int32], share: float) -> ChangedMap:
    """
    Change the map in a square around its middle that holds a share of its points.

    There, of the objects that lie in it whole, one third is taken away and one third moved, and
    what stays is measured anew. The points come in another order.
    """
    rng = np.random.default_rng(1)
    middle = np.median(cloud.xyz[:, :2], axis=0)
    away = np.abs(cloud.xyz[:, :2] - middle).max(1)
    reach = np.float32(np.quantile(away, share))
    inside = away <= reach
    whole = set(np.unique(instance[inside])) - set(np.unique(instance[~inside])) - {-1}
    gone = np.isin(instance, sorted(whole)[0::3])
    pushed = np.isin(instance, sorted(whole)[1::3])
    xyz = cloud.xyz + pushed[:, None] * PUSHED
    xyz[inside] += rng.normal(0, NOISE_M, (int(inside.sum()), 3)).astype(np.float32)
    rows = rng.permutation(np.flatnonzero(~gone))
    low, high = (middle + sign * reach for sign in (-1, 1))
    changed = replace(cloud, xyz=xyz.astype(np.float32))
    return ChangedMap(changed.select(rows), rows, low, high)


def compare(folk: Folk, cloud: PointCloud, later: ChangedMap, tries: int) -> dict[str, float]:
    """Segment the changed map in parts and from scratch, in turns; the median counts."""
    parts, wholes = [], []
    for _ in range(tries):
        folk.reset()
        before = folk.segment(cloud)
        start = time.perf_counter()
        part = folk.segment(later.cloud)
        parts.append(time.perf_counter() - start)
        folk.reset()
        start = time.perf_counter()
        whole = folk.segment(later.cloud)
        wholes.append(time.perf_counter() - start)
    count, same = len(later.cloud), np.arange(len(later.cloud))
    (old, _), (new, changed) = parted(before, cloud, later), parted(part, later.cloud, later)
    outside, inside = parted(whole, later.cloud, later)
    kept = best_iou(old, new, later.before, len(cloud))
    anew = best_iou(outside, new, same, count)
    found = best_iou(inside, changed, same, count)
    return {
        'incremental_s': float(np.median(parts)),
        'incremental_scratch_s': float(np.median(wholes)),
        'incremental_speedup': float(np.median(wholes) / np.median(parts)),
        'incremental_kept_share': float((kept >= SAME).mean()),
        'incremental_kept_iou': float(kept.mean()),
        'incremental_same_as_scratch_share': float((anew >= SAME).mean()),
        'incremental_same_as_scratch_iou': float(anew.mean()),
        'incremental_inside_found_share': float((found >= FOUND).mean()),
        'incremental_same_ids_share': float(np.isin(old.ids, new.ids).mean()),
        'incremental_objects': float(len(part)),
    }


def parted(scene: Instances, cloud: PointCloud, later: ChangedMap) -> tuple[Instances, Instances]:
    """Return the instances that do not reach into the changed square, and those that do."""
    rows: tuple[list[int], list[int]] = ([], [])
    for row in np.flatnonzero(scene.point_counts).tolist():  # what is out of view has no points
        xy = cloud.xyz[scene.points_of(row), :2]
        rows[int(((xy >= later.low) & (xy <= later.high)).all(1).any())].append(row)
    outside, inside = (scene.select(np.array(part, np.int64)) for part in rows)
    return outside, inside


def best_iou(
    old: Instances, new: Instances, origin: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """
    Return how well each of some instances [I] is found among others: its best IoU.

    `origin` says which of the `count` points of the first map each point of the second is.
    """
    best = np.zeros(len(old))
    inside = np.zeros(count, np.bool_)
    for row in range(len(old)):
        inside[old.points_of(row)] = True
        for other in range(len(new)):
            of = origin[new.points_of(other)]
            shared = int(inside[of].sum())
            union = len(old.points_of(row)) + len(of) - shared
            best[row] = max(best[row], shared / union if union else 0.0)
        inside[old.points_of(row)] = False
    return best
