"""What is published, when, with publishers that only count."""

import pytest
from test_segmented_cloud import cloud, scene

from folk_ros.ros import outputs, runtime
from folk_ros.ros.outputs import Outputs
from folk_ros.ros.segmenter import Segmented
from folk_ros.structures import Match


class CountingPublisher:
    def __init__(self):
        self.messages, self.listeners = [], 0

    def publish(self, message):
        self.messages.append(message)

    def get_subscription_count(self):
        return self.listeners


class CountingNode:
    def __init__(self):
        self.publishers = {}

    def create_publisher(self, kind, topic, qos):
        assert qos.durability == runtime.DurabilityPolicy.TRANSIENT_LOCAL
        return self.publishers.setdefault(topic, CountingPublisher())


@pytest.fixture
def made(monkeypatch):
    painted = []
    paint = outputs.paint
    monkeypatch.setattr(outputs, 'paint', lambda *a: painted.append(a) or paint(*a))
    node = CountingNode()
    return Outputs(node), node.publishers, painted


def segmented(scene_id=1):
    from dataclasses import replace

    found = replace(scene([[0, 1], [3]], [0.5, 0.6], [7, 9]), frame_id='map', scene_id=scene_id)
    return Segmented(found, cloud(), [Match(0, 'a', 0.5, 0.1), Match(1, 'b', 0.5, 0.1)])


def test_the_coloured_cloud_is_built_for_listeners_alone(made):
    out, publishers, painted = made
    out.publish(segmented(1))
    assert not painted and len(publishers['~/instances'].messages) == 1
    publishers['~/segmented_cloud'].listeners = 1
    assert out.cloud_wanted(segmented(1))
    out.publish_cloud(segmented(1))
    assert len(painted) == 1 and not out.cloud_wanted(segmented(1))
    out.publish_cloud(segmented(1))  # it is latched: once is enough
    assert len(painted) == 1
    out.publish(segmented(2))
    assert len(painted) == 2 and len(publishers['~/segmented_cloud'].messages) == 2


def test_markers_begin_with_a_clean_slate_once(made):
    out, publishers, _ = made
    out.show(lambda: segmented(), lambda s: s.names)
    out.show(lambda: segmented(), lambda s: s.names[:1])
    first, second = (m.markers for m in publishers['~/markers'].messages)
    assert [m.action for m in first].count(first[0].DELETEALL) == 1
    assert [m.action for m in second].count(first[0].DELETEALL) == 0
    assert {m.ns for m in second if m.action == m.DELETE} == {'b', 'b (label)'}


def test_nothing_to_ask_of_shows_nothing(made):
    out, publishers, _ = made
    out.show(lambda: None, lambda s: pytest.fail('there is no scene to ask'))
    out.clear()  # nor is there anything to delete
    assert not publishers['~/markers'].messages


def test_a_reset_deletes_all_in_the_frame_they_were_in(made):
    out, publishers, _ = made
    out.show(lambda: segmented(), lambda s: s.names)
    out.clear()
    (marker,) = publishers['~/markers'].messages[-1].markers
    assert marker.action == marker.DELETEALL and marker.header.frame_id == 'map'


def test_a_reset_takes_back_everything_that_is_latched_and_says_so_once(made):
    out, publishers, _ = made
    publishers['~/segmented_cloud'].listeners = 1
    out.publish(segmented(4))
    out.clear(7_000_000_000)
    scene, cloud = (publishers[f'~/{n}'].messages[-1] for n in ('instances', 'segmented_cloud'))
    assert (scene.header.frame_id, scene.header.stamp.sec) == ('map', 7)
    assert not scene.instances and scene.scene_id == 0
    assert cloud.width * cloud.height == 0 and cloud.header == scene.header
    assert [field.name for field in cloud.fields][:3] == ['x', 'y', 'z']
    assert not publishers['~/detections'].messages[-1].detections
    counts = [len(publisher.messages) for publisher in publishers.values()]
    out.clear(8_000_000_000)
    assert [len(publisher.messages) for publisher in publishers.values()] == counts
    out.publish(segmented(5))
    assert publishers['~/instances'].messages[-1].instances
    assert out.cloud_wanted(segmented(6)) and not out.cloud_wanted(segmented(5))


def test_a_reset_sends_no_cloud_where_none_was_sent(made):
    out, publishers, _ = made
    out.publish(segmented(4))
    out.clear(0)
    assert not publishers['~/segmented_cloud'].messages


def test_a_scene_without_matches_is_shown_as_empty(made):
    out, publishers, _ = made
    out.show(lambda: segmented(), lambda s: [])
    assert [m.action for m in publishers['~/markers'].messages[-1].markers] == [3]
