"""`folk node` becomes the node: what it starts, and what it refuses before."""

import os
import sys

import pytest

from folk_ros.cli.main import main
from folk_ros.ros.embedded.arguments import parse

PARAMS = '/**:\n  ros__parameters:\n    model: tabletop\n    max_rate: 1.0\n'


@pytest.fixture
def started(monkeypatch):
    """Run `folk node` with arguments; return the ROS arguments of what it becomes."""

    def run(*arguments):
        commands = []
        monkeypatch.setattr(os, 'execv', lambda path, command: commands.append((path, command)))
        code = main(['node', *arguments])
        if not commands:
            return code
        [(path, command)] = commands
        assert path == command[0] == sys.executable
        assert command[1:3] == ['-m', 'folk_ros.ros']
        return parse(command)

    monkeypatch.setenv('FOLK_ROS_RUNTIME', 'embedded')
    return run


def values(arguments):
    return {name: value for _, name, value in arguments.parameters}  # the last one wins


def test_without_arguments_everything_is_as_the_node_has_it(started):
    assert values(started()) == {}


def test_topics_model_and_parameters_reach_the_node(started):
    given = values(started('/map', '/scan', '--model', './mine', '-p', 'max_rate:=2.0'))
    assert given == {'cloud_topics': ['/map', '/scan'], 'model': './mine', 'max_rate': 2.0}


def test_what_is_given_by_name_wins_over_the_parameter_file(started, tmp_path):
    (tmp_path / 'mine.yaml').write_text(PARAMS)
    given = values(started('--params', str(tmp_path / 'mine.yaml'), '-p', 'max_rate:=3.0'))
    assert given == {'model': 'tabletop', 'max_rate': 3.0}


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (('-p', 'max_rate=2'), '-p max_rate=2: expected NAME:=VALUE'),
        (('-p', ':=2'), '-p :=2: expected NAME:=VALUE'),
        (('--params', 'none.yaml'), '--params none.yaml: there is no such file'),
    ],
)
def test_what_the_node_could_not_read_is_refused_in_one_line(started, capsys, arguments, said):
    assert started(*arguments) == 2
    assert said in capsys.readouterr().err


def test_a_runtime_that_is_not_there_is_said_before_the_node_starts(started, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'folk_ros.ros.embedded', None)
    assert started('/map') == 1
    assert 'pip install' in capsys.readouterr().err
