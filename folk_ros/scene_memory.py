"""
Give the objects of successive clouds ids that last, and remember what is merely out of view.

What a cloud does not show again (see tracks.py) stays in the scene while it is hidden, and for
some clouds while it is merely missed; it leaves the scene when it is gone or claimed by another
object. A claimed one has its id back when the two part again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.joining import parts_of_one, Wholes
from folk_ros.map_tiles import MapPart
from folk_ros.places import Occupancy, Place, place_of, points_within
from folk_ros.recognition import Look, look_at, recognise
from folk_ros.sharing import shared_out
from folk_ros.structures import Instances, PointCloud
from folk_ros.tracks import aged, Fate, parted, place_after, Track

CELL_M = 0.05
MAX_UNSEEN = 200  # objects remembered that the last cloud did not show
LAST_ID = 2**32 - 1
CONFIRMED = 2  # clouds that must have shown an object before it stays without being seen
PATIENCE, FEW_PATIENCE = 4, 1  # clouds that may miss an object in view before it leaves the scene
NO_CELLS = np.empty(0, np.int64)


class SceneMemory:
    """
    Remembers where objects were, to know them again in the next cloud.

    Clouds must come in one frame that does not move; another frame_id starts afresh. No id is
    used twice between two resets.
    """

    def __init__(self, cell_m: float = CELL_M, max_unseen: int = MAX_UNSEEN) -> None:
        self.cell_m = cell_m
        self.max_unseen = max_unseen
        self.last_id = 0
        self.ids: NDArray[np.uint32] = np.empty(0, np.uint32)  # of the instances last given
        self._known: list[Track] = []  # seen longest ago first
        self._wholes = Wholes()
        self._frame_id = ''

    def update(
        self, instances: Instances, cloud: PointCloud, part: MapPart | None = None
    ) -> Instances:
        """
        Return the instances with ids that last, and after them what is not seen but still there.

        New objects count on from the last id. What several masks claim goes to the object that
        had it (see sharing.py), except in the first cloud and in a part of a map; instances of
        which too little is left are none, and have the id 0 in `ids`. Parts of one
        thing, cut elsewhere than before, are one instance (see joining.py) with ids of their own
        in `ids`. What is out of view has no points; a cloud that names no frame gets none of it.
        `part` says which part of the cloud was looked at, and which instances come with their ids.
        """
        self._check(instances, cloud)
        look = look_at(instances, cloud, part, self.cell_m)
        before = self._kept(instances, part)
        kept = {track.id for track in before.values()}
        opened = [track for track in self._known if track.id not in kept]
        same, fates = recognise(opened, look, len(kept), self.cell_m)
        before |= {int(look.fresh[row]): opened[index] for row, index in same.items()}
        self.ids = np.zeros(len(instances), np.uint32)
        rows = np.arange(len(instances))
        if self._known and part is None:  # what a map kept stays as it was
            cells = {row: track.place.cells for row, track in before.items()}
            instances, rows = shared_out(instances, cells, cloud, self.cell_m)
            before = {new: before[old] for new, old in enumerate(rows.tolist()) if old in before}
        look = look.closer(instances, rows)
        again = {track.id for track in before.values()}
        swallowed: dict[int, Fate] = dict.fromkeys(same.values(), 'claimed')
        fates = swallowed | fates
        unseen = [aged(t, fates.get(k)) for k, t in enumerate(opened) if t.id not in again]
        left = [track for track in unseen if track is not None]
        left = left[max(0, len(left) - self.max_unseen) :]
        ids = [before[row].id if row in before else self._new_id() for row in range(len(rows))]
        result = replace(instances, ids=np.array(ids, np.uint32))
        self.ids[rows] = result.ids
        new = places_now(before, left, look)
        seen = [
            seen_again(before.get(row), bare_row(result, row), new.get(row))
            for row in range(len(result))
        ]
        self._known = left + [track for track in seen if len(track.place.cells)]
        moved = {opened[k].id for k, fate in fates.items() if fate == 'gone'} & again
        self._wholes.part(moved | {track.id for track in left if track.lost})
        self._learn_parts(result, cloud, before, look)
        shown = left if cloud.frame_id else []  # without a frame it may be another place
        still = [still_there(track, result, cloud, self.cell_m) for track in shown]
        scene = result.joined(*(one for one in still if one is not None))
        return self._wholes.answered(scene, cloud)

    def resume(self, instances: Instances, cloud: PointCloud, last_id: int = 0) -> None:
        """
        Know these objects, by their ids, as if their cloud had just been seen.

        New ones count on from `last_id`, or from the greatest id there is.
        """
        self.reset()
        self._check(instances, cloud)
        occupancy = Occupancy.of(cloud, self.cell_m)
        self._known = [
            Track(bare_row(instances, row), place_of(occupancy, points), CONFIRMED)
            for row in range(len(instances))
            if len(points := instances.points_of(row))
        ]
        self.last_id = max([last_id, *(int(one) for one in instances.ids)])

    def reset(self) -> None:
        """Forget every object; ids begin at 1 again."""
        self._known = []
        self._wholes = Wholes()
        self.last_id = 0

    def _check(self, instances: Instances, cloud: PointCloud) -> None:
        if len(cloud) != instances.num_points:
            raise ValueError(
                f'instances: expected those of this cloud of {len(cloud)} points, got masks over '
                f'{instances.num_points}'
            )
        dim = instances.embeddings.shape[1]
        if cloud.frame_id != self._frame_id:
            self._known = []
            self._frame_id = cloud.frame_id
        self._known = [track for track in self._known if track.last.embeddings.shape[1] == dim]

    def _kept(self, instances: Instances, part: MapPart | None) -> dict[int, Track]:
        """Return the objects that come with their ids, by their rows."""
        if part is None:
            return {}
        known = {track.id: track for track in self._known}
        rows = np.flatnonzero(part.kept).tolist()
        return {row: known[one] for row in rows if (one := int(instances.ids[row])) in known}

    def _learn_parts(
        self, found: Instances, cloud: PointCloud, before: dict[int, Track], look: Look
    ) -> None:
        """See which of the objects found are parts of one thing: see parts_of_one."""
        sizes = {track.id: len(track.place.cells) for track in self._known}
        self._wholes.keep(sizes)
        now = dict(zip(look.fresh.tolist(), look.found.cells, strict=True))
        was = {row: track.place.cells for row, track in before.items()}
        for one, other in parts_of_one(found, cloud, was, now):
            self._wholes.join(int(found.ids[one]), int(found.ids[other]), sizes)

    def _new_id(self) -> int:
        self.last_id = self.last_id % LAST_ID + 1  # 0 is nobody's
        return self.last_id


def places_now(before: dict[int, Track], unseen: list[Track], look: Look) -> dict[int, Place]:
    """Return where the objects are that were found, by their rows: see place_after and parted."""
    covered = [track.place.cells for track in unseen if track.fate == 'claimed']
    others = np.unique(np.concatenate([NO_CELLS, *covered]))
    cells = [place.cells for place in look.found.places]
    owner = np.repeat(np.arange(len(cells)), [len(one) for one in cells])
    every = np.concatenate([NO_CELLS, *cells])
    order = np.argsort(every, kind='stable')
    every, owner = every[order], owner[order]
    result = {}
    for number, place in enumerate(look.found.places):
        row = int(look.fresh[number])
        if row in before:
            place = parted(place, others)
            place = place_after(before[row], place, every[owner != number], look.occupancy)
        result[row] = place
    return result


def seen_again(track: Track | None, found: Instances, place: Place | None) -> Track:
    """Return an object as it was found, for the first time or again; it may be where it was."""
    if track is None:
        assert place is not None
        return Track(found, place, 1)
    return Track(found, track.place if place is None else place, track.seen + 1)


def still_there(
    track: Track, found: Instances, cloud: PointCloud, cell_m: float
) -> Instances | None:
    """Return an object that was not found as a row of the scene, if it is to be in it."""
    patience = FEW_PATIENCE if track.place.buried else PATIENCE
    if track.fate in ('gone', 'claimed') or track.seen < CONFIRMED or track.missed > patience:
        return None
    points = np.empty(0, np.int32)
    if track.fate in ('missed', 'partly'):
        points = points_within(cloud, track.place.cells, cell_m)
        points = points[~np.isin(points, found.points)]
        if not len(points):
            return None
    return replace(
        track.last,
        starts=np.array([0, len(points)], np.int64),
        points=points,
        num_points=found.num_points,
    )


def bare_row(instances: Instances, row: int) -> Instances:
    """Return one instance as a list of its own, without its mask."""
    return replace(
        instances,
        starts=np.zeros(2, np.int64),
        points=np.empty(0, np.int32),
        embeddings=instances.embeddings[row : row + 1].copy(),
        quality=instances.quality[row : row + 1].copy(),
        boxes=instances.boxes.select(np.array([row])),
        ids=instances.ids[row : row + 1].copy(),
    )
