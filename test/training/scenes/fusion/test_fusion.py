"""Fusing views into a cloud: points, colours and instances."""

import numpy as np
import pytest

from folk_ros.training.scenes.fusion.fuse import back_project, fuse, Votes
from folk_ros.training.scenes.views import View


def view_of(depth, instance=None, pose=None, rgb=None, focal=40.0):
    depth = np.asarray(depth, np.float32)
    height, width = depth.shape
    k = np.array(
        [[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]], np.float32
    )
    pose = np.eye(4, dtype=np.float32) if pose is None else pose
    rgb = np.zeros((*depth.shape, 3), np.uint8) if rgb is None else rgb
    return View(rgb, depth, k, pose, instance)


def wall(metres=1.0, side=40, **more):
    return view_of(np.full((side, side), metres), **more)


def test_back_projection_inverts_the_pinhole_model():
    rng = np.random.default_rng(0)
    depth = rng.uniform(0.5, 3, (3, 4))
    depth[0, 0] = 0
    pose = np.array([[0, 0, 1, 1], [-1, 0, 0, 2], [0, -1, 0, 3], [0, 0, 0, 1]], np.float32)
    points, pixels = back_project(view_of(depth, pose=pose, focal=10.0))
    assert len(points) == 11 and 0 not in pixels
    for point, pixel in zip(points, pixels, strict=True):
        v, u = divmod(int(pixel), 4)
        x, y, z = pose[:3, :3].T @ (point - pose[:3, 3])
        assert np.isclose(z, depth[v, u], atol=1e-5)
        assert np.allclose([10 * x / z + 1.5, 10 * y / z + 1.0], [u, v], atol=1e-4)


def test_a_point_has_the_mean_colour_of_the_pixels_that_measured_it():
    dark, light = (np.full((40, 40, 3), c, np.uint8) for c in (10, 30))
    cloud, instance = fuse([wall(rgb=dark), wall(rgb=light)], 0.02)
    assert len(cloud) > 1500 and (cloud.rgb == 20).all()
    assert np.abs(cloud.xyz[:, 2] - 1).max() < 0.002
    assert (instance == -1).all()  # the views know of none


def test_a_point_belongs_to_what_most_of_its_views_show():
    left = np.zeros((40, 40), np.int32)
    left[:, 20:] = 3
    other = np.full((40, 40), 5, np.int32)
    cloud, instance = fuse([wall(instance=left), wall(instance=other), wall(instance=left)], 0.02)
    clear = np.abs(cloud.xyz[:, 0]) > 0.02
    assert set(instance) == {0, 3}
    assert np.array_equal(instance[clear] == 3, cloud.xyz[clear, 0] > 0)


def test_points_measured_by_too_few_views_are_dropped():
    half = np.full((40, 40), 1.0)
    half[:, 20:] = 0
    views = [wall(), view_of(half)]
    all_points, _ = fuse(views, 0.02)
    twice, _ = fuse(views, 0.02, min_views=2)
    assert (twice.xyz[:, 0] < 0.03).all() and 0.4 < len(twice) / len(all_points) < 0.6


def test_the_order_of_the_views_does_not_matter():
    rng = np.random.default_rng(0)
    views = [view_of(rng.normal(1, 0.01, (30, 30))) for _ in range(4)]
    one, two = fuse(views, 0.03)[0], fuse(views[::-1], 0.03)[0]
    assert len(one) == len(two)
    assert np.abs(one.xyz - two.xyz).max() < 2e-4


def test_views_that_measured_nothing_fuse_to_an_empty_cloud():
    cloud, instance = fuse([view_of(np.zeros((3, 4)))], 0.02)
    assert len(cloud) == 0 and len(instance) == 0
    assert len(fuse([], 0.02)[0]) == 0


def test_a_pose_that_is_not_finite_is_named():
    lost = np.full((4, 4), -np.inf, np.float32)
    with pytest.raises(ValueError, match='view 1'):
        fuse([wall(), wall(pose=lost)], 0.02)


@pytest.mark.parametrize('merge', [50, 1 << 20])
def test_votes_equal_counting_thing_by_thing(merge, monkeypatch):
    monkeypatch.setattr('folk_ros.training.scenes.fusion.fuse.MERGE', merge)
    rng = np.random.default_rng(1)
    votes, slow = Votes(31), np.zeros((31, 7))
    for _ in range(9):
        rows = rng.permutation(30)[:20]
        labels, weight = rng.integers(-1, 6, 20).astype(np.int32), rng.uniform(0.5, 2, 20)
        votes.add(rows, labels, weight.astype(np.float32))
        np.add.at(slow, (rows, labels + 1), weight.astype(np.float32))
    assert np.array_equal(votes.winners(), np.where(slow.any(1), slow.argmax(1) - 1, -1))
