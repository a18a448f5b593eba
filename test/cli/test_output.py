import json

import pytest

from folk_ros.cli.output import Progress, table, write_json


def test_numbers_stand_to_the_right_and_words_to_the_left():
    text = table(('name', 'n'), [('bed', '7'), ('a long one', '12')])
    assert text.splitlines() == [
        'name         n',
        '----------  --',
        'bed          7',
        'a long one  12',
    ]


def test_no_rows_make_no_table():
    assert table(('name',), []) == ''


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / 'deep' / 'answers.json'
    write_json(path, {'seconds': 1.23456789, 'who': ['Stühle', (1.00001, 2)]})
    assert json.loads(path.read_text()) == {'seconds': 1.2346, 'who': ['Stühle', [1.0, 2]]}
    with pytest.raises(TypeError):
        write_json(path, {'bad': object()})
    assert json.loads(path.read_text())['seconds'] == 1.2346
    assert [item.name for item in path.parent.iterdir()] == ['answers.json']


def test_progress_ends_with_a_line_of_its_own(capsys):
    progress = Progress('rooms', 3)
    for _ in range(3):
        progress.step()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith('rooms: 3/3')
