"""Real ROS 2: skipped where it is not installed."""

import importlib.util
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

HERE = Path(__file__).resolve().parent


def importable(name):
    """Whether a module can be found; messages of this package need a colcon workspace."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


needs_ros = pytest.mark.skipif(
    not (importable('rclpy') and importable('launch_testing') and importable('folk_ros.msg')),
    reason='ROS 2, or the workspace with the messages of this package, is not sourced',
)
pytestmark = [needs_ros, pytest.mark.dds]


def environment():
    domain = str(1 + os.getpid() % 100)
    return {**os.environ, 'ROS_DOMAIN_ID': domain, 'FOLK_ROS_RUNTIME': 'rclpy'}


def test_node_player_and_questions_under_launch_testing():
    done = subprocess.run(
        [sys.executable, '-m', 'launch_testing.launch_test']
        + [str(HERE / 'launch' / 'segment_launch_test.py')],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.mark.skipif(shutil.which('ros2') is None, reason='the command ros2 is not there')
@pytest.mark.parametrize('file', ['segment.launch.py', 'record.launch.py'])
def test_every_launch_file_tells_its_arguments(file):
    done = subprocess.run(
        ['ros2', 'launch', str(HERE.parents[1] / 'launch' / file), '--show-args'],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0 and 'fixed_frame' in done.stdout, done.stderr
