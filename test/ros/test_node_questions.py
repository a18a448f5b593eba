"""Questions to the node, the standing query and its markers, over DDS."""

from colour_folk import room
from node_support import (
    get_parameters,
    MARKERS,
    Peer,
    SECOND,
    set_parameter,
    show,
    status,
    wait_for,
)
import pytest

from folk_ros.ros import runtime

pytestmark = pytest.mark.dds


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
