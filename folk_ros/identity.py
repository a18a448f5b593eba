"""
Which of the objects known is which of those found: overlap in the fixed frame first, looks second.

Rules: an object is where it was. Of several that claim one found object, or the other way round,
those that overlap best become pairs, all of them weighed together; so of a thing that falls into
parts the largest keeps its identity, and of things that become one the largest gives it. Looks
decide where overlap says little: a part that grew, a thing that slid by less than its own size.
And what is gone from one place and, at the same time, new at another near by is the same thing
if it looks the same, has the same colour and is as large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.places import Cells, differs, Place, same_colour, sampled, STEPS
from folk_ros.structures import Boxes

Floats = NDArray[np.float64]

MIN_OVERLAP = 0.25  # intersection over union, cells beside each other counting as the same
SOME_OVERLAP = 0.1  # the same for what looks alike
INSIDE = 0.6  # share of the smaller one that lies in the larger
WITHIN = 0.7  # share of a found object in or beside a known one that makes it a part of it
ALIKE = 0.6  # cosine of embeddings that may be of the same thing
LEAST = 1e-6  # weight of a pair that does not overlap
LOOKS = 1.5  # what looks weigh beside overlap, and
AGE = 1.0  # what having been known for long does
TWIN = 0.85  # cosine of embeddings that are hardly of two things
MOVED_LOOK, MOVED_SIZE, MOVED_M = 0.65, 1.7, 3.0  # least cosine, most times as large, metres
ASIDE_LOOK, ASIDE_SIZE, ASIDE_M = 0.3, 2.0, 1.0  # the same for what was but pushed aside,
ASIDE_COLOUR = 16.0  # of 255: if its mean colour is no further from what it was
ROUGH_M = 0.05  # what boxes say of lengths
APART = 0.2  # share of a new thing in or beside a known one that looks alike; more is that one
EXACT_ROWS = 300  # a larger knot of claims is solved by the best pair first


@dataclass(frozen=True, eq=False)
class Things:
    """Some objects, known or found, row by row."""

    places: Sequence[Place]
    boxes: Boxes  # [I]
    embeddings: NDArray[np.float32]  # [I, D]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def cells(self) -> list[Cells]:
        """What each of them fills."""
        return [place.cells for place in self.places]


@dataclass(frozen=True, eq=False)
class Overlap:
    """How known objects [K] and found ones [I] share their cells; everything is [K, I]."""

    iou: Floats  # of cells
    near_iou: Floats  # the same where cells beside each other count as one
    known_here: Floats  # share of the known object in the found one
    known_inside: Floats  # share of it in or beside the found one
    found_here: Floats  # share of the found object in the known one
    found_inside: Floats

    @property
    def score(self) -> Floats:
        """
        How much speaks for each pair, in [0, 1].

        What lies inside counts too: a cloud may show but a part of an object.
        """
        inside = np.maximum(self.known_inside, self.found_inside)
        return np.asarray(0.35 * self.iou + 0.35 * self.near_iou + 0.3 * inside)


def overlap_of(known: Sequence[Cells], found: Sequence[Cells]) -> Overlap:
    """Compare sets of cells; some cells of each large set are looked up, and stand for all."""
    here, near = shares(known, found)
    back, near_back = (share.T for share in shares(found, known))
    return Overlap(
        iou=_union_share(here, back),
        near_iou=_union_share(near, near_back),
        known_here=here,
        found_here=back,
        known_inside=near,
        found_inside=near_back,
    )


def _union_share(of_one: Floats, of_other: Floats) -> Floats:
    """Intersection over union from the shares of either set that lie in the other."""
    with np.errstate(divide='ignore'):
        union = 1 / of_one + 1 / of_other - 1
    return np.where((of_one > 0) & (of_other > 0), 1 / union, 0.0)


def shares(these: Sequence[Cells], those: Sequence[Cells]) -> tuple[Floats, Floats]:
    """Return which share [K, I] of each set lies in each other one; and in or beside it."""
    here, near = np.zeros((2, len(these), len(those)))
    samples = [sampled(cells) for cells in these]
    if not sum(map(len, samples)) or not sum(map(len, those)):
        return here, near
    asked, target = np.concatenate(samples), np.concatenate(those)
    order = np.argsort(target, kind='stable')
    target = target[order]
    owner = np.repeat(np.arange(len(those)), [len(cells) for cells in those])[order]
    asker = np.repeat(np.arange(len(these)), [len(cells) for cells in samples])
    wanted = asked[:, None] + STEPS  # [S, 7]
    first = np.searchsorted(target, wanted)
    amount = np.searchsorted(target, wanted, 'right') - first
    rows, total = np.repeat(np.arange(wanted.size), amount.ravel()), int(amount.sum())
    within = np.arange(total) - np.repeat(
        np.cumsum(amount.ravel()) - amount.ravel(), amount.ravel()
    )
    hit = owner[np.repeat(first.ravel(), amount.ravel()) + within]
    point, step = np.divmod(rows, len(STEPS))
    _count(here, asker[point[step == 0]], hit[step == 0])
    once = np.unique(point * len(those) + hit)  # several cells beside it may be of one set
    _count(near, asker[once // len(those)], once % len(those))
    sizes = np.maximum([len(cells) for cells in samples], 1)[:, None]
    return here / sizes, near / sizes


def _count(into: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
    into += np.bincount(rows * into.shape[1] + columns, minlength=into.size).reshape(into.shape)


def pair(
    known: Things, found: Things, overlap: Overlap, age: Floats, lost: NDArray[np.bool_]
) -> dict[int, int]:
    """
    Return which known object (value) each found one (key) is; every one at most once.

    `age` [K] in [0, 1] says how long each has been known: of two equal claims the older one wins.
    What is `lost` [K] from where it was must look alike, or another thing came there.
    """
    if not len(known) or not len(found):
        return {}
    look = (known.embeddings @ found.embeddings.T).astype(np.float64)  # [K, I]
    inside = np.maximum(overlap.known_inside, overlap.found_inside) >= INSIDE
    holds = held(known.boxes, found.boxes)  # a centre; both ways, or what looks the same
    both = holds & held(found.boxes, known.boxes).T
    some = inside | both | (overlap.near_iou >= SOME_OVERLAP)
    by_look = (look >= ALIKE) & some | (look >= TWIN) & holds
    # A part looks like anything: where most of it lies says enough.
    part = np.maximum(overlap.known_here, overlap.found_here) >= INSIDE
    part |= overlap.found_inside >= WITHIN
    allowed = (overlap.near_iou >= MIN_OVERLAP) | part | by_look
    allowed &= ~lost[:, None] | (look >= ALIKE)
    # Squared: one good pair is worth more than two poor ones.
    weight = overlap.score**2 * (1 + LOOKS * look.clip(-1, 1) + AGE * age[:, None])
    return {
        new: old for old, new in best_pairs(np.where(allowed, weight + LEAST * (2 + look), 0.0))
    }


def pair_moved(
    known: Things, found: Things, overlap: Overlap, gone: Sequence[int], new: Sequence[int]
) -> dict[int, int]:
    """
    Return which known objects that are gone (values) are which new ones (keys), elsewhere.

    Close by, a thing may look less like it was, from another side, if its colour says the same.
    """
    looks = known.embeddings @ found.embeddings.T  # [K, I]
    near = np.maximum(overlap.known_inside, overlap.found_inside) * (looks >= ALIKE)
    near[np.array(gone, np.int64)] = 0.0
    new = [row for row in new if near[:, row].max(initial=0.0) < APART]
    old_rows, new_rows = np.array(gone, np.int64), np.array(new, np.int64)
    look = looks[np.ix_(old_rows, new_rows)]
    was, now = known.boxes.select(old_rows), found.boxes.select(new_rows)
    away = np.linalg.norm(was.centre[:, None] - now.centre[None], axis=-1)
    large, small = (np.sort(boxes.size, 1) + ROUGH_M for boxes in (was, now))
    growth = np.exp(np.abs(np.log(large[:, None] / small[None])).max(-1))
    alike = (look >= MOVED_LOOK) & (away <= MOVED_M) & (growth <= MOVED_SIZE)
    aside = (look >= ASIDE_LOOK) & (away <= ASIDE_M) & (growth <= ASIDE_SIZE)
    for i, j in np.argwhere(alike | aside).tolist():
        one, other = known.places[gone[i]].colour, found.places[new[j]].colour
        alike[i, j] &= not differs(one, other)
        alike[i, j] |= aside[i, j] and same_colour(one, other, ASIDE_COLOUR)
    pairs = best_pairs(np.where(alike, look / (1 + away), 0.0))
    return {new[column]: gone[row] for row, column in pairs}


def held(boxes: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Whether boxes [K] hold the centres of others [I], as [K, I]."""
    away = others.centre[None] - boxes.centre[:, None]  # [K, I, 3]
    return _holds(away, boxes.size[:, None], boxes.yaw[:, None])


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


def best_pairs(weight: Floats) -> list[tuple[int, int]]:
    """
    Choose pairs of rows and columns of greatest total weight [K, I]; weight 0 is no pair.

    Each knot of rows and columns that claim each other is solved by itself.
    """
    pairs = []
    for rows, columns in knots(weight > 0):
        part = weight[np.ix_(rows, columns)]
        chosen = greedy(part) if min(part.shape) > EXACT_ROWS else assign(part)
        pairs += [(int(rows[r]), int(columns[c])) for r, c in chosen if part[r, c] > 0]
    return sorted(pairs)


def knots(allowed: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Part rows and columns [K, I] into groups that claim each other; lone ones are left out."""
    label = np.where(allowed.any(1), np.arange(len(allowed)), len(allowed))  # [K] smallest row
    while True:
        of_column = np.where(allowed, label[:, None], len(allowed)).min(0, initial=len(allowed))
        reached = np.where(allowed, of_column[None], len(allowed)).min(1, initial=len(allowed))
        if (reached == label).all():
            break
        label = reached
    return [
        (np.flatnonzero(label == one), np.flatnonzero(of_column == one))
        for one in np.unique(label[label < len(allowed)])
    ]


def greedy(weight: Floats) -> list[tuple[int, int]]:
    """Take the best pair, then the best of what is left, and so on."""
    left, pairs = weight.copy(), []
    while left.size and left.max() > 0:
        row, column = (int(k) for k in np.unravel_index(left.argmax(), left.shape))
        pairs.append((row, column))
        left[row], left[:, column] = 0, 0
    return pairs


def assign(weight: Floats) -> list[tuple[int, int]]:
    """Choose one column for each row, or one row for each column, of greatest total weight."""
    if weight.shape[0] > weight.shape[1]:
        return [(row, column) for column, row in assign(weight.T)]
    rows, columns = weight.shape
    cost = np.zeros((rows + 1, columns + 1))  # row and column 0 are auxiliary
    cost[1:, 1:] = -weight
    potential, price = np.zeros(rows + 1), np.zeros(columns + 1)
    row_of = np.zeros(columns + 1, np.int64)
    for row in range(1, rows + 1):  # the Hungarian method, by shortest augmenting paths
        row_of[0], column = row, 0
        least, before = np.full(columns + 1, np.inf), np.zeros(columns + 1, np.int64)
        used = np.zeros(columns + 1, np.bool_)
        while row_of[column]:
            used[column] = True
            at = row_of[column]
            reduced = np.where(used, np.inf, cost[at] - potential[at] - price)
            before[reduced < least] = column
            least = np.minimum(least, reduced)
            nearest = int(np.where(used, np.inf, least)[1:].argmin()) + 1
            step = least[nearest]
            potential[row_of[used]] += step
            price[used] -= step
            least[~used] -= step
            column = nearest
        while column:
            row_of[column] = row_of[before[column]]
            column = int(before[column])
    return [(int(row) - 1, column) for column, row in enumerate(row_of[1:]) if row]
