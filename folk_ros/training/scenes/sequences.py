"""
What a robot sees of one room over time: a map that grows, a camera that returns, a room changed.

The clouds of a sequence lie in one frame. Instances are rows of the objects that were in the room
at first: they mean the same object in every cloud, also where it was pushed aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.filming.camera_path import Surroundings, walk
from folk_ros.training.scenes.filming.film import film, Lens, Stage
from folk_ros.training.scenes.fusion.depth_image import DepthImage
from folk_ros.training.scenes.fusion.fuse import fuse
from folk_ros.training.scenes.objects.blueprint import Rng
from folk_ros.training.scenes.rooms.changes import Change, change
from folk_ros.training.scenes.synthetic import build_room, RoomConfig
from folk_ros.training.scenes.views import View

BEHIND_M = 0.1  # a view that measures so far behind a point looks through where it was
EMPTY = 0.5  # share of an object's points that views must look through to see it gone


@dataclass(frozen=True)
class SequenceConfig:
    """How a sequence is made; counts are of views."""

    room: RoomConfig = field(default_factory=lambda: RoomConfig(novel=True))
    growing: tuple[int, ...] = (4, 7, 10, 14, 20)  # the map holds the first so many
    windows: tuple[tuple[int, int], ...] = ((0, 4), (10, 14), (0, 4))  # from and to
    changed: tuple[int, ...] = (5, 10, 16, 20)  # of the map made anew after the change
    removed: int = 2
    moved: int = 2


@dataclass(frozen=True)
class Step:
    """One cloud of a sequence."""

    phase: str  # 'growing', 'window' or 'changed'
    cloud: PointCloud
    instance: NDArray[np.int32]  # [N] object of each point, -1 none
    names: tuple[str, ...]  # of the objects
    change: Change = Change(frozenset(), frozenset())  # to the room, since the beginning
    seen_empty: frozenset[int] = frozenset()  # removed, and the views looked through the place


def make_sequence(seed: int, config: SequenceConfig | None = None) -> list[Step]:
    """Make the clouds of one room: the same seed and config give the same bytes."""
    config = config or SequenceConfig()
    build, stroll, sense, alter = np.random.default_rng(seed).spawn(4)
    built = build_room(build, config.room)
    count = max([*config.growing, *(end for _, end in config.windows)])
    views = shoot(built.stage, built.around, config.room, count, (stroll, sense))
    names = tuple(item.category.name for item in built.room.placed)
    cell_m = config.room.cell_m
    steps = [_step('growing', views[:end], cell_m, names) for end in config.growing]
    grown = steps[-1]
    steps += [_step('window', views[slice(*ends)], cell_m, names) for ends in config.windows]
    if not config.changed:
        return steps
    known = set(np.unique(grown.instance).tolist()) - {-1}
    stage, around, what = change(
        alter, built.stage, built.around, known, config.removed, config.moved
    )
    places = {row: grown.cloud.xyz[grown.instance == row] for row in what.removed}
    views = shoot(stage, around, config.room, max(config.changed), (stroll, sense))
    for end in config.changed:
        step = _step('changed', views[:end], cell_m, names)
        empty = {row for row, xyz in places.items() if looked_through(xyz, views[:end])}
        steps.append(replace(step, change=what, seen_empty=frozenset(empty)))
    return steps


def shoot(
    stage: Stage, around: Surroundings, config: RoomConfig, count: int, rngs: tuple[Rng, Rng]
) -> list[View]:
    """Walk through a room with the camera."""
    lens = Lens(config.width, config.height, config.field_of_view_deg)
    poses = walk(rngs[0], around, count, lens.tangents)
    return film(rngs[1], stage, lens, poses, config.sensor)


def _step(phase: str, views: Sequence[View], cell_m: float, names: tuple[str, ...]) -> Step:
    cloud, instance = fuse(views, cell_m)
    return Step(phase, replace(cloud, frame_id='map'), instance, names)


def looked_through(xyz: NDArray[np.float32], views: Sequence[View]) -> bool:
    """Whether views measured something behind most of the points [M, 3]."""
    through = np.zeros(len(xyz), np.bool_)
    for view in views:
        image = DepthImage(view)
        own = ((xyz - image.o) @ image.R).astype(np.float32)
        z = np.maximum(own[:, 2], np.float32(1e-3))
        through |= image.depth.take(image.pixel(own[:, 0], own[:, 1], z)) > own[:, 2] + BEHIND_M
    return bool(len(xyz)) and float(through.mean()) >= EMPTY
