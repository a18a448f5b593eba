"""Which views speak for an instance: the most visible ones that differ (FOLK Eq. 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rotation_angle(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Return the angle between two rotation matrices, radians in [0, pi]."""
    cosine = (np.trace(a.astype(np.float64).T @ b.astype(np.float64)) - 1) / 2
    return float(np.arccos(np.clip(cosine, -1, 1)))


def select_views(
    visibility: NDArray[np.int64],
    rotations: NDArray[np.floating],
    count: int,
    min_angle_rad: float,
) -> list[int]:
    """
    Choose views for one instance, most visible first.

    Takes visible pixels [V] and camera rotations [V, 3, 3]. Of the `count` most visible views a
    view is dropped if it is turned by less than `min_angle_rad` from one already kept; views that
    see nothing are never chosen. Equal views are taken in their order.
    """
    ranked = np.argsort(-visibility, kind='stable')[:count]
    kept: list[int] = []
    for view in ranked:
        angles = (rotation_angle(rotations[view], rotations[other]) for other in kept)
        if visibility[view] > 0 and all(angle >= min_angle_rad for angle in angles):
            kept.append(int(view))
    return kept
