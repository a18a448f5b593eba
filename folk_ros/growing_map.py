"""
A large map that comes again with a small change: only what changed is segmented.

The objects that touch a changed tile are looked for anew, in those tiles, in all tiles of such
objects, and in a rim around them that the network sees but whose objects are kept. Everything
else keeps its mask, box, embedding and quality. Where most of the map changed, or so many parts
were looked at that the whole was looked at several times over, all of it is segmented.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import logging

import numpy as np
from numpy.typing import NDArray

from folk_ros.config import SegmentConfig
from folk_ros.map_tiles import (
    changed,
    COLUMN_BITS,
    differing,
    grown,
    into_tiles,
    Keys,
    MapPart,
    moved,
    TiledCloud,
    voxel_set,
    VoxelSet,
)
from folk_ros.places import contains
from folk_ros.structures import Instances, PointCloud
from folk_ros.upright import upright_turn

log = logging.getLogger(__name__)

Turn = NDArray[np.float64] | None  # [3, 3] how a cloud is stood upright
Find = Callable[[PointCloud, Turn], Instances]

RIM = 2  # tiles around what is looked for, for the network to see
TOUCH = 2  # voxels: an object so close to a changed tile may have changed with it
MOST = 0.5  # of the points: where more is to be segmented, all is
REFRESH = 4.0  # times the map, segmented in parts, after which all is segmented
MINE = 0.5  # share of an object's voxels that must lie where objects are looked for
TAKEN = 0.4  # share of them that may belong to objects that were kept


@dataclass(frozen=True, eq=False)
class Before:
    """What is remembered of the last map."""

    frame_id: str
    settings: SegmentConfig
    sums: tuple[Keys, NDArray[np.uint64]]  # tiles and their sums, as last seen
    voxels: VoxelSet  # of each tile as it was when it was last segmented
    instances: Instances  # without points
    masks: list[Keys]  # their voxels
    turn: Turn  # which way is up: judged by the whole map, also for its parts
    spent: float = 0.0  # shares of the map segmented in parts since all of it was

    def touched(self, tiles: Keys) -> NDArray[np.bool_]:
        """Return which instances [I] reach into some tiles, or nearly."""
        near = grown(tiles)
        return np.array([_reaches(mask, tiles, near) for mask in self.masks], np.bool_)


class GrowingMap:
    """
    Segments maps that come again and again; smaller clouds pass through.

    `part` says what of the last cloud was segmented, None meaning all. Whoever gives the
    instances other ids tells them with `call`, so that those kept next time come with them.
    """

    def __init__(self, voxel_m: float) -> None:
        self.voxel_m = voxel_m
        self.part: MapPart | None = None
        self._before: Before | None = None

    def segment(self, cloud: PointCloud, find: Find, config: SegmentConfig) -> Instances:
        """
        Return the instances of a cloud; `find` segments a cloud or a part of one.

        It is told how to turn that upright, where `config.gravity` leaves it to us.
        """
        before, self._before = self._before, None  # a failure below leaves nothing half done
        self.part = None
        if not config.incremental_points or len(cloud) < config.incremental_points:
            return find(cloud, _turn(cloud, config))
        tiled = into_tiles(cloud, self.voxel_m)
        if before is not None and _comparable(before, cloud, config):
            found = self._changes(cloud, tiled, find, before)
            if found is not None:
                return found
        turn = _turn(cloud, config)
        found = find(cloud, turn)
        voxels = voxel_set(cloud, tiled.point_voxel)
        masks = over_voxels(found, tiled)
        self._before = Before(
            cloud.frame_id, config, tiled.content, voxels, _bare(found), masks, turn
        )
        return found

    def call(self, ids: NDArray[np.uint32]) -> None:
        """Take ids for the instances of the last cloud; those with the id 0 are forgotten."""
        if self._before is not None:
            named = replace(self._before.instances, ids=ids.copy())
            stay = np.flatnonzero(ids)
            masks = [self._before.masks[row] for row in stay]
            self._before = replace(self._before, instances=named.select(stay), masks=masks)

    def forget(self) -> None:
        """Segment all of the next cloud."""
        self._before = None

    def _changes(
        self, cloud: PointCloud, tiled: TiledCloud, find: Find, before: Before
    ) -> Instances | None:
        """Segment what changed and keep the rest; None where all is to be segmented."""
        suspect = differing(before.sums, tiled.content)
        rows = tiled.rows_in(suspect)
        fresh = voxel_set(cloud.select(rows), tiled.point_voxel[rows])
        tiles = changed(before.voxels.within(suspect), fresh)
        touched = before.touched(tiles)
        lost = [mask for mask, gone in zip(before.masks, touched, strict=True) if gone]
        core = np.unique(np.concatenate([tiles, *(mask >> COLUMN_BITS for mask in lost)]))
        seen = grown(core, RIM)
        part = tiled.rows_in(seen)
        share = len(part) / len(cloud)
        if share > MOST or before.spent + share > REFRESH:
            return None
        keep = np.flatnonzero(~touched)
        masks = [before.masks[row] for row in keep]
        result = over_points(before.instances.select(keep), masks, cloud, tiled)
        if len(part):
            found = in_whole(find(cloud.select(part), before.turn), part, cloud)
            new = over_voxels(found, tiled)
            mine = accepted(new, core, masks)
            result = result.joined(found.select(mine))
            masks += [new[row] for row in mine]
        best = np.argsort(-result.quality, kind='stable')[: before.settings.max_instances]
        kept = best < len(keep)
        result = result.select(best)
        self.part = MapPart(part, seen, self.voxel_m, kept)
        self._before = replace(
            before,
            sums=tiled.content,
            voxels=before.voxels.updated(fresh, tiles),
            instances=_bare(result),
            masks=[masks[row] for row in best],
            spent=before.spent + share,
        )
        log.debug('%d of %d points were segmented anew', len(part), len(cloud))
        return result


def _turn(cloud: PointCloud, config: SegmentConfig) -> Turn:
    return upright_turn(cloud) if config.gravity == 'auto' else None


def _comparable(before: Before, cloud: PointCloud, config: SegmentConfig) -> bool:
    same = before.frame_id == cloud.frame_id and before.settings == config
    return same and (before.voxels.rgb is None) == (cloud.rgb is None)


def _bare(instances: Instances) -> Instances:
    """Return instances without their masks."""
    starts = np.zeros(len(instances) + 1, np.int64)
    return replace(instances, starts=starts, points=np.empty(0, np.int32))


def _reaches(mask: Keys, tiles: Keys, near: Keys) -> bool:
    """Whether some voxels, or what lies TOUCH voxels beside them, are in some tiles."""
    close = mask[contains(near, mask >> COLUMN_BITS)]
    return any(
        contains(tiles, moved(close, (dx, dy, 0)) >> COLUMN_BITS).any()
        for dx in (-TOUCH, TOUCH)
        for dy in (-TOUCH, TOUCH)
    )


def over_voxels(instances: Instances, tiled: TiledCloud) -> list[Keys]:
    """Return the voxels of each instance, sorted: those it has at least half of the points of."""
    return [tiled.index.cells_of(instances.points_of(row)) for row in range(len(instances))]


def over_points(
    instances: Instances, masks: list[Keys], cloud: PointCloud, tiled: TiledCloud
) -> Instances:
    """Return instances with masks over the points of a cloud that lie in their voxels."""
    parts = [tiled.index.points_in(mask) for mask in masks]
    starts = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=starts[1:])
    return replace(
        instances,
        starts=starts,
        points=np.concatenate([np.empty(0, np.int32), *parts]),
        num_points=len(cloud),
        stamp_ns=cloud.stamp_ns,
    )


def in_whole(found: Instances, part: NDArray[np.int64], cloud: PointCloud) -> Instances:
    """Return the instances of a part of a cloud as instances of the cloud."""
    points = part[found.points].astype(np.int32)
    return replace(found, points=points, num_points=len(cloud))


def accepted(masks: list[Keys], core: Keys, kept: list[Keys]) -> NDArray[np.int64]:
    """Return which new objects lie where objects are looked for, and are none that was kept."""
    taken = np.unique(np.concatenate([np.empty(0, np.int64), *kept]))
    mine = [
        len(mask) > 0
        and contains(core, mask >> COLUMN_BITS).mean() >= MINE
        and contains(taken, mask).mean() <= TAKEN
        for mask in masks
    ]
    return np.flatnonzero(mine)
