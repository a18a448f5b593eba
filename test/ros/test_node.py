"""The node in a process of its own, talked to over DDS: what other programs rely on."""

from node_support import (
    CLOUD,
    get_parameters,
    INSTANCES,
    MARKERS,
    node_process,
    own_domain,
    Peer,
    publish_until,
    room,
    SECOND,
    set_parameter,
    show,
    status,
    wait_for,
)
import numpy as np
import pytest

from folk_ros.ros import runtime
from folk_ros.ros.conversions import to_point_cloud2
from folk_ros.structures import PointCloud

pytestmark = pytest.mark.dds


@pytest.fixture(scope='module', autouse=True)
def context():
    with own_domain():
        yield


@pytest.fixture(scope='module')
def node(tmp_path_factory, context):
    """One node for many tests; clouds go to /cloud."""
    with node_process(tmp_path_factory.mktemp('node')) as (process, log):
        peer = Peer().watch()
        peer.log = log
        first = to_point_cloud2(room())
        publish_until(peer.clouds, first, lambda: peer.instances, 'the first scene')
        yield peer
        peer.close()
        assert process.poll() is None, 'the node died'


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
    assert {m.ns for m in says('', set()).markers} >= red


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


def test_a_setting_can_be_changed_while_running(node):
    show(node, room(stamp_ns=52 * SECOND))
    assert len(node.ask(['red thing']).instances) == 1
    assert set_parameter(node, 'query.min_score', 0.0).successful
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
    (value,) = get_parameters(node, 'standing_query')
    assert list(value.string_array_value) == ['blue thing']
    assert set_parameter(node, 'standing_query', ['']).successful
