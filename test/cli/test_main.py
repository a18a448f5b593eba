import argparse
import subprocess
import sys

import pytest

from folk_ros.cli.main import build_parser, main
from folk_ros.cli.output import CommandFailed


def subparsers(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def every_parser():
    found = [('folk', build_parser())]
    for name, parser in subparsers(build_parser()):
        found.append((name, parser))
        found += [(f'{name} {action}', inner) for action, inner in subparsers(parser)]
    return found


@pytest.mark.parametrize(('name', 'parser'), every_parser(), ids=lambda value: str(value)[:20])
def test_help_fits_a_screen_and_gives_an_example(name, parser, monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    text = parser.format_help()
    assert len(text.splitlines()) <= 40
    assert 'folk ' in (parser.epilog or '')
    assert parser.description


def test_commands_are_there():
    names = {name for name, _ in subparsers(build_parser())}
    assert names >= {
        'demo',
        'segment',
        'query',
        'play',
        'scenes',
        'benchmark',
        'weights',
        'doctor',
    }
    assert names >= {'teach', 'distill', 'evaluate'}


def test_an_unknown_command_is_wrong_usage():
    with pytest.raises(SystemExit) as exit_code:
        main(['segmnt'])
    assert exit_code.value.code == 2


@pytest.mark.parametrize(
    ('error', 'code'),
    [
        (ValueError('a: expected b,\n got c'), 2),
        (FileNotFoundError('a: not there'), 2),
        (CommandFailed('it failed'), 1),
        (OSError('disk full'), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_become_one_line_and_a_code(error, code, monkeypatch, capsys):
    def fail(args):
        raise error

    monkeypatch.setattr('folk_ros.cli.weights.run_verify', fail)
    assert main(['weights', 'verify']) == code
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 1
    assert shown[0].startswith('folk: ')


def test_what_is_missing_is_said_and_who_knows_the_line_that_installs_it(monkeypatch, capsys):
    def fail(args):
        raise ModuleNotFoundError("No module named 'cyclonedds'")

    monkeypatch.setattr('folk_ros.cli.weights.run_verify', fail)
    assert main(['weights', 'verify']) == 1
    assert "'cyclonedds'; folk doctor gives the line" in capsys.readouterr().err


def test_a_traceback_is_shown_on_demand(monkeypatch):
    def fail(args):
        raise ValueError('here')

    monkeypatch.setattr('folk_ros.cli.weights.run_verify', fail)
    with pytest.raises(ValueError, match='here'):
        main(['--traceback', 'weights', 'verify'])


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, '-m', 'folk_ros.cli', '--help']
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert b'Traceback' not in process.stderr.read()
    process.stderr.close()
    process.wait(30)
