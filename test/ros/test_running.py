"""A process that is told to end before it has begun."""

import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest

pytest.importorskip('rosbags')

from domain_support import process_domain

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import os, signal, sys
from folk_ros.ros import runtime
from folk_ros.ros.running import run

class Hasty(runtime.Node):
    def __init__(self):
        super().__init__('hasty')
        if sys.argv[1] == 'bug':
            raise KeyError('a bug')
        os.kill(os.getpid(), int(sys.argv[1]))
        for number in range(50):  # rclpy raises here: its context is gone
            self.create_publisher(runtime.message('std_msgs/msg/String'), f'/a{number}', 1)

    def stop(self):
        return True

run(Hasty, [])
print('after the end')
"""


def run(argument):
    return subprocess.run(
        [sys.executable, '-c', CODE, argument],
        env={**os.environ, 'PYTHONPATH': f'{ROOT}:{os.environ.get("PYTHONPATH", "")}'}
        | {'ROS_DOMAIN_ID': str(process_domain())},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_node_is_made_is_an_end_in_order(number):
    done = run(str(int(number)))
    assert (done.returncode, done.stdout) == (0, ''), done.stderr
    assert 'Traceback' not in done.stderr


def test_a_bug_while_the_node_is_made_is_told():
    done = run('bug')
    assert done.returncode != 0 and "KeyError: 'a bug'" in done.stderr
