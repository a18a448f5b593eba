"""`folk soak` counts what it should, on a node that is well and on nodes broken on purpose."""

from contextlib import nullcontext
import json
import os
from pathlib import Path
import subprocess
import sys

import pytest

pytest.importorskip('rosbags')

from folk_ros.cli import soak
from folk_ros.cli.main import main
from folk_ros.cli.soaking.bytes_fuzz import spoilt
from folk_ros.cli.soaking.cases import case, kind_of, KINDS, MAKERS
from folk_ros.cli.soaking.inside import is_sentence
from folk_ros.cli.soaking.tally import report, Tally

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
