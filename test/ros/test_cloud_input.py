from types import SimpleNamespace

import pytest

from folk_ros.ros import cloud_input
from folk_ros.ros.cloud_input import CloudInput


class FakeNode:
    """Only what CloudInput asks of a node; `deliver` is the newest subscription."""

    def __init__(self):
        self.infos = []
        self.deliver = None

    def resolve_topic_name(self, name):
        return name

    def get_publishers_info_by_topic(self, topic):
        return self.infos

    def create_subscription(self, kind, topic, callback, qos, callback_group):
        self.deliver = callback
        return object()

    def destroy_subscription(self, subscription):
        pass

    def get_logger(self):
        return SimpleNamespace(info=lambda text: None)


def publisher(latched):
    from folk_ros.ros import runtime

    durability = runtime.DurabilityPolicy
    return SimpleNamespace(
        node_name='map',
        node_namespace='/',
        topic_type='sensor_msgs/msg/PointCloud2',
        qos_profile=SimpleNamespace(
            reliability=runtime.ReliabilityPolicy.RELIABLE,
            durability=durability.TRANSIENT_LOCAL if latched else durability.VOLATILE,
        ),
    )


def cloud(sec):
    return SimpleNamespace(header=SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=0)))


@pytest.fixture
def heard():
    return []


@pytest.fixture
def source(heard):
    node = FakeNode()
    node.infos = [publisher(latched=True)]
    source = CloudInput(node, '/map', 'auto', lambda topic, m: heard.append(m.header.stamp.sec))
    source.node = node
    return source


def subscribe_anew(source):
    source.node.infos = [publisher(latched=True), publisher(latched=False)]
    source.check()


def test_a_latched_cloud_sent_once_more_after_subscribing_anew_is_no_news(source, heard):
    source.node.deliver(cloud(5))
    source.node.deliver(cloud(9))
    subscribe_anew(source)
    source.node.deliver(cloud(5))
    source.node.deliver(cloud(10))
    assert heard == [5, 9, 10]


def test_a_bag_played_again_is_heard_again(source, heard, monkeypatch):
    source.node.deliver(cloud(5))
    source.node.deliver(cloud(5))
    subscribe_anew(source)
    monkeypatch.setattr(cloud_input, 'time', SimpleNamespace(monotonic=lambda: 1e12))
    source.node.deliver(cloud(5))
    assert heard == [5, 5, 5]


def test_clouds_without_a_stamp_are_never_taken_for_repeats(source, heard):
    source.node.deliver(cloud(0))
    subscribe_anew(source)
    source.node.deliver(cloud(0))
    assert heard == [0, 0]
