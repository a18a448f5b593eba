"""Ctrl-C, and a parent that is killed, while workers load or work: nobody and nothing is left."""

import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from process_support import is_alive
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, sys, time
from pathlib import Path
from folk_ros.training.workers import worker_pool

moment, folder = sys.argv[1], Path(sys.argv[2])

def there():
    (folder / f'{os.getpid()}.pid').touch()
    time.sleep(60)

def work(number):
    part = folder / f'{os.getpid()}.part'
    part.touch()
    try:
        there()
    finally:
        part.unlink()

if __name__ != '__main__' and moment == 'loading':
    there()
if __name__ == '__main__':
    try:
        with worker_pool(2) as pool:
            list(pool.map(work, range(8)))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def started(moment, tmp_path):
    """Start the program; returns it, when both workers are at that moment, and their ids."""
    program = tmp_path / 'program.py'
    program.write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, str(program), moment, str(tmp_path)],
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob('*.pid'))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    return process, [int(path.stem) for path in tmp_path.glob('*.pid')]


def gone(pids):
    deadline = time.monotonic() + 10
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(is_alive, pids))


@pytest.mark.parametrize('moment', ['loading', 'working'])
def test_ctrl_c_ends_all_without_a_word_and_takes_away_what_is_half_written(tmp_path, moment):
    process, workers = started(moment, tmp_path)
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (130, '')
    assert time.monotonic() - begin < 10
    assert len(workers) == 2 and gone(workers)
    assert not list(tmp_path.glob('*.part'))


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='prctl is of Linux')
def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    process, workers = started('working', tmp_path)
    process.kill()
    process.communicate(timeout=60)
    assert len(workers) == 2 and gone(workers)
