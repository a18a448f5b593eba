"""
An object that is known, and what became of it when a cloud does not show it.

The points where it was and those that were around it tell its fates apart:
- gone: its surroundings are there again, and where it was is nothing;
- claimed: another object covers its place, as after a merge;
- missed: what is there is not covered by a mask; partly, if it is clearly less than was;
- hidden: its surroundings are not there either, so it is out of view.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from folk_ros.places import beside, Cells, contains, differs, mean_colour, Occupancy, Place
from folk_ros.structures import Instances

FILLED, EMPTY = 0.5, 0.15  # shares of its cells: something is there, nothing is there
COVERED = 0.5  # share of its cells that another object claims
AROUND = 0.35  # share of its surroundings that must be seen again to call a place empty
ALL_AROUND = 0.8  # and to call what is missing of an object gone
WHOLE = 0.7  # share of its cells by which an object counts as seen whole
FEW_AROUND = 10  # cells; fewer surroundings say nothing
MAX_MISSED = 30  # what misses may add up to before an object is forgotten

Fate = Literal['seen', 'gone', 'claimed', 'missed', 'partly', 'hidden']
# What each counts: what is gone is out of the scene at once, but may come back.
MISSES: dict[Fate, int] = {'missed': 1, 'claimed': 1, 'partly': 5, 'gone': 3}


@dataclass(frozen=True, eq=False)
class Track:
    """An object as it was when it was last seen."""

    last: Instances  # one row, without its points
    place: Place
    seen: int  # clouds that showed it
    missed: int = 0  # clouds since then that did not, though it was in view: see MISSES
    fate: Fate = 'seen'  # in the last cloud that could tell

    @property
    def id(self) -> int:
        """Its id."""
        return int(self.last.ids[0])

    @property
    def lost(self) -> bool:
        """Whether it has been gone for more than one cloud."""
        return self.fate == 'gone' and self.missed > MISSES['gone']


def fate_of(track: Track, occupancy: Occupancy, covered: float, same_view: bool) -> Fate:
    """
    Say what became of an object that no mask of a cloud is.

    `covered` is the share of its cells that one found object fills. `same_view` says that nearly
    all other objects are seen: the word of those counts where it had nothing around it.
    """
    place, known = track.place, len(track.place.ring) >= FEW_AROUND
    # Where the surroundings are to the cell where they were, so is what is still there.
    exact = known and contains(occupancy.cells, place.ring).mean() >= AROUND
    own = place.cells if place.flat else place.core  # what lies flat shares them with its support
    filled = (contains if exact else beside)(occupancy.cells, own).mean()
    around = beside(occupancy.cells, place.ring).mean() if known else float(same_view)
    if filled < EMPTY:
        return 'gone' if around >= AROUND else 'hidden'
    if filled < FILLED:
        return 'gone' if known and around >= ALL_AROUND else 'partly'
    if covered >= COVERED:
        return 'claimed'
    if place.flat and differs(place.colour, colour_there(place, occupancy)):
        return 'gone'
    return 'missed'


def aged(track: Track, fate: Fate | None) -> Track | None:
    """Return an object after another cloud that did not show it; None if it is forgotten."""
    if fate is None:  # nobody looked
        return track
    missed = track.missed + MISSES.get(fate, 0)
    if missed > MAX_MISSED:
        return None
    told = track.fate if fate == 'hidden' and track.fate in ('gone', 'claimed') else fate
    return replace(track, missed=missed, fate=told)


def place_after(track: Track, now: Place, claimed: Cells, occupancy: Occupancy) -> Place:
    """
    Return where an object that was found again is.

    What lies in the cells that other found objects claim, or that known ones it was merged with
    did, is not its own. A part of it does not make it smaller, unless the rest is claimed or
    clearly gone.
    """
    was = track.place
    if len(now.cells) >= WHOLE * len(was.cells):
        return now
    missing = was.cells[~beside(now.cells, was.cells)]
    if not len(missing) or contains(claimed, missing).mean() >= COVERED:
        return now
    empty = contains(occupancy.cells, missing).mean() < EMPTY
    if empty and len(was.ring) and beside(occupancy.cells, was.ring).mean() >= ALL_AROUND:
        return now
    return was


def parted(place: Place, others: Cells) -> Place:
    """Return a place without the cells of other objects, if enough is left of it."""
    own = ~contains(others, place.cells)
    if own.all() or own.mean() < 1 - COVERED:
        return place
    return replace(place, cells=place.cells[own], core=place.core[~contains(others, place.core)])


def colour_there(place: Place, occupancy: Occupancy) -> NDArray[np.float32] | None:
    """Return the mean colour of what fills a place now."""
    return mean_colour(occupancy.cloud, occupancy.index.points_in(place.cells))
