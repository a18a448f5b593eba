"""`folk soak` counts what it should, on a node that is well and on nodes broken on purpose."""

from contextlib import nullcontext
import json
import os
from pathlib import Path
import subprocess
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip('rosbags')

from folk_ros.cli import soak
from folk_ros.cli.main import main
from folk_ros.cli.soaking.bytes_fuzz import spoilt
from folk_ros.cli.soaking.cases import case, kind_of, KINDS, MAKERS
from folk_ros.cli.soaking.inside import is_sentence
from folk_ros.cli.soaking.tally import report, Tally
from folk_ros.ros.embedded.payload import Sample

ROOT = Path(__file__).resolve().parents[2]
TRIAL = Path(__file__).with_name('soak_trial.py')
needs_dds = pytest.mark.dds


def trial(*arguments, fault=''):
    """Run parts in a process of their own; returns their figures by the name of the fault."""
    path = os.pathsep.join([str(ROOT), str(ROOT / 'test/ros'), os.environ.get('PYTHONPATH', '')])
    environment = {**os.environ, 'SOAK_FAULT': fault, 'PYTHONPATH': path}
    done = subprocess.run(
        [sys.executable, str(TRIAL), *arguments],
        env=environment | {'OMP_NUM_THREADS': '1', 'FOLK_ROS_RUNTIME': 'embedded'},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return {figures['fault']: figures for figures in json.loads(done.stdout.splitlines()[-1])}


def total(found, name):
    return sum(figures[name] for figures in found.values())


@pytest.fixture
def embedded(monkeypatch):
    monkeypatch.setenv('FOLK_ROS_RUNTIME', 'embedded')


def test_a_case_is_the_same_again_and_differs_from_others(embedded):
    assert case(3, 17) == case(3, 17)
    assert len({case(3, number).payload for number in range(50)}) > 40
    assert case(4, 17).payload != case(3, 17).payload


def test_every_kind_of_fault_comes_up():
    assert {kind_of(1, number) for number in range(1500)} == set(KINDS) == set(MAKERS)


def test_spoiling_changes_the_bytes_and_takes_any_length():
    import numpy as np

    rng = np.random.default_rng(0)
    assert sum(spoilt(rng, bytes(range(200))) != bytes(range(200)) for _ in range(100)) > 90
    for length in range(9):
        assert isinstance(spoilt(rng, bytes(length)), bytes)


@needs_dds
def test_a_node_that_is_well_refuses_with_reasons_and_goes_on():
    found = trial('hand', '400')
    assert {name: figures['missed'] for name, figures in found.items() if figures['missed']} == {}
    assert total(found, 'cases') > 380
    assert total(found, 'refused') > 250
    assert found['good clouds between them']['cases'] == 3


@needs_dds
def test_a_node_that_raises_dies_hangs_and_answers_wrongly_is_found_out():
    found = trial('hand', '260', fault='all')
    assert total(found, 'unsaid') == 1
    assert total(found, 'crashes') == 1
    assert total(found, 'hangs') == 1
    assert total(found, 'wrong') == found['good clouds between them']['wrong'] == 2
    assert total(found, 'cases') > 230  # it was started again for the cases that were left


@needs_dds
def test_a_live_node_bears_malformed_messages_passing_peers_and_a_full_disk():
    found = trial('live')
    counts = ('unsaid', 'crashes', 'hangs', 'lost', 'wrong')
    assert {name: total(found, name) for name in counts} == dict.fromkeys(counts, 0), found
    asked = found['10 clients, clouds at 5 Hz']
    assert asked['cases'] > 40
    assert asked['p99_ms'] > 0
    assert found['malformed, over DDS']['cases'] > 70
    assert found['a full disk']['refused'] == 2


@needs_dds
def test_answers_that_are_lost_or_mixed_up_are_counted():
    (figures,) = trial('clients', fault='all').values()
    assert figures['cases'] > 20
    assert figures['lost'] >= 2
    assert figures['wrong'] >= 2


@pytest.mark.parametrize(
    ('changed', 'said'),
    [
        ({}, ''),
        ({'instances': [], 'message': "nothing matches 'red chair'"}, ''),
        ({'success': False, 'message': 'no scene'}, 'refused: no scene'),
        ({'instances': [SimpleNamespace(text='red lamp')]}, 'to another question'),
        ({'instances': [], 'message': "nothing matches 'red lamp'"}, 'to another question'),
        ({'scene_id': 6}, 'of scene 6, the one before of 7'),
        ({'sec': 80}, 'a cloud 20.0 s old'),
        ({'sec': 80, 'message': 'the cloud is 20 s old, expected at most 10 s (max_age)'}, ''),
    ],
)
def test_an_answer_of_another_question_or_time_is_wrong(embedded, changed, said):
    from folk_ros.cli.soaking.asking import fault, Reply

    right = {'success': True, 'message': '', 'scene_id': 7, 'sec': 99}
    values = {**right, 'instances': [SimpleNamespace(text='red chair')], **changed}
    stamp = SimpleNamespace(sec=values.pop('sec'), nanosec=0)
    response = SimpleNamespace(header=SimpleNamespace(stamp=stamp), **values)
    found = fault(Reply('red chair', 100.0, memoryview(b'')), response, 7)
    assert said in found and bool(said) == bool(found)


def test_a_question_kept_waiting_by_another_is_late_or_lost_with_it(embedded, monkeypatch):
    from folk_ros.cli.soaking import asking

    now = [0.0]
    monkeypatch.setattr(asking.time, 'perf_counter', lambda: now[0])
    monkeypatch.setattr(asking, 'send', lambda *sample: True)
    halves = SimpleNamespace(handle=1), SimpleNamespace(take=lambda: taken and taken.pop())
    monkeypatch.setattr(asking, 'create_halves', lambda *given: halves)
    waiter = SimpleNamespace(attach=lambda *given: None)
    asker = asking.Asker(SimpleNamespace(context=SimpleNamespace(waiter=waiter)), 0, 5.0)
    for at in (0.0, 0.5, 1.0):
        now[0] = at
        asker.ask()
    payload = bytes(4) + asking.IDENTITY.pack(1, 1) + bytes(8)
    now[0], taken = 1.1, [Sample(memoryview(payload), 9)]
    asker._on_reply(0)
    assert [round(ms) for ms in asker.milliseconds] == [1100, 600, 100]
    for at in (2.0, 3.0, 8.0):
        now[0] = at
        asker.ask()
    asker.finish()
    assert (asker.asked, asker.lost) == (6, 3)


def test_each_bar_can_be_missed():
    assert Tally('fine', cases=1, refused=1).missed() == []
    for name in ('unsaid', 'crashes', 'hangs', 'lost', 'wrong'):
        assert Tally('bad', cases=1, **{name: 2}).missed() == [f'{name}: 2']
    assert Tally('nothing').missed() == ['nothing was tried']
    fast, slow = [50.0] * 100, [50.0] * 98 + [150.0] * 2
    assert Tally('fast', cases=1, milliseconds=fast, timed=True).missed() == []
    assert Tally('slow', cases=1, milliseconds=slow, timed=True).missed() == ['p99: 150 ms']
    assert Tally('not held against it', cases=1, milliseconds=slow).missed() == []
    steady = Tally('steady', cases=1, memory_mb=[500.0] * 90 + [504.0] * 10, steady=True)
    grows = Tally('grows', cases=1, memory_mb=[500.0] * 90 + [506.0] * 10, steady=True)
    assert steady.missed() == []
    assert grows.missed() == ['memory: +1.2 %']


def test_the_table_says_what_was_missed_and_gives_examples():
    bad = Tally('a fault', cases=3, lost=1)
    bad.note('question 7')
    said = report([Tally('another', cases=1), bad])
    assert 'pass' in said
    assert 'lost: 1' in said
    assert said.splitlines()[-2].split()[:2] == ['all', '4']
    assert '1 missed' in said
    assert said.endswith('a fault: question 7')


@pytest.mark.parametrize(
    ('reason', 'told'),
    [
        ('cloud fields: expected x, y and z, got none', True),
        ("KeyError: 'a bug'", False),
        ('no', False),
        ('there is a line\nin it', False),
        ('a word ' * 1000, False),
    ],
)
def test_a_reason_is_words_for_a_person(reason, told):
    assert is_sentence(reason) == told


def test_the_exit_code_tells_whether_a_bar_was_missed(monkeypatch, tmp_path):
    path = tmp_path / 'soak.json'
    monkeypatch.setattr(soak, 'settled_here', nullcontext)
    for lost, code in ((0, 0), (1, 1)):
        monkeypatch.setattr(
            soak, 'soak', lambda args, folder, n=lost: [Tally('a', cases=1, lost=n)]
        )
        assert main(['soak', '--json', str(path)]) == code
        assert json.loads(path.read_text())[0]['lost'] == lost


def test_nothing_to_do_is_wrong_usage():
    assert main(['soak', '--cases', '0']) == 2
    assert main(['soak', '--minutes', '-1']) == 2
