"""
Large clouds in bounded memory: overlapping tiles in plan, masks joined where they agree.

Every voxel is decided by one tile, which sees it with its surroundings; neighbouring tiles see
some of each other's voxels, and masks that are the same there are one object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import logging

import numpy as np
from numpy.typing import NDArray
import torch

from folk_ros.structures import Voxels
from folk_ros.student.face import MaskStudent, Prediction
from folk_ros.student.suppression import overlaps, suppress_pairs

log = logging.getLogger(__name__)

Ints = NDArray[np.int64]

OVERLAP = 24  # voxels seen beyond a tile's own on each side; of 4 cm: a metre
ALIGN = 32  # tiles begin at multiples: their coarser grids are those of the whole cloud
CUT_FROM, CUT_TO = 0.35, 0.65  # share of the voxels before a cut: it goes where fewest are
AGREEMENT = 0.5  # IoU in what both tiles see, from which two masks are one object


@dataclass(frozen=True)
class Tile:
    """Part of a cloud, as rows of its voxels, ascending."""

    own: Ints  # decided here; every voxel is some tile's own
    seen: Ints  # `own` and what surrounds it


def predict_in_tiles(
    student: MaskStudent, voxels: Voxels, min_quality: float, nms_iou: float, limit: int
) -> Prediction:
    """
    Segment a cloud with no more than `limit` voxels in the network at a time.

    The answer lies on the CPU. A cloud within the limit is segmented whole.
    """
    if len(voxels) <= limit:
        return student.predict(voxels, min_quality, nms_iou)
    tiles = cut(voxels.coords, limit)
    log.debug('%d voxels are segmented in %d tiles', len(voxels), len(tiles))
    found = []
    for tile in tiles:
        part = student.predict(take(voxels, tile.seen), min_quality, nms_iou)
        found.append(_brought_back(part, tile))
    return join(found, tiles, nms_iou, student.nested, student.exclusive)


def cut(coords: NDArray[np.int32], limit: int, overlap: int = OVERLAP) -> list[Tile]:
    """
    Cut voxels [V, 3] in plan into tiles that see at most `limit` voxels each.

    Tiles are halved, the longer side first, where fewest voxels are cut. A tile sees no farther
    than half its own width beyond it, so that small limits do not end in nothing but surroundings;
    a single column of voxels is never cut.
    """
    plan = coords[:, :2].astype(np.int64)
    everything = np.arange(len(coords))
    todo, done = [Tile(everything, everything)], []
    while todo:
        tile = todo.pop()
        inside = plan[tile.own]
        low, high = inside.min(0), inside.max(0)
        axis = int(np.argmax(high - low))
        if len(tile.seen) <= limit or low[axis] == high[axis]:
            done.append(tile)
            continue
        before = inside[:, axis] < _thinnest(inside[:, axis])
        halves = (tile.own[~before], tile.own[before])
        todo += [Tile(own, _around(plan, own, tile.seen, overlap)) for own in halves]
    return done


def _thinnest(places: Ints) -> int:
    """Return where to cut [V] coordinates near their middle: before the column of fewest."""
    first = int(places.min())
    columns = np.bincount(places - first)
    share = np.cumsum(columns) / len(places)
    begin = int(np.searchsorted(share, CUT_FROM)) + 1
    end = max(begin + 1, int(np.searchsorted(share, CUT_TO)) + 1)
    begin = min(begin, len(columns) - 1)
    return first + begin + int(np.argmin(columns[begin:end]))


def _around(plan: Ints, own: Ints, seen: Ints, overlap: int) -> Ints:
    """Return which rows of `seen` lie in the box of `own` or near it."""
    low, high = plan[own].min(0), plan[own].max(0)
    margin = np.minimum(overlap, (high - low + 2) // 2)
    places = plan[seen]
    return seen[((places >= low - margin) & (places <= high + margin)).all(1)]


def take(voxels: Voxels, rows: Ints) -> Voxels:
    """Keep some voxels for the network, the grid moved so that they begin near 0; no points."""
    corner = voxels.coords[rows].min(0) // ALIGN * ALIGN
    return replace(
        voxels,
        coords=voxels.coords[rows] - corner,
        rgb=voxels.rgb[rows],
        centres=voxels.centres[rows],
        point_to_voxel=np.empty(0, np.int64),
        origin=voxels.origin + corner * voxels.size_m,
    )


def _brought_back(found: Prediction, tile: Tile) -> Prediction:
    """Bring masks of a tile to the CPU and the whole cloud's rows; none that own no voxel."""
    owner, rows = found.owner.cpu().numpy(), found.rows.cpu().numpy()
    own = np.isin(tile.seen, tile.own, assume_unique=True)
    stay = np.bincount(owner[own[rows]], minlength=len(found.quality)) > 0  # [I]
    kept = stay[owner]
    return Prediction(
        torch.from_numpy((np.cumsum(stay) - 1)[owner[kept]]),
        torch.from_numpy(tile.seen[rows[kept]]),
        found.quality.float().cpu()[stay],
        found.embeddings.float().cpu()[stay],
    )


@dataclass(frozen=True)
class _Masks:
    """The masks of all tiles as pairs, and where they come from."""

    owner: Ints  # [M] which mask, ascending
    rows: Ints  # [M] which voxel of the cloud
    tile: Ints  # [I] which tile found it
    quality: NDArray[np.float32]  # [I]
    embeddings: NDArray[np.float32]  # [I, D]

    @classmethod
    def of(cls, found: list[Prediction]) -> _Masks:
        """Put the predictions of all tiles one after another."""
        counts = [len(part.quality) for part in found]
        before = np.cumsum([0, *counts[:-1]])
        return cls(
            np.concatenate([p.owner.numpy() + b for p, b in zip(found, before, strict=True)]),
            np.concatenate([part.rows.numpy() for part in found]),
            np.repeat(np.arange(len(found)), counts),
            np.concatenate([part.quality.numpy() for part in found]),
            np.concatenate([part.embeddings.numpy() for part in found]),
        )


def join(
    found: list[Prediction],
    tiles: list[Tile],
    nms_iou: float,
    nested: float = 1.0,
    exclusive: bool = False,
) -> Prediction:
    """
    Make one prediction of those of overlapping tiles; their `rows` are those of the whole cloud.

    Masks of different tiles that agree in what both see become one, in which each voxel is as its
    own tile says, if that tile has a mask there. Quality and embedding are averages, weighted by
    voxels. At last masks that overlap better ones go, as within a tile. Where voxels are
    `exclusive`, none goes to a mask of another tile that its own tile gave to some mask.
    """
    masks = _Masks.of(found)
    home = np.empty(sum(len(tile.own) for tile in tiles), np.int64)  # [V] which tile decides
    for number, tile in enumerate(tiles):
        home[tile.own] = number
    thing = _same_things(masks, tiles)  # [I]
    count = int(thing.max(initial=-1)) + 1
    knows = np.zeros((count, len(tiles)), bool)
    knows[thing, masks.tile] = True
    of, decides = thing[masks.owner], home[masks.rows]
    at_home = decides == masks.tile[masks.owner]
    kept = at_home | ~knows[of, decides]
    if exclusive:
        kept &= at_home | ~np.isin(masks.rows, masks.rows[at_home])
    owner, rows = np.divmod(np.unique(of[kept] * len(home) + masks.rows[kept]), len(home))
    weight = np.bincount(masks.owner[kept], minlength=len(thing))[:, None]  # [I, 1]
    quality = np.zeros((count, 1))
    np.add.at(quality, thing, masks.quality[:, None] * weight)
    quality = quality[:, 0] / np.bincount(thing, weight[:, 0], count)
    embeddings = np.zeros((count, masks.embeddings.shape[1]))
    np.add.at(embeddings, thing, masks.embeddings * weight)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True).clip(1e-12)
    return _without_clashes(owner, rows, quality, embeddings, nms_iou, nested)


def _without_clashes(
    owner: Ints,
    rows: Ints,
    quality: NDArray[np.float64],
    embeddings: NDArray[np.float64],
    nms_iou: float,
    nested: float,
) -> Prediction:
    """Drop masks that overlap better ones, and sort the others, best first."""
    stay = suppress_pairs(owner, rows, quality, nms_iou, nested)
    place = np.full(len(quality), -1)
    place[stay] = np.arange(len(stay))
    order = np.argsort(place[owner], kind='stable')
    order = order[np.count_nonzero(place[owner] < 0) :]
    return Prediction(
        torch.from_numpy(place[owner[order]]),
        torch.from_numpy(rows[order]),
        torch.from_numpy(quality[stay].astype(np.float32)),
        torch.from_numpy(embeddings[stay].astype(np.float32)),
    )


def _same_things(masks: _Masks, tiles: list[Tile]) -> Ints:
    """Number the objects that the masks [I] are of, the likeliest pairs being joined first."""
    first, second, shared = overlaps(masks.owner, masks.rows)
    apart = masks.tile[first] != masks.tile[second]
    first, second, shared = first[apart], second[apart], shared[apart]
    reach = _reach(masks, tiles, np.concatenate([first, second]), np.concatenate([second, first]))
    agreement = shared / (reach[: len(first)] + reach[len(first) :] - shared)
    group = np.arange(len(masks.tile))  # [I]
    members = {mask: {mask} for mask in group.tolist()}
    for pair in np.argsort(-agreement, kind='stable'):
        if agreement[pair] < AGREEMENT:
            break
        a, b = int(group[first[pair]]), int(group[second[pair]])
        both = members[a] | members[b]
        if a != b and len({int(masks.tile[mask]) for mask in both}) == len(both):
            group[list(members.pop(b))] = a  # never two masks of one tile: it told them apart
            members[a] = both
    return np.unique(group, return_inverse=True)[1].reshape(-1)


def _reach(masks: _Masks, tiles: list[Tile], whose: Ints, other: Ints) -> Ints:
    """Count the voxels of masks `whose` [P] that the tiles of masks `other` [P] see too."""
    starts = np.searchsorted(masks.owner, np.arange(len(masks.tile) + 1))
    wanted = np.stack([masks.tile[other], whose], 1)
    pairs, place = np.unique(wanted, axis=0, return_inverse=True)  # tile after tile
    counts = np.zeros(len(pairs), np.int64)
    sees = np.zeros(sum(len(tile.own) for tile in tiles), bool)
    for number in np.unique(pairs[:, 0]):
        sees[tiles[number].seen] = True
        for row in np.flatnonzero(pairs[:, 0] == number):
            mask = pairs[row, 1]
            counts[row] = np.count_nonzero(sees[masks.rows[starts[mask] : starts[mask + 1]]])
        sees[tiles[number].seen] = False
    return counts[place.reshape(-1)]
