import numpy as np
import pytest

from folk_ros.structures import PointCloud
from folk_ros.upright import camera_above, in_camera_view, turned, upright_turn


def stand_upright(cloud):
    turn = upright_turn(cloud)
    return turned(cloud, turn), turn


def table_seen(tilt_deg, seed=0):
    """Return a table with a box, as a camera sees it, and the way up in the camera's frame."""
    rng = np.random.default_rng(seed)
    flat = np.c_[rng.uniform(-0.5, 0.5, (4000, 2)), rng.normal(0, 0.002, 4000)]
    box = np.c_[rng.uniform(-0.1, 0.1, (1500, 2)), rng.uniform(0, 0.2, 1500)]
    tilt = np.deg2rad(tilt_deg)
    up = np.array([0.0, -np.cos(tilt), -np.sin(tilt)])
    T = camera_above(up, 1.2)
    ahead = np.array([1.2 / np.tan(tilt), 0, 0])  # the camera looks at the box
    world = np.concatenate([flat, box]) + ahead
    return ((world - T[:3, 3]) @ T[:3, :3]).astype(np.float32), up


@pytest.mark.parametrize('tilt_deg', [25, 40, 60, 75])
def test_a_table_in_an_optical_frame_is_turned_level(tilt_deg):
    seen, up = table_seen(tilt_deg)
    rgb = np.random.default_rng(1).integers(0, 255, seen.shape).astype(np.uint8)
    cloud, rotation = stand_upright(PointCloud(seen, rgb, 'camera', 5))
    assert rotation is not None
    assert np.degrees(np.arccos(rotation[2] @ up)) < 0.3
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert np.quantile(cloud.xyz[:4000, 2], 0.99) - np.quantile(cloud.xyz[:4000, 2], 0.01) < 0.02
    assert cloud.xyz[:, 2].argmax() >= 4000  # the box stands on the table, it does not hang
    np.testing.assert_allclose(cloud.xyz @ rotation, seen, atol=1e-5)
    assert (cloud.frame_id, cloud.stamp_ns) == ('camera', 5)
    np.testing.assert_array_equal(cloud.rgb, rgb)


def test_a_cloud_that_is_level_already_stays_as_it_is():
    seen, _ = table_seen(40)
    level, _ = stand_upright(PointCloud(seen))
    for xyz in (level.xyz, level.xyz + np.float32([0, 0, 3])):  # below the sensor, and above it
        cloud = PointCloud(xyz.astype(np.float32))
        again, rotation = stand_upright(cloud)
        assert again is cloud
        assert rotation is None


def test_a_wall_before_the_camera_is_no_table():
    rng = np.random.default_rng(0)
    wall = np.c_[rng.uniform(-1, 1, (3000, 2)), rng.normal(2, 0.003, 3000)].astype(np.float32)
    assert in_camera_view(wall)
    assert stand_upright(PointCloud(wall))[1] is None


def test_a_ceiling_is_no_table():
    seen, _ = table_seen(40)
    seen[:, 1] *= -1
    assert stand_upright(PointCloud(seen))[1] is None


def test_what_no_camera_sees_at_once_is_not_turned():
    seen, _ = table_seen(40)
    behind = np.concatenate([seen, -seen[:200]])
    assert not in_camera_view(behind)
    assert stand_upright(PointCloud(behind))[1] is None


def test_few_points_and_no_plane_are_left_alone():
    rng = np.random.default_rng(0)
    blob = rng.uniform((-0.5, -0.5, 1), (0.5, 0.5, 2), (5000, 3)).astype(np.float32)
    assert stand_upright(PointCloud(blob))[1] is None
    assert stand_upright(PointCloud(blob[:10]))[1] is None
