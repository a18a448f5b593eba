"""
CPU threads that each take a large share of a layer.

torch itself cuts every small operation into as many parts as there are threads and waits for all
of them, thousands of times a second: on a processor with anything else to do the threads wait for
each other more than they compute (measured: two threads no faster than one).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache
import os
import threading
from typing import Any, TypeVar

import torch

T = TypeVar('T')


def share_out(run: Callable[[int, int], T], most: int) -> list[T]:
    """
    Call `run(number, count)` for each number below count, at once; return what the calls return.

    There are as many calls as torch has threads here, but at most `most`; a single one is made
    where this is called. No gradients are recorded in several. If calls raise, the first error is
    raised here, after all calls have ended.
    """
    count = min(torch.get_num_threads(), most)
    if count < 2:
        return [run(0, 1)]
    submit = _submitter()
    calls = [submit(run, number, count) for number in range(count)]
    wait(calls)  # none may still write into buffers after an error
    return [call.result() for call in calls]


def share_rows(run: Callable[[slice], Any], rows: int, on_gpu: bool = False) -> None:
    """Call `run` for equal parts of some rows, one a thread, at once; on a GPU for all of them."""

    def part(number: int, count: int) -> None:
        run(slice(rows * number // count, rows * (number + 1) // count))

    share_out(part, 1 if on_gpu else max(1, rows))


def on_one_core(run: Callable[[], T], on_gpu: bool = False) -> T:
    """
    Call `run` in a thread in which torch uses one core, and return what it returns.

    For work too small to be shared: torch would cut it up all the same. Records no gradients.
    What is on a GPU is done where this is called.
    """
    return run() if on_gpu or torch.get_num_threads() < 2 else _submitter()(run).result()


def _submitter() -> Callable[..., Future[Any]]:
    """Return what has a function called in a thread, in the mode of the thread that asks."""
    frozen = torch.is_inference_mode_enabled()
    pool = _pool(torch.get_num_threads(), os.getpid())

    def guarded(run: Callable[..., Any], *numbers: int) -> Any:
        with torch.inference_mode(frozen), torch.no_grad():
            return run(*numbers)

    return lambda run, *numbers: pool.submit(guarded, run, *numbers)


@lru_cache(maxsize=1)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Start threads in which torch uses one core each; a forked process starts its own."""
    pool = ThreadPoolExecutor(threads, 'folk_sparse', initializer=_use_one_core)
    all_started = threading.Barrier(threads)
    wait([pool.submit(all_started.wait) for _ in range(threads)])
    torch.set_num_threads(threads)  # what they set is also what later threads would start with
    return pool


def _use_one_core() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # the first use in a thread: takes the number over
