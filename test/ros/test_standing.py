"""The file of the standing query."""

import json

import pytest

from folk_ros.ros.standing import StandingFile, state_folder


def test_what_was_written_is_read_by_a_node_of_the_same_name(tmp_path):
    StandingFile(tmp_path, '/robot1/folk').write(['Stuhl', '椅子'], ())
    assert StandingFile(tmp_path, '/robot1/folk').read(()) == ['Stuhl', '椅子']
    assert StandingFile(tmp_path, '/robot2/folk').read(()) is None
    assert [path.name for path in tmp_path.iterdir()] == ['robot1.folk.standing_query.json']


def test_a_cleared_query_is_kept_too(tmp_path):
    StandingFile(tmp_path, '/folk').write([], ('lamp',))
    assert StandingFile(tmp_path, '/folk').read(('lamp',)) == []


def test_parameters_that_were_changed_since_win(tmp_path):
    StandingFile(tmp_path, '/folk').write(['chair'], ('lamp',))
    assert StandingFile(tmp_path, '/folk').read(('lamp', 'table')) is None


@pytest.mark.parametrize(
    'text',
    ['', '{"cut', '[]', '{"texts": ["a"]}', '{"format": "folk_ros standing query 1", "texts": 5}'],
)
def test_a_file_that_is_not_ours_is_refused_with_its_name(tmp_path, text):
    file = StandingFile(tmp_path, '/folk')
    file.path.write_text(text)
    with pytest.raises(ValueError, match='standing_query.json'):
        file.read(())


def test_a_huge_file_is_not_read(tmp_path):
    file = StandingFile(tmp_path, '/folk')
    file.path.write_text(json.dumps({'format': 'x', 'texts': ['a' * (2 << 20)]}))
    with pytest.raises(ValueError, match='small file'):
        file.read(())


def test_the_folder_follows_ros(monkeypatch, tmp_path):
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    assert state_folder('') == tmp_path / 'folk_ros'
    assert state_folder('/somewhere') != tmp_path
    monkeypatch.delenv('ROS_HOME')
    assert state_folder('').parts[-2:] == ('.ros', 'folk_ros')
