"""The first moments of a program: an end without a traceback, and together with `ros2 run`."""

from __future__ import annotations

from collections.abc import Iterable
import os
from pathlib import Path
import signal
import sys
import time
from types import FrameType

PR_SET_PDEATHSIG = 1  # Linux: a signal for this process when the one that started it is gone
SAME_S = 0.5  # ros2 launch hands Ctrl-C on to programs that have had it from the terminal


def leave_at(signals: Iterable[signal.Signals], code: int, line: str = '') -> None:
    """
    End the process at once at these signals, with one line at most.

    For the time in which a program loads: nothing is there yet that needs an end in order. A
    signal that is ignored (nohup, a job in the background of a script) stays so.
    """

    def leave(_number: int, _frame: FrameType | None) -> None:
        if line:
            os.write(2, f'{line}\n'.encode())
        os._exit(code)

    for number in signals:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, leave)


def raise_at_interrupt(code: int, line: str) -> None:
    """
    Raise KeyboardInterrupt at Ctrl-C, as Python does; but within an import leave at once.

    There it would be swallowed, printed as "Exception ignored in", or turned into ImportError.
    A second signal within SAME_S is the same Ctrl-C, and does not disturb the end in order.
    """
    told = -SAME_S

    def interrupt(_number: int, frame: FrameType | None) -> None:
        nonlocal told
        if time.monotonic() - told < SAME_S:
            return
        told = time.monotonic()
        if within_import(frame):
            os.write(2, f'{line}\n'.encode())
            os._exit(code)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)


def within_import(frame: FrameType | None) -> bool:
    """Whether a frame, or one of its callers, belongs to Python's import."""
    while frame is not None:
        if frame.f_code.co_filename.startswith('<frozen importlib'):
            return True
        frame = frame.f_back
    return False


def end_with_ros2_run() -> None:
    """
    Let the kernel end this process (SIGTERM) when the `ros2 run` that started it is gone.

    It hands on Ctrl-C alone: ended by SIGTERM, or killed, it would leave the process behind. Where
    another program is the parent, or the system is not Linux, nothing is changed.
    """
    parent = os.getppid()
    if is_ros2_run(_arguments(parent)):
        end_with(parent, signal.SIGTERM, 0)


def end_with(parent: int, number: signal.Signals, code: int) -> None:
    """
    Let the kernel send this process a signal when its parent, of that pid, is gone.

    Where that is gone already, leave at once with `code`. Elsewhere than on Linux nothing happens.
    """
    if not sys.platform.startswith('linux'):
        return
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(code)


def is_ros2_run(arguments: list[str]) -> bool:
    """Whether the arguments of a process, the interpreter first where there is one, are its."""
    for word, after in zip(arguments, arguments[1:], strict=False):
        if Path(word).name == 'ros2':
            return after == 'run'
    return False


def _arguments(pid: int) -> list[str]:
    try:
        raw = Path(f'/proc/{pid}/cmdline').read_bytes()
    except OSError:  # it is gone, or /proc is not ours to read
        return []
    return os.fsdecode(raw).split('\0')[:-1]
