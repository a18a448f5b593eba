"""The reasons for silence, from inputs and a segmenter in every state."""

from types import SimpleNamespace

import pytest

from folk_ros.config import NodeConfig
from folk_ros.ros import silence
from folk_ros.ros.model import load_sentence, Model, sentence
from folk_ros.ros.qos_matching import choose, obstacle, Offer
from folk_ros.ros.segmenter import Refusal, Run
from folk_ros.ros.silence import Complaints, doubts_about, no_scene, why_silent
from folk_ros.ros.timekeeping import Arrival, Reset


def an_input(age=None, offers=(), profile='auto', received=0, arrival=None):
    choice = choose(profile, offers)
    return SimpleNamespace(
        topic='/cloud',
        offers=offers,
        received=received,
        arrival=arrival,
        age=lambda: age,
        state=lambda: f'{len(offers)} publishers',
        obstacle=lambda: obstacle(choice, profile, offers),
        may_rest=bool(received and choice.latched),
    )


def a_segmenter(model=None, failure='', refusals=None, last_run=None, reset=None, busy=False):
    return SimpleNamespace(
        reset=reset,
        busy=busy,
        model=model or Model('ready'),
        failure=failure,
        refusals=refusals or {},
        last_run=last_run,
    )


SENSOR, MAP = Offer('/camera', False, False), Offer('/slam', True, True)


@pytest.mark.parametrize(
    'segmenter, source, words',
    [
        (a_segmenter(), an_input(), ['no cloud came yet; 0 publishers']),
        (a_segmenter(), an_input(age=1.0, offers=(SENSOR,), received=3), []),
        (a_segmenter(), an_input(age=60.0, offers=(SENSOR,), received=3), ['60 s ago']),
        (a_segmenter(), an_input(age=60.0, offers=(MAP,), received=1), []),
        (a_segmenter(), an_input(offers=(SENSOR,), profile='reliable'), ['/camera offers']),
        (a_segmenter(Model('failed', 'no weights')), an_input(age=1.0), ['no weights']),
        (a_segmenter(Model()), an_input(age=1.0), ['loading']),
        (a_segmenter(failure='KeyError'), an_input(age=1.0), ['KeyError']),
        (a_segmenter(refusals={'/cloud': Refusal('no z', 1)}), an_input(age=1.0), ['no z']),
    ],
)
def test_every_state_has_its_reason(segmenter, source, words):
    reasons = why_silent(segmenter, [source], NodeConfig())
    assert len(reasons) == len(words)
    for reason, word in zip(reasons, words, strict=True):
        assert word in reason


def test_a_refusal_is_history_after_a_good_cloud():
    refusal = Refusal('no z', 1, at=1.0)
    run = Run({}, 1, 1, True, at=2.0)
    segmenter = a_segmenter(refusals={'/cloud': refusal}, last_run=run)
    assert not why_silent(segmenter, [an_input(age=1.0)], NodeConfig())


def test_a_question_too_early_hears_which_topics_are_meant():
    assert no_scene(a_segmenter(), [an_input()], NodeConfig()) == (
        'no cloud received yet on /cloud (0 publishers)'
    )
    segmenter = a_segmenter(refusals={'/cloud': Refusal('there is no field z', 1)})
    message = no_scene(segmenter, [an_input(age=1.0, received=1)], NodeConfig())
    assert 'no usable cloud' in message and 'there is no field z' in message
    assert 'any topic' in no_scene(a_segmenter(), [], NodeConfig())


def test_a_question_while_the_first_cloud_is_in_the_network_is_told_to_wait():
    for segmenter, age in ((a_segmenter(), 1.0), (a_segmenter(busy=True), 100.0)):
        message = no_scene(segmenter, [an_input(age=age, received=1)], NodeConfig())
        assert 'the first cloud is being segmented' in message
    failed = a_segmenter(failure='KeyError: 1')
    assert 'KeyError' in no_scene(failed, [an_input(age=1.0, received=1)], NodeConfig())


def test_a_question_after_a_jump_back_hears_that_the_scene_is_forgotten():
    segmenter = a_segmenter(reset=Reset('the time was set back by 9 s', 0, at=50.0))
    before, after = (an_input(1.0, received=1, arrival=Arrival(0, True, 0, t)) for t in (49, 51))
    message = no_scene(segmenter, [before], NodeConfig())
    assert message.startswith('the time was set back by 9 s: the scene is forgotten')
    assert 'being segmented' in no_scene(segmenter, [before, after], NodeConfig())


def test_a_reason_is_logged_once_it_has_held_and_then_seldom(monkeypatch):
    now, said = [100.0], []
    monkeypatch.setattr(silence.time, 'monotonic', lambda: now[0])
    complaints = Complaints(said.append, 'why: ')
    for tenths in range(600):
        now[0] = 100.0 + tenths / 10
        complaints.tell([f'late by {tenths} s'])
    assert [text.split(' ')[0] for text in said] == ['why:', 'why:']
    complaints.tell(['another reason'])
    assert len(said) == 2  # it may pass
    now[0] += 3.0
    complaints.tell(['another reason'])
    assert said[-1] == 'why: another reason'
    complaints.tell([])
    now[0] += 300.0
    complaints.tell([])
    assert len(said) == 3


def test_a_peer_without_a_name_does_not_silence_the_diagnostics():
    def nobody():  # rclpy refuses to name anybody then
        raise RuntimeError('Failed to get node names: empty node name returned by the RMW layer')

    def node(names):
        return SimpleNamespace(
            get_name=lambda: 'folk',
            get_namespace=lambda: '/',
            get_fully_qualified_name=lambda: '/folk',
            get_node_names_and_namespaces=names,
        )

    segmenter = SimpleNamespace(latest=None, note='', vocabularies=SimpleNamespace(problem=''))
    assert doubts_about(node(nobody), segmenter) == []
    (doubt,) = doubts_about(node(lambda: [('folk', '/')] * 2), segmenter)
    assert 'another node is called /folk' in doubt


def test_what_fails_is_told_with_what_to_do():
    assert 'python_env' in load_sentence(ModuleNotFoundError("No module named 'torch'"))
    assert load_sentence(FileNotFoundError('x: not there')) == 'x: not there'
    assert 'out of memory' in sentence(MemoryError())
    assert sentence(KeyError('a')) == "KeyError: 'a'"
