import array
import math

import numpy as np
import pytest

from folk_ros.markers import MarkerLedger, MarkerSpec
from folk_ros.ros import runtime
from folk_ros.ros.conversions import (
    header,
    stamp_ns,
    to_cloud,
    to_detections,
    to_instance,
    to_instance_array,
    to_markers,
    to_point_cloud2,
    to_poses,
)
from folk_ros.structures import Boxes, Instances, Match, PointCloud


def cloud(count=5, colour=True):
    rng = np.random.default_rng(count)
    xyz = rng.normal(size=(count, 3)).astype(np.float32)
    rgb = rng.integers(0, 256, (count, 3)).astype(np.uint8) if colour else None
    return PointCloud(xyz, rgb, 'map', 12_000_000_345)


def scene():
    return Instances(
        starts=np.array([0, 2, 5]),
        points=np.array([0, 1, 2, 3, 4], np.int32),
        embeddings=np.eye(2, dtype=np.float32),
        quality=np.array([0.5, 0.75], np.float32),
        boxes=Boxes(
            centre=np.array([[1, 2, 3], [4, 5, 6]], np.float32),
            size=np.array([[0.5, 0.25, 2], [1, 1, 1]], np.float32),
            yaw=np.array([math.pi / 2, 0], np.float32),
        ),
        ids=np.array([7, 4_000_000_000], np.uint32),
        num_points=5,
        frame_id='map',
        stamp_ns=12_000_000_345,
        scene_id=3,
    )


@pytest.mark.parametrize('count', [0, 1, 5])
@pytest.mark.parametrize('colour', [True, False])
def test_a_cloud_survives_the_way_through_a_message(count, colour):
    before = cloud(count, colour)
    after = to_cloud(to_point_cloud2(before), 100)
    assert np.array_equal(after.xyz, before.xyz)
    assert (after.rgb is None) == (not colour)
    assert not colour or np.array_equal(after.rgb, before.rgb)
    assert (after.frame_id, after.stamp_ns) == ('map', 12_000_000_345)


def test_ids_lie_behind_the_colours_where_tools_look_for_them():
    message = to_point_cloud2(cloud(), np.arange(10, 15, dtype=np.uint32))
    assert [(f.name, f.offset, f.datatype, f.count) for f in message.fields] == [
        ('x', 0, 7, 1),
        ('y', 4, 7, 1),
        ('z', 8, 7, 1),
        ('rgb', 12, 7, 1),
        ('instance_id', 16, 6, 1),
    ]
    assert (message.point_step, message.row_step, message.width, message.height) == (20, 100, 5, 1)
    assert message.is_dense and not message.is_bigendian
    words = np.frombuffer(memoryview(message.data), np.uint32).reshape(5, 5)
    assert words[:, 4].tolist() == [10, 11, 12, 13, 14]


def test_an_organised_cloud_with_padded_rows_is_read_row_by_row():
    before = cloud(4, colour=False)
    message, row = to_point_cloud2(before), 2 * 12
    data = bytes(message.data)
    message.height, message.width, message.row_step = 2, 2, row + 8
    message.data = array.array('B', data[:row] + b'\xff' * 8 + data[row:] + b'\xff' * 8)
    assert np.array_equal(to_cloud(message, 100).xyz, before.xyz)


def test_sizes_that_the_data_do_not_hold_are_refused():
    message = to_point_cloud2(cloud(4, colour=False))
    message.width, message.row_step = 6, 6 * message.point_step
    with pytest.raises(ValueError, match='data'):
        to_cloud(message, 100)


def test_a_cloud_over_the_limit_is_refused_before_it_is_read():
    with pytest.raises(ValueError, match='limit is 3'):
        to_cloud(to_point_cloud2(cloud()), 3)


def test_stamps_go_both_ways():
    assert stamp_ns(header('map', 12_000_000_345).stamp) == 12_000_000_345
    assert header('map', 12_000_000_345).stamp.nanosec == 345


@pytest.mark.parametrize(('sec', 'nanosec'), [(2**31 - 1, 10**9), (5, 2**32 - 1), (-1, 0)])
def test_a_stamp_that_no_answer_could_bear_is_refused(sec, nanosec):
    message = to_point_cloud2(cloud())
    message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
    with pytest.raises(ValueError, match=rf'cloud stamp: .* got {sec} s and {nanosec} ns'):
        to_cloud(message, 100)
    message.header.stamp.sec, message.header.stamp.nanosec = 2**31 - 1, 10**9 - 1
    assert header('map', to_cloud(message, 100).stamp_ns).stamp == message.header.stamp


def test_an_instance_carries_its_own_row():
    message = to_instance(Match(0, 'sofa', 0.875, 0.25), scene())
    assert (message.id, message.text, message.point_count) == (7, 'sofa', 2)
    assert (message.score, message.similarity, message.quality) == (0.875, 0.25, 0.5)
    position, turn, size = message.pose.position, message.pose.orientation, message.size
    assert (position.x, position.y, position.z) == (1, 2, 3)
    assert (size.x, size.y, size.z) == (0.5, 0.25, 2)
    assert (turn.z, turn.w) == pytest.approx((math.sqrt(0.5), math.sqrt(0.5)), abs=1e-6)
    assert (turn.x, turn.y) == (0, 0)


def test_arrays_speak_of_one_cloud_and_use_the_same_ids():
    matches = [Match(1, 'lamp', 0.5, 0.2), Match(0, 'sofa', 0.4, 0.1)]
    instances, detections = to_instance_array(matches, scene()), to_detections(matches, scene())
    assert instances.scene_id == 3 and instances.header == detections.header
    assert [i.id for i in instances.instances] == [4_000_000_000, 7]
    assert [d.id for d in detections.detections] == ['4000000000', '7']
    first = detections.detections[0]
    assert first.results[0].hypothesis.class_id == 'lamp'
    assert first.results[0].hypothesis.score == 0.5
    assert first.bbox.size == instances.instances[0].size
    assert first.bbox.center == first.results[0].pose.pose == instances.instances[0].pose


def test_markers_of_every_kind_and_action():
    specs = MarkerLedger().update([Match(0, 'sofa', 0.9, 0.3)], scene())
    specs = [MarkerSpec('delete_all'), MarkerSpec('delete', 'box', 'chair', 3), *specs]
    clear, gone, box, label = to_markers(specs, 'map', 12_000_000_345).markers
    assert (clear.action, gone.action) == (clear.DELETEALL, gone.DELETE)
    assert (gone.ns, gone.id) == ('chair', 3)
    assert box.type == box.LINE_LIST and len(box.points) == 24 and box.scale.x > 0
    assert label.type == label.TEXT_VIEW_FACING and label.text == 'sofa 0.90' and label.scale.z > 0
    assert label.pose.position.z > 3 and label.color.a == 1.0
    for marker in (clear, gone, box, label):  # older RViz wants a frame in a deletion too
        assert marker.header.frame_id == 'map' and stamp_ns(marker.header.stamp) > 0
        assert marker.pose.orientation.w == 1.0
        assert (marker.lifetime.sec, marker.lifetime.nanosec) == (0, 0)
    corners = scene().boxes.corners()[0]
    ends = np.array([[p.x, p.y, p.z] for p in box.points])
    assert np.allclose(np.unique(ends, axis=0), np.unique(corners, axis=0))


def test_frames_are_read_as_parent_child_and_pose():
    link = runtime.message('geometry_msgs/msg/TransformStamped')()
    link.header.frame_id, link.child_frame_id, link.header.stamp.sec = 'map', 'camera', 4
    link.transform.translation.y = 2.0
    ((parent, child, pose),) = to_poses(
        runtime.message('tf2_msgs/msg/TFMessage')(transforms=[link])
    )
    assert (parent, child, pose.stamp_ns) == ('map', 'camera', 4_000_000_000)
    assert pose.translation.tolist() == [0, 2, 0] and pose.rotation.tolist() == [0, 0, 0, 1]


def test_a_large_cloud_becomes_a_message_without_a_loop_over_bytes():
    large = PointCloud(np.zeros((300_000, 3), np.float32), np.zeros((300_000, 3), np.uint8))
    message = to_point_cloud2(large)
    assert len(message.data) == 16 * 300_000
    assert isinstance(message.data, (array.array, np.ndarray))
