"""
Standing a cloud upright that comes straight from a camera.

Students know which way is up: z. In an optical frame (x right, y down, z ahead) a table lies
askew, and is found as the plane that most points lie on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud

TRIALS = 400  # planes through three points; the table holds far more than a tenth of the points
SAMPLE = 4000  # points that a trial is counted on
NEAR_M = 0.01  # a point this near lies on the plane; a depth step of a Kinect at 1.6 m is 7 mm
REFINEMENTS = 10
MIN_SHARE = 0.15  # a plane with fewer of the points is not the table
FEWEST = 1000  # points in which a table can be told
ENOUGH = 50_000  # points on which the plane is refined
WIDEST = 1.4  # half the field of view of a depth camera, as a tangent
INSIDE = 0.995  # share of the points in it
ASKEW = 0.15  # sine of the least angle between a plane and both level and upright ones

Floats = NDArray[np.float64]


def upright_turn(cloud: PointCloud) -> Floats | None:
    """
    Return how to turn a cloud that is plainly given in a camera's optical frame: table level.

    The rotation [3, 3] is for `turned`; None stands for none: where points lie outside a camera's
    view, and where the plane that holds most of them is level, upright or none.
    """
    if len(cloud) < FEWEST or not in_camera_view(cloud.xyz):
        return None
    rows = np.arange(0, len(cloud), max(len(cloud) // ENOUGH, 1))
    try:
        normal, _, _ = find_plane(cloud.xyz[rows])
    except ValueError:
        return None
    if -normal[1] < ASKEW or -normal[2] < ASKEW:
        return None
    return camera_above(normal, 0.0)[:3, :3]


def turned(cloud: PointCloud, turn: Floats | None) -> PointCloud:
    """Return a cloud turned by a rotation, `xyz @ turn.T`; the very cloud where there is none."""
    if turn is None:
        return cloud
    xyz = (cloud.xyz @ turn.T).astype(np.float32)
    return PointCloud(xyz, cloud.rgb, cloud.frame_id, cloud.stamp_ns)


def in_camera_view(xyz: NDArray[np.floating]) -> bool:
    """Tell whether a camera at the origin that looks along z would see all points [N, 3]."""
    across = np.abs(xyz[:, :2]).max(1)
    return bool((across < WIDEST * xyz[:, 2]).mean() >= INSIDE)


def find_plane(points: NDArray[Any]) -> tuple[Floats, float, float]:
    """
    Find the plane n . p + d = 0 that most points [N, 3] lie on; the origin is on its upper side.

    Returns the unit normal [3], d (the height of the origin, metres) and the share of points
    within a centimetre. The same points always give the same plane. Raises ValueError where no
    plane holds a fair share of them.
    """
    points = np.asarray(points, np.float64)
    if len(points) < 3:
        raise ValueError(f'expected a table, got {len(points)} points with coordinates')
    rng = np.random.default_rng(0)
    sample = points[rng.integers(0, len(points), SAMPLE)]
    normal, offset = _best_trial(sample, rng)
    for _ in range(REFINEMENTS):
        normal, offset = _fit(points[np.abs(points @ normal + offset) < NEAR_M])
    share = float((np.abs(points @ normal + offset) < NEAR_M).mean())
    if share < MIN_SHARE:
        raise ValueError(
            f'expected a table, but the best plane holds {share:.0%} of {len(points)} points '
            f'(at least {MIN_SHARE:.0%} are needed)'
        )
    return (-normal, -offset, share) if offset < 0 else (normal, offset, share)


def _best_trial(sample: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Return the plane through three points that most of the sample lies near."""
    first, second, third = sample[rng.integers(0, len(sample), (3, TRIALS))]
    normals = np.cross(second - first, third - first)  # [T, 3]
    lengths = np.linalg.norm(normals, axis=1)
    usable = lengths > 1e-9  # three points on a line span no plane
    if not usable.any():
        raise ValueError('expected a table, got points on one line')
    normals = normals[usable] / lengths[usable, None]
    offsets = -(normals * first[usable]).sum(1)
    counts = (np.abs(sample @ normals.T + offsets) < NEAR_M).sum(0)  # [T]
    best = int(counts.argmax())
    return normals[best], float(offsets[best])


def _fit(points: Floats) -> tuple[Floats, float]:
    """Return the plane with the least squared distance from the points [N, 3]."""
    centre = points.mean(0)
    spread = (points - centre).T @ (points - centre)
    normal = np.linalg.eigh(spread)[1][:, 0]  # eigenvalues rise: the thinnest direction is first
    return normal, -float(normal @ centre)


def camera_above(normal: Floats, height_m: float) -> Floats:
    """
    Return T_world_camera [4, 4] of an optical camera that sees a plane, given in its own frame.

    World: origin on the plane below the camera, z up along the normal, x where the camera looks
    (where it looks straight down: what is up in its image), y to the left.
    """
    looks, image_up = np.array([0.0, 0.0, 1.0]), np.array([0.0, -1.0, 0.0])
    forward = looks - (looks @ normal) * normal
    if np.linalg.norm(forward) < 0.1:
        forward = image_up - (image_up @ normal) * normal
    forward /= np.linalg.norm(forward)
    T_world_camera = np.eye(4)
    T_world_camera[:3, :3] = [forward, np.cross(normal, forward), normal]
    T_world_camera[2, 3] = height_m
    return T_world_camera
