"""The life of a node's process: from the arguments to an end in order, whatever is going on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import os
import signal
import sys
from typing import Any

from folk_ros.ros import runtime

THREADS = 3  # clouds and frames, questions, the clock tick
LEAVE_S = 0.5  # for callbacks that are running


def run(make_node: Callable[[], Any], args: list[str] | None = None) -> None:
    """Spin a node, which has `stop() -> bool`, until SIGINT, SIGTERM or shutdown."""
    runtime.init(args=args)
    executor = runtime.MultiThreadedExecutor(num_threads=THREADS)
    with suppress(KeyboardInterrupt, runtime.ExternalShutdownException):  # the ways to be ended
        executor.add_node(make_node())
        executor.spin()
    _ignore_signals()
    nodes = executor.get_nodes()
    ended = all(node.stop() for node in nodes)
    executor.shutdown(timeout_sec=LEAVE_S)
    for node in nodes:
        node.destroy_node()  # tells the peers, who would else wait for it until its lease is over
    runtime.try_shutdown()
    _ignore_signals()  # again: the runtime has put the handlers of before back
    if not ended:  # deep in the network, where no thread can be stopped: leave without it
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _ignore_signals() -> None:
    """Let nothing disturb the orderly end: Ctrl-C under ros2 launch comes twice."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
