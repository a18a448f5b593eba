"""
Points that several masks of a cloud claim: each goes to one object, if possible the one it was of.

A student cuts a thing differently from cloud to cloud, and where its masks overlap, now this one
is nearly the whole thing and now that one. So what was of an object stays with it, unless another
mask is clearly better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.instances import TRIM
from folk_ros.places import Cells, cells_of, contains
from folk_ros.structures import Boxes, Instances, PointCloud

HELD = 0.3  # of quality: what it is worth to have had a point before
LEFT = 0.5  # share of a mask; one that keeps less is a piece of other objects
BOX_SAMPLE = 4000  # points of an instance from which its box is made anew


def shared_out(
    instances: Instances, before: Mapping[int, Cells], cloud: PointCloud, cell_m: float
) -> tuple[Instances, NDArray[np.int64]]:
    """
    Give each point to the best of the instances that claim it; return what is left, and of whom.

    `before` says which cells the objects filled that some rows are. With its points an instance
    loses quality in proportion, and its box shrinks around the others. The rows [K] are those of
    the instances that keep enough.
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
    result = result.select(enough)
    less = np.flatnonzero(result.point_counts < instances.point_counts[enough])
    return replace(result, boxes=refitted(result, less.tolist(), cloud)), enough


def refitted(instances: Instances, rows: Sequence[int], cloud: PointCloud) -> Boxes:
    """Return the boxes, those of some rows drawn anew around their points, turned as before."""
    boxes = instances.boxes.select(np.arange(len(instances)))
    for row in rows:
        points = instances.points_of(row)
        if not len(points):
            continue
        xyz = cloud.xyz[points[:: -(-len(points) // BOX_SAMPLE)]].astype(np.float64)
        yaw = float(boxes.yaw[row])
        cos, sin = np.cos(yaw), np.sin(yaw)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        low, high = np.quantile(xyz @ turn, [TRIM, 1 - TRIM], axis=0)  # along the box's axes
        size = high - low
        boxes.centre[row] = turn @ ((low + high) / 2)
        if size[1] > size[0]:  # the long side leads
            size = size[[1, 0, 2]]
            boxes.yaw[row] = yaw - np.pi / 2 if yaw > 0 else yaw + np.pi / 2
        boxes.size[row] = size
    return boxes
