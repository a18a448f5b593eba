"""The life of a node's process: from the arguments to an end in order, whatever is going on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import os
import signal
import sys
import threading
from typing import Any

from folk_ros.ros import runtime

THREADS = 3  # clouds and frames, questions, the clock tick
LEAVE_S = 0.2  # for callbacks that are running
END_S = 1.0  # for everything, from the signal on: then the process ends where it stands


def run(make_node: Callable[[], Any], args: list[str] | None = None) -> None:
    """Spin a node, which has `stop() -> bool`, until SIGINT, SIGTERM or shutdown; then exit."""
    init = runtime.init  # imports the runtime: not within the next lines
    told = _heed_signals()
    init(args=args)
    if told:
        _leave()
    executor = runtime.MultiThreadedExecutor(num_threads=THREADS)
    with suppress(runtime.ExternalShutdownException):
        try:
            executor.add_node(make_node())
        except Exception:
            if runtime.ok():
                raise
            _leave()  # a signal came while the node was made, and rclpy took its context away
        executor.spin()
    _ignore_signals()
    _end_at_latest(END_S)
    nodes = executor.get_nodes()
    for node in nodes:
        node.stop()
    executor.shutdown(timeout_sec=LEAVE_S)
    for node in nodes:
        node.destroy_node()  # tells the peers, who would else wait for it until its lease is over
    runtime.try_shutdown()
    _leave()


def _heed_signals() -> list[int]:
    """
    Let signals raise nothing, anywhere; returns the list of those that came.

    The runtimes add what ends spinning. KeyboardInterrupt could come up within an import or a
    callback, which print it and go on.
    """
    came: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: came.append(number))
    return came


def _ignore_signals() -> None:
    """Let nothing disturb the orderly end: Ctrl-C under ros2 launch comes twice."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _end_at_latest(seconds: float) -> None:
    """End the process after some time, however far the orderly end has come."""
    timer = threading.Timer(seconds, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    """
    Leave without the interpreter's own end.

    It waits for threads deep in the network, which nothing can stop, and takes long where torch
    is loaded and the machine busy.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)
