import json

import pytest

from folk_ros.cli.benchmark import FIGURES
from folk_ros.cli.benchmarks import importing
from folk_ros.cli.benchmarks.bars import Bar, BARS, missed, report
from folk_ros.cli.main import main


def test_a_bar_is_cleared_at_its_very_limit():
    assert Bar('a', 'a', 5.0).met(5.0)
    assert not Bar('a', 'a', 5.0).met(5.1)
    assert Bar('a', 'a', 5.0, at_least=True).met(5.0)
    assert not Bar('a', 'a', 5.0, at_least=True).met(4.9)


def test_what_is_no_number_clears_no_bar():
    assert not Bar('a', 'a', 5.0).met(float('nan'))
    assert not Bar('a', 'a', 5.0, at_least=True).met(float('nan'))


def test_bars_of_figures_not_measured_are_not_missed():
    assert missed({'query_known_ms': 1.0}) == []
    assert [bar.key for bar in missed({'query_known_ms': 9.0, 'demo_s': 70.0})] == [
        'demo_s',
        'query_known_ms',
    ]


def test_the_report_says_pass_and_fail():
    text = report({'query_known_ms': 1.0, 'demo_s': 99.0, 'other': 3.0})
    assert 'pass' in text
    assert 'FAIL' in text
    assert 'other' in text


def test_every_bar_has_a_key_of_its_own():
    assert len({bar.key for bar in BARS}) == len(BARS)


@pytest.mark.parametrize(('milliseconds', 'code'), [(1.0, 0), (1e6, 1)])
def test_the_exit_code_tells_of_a_missed_bar(milliseconds, code, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importing, 'run', lambda: {'import_folk_ros_ms': milliseconds})
    path = tmp_path / 'figures.json'
    assert main(['benchmark', 'import', '--json', str(path)]) == code
    assert json.loads(path.read_text()) == {'import_folk_ros_ms': milliseconds}
    assert 'import folk_ros' in capsys.readouterr().out


def test_import_time_is_measured_in_a_fresh_interpreter(monkeypatch):
    monkeypatch.setattr(importing, 'REPEATS', 1)
    assert importing.run()['import_folk_ros_ms'] > 0


def test_a_misspelt_figure_is_wrong_usage():
    with pytest.raises(SystemExit) as exit_code:
        main(['benchmark', 'speed'])
    assert exit_code.value.code == 2
    assert 'demo' in FIGURES
