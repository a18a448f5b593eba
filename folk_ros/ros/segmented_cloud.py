"""The cloud that people look at: every instance in a colour of its own, the rest in grey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import Instances, PointCloud

BACKGROUND = 90  # grey of the points of no instance
GOLDEN = 0.61803398875  # steps on the colour circle that never come close to each other


def paint(cloud: PointCloud, scene: Instances) -> tuple[PointCloud, NDArray[np.uint32]]:
    """
    Return the cloud in the colours of its instances, and the instance id [N] of every point.

    Id 0 is no instance. Of several instances that share a point, the better mask has it.
    """
    if scene.num_points != len(cloud):
        raise ValueError(
            f'paint: expected the cloud of the scene, {scene.num_points} points, got {len(cloud)}'
        )
    ids = np.zeros(len(cloud), np.uint32)
    rgb = np.full((len(cloud), 3), BACKGROUND, np.uint8)
    colours = colours_of(scene.ids)  # [I, 3]
    for row in np.argsort(scene.quality, kind='stable'):
        points = scene.points_of(row)
        ids[points] = scene.ids[row]
        rgb[points] = colours[row]
    return PointCloud(cloud.xyz, rgb, cloud.frame_id, cloud.stamp_ns), ids


def colours_of(ids: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return a colour [I, 3] for each id, the same in every cloud."""
    hue = ids.astype(np.float64) * GOLDEN % 1.0  # [I]
    distance = np.abs((hue[:, None] + np.array([0, 2 / 3, 1 / 3])) % 1.0 * 6 - 3)  # [I, 3]
    saturated = np.clip(distance - 1, 0, 1)
    return np.rint(255 * (0.25 + 0.75 * saturated)).astype(np.uint8)
