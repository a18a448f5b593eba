import signal
import subprocess
import sys
import time

from process_support import is_alive
import pytest

from folk_ros.cli.node_process import node_command, NodeProcess, orderly_end
from folk_ros.cli.output import CommandFailed

SLEEPER = [sys.executable, '-c', 'import time; print("up", flush=True); time.sleep(60)']
STUBBORN = [
    sys.executable,
    '-c',
    'import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN);'
    'signal.signal(signal.SIGTERM, signal.SIG_IGN); print("up", flush=True); time.sleep(60)',
]


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, 'it did not happen in time'
        time.sleep(0.02)


def test_the_child_ends_with_the_block_also_after_an_error(tmp_path):
    with pytest.raises(RuntimeError), NodeProcess(SLEEPER, tmp_path / 'log') as child:
        pid = child.pid
        assert is_alive(pid)
        raise RuntimeError
    assert not is_alive(pid)


def test_a_child_that_ignores_signals_is_killed(tmp_path, monkeypatch):
    log = tmp_path / 'log'
    monkeypatch.setattr('folk_ros.cli.node_process.PATIENCE_S', (0.2, 0.2))
    with NodeProcess(STUBBORN, log) as child:
        pid = child.pid
        wait_for(lambda: 'up' in log.read_text())
    assert not is_alive(pid)


def test_the_child_dies_when_its_parent_is_killed(tmp_path):
    code = (
        'import sys, time; from pathlib import Path; '
        'from folk_ros.cli.node_process import NodeProcess\n'
        f'with NodeProcess({SLEEPER!r}, Path({str(tmp_path / "log")!r})) as child:\n'
        '    print(child.pid, flush=True); time.sleep(60)'
    )
    parent = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    assert is_alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not is_alive(pid))


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_child_ends_when_its_parent_is_asked_to_end(tmp_path, number):
    code = (
        'import sys, time; from pathlib import Path; '
        'from folk_ros.cli.node_process import NodeProcess, orderly_end\n'
        f'log = Path({str(tmp_path / "log")!r})\n'
        f'with orderly_end(), NodeProcess({SLEEPER!r}, log) as child:\n'
        '    print(child.pid, flush=True); time.sleep(60)'
    )
    command = [sys.executable, '-c', code]
    parent = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    pid = int(parent.stdout.readline())
    parent.send_signal(number)
    assert parent.wait(20) != 0
    parent.stdout.close()
    assert not is_alive(pid)


def test_a_child_that_ended_is_noticed_with_its_last_words(tmp_path):
    command = [sys.executable, '-c', 'import sys; sys.exit("no weights there")']
    with NodeProcess(command, tmp_path / 'log') as child:
        wait_for(lambda: not is_alive(child.pid))
        with pytest.raises(CommandFailed, match='exit code 1: no weights there'):
            child.check()


def test_signal_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with orderly_end():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_node_is_told_its_topic_and_model():
    assert node_command('/map', '')[-2:] == ['-p', 'cloud_topics:=[/map]']
    assert node_command('/map', 'here/rooms')[-2:] == ['-p', 'model:=here/rooms']
