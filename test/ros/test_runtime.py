"""Which runtime is chosen, and what it offers."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest

REPOSITORY = Path(__file__).parents[2]


def run(code: str, *paths: Path, choice: str = ''):
    """Run code in a fresh interpreter with FOLK_ROS_RUNTIME set to `choice`."""
    environment = {key: value for key, value in os.environ.items() if key != 'FOLK_ROS_RUNTIME'}
    if choice:
        environment['FOLK_ROS_RUNTIME'] = choice
    environment['PYTHONPATH'] = os.pathsep.join(map(str, (*paths, REPOSITORY)))
    return subprocess.run(
        [sys.executable, '-c', f'from folk_ros.ros import runtime\n{code}'],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def other_rclpy(tmp_path: Path) -> Path:
    """A folder with a package rclpy that has a little of the real one's."""
    for path, text in {
        'rclpy/__init__.py': 'def ok():\n    return "asked rclpy"\n',
        'rclpy/qos.py': 'class QoSProfile: ...\n',
        'std_msgs/__init__.py': '',
        'std_msgs/msg.py': 'class String: ...\n',
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding='utf-8')
    return tmp_path


def test_importing_it_loads_neither_runtime():
    code = "import sys; print([m for m in sys.modules if 'embedded' in m or 'rosbags' in m])"
    assert run(code).stdout == '[]\n'


def test_rclpy_is_used_where_it_is_and_the_embedded_one_stays_unloaded(other_rclpy):
    code = (
        "import sys; print(runtime.name, runtime.ok(), runtime.message('std_msgs/msg/String'))\n"
        "print(any('embedded' in module for module in sys.modules))"
    )
    result = run(code, other_rclpy)
    assert result.stdout == "rclpy asked rclpy <class 'std_msgs.msg.String'>\nFalse\n"


def test_the_embedded_runtime_can_be_asked_for_where_rclpy_is(other_rclpy):
    result = run('print(runtime.name, runtime.ok())', other_rclpy, choice='embedded')
    assert result.stdout == 'embedded False\n'


def test_an_rclpy_for_another_python_is_passed_over_with_a_warning(tmp_path):
    (tmp_path / 'rclpy').mkdir()
    (tmp_path / 'rclpy' / '__init__.py').write_text('import _rclpy_for_3_99', encoding='utf-8')
    result = run('print(runtime.name)', tmp_path)
    assert result.stdout == 'embedded\n'
    assert "cannot be imported (No module named '_rclpy_for_3_99')" in result.stderr
    result = run('print(runtime.name)', tmp_path, choice='rclpy')
    assert 'source ROS 2, with the Python it was made for' in result.stderr


def test_what_the_embedded_runtime_lacks_is_said(tmp_path):
    (tmp_path / 'rosbags').mkdir()
    text = "raise ModuleNotFoundError('no', name='rosbags')"
    (tmp_path / 'rosbags' / '__init__.py').write_text(text, encoding='utf-8')
    result = run('runtime.Node', tmp_path, choice='embedded')
    assert "the package rosbags is needed: pip install 'folk_ros[embedded]'" in result.stderr


def test_an_interface_that_is_not_installed_is_said_so_under_rclpy(other_rclpy):
    result = run("runtime.message('vision_msgs/msg/Detection3D')", other_rclpy)
    assert 'LookupError: Interface' in result.stderr
    assert 'install the package vision_msgs' in result.stderr


def test_an_unknown_choice_is_refused_with_a_sentence():
    result = run('runtime.Node', choice='ros1')
    assert "FOLK_ROS_RUNTIME must be 'rclpy', 'embedded' or not set, got 'ros1'" in result.stderr


def test_rclpy_asked_for_but_missing_is_said_so():
    result = run(
        'import importlib.util as u\n'
        "if u.find_spec('rclpy'): raise SystemExit('rclpy is here')\n"
        'runtime.Node',
        choice='rclpy',
    )
    assert 'rclpy is here' in result.stderr or 'source ROS 2, with' in result.stderr


def test_every_name_is_there_in_the_embedded_runtime():
    pytest.importorskip('rosbags')
    code = (
        'for name in runtime.NAMES:\n'
        '    assert getattr(runtime, name) is not None\n'
        "print(runtime.message('vision_msgs/msg/Detection3DArray').__name__,"
        " runtime.service('folk_ros/srv/Query').Request.__name__)"
    )
    assert run(code, choice='embedded').stdout == 'Detection3DArray Query_Request\n'


def test_a_misspelt_name_is_refused():
    result = run('runtime.Nodes')
    assert "has no 'Nodes'; it has: init, ok" in result.stderr


@pytest.mark.parametrize('name', ['Query', 'folk_ros/Query', 'folk_ros/srv/Query', 'a/b/c/d'])
def test_an_interface_name_of_another_form_is_refused(name):
    result = run(f'runtime.message({name!r})', choice='embedded')
    assert 'is not of the form package/msg/Name' in result.stderr
