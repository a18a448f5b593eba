"""Ctrl-C while a program loads: one line or none, never a traceback, and soon."""

import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from process_support import is_alive
import pytest

from folk_ros.process import is_ros2_run

ROOT = Path(__file__).resolve().parents[1]
# Sends itself a signal when a module is about to be imported.
CODE = """
import os, sys
moment, number, start = sys.argv[1], int(sys.argv[2]), sys.argv[3]
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            print('reached', flush=True)
            os.kill(os.getpid(), number)
sys.meta_path.insert(0, Finder())
sys.argv[1:4] = []
module, _, function = start.partition(':')
sys.exit(getattr(__import__(module, fromlist=[function]), function)())
"""
FOLK, NODE = 'folk_ros.cli.entry:main', 'folk_ros.ros.__main__:main'
STATS = ('scenes', 'stats', 'there-is-no-such-folder')
SEGMENT = ('segment', 'there-is-no-such-file.ply')


def signalled(moment, start, *arguments, number=signal.SIGINT, ignored=False):
    """Run a program until it has ended; returns it with the seconds from the signal on."""
    environment = {**os.environ, 'FOLK_ROS_RUNTIME': 'embedded', 'OMP_NUM_THREADS': '1'}
    environment['PYTHONPATH'] = f'{ROOT}:{os.environ.get("PYTHONPATH", "")}'
    disposition = signal.SIG_IGN if ignored else signal.SIG_DFL
    process = subprocess.Popen(
        [sys.executable, '-c', CODE, moment, str(int(number)), start, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, disposition),
    )
    assert process.stdout.readline() == 'reached\n', process.communicate()[1]
    begin = time.monotonic()
    stderr = process.communicate(timeout=120)[1]
    return process.returncode, stderr, time.monotonic() - begin


@pytest.mark.parametrize(
    ('moment', 'arguments'),
    [
        ('folk_ros.cli.main', SEGMENT),
        ('argparse', SEGMENT),
        ('folk_ros.cli.segment', SEGMENT),
        ('numpy', SEGMENT),
        ('numpy.linalg', STATS),
        ('folk_ros.cloud_files', SEGMENT),
    ],
)
def test_a_command_that_loads_ends_at_once_with_one_line(moment, arguments):
    code, written, seconds = signalled(moment, FOLK, *arguments)
    assert (code, written) == (130, 'folk: interrupted\n')
    assert seconds < 2.0


def test_an_ignored_signal_stays_ignored():
    code, written, _ = signalled('numpy', FOLK, *STATS, ignored=True)
    assert code == 2 and 'there-is-no-such-folder' in written


TWICE = """
import os, signal, sys, time
from folk_ros.process import raise_at_interrupt
raise_at_interrupt(130, 'unused')
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(float(sys.argv[1]))
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        sys.exit(1)
"""
LATE = """
import os, signal, sys
from folk_ros.cli import entry, main
main.main = lambda: 7
code = entry.main()
os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize(('pause_s', 'counts'), [(0.0, False), (0.6, True)])
def test_a_ctrl_c_that_comes_twice_at_once_is_one(pause_s, counts):
    assert subprocess.call([sys.executable, '-c', TWICE, str(pause_s)], cwd=ROOT) == counts


def test_ctrl_c_after_the_work_does_not_change_what_came_of_it():
    assert subprocess.call([sys.executable, '-c', LATE], cwd=ROOT) == 7


@pytest.mark.dds
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    'moment', ['folk_ros.ros.node', 'numpy', 'rosbags', 'folk_ros.ros.scene_services', 'torch']
)
def test_a_node_that_loads_ends_without_a_word(moment, number):
    pytest.importorskip('rosbags')
    code, written, _ = signalled(moment, NODE, number=number)
    assert 'Traceback' not in written and 'Interrupt' not in written
    assert code == 0


@pytest.mark.parametrize(
    ('arguments', 'is_it'),
    [
        (['/usr/bin/python3', '/opt/ros/jazzy/bin/ros2', 'run', 'folk_ros', 'segment'], True),
        (['ros2', 'run', 'folk_ros', 'segment'], True),
        (['/usr/bin/python3', '/opt/ros/jazzy/bin/ros2', 'launch', 'run'], False),
        (['/bin/bash', '-c', 'ros2 run folk_ros segment'], False),
        (['ros2'], False),
        ([], False),
    ],
)
def test_ros2_run_is_known_by_its_arguments(arguments, is_it):
    assert is_ros2_run(arguments) == is_it


PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, '-c', sys.argv[2]], stdout=subprocess.PIPE, text=True)
print(child.pid, child.stdout.readline(), flush=True)
child.communicate()
"""
CHILD = """
import time
from folk_ros.process import end_with_ros2_run
end_with_ros2_run()
print('there', flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='prctl is of Linux')
@pytest.mark.parametrize(('verb', 'ends'), [('run', True), ('launch', False)])
def test_who_was_started_by_ros2_run_ends_with_it_and_nobody_else(tmp_path, verb, ends):
    script = tmp_path / 'ros2'
    script.write_text(PARENT)
    environment = {**os.environ, 'PYTHONPATH': f'{ROOT}:{os.environ.get("PYTHONPATH", "")}'}
    parent = subprocess.Popen(
        [sys.executable, str(script), verb, CHILD],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(parent.stdout.readline().split()[0])
    parent.terminate()
    parent.wait(30)
    parent.stdout.close()
    deadline = time.monotonic() + (10.0 if ends else 0.5)
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_alive(child) != ends
    if not ends:
        os.kill(child, signal.SIGKILL)
