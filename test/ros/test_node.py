"""The node in a process of its own, talked to over DDS: what other programs rely on."""

import os
import signal
import time

import numpy as np
import pytest

from node_support import (
    DELAY,
    free_domain,
    LOADER,
    node_process,
    Peer,
    publish_until,
    room,
    wait_for,
)

os.environ['ROS_DOMAIN_ID'] = str(free_domain())

from folk_ros.ros import runtime  # noqa: E402 - after the domain is set
from folk_ros.ros.conversions import to_point_cloud2  # noqa: E402

pytestmark = pytest.mark.dds
SECOND = 1_000_000_000
INSTANCES = 'folk_ros/msg/InstanceArray'
MARKERS = 'visualization_msgs/msg/MarkerArray'
CLOUD = 'sensor_msgs/msg/PointCloud2'


@pytest.fixture(scope='module', autouse=True)
def context():
    runtime.init(args=[])
    yield
    runtime.try_shutdown()


@pytest.fixture(scope='module')
def peer(context):
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture(scope='module')
def node(tmp_path_factory, peer):
    """One node for many tests; clouds go to /cloud."""
    with node_process(tmp_path_factory.mktemp('node')) as (process, log):
        peer.log = log
        peer.clouds = peer.publisher('/cloud')
        peer.instances = peer.listen('~/instances', INSTANCES)
        peer.diagnostics = peer.listen('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', False)
        publish_until(
            peer.clouds, to_point_cloud2(room()), lambda: peer.instances, 'the first scene'
        )
        yield peer
        assert process.poll() is None, 'the node died'


def show(peer, cloud):
    """Publish one cloud and return the scene that the node makes of it."""
    before = len(peer.instances)
    return publish_until(
        peer.clouds,
        to_point_cloud2(cloud),
        lambda: [
            m
            for m in peer.instances[before:]
            if m.header.stamp.sec == cloud.stamp_ns // SECOND
        ],
        'a scene',
        period_s=2.0,
    )[-1]


def status(peer, name, after=None):
    """Return the newest diagnostic of the node's part as (level, message, values)."""
    begin = len(peer.diagnostics) if after is None else after

    def newest():
        for array in reversed(peer.diagnostics[begin:]):
            for item in array.status:
                if item.name == f'folk: {name}':
                    level = item.level[0] if isinstance(item.level, bytes) else item.level
                    return level, item.message, {v.key: v.value for v in item.values}
        return None

    return wait_for(newest, 10, f'the diagnostic {name}')


# --- clouds in, scenes out ---


def test_a_cloud_becomes_named_instances_at_its_own_time(node):
    scene = show(node, room(stamp_ns=7 * SECOND + 5))
    assert (scene.header.frame_id, scene.header.stamp.nanosec) == ('map', 5)
    assert {i.text for i in scene.instances} == {'red thing', 'green thing', 'blue thing'}
    red = next(i for i in scene.instances if i.text == 'red thing')
    assert red.point_count == 400 and red.quality == pytest.approx(0.9)
    assert red.pose.position.x == pytest.approx(0.2, abs=0.05)
    assert red.size.z == pytest.approx(0.4, abs=0.05)
    assert red.score > 0.9 and red.similarity > 0.9


def test_ids_stay_and_scene_ids_count(node):
    first, second = show(node, room(stamp_ns=8 * SECOND)), show(node, room(stamp_ns=9 * SECOND))
    assert second.scene_id > first.scene_id
    assert [i.id for i in first.instances] == [i.id for i in second.instances]


# --- questions ---


def test_a_question_is_answered_by_text_and_then_by_score(node):
    scene = show(node, room(stamp_ns=10 * SECOND))
    answer = node.ask(['blue thing', 'red thing'])
    assert answer.success and answer.message == f'2 matches in scene {scene.scene_id}'
    assert [i.text for i in answer.instances] == ['blue thing', 'red thing']
    assert answer.header == scene.header and answer.scene_id == scene.scene_id
    everything = node.ask(['red thing'], min_score=1e-9)
    scores = [i.score for i in everything.instances]
    assert len(scores) > 1 and scores == sorted(scores, reverse=True)
    assert len(node.ask(['red thing'], min_score=1e-9, max_results=2).instances) == 2


def test_nothing_that_matches_is_an_answer_too(node):
    show(node, room(stamp_ns=10 * SECOND))
    answer = node.ask(['grand piano'])
    assert answer.success and not answer.instances
    assert "nothing here matches 'grand piano'" in answer.message


@pytest.mark.parametrize(
    'texts, fields, words',
    [
        ([], {}, 'at least one'),
        ([''], {}, 'empty text'),
        ([' \t\n'], {}, 'empty text'),
        (['\x00\x01\x1b'], {}, 'empty text'),
        (['chair', ''], {}, 'texts[1]'),
        (['x' * 10_000], {}, 'got 10000'),
        (['chair'] * 1000, {}, 'got 1000'),
        (['chair'], {'min_score': float('nan')}, 'min_score'),
        (['chair'], {'min_score': float('inf')}, 'min_score'),
        (['chair'], {'min_score': -0.5}, 'min_score'),
        (['chair'], {'min_score': 1.5}, 'min_score'),
        ([''], {'remember': True}, 'empty text'),
    ],
)
def test_a_bad_question_gets_a_sentence_and_the_next_one_an_answer(node, texts, fields, words):
    answer = node.ask(texts, **fields)
    assert not answer.success and not answer.instances
    assert words in answer.message and 'Traceback' not in answer.message
    assert node.ask(['red thing']).success


def test_control_characters_and_other_scripts_do_no_harm(node):
    answer = node.ask(['red\x00 thing', '椅子', 'קוֹמֶץ', '🪑', 'a\u202eb'])
    assert answer.success, answer.message


# --- the standing query ---


def test_texts_of_a_topic_become_markers_that_come_and_go(node):
    show(node, room(stamp_ns=11 * SECOND))
    markers = node.listen('~/markers', MARKERS)
    texts = node.publisher('~/query_text', 'std_msgs/msg/String')
    wait_for(lambda: texts.get_subscription_count(), what='the node to listen')

    def says(data, wanted):
        def matches(message):
            return wanted == {m.ns for m in message.markers if m.action == m.ADD}

        begin = len(markers)
        texts.publish(runtime.message('std_msgs/msg/String')(data=data))
        wait_for(lambda: any(map(matches, markers[begin:])), what=f'markers of {data!r}')
        return next(filter(matches, markers[begin:]))

    red = {'red thing', 'red thing (label)'}
    shown = says('red thing; blue thing\n', red | {'blue thing', 'blue thing (label)'})
    box = next(m for m in shown.markers if m.ns == 'red thing')
    assert (box.type, len(box.points), box.header.frame_id) == (box.LINE_LIST, 24, 'map')
    assert box.color.a > 0.5 and box.pose.orientation.w == 1.0
    label = next(m for m in shown.markers if m.ns == 'red thing (label)')
    assert label.type == label.TEXT_VIEW_FACING and label.text.startswith('red thing')
    fewer = says('red thing', red)
    gone = {(m.ns, m.id) for m in fewer.markers if m.action == m.DELETE}
    assert {ns for ns, _ in gone} == {'blue thing', 'blue thing (label)'}
    texts.publish(runtime.message('std_msgs/msg/String')(data='x' * 5000))  # refused, in the log
    assert {m.ns for m in says('', set()).markers} == red


def test_a_question_may_be_remembered(node):
    show(node, room(stamp_ns=12 * SECOND))
    assert node.ask(['green thing'], remember=True).success
    late = Peer()  # who comes late sees them too
    try:
        markers = late.listen('~/markers', MARKERS)
        wait_for(lambda: markers, what='latched markers')
        assert 'green thing' in {m.ns for m in markers[-1].markers}
    finally:
        late.close()
    node.ask(['grand piano'], remember=True)


# --- latched outputs ---


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


# --- bad clouds ---


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
    show(node, type(cloud)(cloud.xyz, None, 'map', 22 * SECOND))
    assert 'absent' in status(node, 'segmentation')[2]['colour']
    show(node, room(stamp_ns=23 * SECOND))
    assert status(node, 'segmentation')[2]['colour'] == 'present'


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
    wait_for(
        lambda: any(m.action == m.ADD for m in markers[-1].markers), what='markers of the new scene'
    )
    assert 'went back in time' in node.log.read_text()


# --- diagnostics and parameters ---


def test_diagnostics_tell_what_was_done_and_with_what(node):
    show(node, room(stamp_ns=51 * SECOND))
    level, message, values = status(node, 'segmentation')
    assert level == 0 and message == 'segmenting'
    assert {'decode ms', 'segment ms', 'publish ms', 'clouds dropped'} <= set(values)
    assert (values['points'], values['instances']) == ('1200', '3')
    assert status(node, 'model')[2]['device'] == 'cpu'
    topic = status(node, '/cloud')[2]
    assert topic['publishers'] == '1' and 'reliable, volatile' in topic['subscribed']


def call(peer, type_name, name, **fields):
    service = runtime.service(type_name)
    client = peer.node.create_client(service, name)
    assert client.wait_for_service(timeout_sec=10.0)
    future = client.call_async(service.Request(**fields))
    wait_for(future.done, what=name)
    return future.result()


def set_parameter(peer, name, value):
    parameter = runtime.Parameter(name, value=value).to_parameter_msg()
    service = 'rcl_interfaces/srv/SetParameters'
    return call(peer, service, '/folk/set_parameters', parameters=[parameter]).results[0]


def test_a_setting_can_be_changed_while_running(node):
    show(node, room(stamp_ns=52 * SECOND))
    assert len(node.ask(['red thing']).instances) == 1
    assert set_parameter(node, 'query.min_score', 0.0000001).successful
    assert len(node.ask(['red thing']).instances) == 3
    assert set_parameter(node, 'query.min_score', 0.5).successful


@pytest.mark.parametrize(
    'name, value',
    [
        ('query.min_score', 7.0),
        ('query.min_score', 'high'),
        ('segment.min_points', 0),
        ('segment.device', 'cuda'),
        ('cloud_topics', ['/other']),
        ('standing_query', ['x' * 10_000]),
    ],
)
def test_a_setting_that_is_not_allowed_is_refused_with_a_reason(node, name, value):
    result = set_parameter(node, name, value)
    assert not result.successful and result.reason
    assert node.ask(['red thing']).success


def test_the_standing_query_is_a_parameter(node):
    assert node.ask(['blue thing'], remember=True).success
    got = call(node, 'rcl_interfaces/srv/GetParameters', '/folk/get_parameters', names=['standing_query'])
    assert list(got.values[0].string_array_value) == ['blue thing']
    assert set_parameter(node, 'standing_query', ['']).successful


# --- ways to start, and to end ---


def test_odd_settings_are_reported_and_the_node_runs(tmp_path, peer):
    parameters = {'segment.min_quality': 7.0, 'min_points': 3, 'qos': 'best', 'max_rate': 20}
    with node_process(tmp_path, {**parameters, 'cloud_topics': "['bad topic!', '/cloud']"}) as (
        process,
        log,
    ):
        answer = wait_for(lambda: peer.ask(['red thing']), what='an answer')
        assert not answer.success and '/cloud' in answer.message
        text = log.read_text()
        assert 'segment.min_quality: expected a value from 0.0 to 1.0, got 7.0' in text
        assert 'did you mean segment.min_points?' in text
        assert "qos: expected one of 'auto'" in text and "'bad topic!'" in text
        got = call(
            peer, 'rcl_interfaces/srv/GetParameters', '/folk/get_parameters', names=['max_rate', 'qos']
        )
        assert (got.values[0].double_value, got.values[1].string_value) == (20.0, 'auto')


def test_without_a_model_the_node_says_so_and_lives(tmp_path, peer):
    peer.diagnostics = peer.listen('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', False)
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
    with node_process(tmp_path, environment={LOADER: 'late'}) as (_, log):
        answer = peer.ask(['chair'])
        assert not answer.success and 'loading' in answer.message
        wait_for(lambda: 'no cloud received yet' in peer.ask(['chair']).message, what='the model')
        assert '/cloud (0 publishers)' in peer.ask(['chair']).message
        wait_for(lambda: 'nothing to show' in log.read_text(), 15, 'the reason in the log')


def test_a_bug_or_no_memory_costs_one_cloud_and_not_the_node(tmp_path, peer):
    peer.diagnostics = peer.listen('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', False)
    peer.instances = peer.listen('~/instances', INSTANCES)
    with node_process(tmp_path, environment={LOADER: 'fragile'}) as (process, log):
        peer.clouds = peer.publisher('/cloud')
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
    peer.node.destroy_publisher(peer.clouds)


def test_a_slow_network_drops_old_clouds_and_answers_meanwhile(tmp_path, peer):
    peer.diagnostics = peer.listen('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', False)
    peer.instances = peer.listen('~/instances', INSTANCES)
    with node_process(tmp_path, environment={DELAY: '1.5'}) as (process, _):
        clouds = peer.publisher('/cloud')
        publish_until(clouds, to_point_cloud2(room()), lambda: peer.instances, 'a scene')
        for second in range(5, 15):
            clouds.publish(to_point_cloud2(room(stamp_ns=second * SECOND)))
            time.sleep(0.02)
        begin = time.monotonic()
        answer = peer.ask(['red thing'])
        assert answer.success and time.monotonic() - begin < 1.0
        wait_for(lambda: peer.instances[-1].header.stamp.sec == 14, what='the newest cloud')
        assert int(status(peer, 'segmentation')[2]['clouds dropped']) >= 5
        clouds.publish(to_point_cloud2(room(stamp_ns=20 * SECOND)))
        time.sleep(0.3)  # it is in the network now
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert time.monotonic() - begin < 2.5
    peer.node.destroy_publisher(clouds)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_node_in_order(tmp_path, peer, number):
    with node_process(tmp_path) as (process, log):
        peer.ask(['chair'])
        process.send_signal(number)
        assert process.wait(5) == 0
        assert 'Traceback' not in log.read_text()


@pytest.mark.parametrize('offered', [{'reliable': False}, {'latched': True}])
def test_auto_matches_sensors_and_maps(tmp_path, peer, offered):
    clouds = peer.publisher('/map_cloud', **offered)
    clouds.publish(to_point_cloud2(room(stamp_ns=3 * SECOND)))  # before the node is there
    instances = peer.listen('~/instances', INSTANCES)
    with node_process(tmp_path, {'cloud_topics': "['/map_cloud']"}) as (_, log):
        if 'latched' not in offered:
            publish_until(clouds, to_point_cloud2(room()), lambda: instances, 'a scene')
        wait_for(lambda: instances, what='a scene')
        word = 'latched' if 'latched' in offered else 'best effort'
        assert f'subscribed {"reliable, " * ("latched" in offered)}{word}' in log.read_text()
    peer.node.destroy_publisher(clouds)


def test_a_profile_that_cannot_match_is_explained(tmp_path, peer):
    clouds = peer.publisher('/cloud', reliable=False)
    with node_process(tmp_path, {'qos': 'reliable'}) as (_, log):
        wait_for(lambda: "set qos to 'auto'" in log.read_text(), 15, 'the reason')
        assert '/test_peer offers best effort' in log.read_text()
    peer.node.destroy_publisher(clouds)


def test_several_clouds_are_fused_through_tf(tmp_path, peer):
    left, right = peer.publisher('/left'), peer.publisher('/right')
    instances = peer.listen('~/instances', INSTANCES)
    frames = peer.publisher('/tf_static', 'tf2_msgs/msg/TFMessage', latched=True)
    parameters = {'cloud_topics': "['/left', '/right']", 'fixed_frame': 'map'}
    with node_process(tmp_path, parameters) as (_, log):
        only_left = to_point_cloud2(room(colours=(0,)))
        publish_until(left, only_left, lambda: instances, 'the left cloud')
        from_camera = to_point_cloud2(room(colours=(2,), frame_id='camera'))
        publish_until(
            right, from_camera, lambda: "'camera' is not in TF" in log.read_text(), 'the reason'
        )
        link = runtime.message('geometry_msgs/msg/TransformStamped')()
        link.header.frame_id, link.child_frame_id = 'map', 'camera'
        link.transform.translation.y = 5.0
        frames.publish(runtime.message('tf2_msgs/msg/TFMessage')(transforms=[link]))
        publish_until(
            right, from_camera, lambda: len(instances[-1].instances) == 2, 'both in one scene'
        )
        blue = next(i for i in instances[-1].instances if i.text == 'blue thing')
        assert blue.pose.position.y == pytest.approx(5.2, abs=0.05)
        assert instances[-1].header.frame_id == 'map'
    for publisher in (left, right, frames):
        peer.node.destroy_publisher(publisher)


def test_two_nodes_of_one_name_are_noticed(tmp_path, peer):
    with node_process(tmp_path / 'a'), node_process(tmp_path / 'b') as (_, log):
        wait_for(lambda: 'another node is called /folk' in log.read_text(), 20, 'the warning')


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
    instances = peer.listen('~/instances', INSTANCES)
    parameters = {'segment.min_quality': 0.0, 'segment.min_points': 1}
    with node_process(tmp_path, parameters, {LOADER: 'untrained'}) as (_, log):
        clouds = peer.publisher('/cloud')
        wait_for(lambda: 'the model is ready' in log.read_text(), 90, 'the model')
        publish_until(clouds, to_point_cloud2(room()), lambda: instances, 'a scene', period_s=2)
        answer = peer.ask(['chair', 'lamp'])
        assert answer.success and answer.scene_id >= 1
        assert 'Traceback' not in log.read_text()
    peer.node.destroy_publisher(clouds)
