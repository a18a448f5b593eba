import numpy as np
import pytest

from folk_ros.config import SourceConfig
from folk_ros.ros.fusion import Fusion, in_height, in_range, move, Placed
from folk_ros.structures import PointCloud

SECOND = 1_000_000_000


def cloud(frame_id='map', count=3, colour=True, stamp_ns=SECOND):
    xyz = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    rgb = np.full((count, 3), 7, np.uint8) if colour else None
    return PointCloud(xyz, rgb, frame_id, stamp_ns)


def placed(*args, **fields):
    one = cloud(*args, **fields)
    return Placed(one, one.frame_id)


def turned(x, y, z):
    """A quarter turn about z, then a shift."""
    matrix = np.array([[0, -1, 0, x], [1, 0, 0, y], [0, 0, 1, z], [0, 0, 0, 1]], np.float64)
    return matrix


def test_a_cloud_alone_stays_as_it_is():
    fusion, one = Fusion(), placed('camera')
    fusion.keep('/a', one)
    assert fusion.fused() is one


def test_several_clouds_become_one_at_the_time_of_the_newest():
    fusion = Fusion()
    fusion.keep('/a', placed(count=2))
    fusion.keep('/b', placed(count=3, stamp_ns=2 * SECOND))
    fused = fusion.fused().cloud
    assert (len(fused), fused.frame_id, fused.stamp_ns) == (5, 'map', 2 * SECOND)
    assert np.array_equal(fused.xyz[:2], cloud(count=2).xyz)


def test_the_newest_cloud_of_a_source_replaces_its_last_one():
    fusion = Fusion()
    fusion.keep('/a', placed(count=2))
    fusion.keep('/b', placed(count=3))
    fusion.keep('/a', placed(count=5))
    assert len(fusion.fused().cloud) == 8


def test_clouds_that_are_in_another_frame_by_now_are_dropped():
    fusion = Fusion()
    fusion.keep('/a', placed('odom', count=2))
    fusion.keep('/b', placed('map', count=3))
    assert len(fusion.fused().cloud) == 3


def test_colour_is_not_invented_for_a_source_without():
    fusion = Fusion()
    fusion.keep('/a', placed())
    fusion.keep('/b', placed(colour=False))
    assert fusion.fused().cloud.rgb is None


def test_a_source_without_points_takes_nobodys_colour_away():
    fusion = Fusion()
    fusion.keep('/a', placed())
    fusion.keep('/b', placed(count=0, colour=False))
    assert fusion.fused().cloud.rgb is not None


@pytest.mark.parametrize('max_age, count', [(0.0, 5), (4.0, 5), (2.0, 3)])
def test_what_is_too_old_beside_the_newest_is_left_out(max_age, count):
    fusion = Fusion()
    fusion.keep('/old', placed(count=2, stamp_ns=SECOND), max_age)
    fusion.keep('/new', placed(count=3, stamp_ns=4 * SECOND))
    assert len(fusion.fused().cloud) == count


def test_going_back_in_time_is_noticed_per_source():
    fusion = Fusion()
    fusion.note('/a', 100 * SECOND)
    fusion.note('/b', 5 * SECOND)  # a map may be much older
    assert fusion.went_back('/a', 98 * SECOND)
    assert not fusion.went_back('/a', 99 * SECOND)
    assert not fusion.went_back('/b', 5 * SECOND)
    fusion.forget()
    assert not fusion.went_back('/a', 98 * SECOND)


def test_moving_agrees_with_the_point_by_point_formula():
    xyz = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    before = xyz.copy()
    matrix = turned(1, 2, 3)
    slow = [(matrix @ [*point, 1.0])[:3] for point in xyz]
    assert np.allclose(move(xyz, matrix), slow, atol=1e-5)
    assert move(xyz, matrix).dtype == np.float32
    assert np.array_equal(xyz, before)


def test_moving_out_of_a_map_far_from_its_origin_loses_nothing_more():
    """A cloud in UTM coordinates, moved to a robot that stands in it."""
    rng = np.random.default_rng(0)
    far = np.array([448_262.0, 5_411_932.0, 130.0])
    xyz = (rng.uniform(-5, 5, (200, 3)) + far).astype(np.float32)
    matrix = np.eye(4)
    cos, sin = np.cos(0.4), np.sin(0.4)
    matrix[:2, :2] = [[cos, -sin], [sin, cos]]
    matrix[:3, 3] = -matrix[:3, :3] @ far
    exact = xyz.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    assert np.abs(move(xyz, matrix) - exact).max() < 1e-5
    naive = xyz @ matrix[:3, :3].T.astype(np.float32) + matrix[:3, 3].astype(np.float32)
    assert np.abs(naive - exact).max() > 0.01  # why the care


def test_moving_no_points_gives_none():
    assert move(np.zeros((0, 3), np.float32), turned(1, 2, 3)).shape == (0, 3)


def test_limits_of_range_are_from_the_origin_of_the_cloud():
    xyz = np.array([[0.1, 0, 0], [0, 2, 0], [3, 4, 0], [0, 0, 9]], np.float32)
    rgb = np.arange(12, dtype=np.uint8).reshape(4, 3)
    kept = in_range(PointCloud(xyz, rgb), SourceConfig(min_range=0.5, max_range=5.0))
    assert kept.rgb[:, 0].tolist() == [3, 6]
    assert len(in_range(PointCloud(xyz), SourceConfig(min_range=0.5))) == 3
    one = PointCloud(xyz)
    assert in_range(one, SourceConfig()) is one


def test_limits_of_height_are_along_z():
    xyz = np.array([[0, 0, -1], [0, 0, 0.5], [5, 0, 2.5]], np.float32)
    kept = in_height(PointCloud(xyz), SourceConfig(min_height=0.0, max_height=2.0))
    assert kept.xyz[:, 2].tolist() == [0.5]
    one = PointCloud(xyz)
    assert in_height(one, SourceConfig()) is one
