"""Small scenes for the tests of the scene memory: cubes, with or without a floor."""

from __future__ import annotations

import numpy as np

from folk_ros.scene_memory import CONFIRMED
from folk_ros.structures import Boxes, Instances, PointCloud


def make_scene(*places, size=0.5, frame_id='map', seed=0, count=400, looks=None, more=()):
    """A cloud with one cube of points per place (x, y, z), and its instances in that order."""
    rng = np.random.default_rng(seed)
    xyz = [rng.uniform(-size / 2, size / 2, (count, 3)) + place for place in places]
    cloud = PointCloud(
        np.concatenate([*xyz, np.empty((0, 3)), *more]).astype(np.float32), frame_id=frame_id
    )
    number = len(places)
    looks = np.ones((number, 1)) if looks is None else np.eye(8)[looks]
    instances = Instances(
        starts=np.arange(number + 1) * count,
        points=np.arange(number * count, dtype=np.int32),
        embeddings=looks.astype(np.float32).reshape(number, -1 if number else 1),
        quality=np.ones(number, np.float32),
        boxes=Boxes(
            np.array(places, np.float32).reshape(-1, 3),
            np.full((number, 3), size, np.float32),
            np.zeros(number, np.float32),
        ),
        ids=np.arange(1, number + 1, dtype=np.uint32),
        num_points=len(cloud),
        frame_id=frame_id,
    )
    return instances, cloud


def ids_of(memory, *places, **changes):
    return memory.update(*make_scene(*places, **changes)).ids.tolist()


def floor(low=(-2, -2), high=(4, 4), z=-0.3, seed=9):
    """Points of a floor, every 2 cm."""
    x, y = np.meshgrid(np.arange(low[0], high[0], 0.02), np.arange(low[1], high[1], 0.02))
    noise = np.random.default_rng(seed).normal(0, 0.002, x.size)
    return np.stack([x.ravel(), y.ravel(), z + noise], 1)


A, B, C, D = (0, 0, 0), (2, 0, 0), (0, 2, 0), (2, 2, 0)


def seen_often(memory, *places, **changes):
    for _ in range(CONFIRMED):
        ids_of(memory, *places, **changes)
