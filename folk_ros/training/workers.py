"""Processes that work for a command and end with it; Ctrl-C is its business, not theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
import ctypes
import multiprocessing
from multiprocessing import resource_tracker
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from folk_ros.process import within_import

PR_SET_PDEATHSIG = 1  # Linux: a signal for this process when its parent is gone
TIDY_S = 0.5  # for workers that are told to end: to take away what they have half written


@contextmanager
def worker_pool(
    count: int, begin: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """
    Yield a pool of fresh processes, in each of which `begin(*arguments)` was called.

    Left by an exception, KeyboardInterrupt above all, it ends what runs and drops what waits.
    """
    fresh = multiprocessing.get_context('spawn')  # torch does not survive a fork
    with ended_with_the_block():
        pool = ProcessPoolExecutor(count, fresh, _begin, (begin, arguments))
        try:
            with unheard_by_children():
                pool.submit(os.getpid)  # starts them all
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()


@contextmanager
def ended_with_the_block() -> Iterator[None]:
    """End the processes that were started in the block if it is left by an exception."""
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        end(set(multiprocessing.active_children()) - before)
        raise


def end(processes: Iterable[Any]) -> None:
    """End processes, all of them after TIDY_S at the latest."""
    processes = list(processes)
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + TIDY_S
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    for process in processes:
        process.kill()
        process.join()


@contextmanager
def unheard_by_children() -> Iterator[None]:
    """
    Start processes in the block that no Ctrl-C reaches, not even while they load.

    A terminal sends it to all of them, and each would print where it just was. For this process
    it comes when the block is over.
    """
    resource_tracker.ensure_running()  # started later, it would let the signal through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Let the kernel end this process when its parent is gone (Linux), however that came."""
    if not sys.platform.startswith('linux'):
        return
    parent = multiprocessing.parent_process()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if parent is not None and os.getppid() != parent.pid:  # it has gone already
        os._exit(1)


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Prepare a worker of a pool."""
    end_with_parent()
    signal.signal(signal.SIGTERM, _leave)
    if begin is not None:
        begin(*arguments)


def _leave(_number: int, frame: FrameType | None) -> None:
    """Leave what is going on, so that `finally` takes away what is half written."""
    if within_import(frame):  # which would make another exception of it
        os._exit(0)
    raise SystemExit
