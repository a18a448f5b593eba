from dataclasses import replace

import pytest

from folk_ros.cli.doctoring.files import (
    judge_memory,
    judge_places,
    judge_weights,
    look_at_memory,
    look_at_places,
    look_at_weights,
    Place,
    WeightFacts,
)

GIB = 1 << 30
HUB = Place('fetched weights', '/home/me/.cache', 9 * GIB, True, 'HF_HOME')
HERE = Place('scenes', '/home/me', 9 * GIB, True)


def test_the_shipped_weights_are_as_shipped():
    finding = judge_weights(look_at_weights())
    assert finding.state == 'ok'
    assert 'files as shipped' in finding.found


@pytest.mark.parametrize('state', ['altered', 'missing', 'no sum'])
def test_a_weight_file_that_is_not_as_shipped_is_named(state):
    finding = judge_weights(WeightFacts('models', {'a/x': 'ok', 'a/y': state}))
    assert (finding.state, finding.found) == ('wrong', f'a/y is {state}')
    assert 'force-reinstall' in finding.mend
    from_git = judge_weights(WeightFacts('/src/models', {'a/y': state}, in_git=True))
    assert from_git.mend == 'git -C /src/models checkout -- .'


def test_no_weights_at_all_is_wrong():
    assert judge_weights(WeightFacts('models', {})).state == 'wrong'


def test_room_and_leave_to_write_is_fine():
    assert judge_places([HUB, HERE]).state == 'ok'


def test_a_folder_that_cannot_be_written_is_moved_by_its_variable():
    finding = judge_places([replace(HUB, writable=False), HERE])
    assert (finding.state, '/home/me/.cache' in finding.found) == ('wrong', True)
    assert finding.mend.startswith('export HF_HOME=')
    assert judge_places([HUB, replace(HERE, writable=False)]).mend == 'cd ~'


def test_a_full_disk_is_wrong_and_a_narrow_one_a_note():
    assert judge_places([HUB, replace(HERE, free=GIB // 10)]).state == 'wrong'
    assert judge_places([replace(HUB, free=GIB), HERE]).state == 'note'
    assert judge_places([HUB, replace(HERE, free=GIB)]).state == 'ok'


def test_a_folder_that_is_not_there_yet_is_measured_where_it_would_be(tmp_path, monkeypatch):
    monkeypatch.setenv('HF_HOME', str(tmp_path / 'not' / 'yet'))
    hub = look_at_places()[0]
    assert hub.path == str(tmp_path / 'not' / 'yet' / 'hub')
    assert hub.free > 0
    assert hub.writable


def test_memory_is_read_from_the_kernel(tmp_path):
    told = tmp_path / 'meminfo'
    told.write_text('MemTotal: 8000000 kB\nMemAvailable:  1000 kB\n')
    assert look_at_memory(told) == 1_024_000
    assert look_at_memory(tmp_path / 'absent') is None


@pytest.mark.parametrize(
    ('available', 'state'), [(GIB, 'note'), (4 * GIB, 'ok'), (None, 'ok'), (0, 'note')]
)
def test_too_little_memory_for_the_node_is_a_note(available, state):
    assert judge_memory(available).state == state
