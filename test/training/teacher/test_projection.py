from __future__ import annotations

import numpy as np

from folk_ros.training.scenes.scene import View
from folk_ros.training.teacher.projection import count_pixels, project, seen_points, SeenPoints

INTRINSICS = np.array([[10, 0, 4], [0, 20, 3], [0, 0, 1]], np.float32)


def view(depth=2.0, pose=None, shape=(6, 8)):
    pose = np.eye(4, dtype=np.float32) if pose is None else pose
    rgb = np.zeros((*shape, 3), np.uint8)
    return View(rgb, np.full(shape, depth, np.float32), INTRINSICS, pose)


def test_a_point_falls_where_the_pinhole_says():
    pixel, depth = project(np.array([[0.2, -0.1, 2.0]], np.float32), view())
    assert np.allclose(pixel, [[10 * 0.2 / 2 + 4, 20 * -0.1 / 2 + 3]])
    assert np.allclose(depth, [2.0])


def test_the_pose_takes_camera_to_world():
    # the camera stands at x = 1 and looks along world x: its z is world x, its x is world -y
    pose = np.array([[0, 0, 1, 1], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], np.float32)
    pixel, depth = project(np.array([[3.0, -0.4, 0.2]], np.float32), view(pose=pose))
    assert np.allclose(depth, [2.0])
    assert np.allclose(pixel, [[10 * 0.4 / 2 + 4, 20 * -0.2 / 2 + 3]], atol=1e-6)


def test_points_behind_the_camera_or_beside_the_image_are_not_seen():
    xyz = np.array([[0, 0, 2], [0, 0, -2], [0, 0, 0], [9, 0, 2], [-1, 0, 2]], np.float32)
    assert seen_points(xyz, view(), 0.1).index.tolist() == [0]


def test_a_point_behind_the_measured_surface_is_not_seen():
    xyz = np.array([[0, 0, 2.05], [0, 0, 2.2], [0, 0, 1.8]], np.float32)
    assert seen_points(xyz, view(depth=2.0), 0.1).index.tolist() == [0]


def test_where_no_depth_was_measured_nothing_is_seen():
    assert not len(seen_points(np.array([[0, 0, 0.05]], np.float32), view(depth=0.0), 0.1).index)


def test_seen_pixels_are_row_times_width_plus_column():
    seen = seen_points(np.array([[0.2, -0.1, 2.0]], np.float32), view(), 0.1)
    assert seen.pixel.tolist() == [2 * 8 + 5]


def test_pixels_are_counted_once_per_instance_and_strays_not_at_all():
    seen = SeenPoints(np.array([0, 1, 2, 3, 4]), np.array([7, 7, 7, 9, 9]))
    owner = np.array([0, 0, 1, 1, -1], np.int32)
    assert count_pixels(seen, owner, 3, 48).tolist() == [1, 2, 0]
