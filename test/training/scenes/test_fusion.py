"""Fusing views into a cloud, and what the camera loses."""

import numpy as np

from folk_ros.training.scenes.fusion import back_project, fuse, majority
from folk_ros.training.scenes.scene import View
from folk_ros.training.scenes.sensor import depth_edges, measure, photograph, SensorConfig


def view_of(depth, instance=None, pose=None, rgb=None):
    depth = np.asarray(depth, np.float32)
    k = np.array([[10, 0, 1.5], [0, 10, 1.0], [0, 0, 1]], np.float32)
    pose = np.eye(4, dtype=np.float32) if pose is None else pose
    rgb = np.zeros((*depth.shape, 3), np.uint8) if rgb is None else rgb
    return View(rgb, depth, k, pose, instance)


def test_back_projection_inverts_the_pinhole_model():
    rng = np.random.default_rng(0)
    depth = rng.uniform(0.5, 3, (3, 4))
    depth[0, 0] = 0
    pose = np.array([[0, 0, 1, 1], [-1, 0, 0, 2], [0, -1, 0, 3], [0, 0, 0, 1]], np.float32)
    points, pixels = back_project(view_of(depth, pose=pose))
    assert len(points) == 11 and 0 not in pixels
    for point, pixel in zip(points, pixels, strict=True):
        v, u = divmod(int(pixel), 4)
        x, y, z = pose[:3, :3].T @ (point - pose[:3, 3])
        assert np.isclose(z, depth[v, u], atol=1e-5)
        assert np.allclose([10 * x / z + 1.5, 10 * y / z + 1.0], [u, v], atol=1e-4)


def test_a_cell_holds_the_mean_of_its_hits_and_a_lone_hit_is_dropped():
    near, far = np.zeros((3, 4), np.float32), np.zeros((3, 4), np.float32)
    near[1, 1], far[1, 1] = 1.002, 1.006  # one 2 cm cell
    far[2, 3] = 3.0  # seen once, alone
    rgb = np.full((3, 4, 3), 10, np.uint8)
    views = [view_of(near, rgb=rgb), view_of(far, rgb=3 * rgb)]
    cloud, instance = fuse(views, 0.02)
    assert len(cloud) == 1
    assert np.allclose(cloud.xyz[0, 2], 1.004, atol=1e-5)
    assert cloud.rgb.tolist() == [[20, 20, 20]]
    assert instance.tolist() == [-1]


def test_single_hits_beside_each_other_support_each_other():
    depth = np.full((3, 4), 0.2, np.float32)  # pixels 2 cm apart
    cloud, _ = fuse([view_of(depth, np.zeros((3, 4), np.int32))], 0.02)
    assert len(cloud) >= 8


def test_views_that_measured_nothing_fuse_to_an_empty_cloud():
    cloud, instance = fuse([view_of(np.zeros((3, 4)))], 0.02)
    assert len(cloud) == 0 and len(instance) == 0


def test_majority_equals_counting_group_by_group():
    rng = np.random.default_rng(1)
    group, value = rng.integers(0, 30, 400), rng.integers(-1, 5, 400).astype(np.int32)
    slow = np.full(31, -1)
    for g in range(31):
        values, counts = np.unique(value[group == g], return_counts=True)
        if len(values):
            slow[g] = values[counts.argmax()]
    assert np.array_equal(majority(group, value, 31), slow)


def test_depth_noise_grows_with_the_square_of_depth():
    rng = np.random.default_rng(0)
    config = SensorConfig(range_m=9)
    spread = []
    for metres in (1.0, 2.0, 4.0):
        depth = np.full((90, 90), metres, np.float32)
        seen = measure(rng, depth, np.ones_like(depth), config)
        spread.append((seen[seen > 0] - metres).std())
    assert 2.5 < spread[1] / spread[0] < 6 and 2.5 < spread[2] / spread[1] < 6


def test_nothing_is_measured_beyond_the_range_or_at_grazing_angles():
    rng = np.random.default_rng(0)
    depth = np.full((40, 40), 2.0, np.float32)
    config = SensorConfig()
    assert (measure(rng, 3 * depth, np.ones_like(depth), config) == 0).all()
    assert (measure(rng, depth, np.full_like(depth, 0.02), config) == 0).all()
    seen = measure(rng, depth, np.ones_like(depth), config)
    assert (seen > 0).mean() > 0.97
    assert np.allclose(seen * 1000, np.rint(seen * 1000), atol=1e-3)


def test_edges_lie_on_both_sides_of_a_jump():
    depth = np.full((5, 6), 1.0, np.float32)
    depth[:, 3:] = 2.0
    assert depth_edges(depth).any(0).tolist() == [False, False, True, True, False, False]


def test_a_photograph_keeps_bright_brighter_than_dark():
    rng = np.random.default_rng(0)
    light = np.zeros((20, 20, 3), np.float32)
    light[:, 10:] = 0.6
    rgb = photograph(rng, light, SensorConfig())
    assert rgb.dtype == np.uint8 and rgb[:, 10:].mean() > rgb[:, :10].mean() + 80
