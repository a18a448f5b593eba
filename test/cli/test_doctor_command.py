import json

import pytest

from folk_ros.cli import doctor
from folk_ros.cli.doctoring.finding import note, ok, size, wrong
from folk_ros.cli.main import main


def broken():
    raise RuntimeError('it is\nbroken')


@pytest.fixture
def checks(monkeypatch):
    found = {
        'a': broken,
        'b': lambda: ok('fine'),
        'c': lambda: wrong('bad', 'mend it'),
        'd': lambda: note('so so', 'better'),
    }
    monkeypatch.setattr(doctor, 'CHECKS', found)
    return found


def test_one_wrong_thing_does_not_keep_the_others_from_being_checked(checks, capsys):
    assert main(['doctor', '--json']) == 1
    result = json.loads(capsys.readouterr().out)
    assert result['a'] == {'ok': False, 'state': 'wrong', 'what': 'it is broken', 'mend': ''}
    assert result['b']['ok']
    assert result['c']['mend'] == 'mend it'


def test_a_note_is_no_failure(checks, capsys):
    assert main(['doctor', 'b', 'd']) == 0
    assert 'so so' in capsys.readouterr().out


def test_the_line_that_mends_stands_below_what_is_wrong(checks, capsys):
    assert main(['doctor', 'c']) == 1
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith('WRONG')
    assert second.strip() == '$ mend it'


def test_a_check_that_is_not_there_is_wrong_usage(capsys):
    assert main(['doctor', 'tires']) == 2
    assert "no check 'tires'" in capsys.readouterr().err


def test_every_check_runs_here_and_finds_nothing_wrong_but_dds(capsys):
    names = [name for name in doctor.CHECKS if name != 'dds']  # DDS: test_dds_commands.py
    assert main(['doctor', *names]) == 0, capsys.readouterr().out
    assert len([line for line in capsys.readouterr().out.splitlines() if line[0] != ' ']) == 12


@pytest.mark.parametrize(
    ('count', 'text'),
    [(0, '0 B'), (212_992, '208 KiB'), (4 << 20, '4.0 MiB'), (3 << 40, '3072 GiB')],
)
def test_sizes_are_for_people(count, text):
    assert size(count) == text
