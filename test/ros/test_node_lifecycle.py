"""Ways to start the node and to end it; each test has a node of its own."""

import signal
import time

from colour_folk import DELAY, LOADER, room
from node_support import (
    get_parameters,
    node_process,
    Peer,
    publish_until,
    SECOND,
    set_parameter,
    show,
    status,
    wait_for,
)
import pytest

from folk_ros.ros import runtime
from folk_ros.ros.conversions import to_point_cloud2

pytestmark = pytest.mark.dds


def test_odd_settings_are_reported_and_the_node_runs(tmp_path, peer):
    parameters = {'segment.min_quality': 7.0, 'min_points': 3, 'qos': 'best', 'max_rate': 20}
    with node_process(tmp_path, {**parameters, 'cloud_topics': "['bad topic!', '/cloud']"}) as (
        process,
        log,
    ):
        wait_for(lambda: 'received yet on /cloud' in peer.ask(['red thing']).message)
        text = log.read_text()
        assert 'segment.min_quality: expected a value from 0.0 to 1.0, got 7.0' in text
        assert 'did you mean segment.min_points?' in text
        assert "qos: expected one of 'auto'" in text and "'bad topic!'" in text
        rate, qos = get_parameters(peer, 'max_rate', 'qos')
        assert (rate.double_value, qos.string_value) == (20.0, 'auto')


def test_without_a_model_the_node_says_so_and_lives(tmp_path, peer):
    with node_process(tmp_path, environment={LOADER: 'missing'}) as (process, log):
        wait_for(lambda: 'was not loaded' in peer.ask(['chair']).message, what='the reason')
        answer = peer.ask(['chair'])
        assert not answer.success and 'student.safetensors' in answer.message
        level, message, _ = status(peer, 'model')
        assert level == 2 and 'student.safetensors' in message
        tried = log.read_text().count('was not loaded')
        assert set_parameter(peer, 'max_rate', 5.0).successful  # any change is a reason to try
        wait_for(lambda: log.read_text().count('was not loaded') > tried, what='another try')
        assert process.poll() is None and 'Traceback' not in log.read_text()


def test_while_the_model_loads_questions_are_answered_with_that(tmp_path, peer):
    with node_process(tmp_path, {'cloud_topics': '/map'}, {LOADER: 'late'}) as (_, log):
        answer = peer.ask(['chair'])
        assert not answer.success and 'loading' in answer.message
        wait_for(lambda: 'no cloud received yet' in peer.ask(['chair']).message, what='the model')
        assert '/map (0 publishers)' in peer.ask(['chair']).message
        wait_for(lambda: 'no new scene' in log.read_text(), what='the reason')
        assert 'topics with clouds now: /cloud' in log.read_text()


def test_a_bug_or_no_memory_costs_one_cloud_and_not_the_node(tmp_path, peer):
    with node_process(tmp_path, environment={LOADER: 'fragile'}) as (process, log):
        scene = show(peer, room())
        for frame, words in (('crash', 'KeyError'), ('memory', 'out of memory')):
            peer.clouds.publish(to_point_cloud2(room(frame_id=frame)))
            wait_for(lambda words=words: words in log.read_text(), what=words)
            after = len(peer.diagnostics)
            level, message, _ = status(peer, 'segmentation', after)
            assert level == 2 and words in message
            answer = peer.ask(['red thing'])
            assert answer.success and answer.scene_id == scene.scene_id
        assert log.read_text().count('Traceback') == 1  # the bug has one, missing memory has none
        assert show(peer, room(stamp_ns=5 * SECOND)).instances
        assert process.poll() is None


def test_a_slow_network_drops_old_clouds_and_answers_meanwhile(tmp_path, peer):
    with node_process(tmp_path, environment={DELAY: '1.5'}) as (process, _):
        publish_until(peer.clouds, to_point_cloud2(room()), lambda: peer.instances, 'a scene')
        for second in range(5, 15):
            peer.clouds.publish(to_point_cloud2(room(stamp_ns=second * SECOND)))
            time.sleep(0.02)
        begin = time.monotonic()
        answer = peer.ask(['red thing'])
        assert answer.success and time.monotonic() - begin < 1.0
        wait_for(lambda: peer.instances[-1].header.stamp.sec == 14, what='the newest cloud')
        assert int(status(peer, 'segmentation')[2]['clouds dropped']) >= 5
        peer.clouds.publish(to_point_cloud2(room(stamp_ns=20 * SECOND)))
        time.sleep(0.3)  # it is in the network now
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert time.monotonic() - begin < 2.5


@pytest.mark.parametrize('numbers', [(signal.SIGTERM,), (signal.SIGINT, signal.SIGINT)])
def test_a_signal_ends_the_node_in_order(tmp_path, peer, numbers):
    with node_process(tmp_path) as (process, log):
        peer.ask(['chair'])
        for number in numbers:  # ros2 launch passes Ctrl-C on to a node that has had it already
            process.send_signal(number)
            time.sleep(0.3)
        assert process.wait(10) == 0
        assert 'Traceback' not in log.read_text()


@pytest.mark.parametrize('offered', [{'reliable': False}, {'latched': True}])
def test_auto_matches_sensors_and_maps(tmp_path, peer, offered):
    clouds = peer.publisher('/map_cloud', **offered)
    clouds.publish(to_point_cloud2(room(stamp_ns=3 * SECOND)))  # before the node is there
    with node_process(tmp_path, {'cloud_topics': "['/map_cloud']"}) as (_, log):
        if 'latched' not in offered:
            publish_until(clouds, to_point_cloud2(room()), lambda: peer.instances, 'a scene')
        wait_for(lambda: peer.instances, what='a scene')
        word = 'latched' if 'latched' in offered else 'best effort'
        assert f'subscribed {"reliable, " * ("latched" in offered)}{word}' in log.read_text()


def test_a_profile_that_cannot_match_is_explained(tmp_path, peer):
    peer.publisher('/sensor', reliable=False)
    parameters = {'qos': 'reliable', 'cloud_topics': '/sensor'}
    with node_process(tmp_path, parameters) as (_, log):
        wait_for(lambda: "set qos to 'auto'" in log.read_text(), what='the reason')
        assert '/test_peer offers best effort' in log.read_text()


def test_a_source_has_a_quality_of_service_of_its_own(tmp_path, peer):
    parameters = {'cloud_topics': '/cloud', 'qos': 'sensor_data'}
    front = {'sources.front.topic': '/front', 'sources.front.qos': 'latched'}
    with node_process(tmp_path, {**parameters, **front}) as (_, log):
        wait_for(lambda: log.read_text().count('subscribed') == 2, what='both subscriptions')
        lines = [line for line in log.read_text().splitlines() if 'subscribed' in line]
        (cloud,) = (line for line in lines if '/cloud' in line)
        (front,) = (line for line in lines if '/front' in line)
        assert 'best effort, volatile (qos: sensor_data)' in cloud
        assert 'reliable, latched (qos: latched)' in front


def test_several_clouds_are_fused_through_tf(tmp_path, peer):
    left, right = peer.publisher('/left'), peer.publisher('/right')
    frames = peer.publisher('/tf_static', 'tf2_msgs/msg/TFMessage', latched=True)
    parameters = {'cloud_topics': "['/left', '/right']", 'fixed_frame': 'map'}
    with node_process(tmp_path, parameters) as (_, log):
        only_left = to_point_cloud2(room(colours=(0,)))
        publish_until(left, only_left, lambda: peer.instances, 'the left cloud')
        from_camera = to_point_cloud2(room(colours=(2,), frame_id='camera'))
        publish_until(
            right, from_camera, lambda: "'camera' is not in TF" in log.read_text(), 'the reason'
        )
        link = runtime.message('geometry_msgs/msg/TransformStamped')()
        link.header.frame_id, link.child_frame_id = 'map', 'camera'
        link.transform.translation.y = 5.0
        frames.publish(runtime.message('tf2_msgs/msg/TFMessage')(transforms=[link]))
        publish_until(
            right, from_camera, lambda: len(peer.instances[-1].instances) == 2, 'both in one scene'
        )
        blue = next(i for i in peer.instances[-1].instances if i.text == 'blue thing')
        assert blue.pose.position.y == pytest.approx(5.2, abs=0.05)
        assert peer.instances[-1].header.frame_id == 'map'


def test_two_nodes_of_one_name_are_noticed(tmp_path, peer):
    with node_process(tmp_path / 'a'), node_process(tmp_path / 'b') as (_, log):
        wait_for(lambda: 'another node is called /folk' in log.read_text(), what='the warning')


def test_a_node_in_a_namespace_keeps_its_private_names(tmp_path, peer):
    arguments = ('-r', '__ns:=/robot1', '-r', '/cloud:=/robot1/map')
    with node_process(tmp_path, arguments=arguments):
        robot = Peer('/robot1/folk')
        try:
            wait_for(
                lambda: '/robot1/map (0 publishers)' in robot.ask(['chair']).message,
                what='the topic that is meant',
            )
        finally:
            robot.close()


def test_the_real_program_with_an_untrained_network_keeps_the_protocol(tmp_path, peer):
    parameters = {'segment.min_quality': 0.0, 'segment.min_points': 1}
    with node_process(tmp_path, parameters, {LOADER: 'untrained'}) as (_, log):
        wait_for(lambda: 'the model is ready' in log.read_text(), 90, 'the model')
        publish_until(
            peer.clouds, to_point_cloud2(room()), lambda: peer.instances, 'a scene', period_s=2
        )
        answer = peer.ask(['chair', 'lamp'])
        assert answer.success and answer.scene_id >= 1
        assert 'Traceback' not in log.read_text()
