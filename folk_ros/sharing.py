"""
Points that several masks of a cloud claim: each goes to one object, if possible the one it was of.

A student cuts a thing differently from cloud to cloud, and where its masks overlap, now this one
is nearly the whole thing and now that one. So what was of an object stays with it, unless another
mask is clearly better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.places import Cells, cells_of, contains
from folk_ros.structures import Instances, PointCloud

HELD = 0.3  # of quality: what it is worth to have had a point before
LEFT = 0.5  # share of a mask; one that keeps less is a piece of other objects


def shared_out(
    instances: Instances, before: Mapping[int, Cells], cloud: PointCloud, cell_m: float
) -> tuple[Instances, NDArray[np.int64]]:
    """
    Give each point to the best of the instances that claim it; return what is left, and of whom.

    `before` says which cells the objects filled that some rows are. With its points an instance
    loses quality in proportion; its box stays as it is. The rows [K] are those of the instances
    that keep enough.
    """
    owner = np.repeat(np.arange(len(instances)), instances.point_counts)
    claims = np.bincount(instances.points, minlength=instances.num_points)
    at = np.flatnonzero(claims[instances.points] > 1)  # [C] claims that are not the only one
    if not len(at):
        return instances, np.arange(len(instances))
    points, rows = instances.points[at], owner[at]
    worth = instances.quality[rows].astype(np.float64)
    cells = cells_of(cloud.xyz[points], cell_m)
    for row in np.unique(rows).tolist():
        if row in before:
            own = rows == row
            worth[own] += HELD * contains(before[row], cells[own])
    order = np.lexsort((-worth, points))  # the best of each point first
    again = np.flatnonzero(points[order][1:] == points[order][:-1]) + 1
    stays = np.ones(len(owner), np.bool_)
    stays[at[order[again]]] = False
    counts = np.bincount(owner[stays], minlength=len(instances))
    left = counts / instances.point_counts.clip(1)
    result = replace(
        instances,
        starts=np.concatenate([[0], np.cumsum(counts)]),
        points=instances.points[stays],
        quality=(instances.quality * left).astype(np.float32),
    )
    enough = np.flatnonzero((left >= LEFT) | (instances.point_counts == 0))
    return result.select(enough), enough
