"""Clouds in, scenes out, over DDS: what other programs rely on."""

from colour_folk import room
from node_support import CLOUD, INSTANCES, MARKERS, Peer, SECOND, show, status, wait_for
import numpy as np
import pytest

from folk_ros.ros.conversions import to_point_cloud2
from folk_ros.structures import PointCloud

pytestmark = pytest.mark.dds


def test_a_cloud_becomes_named_instances_at_its_own_time(node):
    scene = show(node, room(stamp_ns=7 * SECOND + 5))
    assert (scene.header.frame_id, scene.header.stamp.nanosec) == ('map', 5)
    assert {i.text for i in scene.instances} == {'red thing', 'green thing', 'blue thing'}
    red = next(i for i in scene.instances if i.text == 'red thing')
    assert red.point_count == 400 and red.quality == pytest.approx(0.9)
    assert red.pose.position.x == pytest.approx(0.2, abs=0.05)
    assert red.size.z == pytest.approx(0.4, abs=0.05)
    assert red.score > 0.9 and red.similarity > 0.9


def test_everything_said_of_a_cloud_has_its_stamp_and_frame(node):
    assert node.ask(['red thing'], remember=True).success
    kinds = {'~/segmented_cloud': CLOUD, '~/markers': MARKERS}
    if 'vision_msgs' in str(node.node.get_topic_names_and_types()):  # where it is installed
        kinds['~/detections'] = 'vision_msgs/msg/Detection3DArray'
    heard = [node.listen(topic, kind) for topic, kind in kinds.items()]
    scene = show(node, room(stamp_ns=7 * SECOND + 123_456_789))
    head = scene.header
    assert (head.stamp.sec, head.stamp.nanosec, head.frame_id) == (7, 123_456_789, 'map')
    assert node.ask(['red thing']).header == head

    def heads(message):
        one_by_one = getattr(message, 'markers', None)
        return [m.header for m in one_by_one] if one_by_one else [message.header]

    for kept in heard:
        wait_for(lambda kept=kept: kept and heads(kept[-1])[-1] == head, what=f'{head}')


def test_ids_stay_and_scene_ids_count(node):
    first, second = show(node, room(stamp_ns=8 * SECOND)), show(node, room(stamp_ns=9 * SECOND))
    assert second.scene_id > first.scene_id
    assert [i.id for i in first.instances] == [i.id for i in second.instances]


def test_who_comes_late_gets_the_last_scene(node):
    scene = show(node, room(stamp_ns=13 * SECOND))
    late = Peer()
    try:
        instances = late.listen('~/instances', INSTANCES)
        detections = late.listen('~/detections', 'vision_msgs/msg/Detection3DArray')
        wait_for(lambda: instances and detections, what='latched outputs')
        assert instances[-1] == scene
        by_id = {d.id: d for d in detections[-1].detections}
        red = next(i for i in scene.instances if i.text == 'red thing')
        detection = by_id[str(red.id)]
        assert detection.results[0].hypothesis.class_id == 'red thing'
        assert detection.results[0].hypothesis.score == pytest.approx(red.score, abs=1e-6)
        assert detection.bbox.center == red.pose and detection.bbox.size == red.size
        assert detections[-1].header == scene.header
    finally:
        late.close()


def test_the_coloured_cloud_comes_without_another_cloud(node):
    from folk_ros.ros.conversions import to_cloud

    scene = show(node, room(stamp_ns=14 * SECOND))
    late = Peer()
    try:
        clouds = late.listen('~/segmented_cloud', CLOUD)
        wait_for(lambda: clouds, what='the coloured cloud')
        message = clouds[-1]
        assert message.header == scene.header and message.width == 1200
        assert [f.name for f in message.fields] == ['x', 'y', 'z', 'rgb', 'instance_id']
        data = np.frombuffer(memoryview(message.data), np.uint32).reshape(1200, 5)
        assert set(data[:, 4].tolist()) == {i.id for i in scene.instances}
        assert len(np.unique(to_cloud(message, 10_000).rgb, axis=0)) == 3
    finally:
        late.close()


def broken(kind):
    """Return a PointCloud2 that cannot be used."""
    message = to_point_cloud2(room(stamp_ns=20 * SECOND))
    if kind == 'no z':
        message.fields = [f for f in message.fields if f.name != 'z']
    elif kind == 'no fields':
        message.fields = []
    elif kind == 'no points':
        message = to_point_cloud2(room(colours=(), stamp_ns=20 * SECOND))
    elif kind == 'all nan':
        cloud = room(stamp_ns=20 * SECOND)
        cloud.xyz[:] = np.nan
        message = to_point_cloud2(cloud)
    elif kind == 'too short':
        message.width = 5000
        message.row_step = 5000 * message.point_step
    elif kind == '20 million':
        message.width = 20_000_000
        message.row_step = 20_000_000 * message.point_step
    elif kind == 'no step':
        message.point_step = 0
    return message


@pytest.mark.parametrize(
    'kind', ['no z', 'no fields', 'no points', 'all nan', 'too short', '20 million', 'no step']
)
def test_a_cloud_that_cannot_be_used_leaves_the_last_scene(node, kind):
    scene = show(node, room(stamp_ns=20 * SECOND))
    node.clouds.publish(broken(kind))
    after = len(node.diagnostics)
    wait_for(lambda: status(node, 'segmentation', after)[0] == 1, what='a warning')
    level, message, values = status(node, 'segmentation', after)
    assert 'refused' in message and int(values['clouds refused']) > 0
    answer = node.ask(['red thing'])
    assert answer.success and answer.scene_id == scene.scene_id
    assert show(node, room(stamp_ns=21 * SECOND)).instances
    assert wait_for(lambda: status(node, 'segmentation')[0] == 0, what='all well again')
    assert 'Traceback' not in node.log.read_text()


def test_a_cloud_without_colour_is_said_to_have_none(node):
    cloud = room(stamp_ns=22 * SECOND)
    show(node, PointCloud(cloud.xyz, None, 'map', 22 * SECOND))
    assert 'absent' in status(node, 'segmentation')[2]['colour']
    assert 'no colour' in status(node, 'model')[1]
    show(node, room(stamp_ns=23 * SECOND))
    assert status(node, 'segmentation')[2]['colour'] == 'present'


def test_a_cloud_that_lies_on_its_side_is_noticed(node):
    show(node, room(stamp_ns=24 * SECOND, frame_id='camera_depth_optical_frame'))
    wait_for(lambda: 'z points forward' in node.log.read_text(), what='a warning')
    show(node, room(stamp_ns=25 * SECOND))


def test_a_bag_played_again_starts_the_scene_anew(node):
    node.ask(['red thing'], remember=True)
    markers = node.listen('~/markers', MARKERS)
    before = show(node, room(stamp_ns=50 * SECOND))
    begin = len(markers)
    after = show(node, room(stamp_ns=30 * SECOND))
    assert after.scene_id > before.scene_id
    wait_for(
        lambda: any(m.action == m.DELETEALL for a in markers[begin:] for m in a.markers),
        what='every marker to be deleted',
    )
    wait_for(lambda: any(m.action == m.ADD for m in markers[-1].markers), what='new markers')
    assert 'went back in time' in node.log.read_text()
