"""What of a cloud is looked at, and which of the objects found there are known ones."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.identity import overlap_of, pair, pair_moved, Things
from folk_ros.map_tiles import MapPart
from folk_ros.places import centres, differs, glimpse_of, in_view, Occupancy, place_of
from folk_ros.structures import Boxes, Instances, PointCloud
from folk_ros.tracks import Fate, fate_of, Track

OTHERS, FEW_OTHERS = 0.8, 2  # share, and number, of the other objects that make the same view
INSIDE = 0.5  # share of an object that must lie in the part looked at, for that to speak of it
LOST_COLOUR = 30.0  # of 255: what is lost does not come back further from its colour than this
UNLIKE = 0.4  # cosine of embeddings that hardly are of one thing


@dataclass(frozen=True, eq=False)
class Look:
    """What of a cloud was looked at, and the objects found there that are to be recognised."""

    fresh: NDArray[np.int64]  # rows of the instances
    found: Things
    occupancy: Occupancy
    part: MapPart | None  # None: all of the cloud

    def closer(self, instances: Instances, rows: NDArray[np.int64]) -> Look:
        """Look closely at what is left of the objects, `rows` of those there were."""
        fresh = np.searchsorted(rows, self.fresh[np.isin(self.fresh, rows)])
        points = [instances.points_of(row) for row in fresh.tolist()]
        places = [place_of(self.occupancy, rows_in(self.part, own)) for own in points]
        found = Things(places, instances.boxes.select(fresh), instances.embeddings[fresh])
        return replace(self, fresh=fresh, found=found)


def look_at(instances: Instances, cloud: PointCloud, part: MapPart | None, cell_m: float) -> Look:
    """Look at a cloud, or at the part of it that is new; of places no more than is compared."""
    fresh = np.arange(len(instances)) if part is None else np.flatnonzero(~part.kept)
    new = instances if part is None else instances.select(fresh)
    occupancy = Occupancy.of(cloud if part is None else cloud.select(part.points), cell_m)
    points = [rows_in(part, new.points_of(row)) for row in range(len(new))]
    places = [glimpse_of(occupancy, own) for own in points]
    return Look(fresh, Things(places, new.boxes, new.embeddings), occupancy, part)


def rows_in(part: MapPart | None, points: NDArray[np.int32]) -> NDArray[np.integer]:
    """Return rows of what was looked at for points of the cloud."""
    return points if part is None else np.searchsorted(part.points, points)


def recognise(
    tracks: list[Track], look: Look, kept: int, cell_m: float
) -> tuple[dict[int, int], dict[int, Fate]]:
    """
    Return which known object is which found one (see pair), and what became of the others.

    `kept` more are known to be where they were. What lies outside the part looked at has no fate.
    """
    known = together(tracks, look.found.embeddings.shape[1])
    overlap = overlap_of(in_view(known.cells, look.occupancy.cells), look.found.cells)
    age = np.array([1 - 1 / track.seen for track in tracks])
    lost = np.array([track.lost for track in tracks], np.bool_)
    same = pair(known, look.found, overlap, age, lost)
    looked = [_in_part(track, look.part, cell_m) for track in tracks]
    same = {
        row: index
        for row, index in same.items()
        if not (looked[index] and _other_there(tracks[index], row, look))
    }
    again, others = set(same.values()), len(tracks) + kept - 1
    same_view = others >= FEW_OTHERS and len(again) + kept >= OTHERS * others
    fates: dict[int, Fate] = {}
    for index, track in enumerate(tracks):
        if index not in again and looked[index]:
            covered = overlap.known_here[index].max(initial=0.0)
            fates[index] = fate_of(track, look.occupancy, covered, same_view)
    gone = [index for index, fate in fates.items() if fate == 'gone']
    new = [row for row in range(len(look.found)) if row not in same]
    return same | pair_moved(known, look.found, overlap, gone, new), fates


def _other_there(track: Track, row: int, look: Look) -> bool:
    """
    Whether a known object is gone, and what was found there has another look and colour.

    Of what is lost another colour says enough: things seldom come back, others take their place.
    """
    found = look.found
    if track.lost and differs(track.place.colour, found.places[row].colour, LOST_COLOUR):
        return True
    if float(track.last.embeddings[0] @ found.embeddings[row]) >= UNLIKE:
        return False
    if not differs(track.place.colour, found.places[row].colour):
        return False
    return fate_of(track, look.occupancy, 0.0, same_view=False) == 'gone'


def _in_part(track: Track, part: MapPart | None, cell_m: float) -> bool:
    if part is None:
        return True
    return float(part.holds(centres(track.place.cells, cell_m)[:, :2]).mean()) >= INSIDE


def together(tracks: list[Track], dim: int) -> Things:
    """Return known objects as one list."""
    nothing = Instances.empty(dim)
    last = [nothing, *(track.last for track in tracks)]
    boxes = Boxes(
        *(np.concatenate([getattr(o.boxes, f.name) for o in last]) for f in fields(Boxes))
    )
    embeddings = np.concatenate([one.embeddings for one in last])
    return Things([track.place for track in tracks], boxes, embeddings)
