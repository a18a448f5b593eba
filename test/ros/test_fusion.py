import numpy as np
import pytest

from folk_ros.ros.fusion import Fusion, move
from folk_ros.structures import PointCloud
from folk_ros.transforms import Pose, TransformBuffer, TransformError

SECOND = 1_000_000_000


def cloud(frame_id='map', count=3, colour=True, stamp_ns=SECOND):
    xyz = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    rgb = np.full((count, 3), 7, np.uint8) if colour else None
    return PointCloud(xyz, rgb, frame_id, stamp_ns)


def with_camera():
    buffer = TransformBuffer()
    quarter = np.array([0, 0, np.sqrt(0.5), np.sqrt(0.5)])
    buffer.insert('map', 'camera', Pose(0, np.array([1.0, 2, 3]), quarter), static=True)
    return buffer


def test_a_cloud_alone_stays_as_it_is():
    fusion, one = Fusion(''), cloud('camera')
    fusion.add('/a', one, alone=True)
    assert fusion.fused() is one


def test_a_cloud_alone_is_moved_where_a_frame_is_asked_for():
    fusion = Fusion('map', with_camera())
    fusion.add('/a', cloud('camera', count=1), alone=True)
    fused = fusion.fused()
    assert fused.frame_id == 'map'
    assert np.allclose(fused.xyz, [[1 - 1, 2 + 0, 3 + 2]])


def test_several_clouds_meet_in_the_frame_of_the_first():
    fusion = Fusion('', with_camera())
    fusion.add('/a', cloud('map', count=2), alone=False)
    fusion.add('/b', cloud('camera', count=3, stamp_ns=2 * SECOND), alone=False)
    fused = fusion.fused()
    assert (len(fused), fused.frame_id, fused.stamp_ns) == (5, 'map', 2 * SECOND)
    assert np.allclose(fused.xyz[:2], cloud(count=2).xyz)


def test_the_newest_cloud_of_a_source_replaces_its_last_one():
    fusion = Fusion('')
    fusion.add('/a', cloud(count=2), alone=False)
    fusion.add('/b', cloud(count=3), alone=False)
    fusion.add('/a', cloud(count=5), alone=False)
    assert len(fusion.fused()) == 8


def test_colour_is_not_invented_for_a_source_without():
    fusion = Fusion('')
    fusion.add('/a', cloud(), alone=False)
    fusion.add('/b', cloud(colour=False), alone=False)
    assert fusion.fused().rgb is None


def test_a_source_without_points_takes_nobodys_colour_away():
    fusion = Fusion('')
    fusion.add('/a', cloud(), alone=False)
    fusion.add('/b', cloud(count=0, colour=False), alone=False)
    assert fusion.fused().rgb is not None


def test_a_cloud_that_cannot_be_moved_leaves_the_last_one():
    fusion = Fusion('', with_camera())
    fusion.add('/a', cloud('map'), alone=False)
    fusion.add('/b', cloud('camera', count=4), alone=False)
    with pytest.raises(TransformError, match='lost'):
        fusion.add('/b', cloud('lost', count=9), alone=False, wait_s=0.0)
    assert len(fusion.fused()) == 7


def test_going_back_in_time_is_noticed_per_source():
    fusion = Fusion('')
    fusion.add('/a', cloud(stamp_ns=100 * SECOND), alone=False)
    fusion.add('/b', cloud(stamp_ns=5 * SECOND), alone=False)  # a map may be much older
    assert fusion.went_back('/a', 98 * SECOND)
    assert not fusion.went_back('/a', 99 * SECOND)
    assert not fusion.went_back('/b', 5 * SECOND)
    fusion.forget()
    assert not fusion.went_back('/a', 98 * SECOND)


def test_moving_agrees_with_the_point_by_point_formula():
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(50, 3)).astype(np.float32)
    matrix = with_camera().lookup('map', 'camera', 0)
    slow = [(matrix @ [*point, 1.0])[:3] for point in xyz]
    assert np.allclose(move(xyz, matrix), slow, atol=1e-5)
    assert move(xyz, matrix).dtype == np.float32
