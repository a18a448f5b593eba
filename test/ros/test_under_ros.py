"""Real ROS 2: skipped where it is not installed."""

import importlib.util
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

from domain_support import process_domain
from node_support import wait_for
from process_support import is_alive
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
    return {**os.environ, 'ROS_DOMAIN_ID': str(process_domain()), 'FOLK_ROS_RUNTIME': 'rclpy'}


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


@pytest.mark.skipif(shutil.which('ros2') is None, reason='the command ros2 is not there')
@pytest.mark.skipif(shutil.which('setpriv') is None, reason='setpriv of util-linux is not there')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_launch_leaves_nobody_behind_however_it_ends(tmp_path, number):
    python = tmp_path / 'bin' / 'python3'  # stands in for the node and the player of the demo
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\necho $$ >> {tmp_path}/pids\nexec sleep 300\n')
    python.chmod(0o755)
    arguments = ['demo:=true', 'rviz:=false', f'python_env:={tmp_path}']
    pids, log = tmp_path / 'pids', tmp_path / 'log'
    with log.open('wb') as sink:
        launch = subprocess.Popen(
            ['ros2', 'launch', str(HERE.parents[1] / 'launch' / 'segment.launch.py'), *arguments],
            env=environment(),
            stdout=sink,
            stderr=sink,
        )
    try:  # launch forgets a process for which a signal comes before it has said that it runs
        wait_for(lambda: log.read_text().count('process started') == 2, 60, 'both')
        wait_for(lambda: pids.is_file() and pids.read_text().count('\n') == 2, 60, 'both')
        launch.send_signal(number)
        launch.wait(30)
        children = [int(pid) for pid in pids.read_text().split()]
        wait_for(lambda: not any(map(is_alive, children)), 10, 'the processes to be gone')
    finally:
        launch.kill()


TALKER = """
import time
from folk_ros.ros import embedded
embedded.init(args=[])
node = embedded.Node('talker')
text = embedded.message('std_msgs/msg/String')
publisher = node.create_publisher(text, '/chat', 10)
while True:
    publisher.publish(text(data='hello'))
    time.sleep(0.1)
"""
LISTENER = """
import time, rclpy
from std_msgs.msg import String
rclpy.init()
node, heard = rclpy.create_node('listener'), []
node.create_subscription(String, '/chat', heard.append, 10)
deadline = time.monotonic() + 15
while not heard and time.monotonic() < deadline:
    rclpy.spin_once(node, timeout_sec=0.1)
raise SystemExit(0 if heard else 'heard nothing')
"""


@pytest.mark.skipif(
    os.environ.get('RMW_IMPLEMENTATION') != 'rmw_cyclonedds_cpp', reason='ROS 2 is on another DDS'
)
def test_an_embedded_node_on_the_loopback_alone_is_found_by_ros_nodes_that_come_later():
    plain = {k: v for k, v in environment().items() if k != 'CYCLONEDDS_URI'}
    local = {**plain, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    subnet = {**plain, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}
    talker = subprocess.Popen([sys.executable, '-c', TALKER], env=local)
    try:
        time.sleep(3.0)  # it has announced itself to nobody
        done = subprocess.run([sys.executable, '-c', LISTENER], env=subnet, timeout=100)
        assert done.returncode == 0 and talker.poll() is None
    finally:
        talker.kill()
        talker.wait()
