"""Start the node in a process of its own, and make sure that it ends with the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
import ctypes
import os
from pathlib import Path
import signal
import subprocess
import sys
from types import FrameType

from folk_ros.cli.output import CommandFailed
from folk_ros.process import PR_SET_PDEATHSIG

LOG_LINES_SHOWN = 12
PATIENCE_S = (5.0, 2.0)  # after SIGINT, after SIGTERM


@contextmanager
def orderly_end() -> Iterator[None]:
    """Turn the signals that end a process into exceptions, so that `finally` runs."""

    def stop(signum: int, frame: FrameType | None) -> None:
        if signum == signal.SIGINT:
            raise KeyboardInterrupt
        print(f'folk: ended by {signal.Signals(signum).name}', file=sys.stderr)
        raise SystemExit(128 + signum)

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def node_command(topic: str, model: str, params_file: str = '') -> list[str]:
    """Return the command that runs the node on a cloud topic with a model ('': the default's)."""
    given = ['--params-file', params_file] if params_file else []  # first: what follows wins
    given += ['-p', f'cloud_topics:=[{topic}]'] if topic else []
    given += ['-p', f'model:={model}'] if model else []
    return [sys.executable, '-m', 'folk_ros.ros', '--ros-args', *given]


class NodeProcess:
    """
    The node as a child process with a log file; ends with the `with` block at the latest.

    It is in a session of its own, so that Ctrl-C reaches the command alone, which then ends the
    node in order. Should the command be killed, the kernel kills the node (on Linux).
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.log = log
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> NodeProcess:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open('wb') as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, 'PYTHONUNBUFFERED': '1'},
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id of the node."""
        assert self._process is not None
        return self._process.pid

    def check(self) -> None:
        """Raise CommandFailed with the end of its log if the node has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise CommandFailed(
                f'the node ended with exit code {self._process.returncode}: {self.last_words()}'
            )

    def last_words(self) -> str:
        """Return the end of the log, for an error message."""
        lines = self.log.read_text(encoding='utf-8', errors='replace').splitlines()
        return f'{" / ".join(lines[-LOG_LINES_SHOWN:]) or "(no output)"} (log: {self.log})'

    def stop(self) -> None:
        """End the node: ask as Ctrl-C does, then insist. A second time does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            for number, patience_s in zip(
                (signal.SIGINT, signal.SIGTERM), PATIENCE_S, strict=True
            ):
                process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(patience_s)
                    return
        finally:  # also where the user presses Ctrl-C again
            process.kill()
            process.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """Return what makes the child die with its parent, to run in the child; Linux alone."""
    if not sys.platform.startswith('linux'):
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded here: little is safe after the fork
    parent = os.getpid()

    def run() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it has died already
            os._exit(1)

    return run
