"""Processes that work for a command and end with it; Ctrl-C is its business, not theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
import multiprocessing
from multiprocessing import resource_tracker
import os
import signal
import threading
import time
from types import FrameType
from typing import Any

from folk_ros.process import end_with, within_import

TIDY_S = 0.5  # for workers that are told to end: to take away what they have half written


class _Pool(ProcessPoolExecutor):
    """A pool whose workers end when they are told to, once `finally` has had its turn."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Let a worker call a function, see ProcessPoolExecutor."""
        with unheard_by_children():  # it may start one
            return super().submit(_work, function, *args, **kwargs)


@contextmanager
def worker_pool(
    count: int, begin: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """
    Yield a pool, see start_pool.

    Left by an exception, KeyboardInterrupt above all, it ends what runs and drops what waits.
    """
    with ended_with_the_block():
        pool = start_pool(count, begin, arguments)
        try:
            yield pool
        except BaseException:
            # at once: if its workers ended first, it would complain
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()


def start_pool(
    count: int, begin: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> ProcessPoolExecutor:
    """Start fresh processes that Ctrl-C does not reach, each with a call of `begin`."""
    fresh = multiprocessing.get_context('spawn')  # torch does not survive a fork
    pool = _Pool(count, fresh, _begin, (begin, arguments))
    for _ in range(count):
        pool.submit(os.getpid)  # starts one, as none is idle yet
    return pool


@contextmanager
def ended_with_the_block() -> Iterator[None]:
    """End the processes started in the block, and their keepers, if an exception leaves it."""
    processes, threads = set(multiprocessing.active_children()), set(threading.enumerate())
    try:
        yield
    except BaseException:
        end(set(multiprocessing.active_children()) - processes)
        for thread in set(threading.enumerate()) - threads:
            thread.join(TIDY_S)
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
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        end_with(parent.pid, signal.SIGKILL, 1)


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Prepare a worker of a pool."""
    end_with_parent()
    signal.signal(signal.SIGTERM, _leave)
    if begin is not None:
        begin(*arguments)


def _work(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Do one job; told to end meanwhile, end: the pool would take that for a result and go on."""
    try:
        return function(*args, **kwargs)
    except SystemExit:
        os._exit(0)


def _leave(_number: int, frame: FrameType | None) -> None:
    """Leave what is going on, so that `finally` takes away what is half written."""
    if within_import(frame):  # which would make another exception of it
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the pool sends it, too
    raise SystemExit
