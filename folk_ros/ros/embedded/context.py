"""The life of the process on the domain: init, signals, shutdown."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any, TYPE_CHECKING

from folk_ros.ros.embedded import arguments, logger, network
from folk_ros.ros.embedded.dds import Participant
from folk_ros.ros.embedded.exceptions import NotInitializedException
from folk_ros.ros.embedded.graph import Graph
from folk_ros.ros.embedded.waiter import Waiter

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Context:
    """One participant with its nodes; begun by init(), ended by shutdown() or a signal."""

    def __init__(self) -> None:
        self.arguments = arguments.RosArguments()
        self.nodes: list[Node] = []
        self._ok = False
        self._lock = threading.RLock()
        self._participant: Participant | None = None
        self._waiter: Waiter | None = None
        self._graph: Graph | None = None
        self._handlers: dict[int, Any] = {}

    def init(self, args: Sequence[str] | None = None, *, domain_id: int | None = None) -> None:
        """Join the domain; raises RuntimeError if that was done already."""
        with self._lock:
            if self._participant is not None:
                raise RuntimeError('init() was called already; call shutdown() before another one')
            self.arguments = arguments.parse(sys.argv if args is None else args)
            for name, level in self.arguments.log_levels.items():
                logger.set_level(name, level)
            domain = network.domain_id(os.environ) if domain_id is None else domain_id
            config = network.cyclone_config(os.environ, networked=network.has_network())
            self._participant = Participant(domain, config, b'enclave=/;')
            self._waiter = Waiter(self._participant)
            self._graph = Graph(self._participant, self._waiter)
            self._ok = True
            self._catch_signals()
            atexit.register(self.try_shutdown)

    def ok(self) -> bool:
        """Whether init() was called and nothing has ended it."""
        return self._ok

    @property
    def participant(self) -> Participant:
        """The place of this process on the domain."""
        if self._participant is None:
            raise NotInitializedException('Call init() before nodes are made')
        return self._participant

    @property
    def waiter(self) -> Waiter:
        """The thread that waits for DDS."""
        if self._waiter is None:
            raise NotInitializedException('Call init() before nodes are made')
        return self._waiter

    @property
    def graph(self) -> Graph:
        """Who else is on the domain."""
        if self._graph is None:
            raise NotInitializedException('Call init() before nodes are made')
        return self._graph

    def shutdown(self) -> None:
        """Leave the domain; raises RuntimeError if it was left before."""
        if not self.try_shutdown():
            raise RuntimeError('shutdown() was called before init(), or twice')

    def try_shutdown(self) -> bool:
        """Leave the domain with all nodes; false if it was left before."""
        with self._lock:
            self._ok = False
            participant, self._participant = self._participant, None
            if participant is None:
                return False
            atexit.unregister(self.try_shutdown)
            self._release_signals()
            for node in list(self.nodes):
                node.close()
            if self._waiter is not None:
                self._waiter.close()
            participant.close()
            self._waiter = self._graph = None
            return True

    def _catch_signals(self) -> None:
        """Let SIGINT and SIGTERM end spinning; only the main thread may ask for that."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            self._handlers[number] = signal.signal(number, self._on_signal)

    def _release_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop spinning; an own handler of before (KeyboardInterrupt for SIGINT) follows."""
        self._ok = False
        before = self._handlers.get(number)
        if callable(before):
            before(number, frame)


_default = Context()


def get_default_context() -> Context:
    """Return the context that init() begins."""
    return _default


def init(*, args: Sequence[str] | None = None, domain_id: int | None = None) -> None:
    """Join the domain (ROS_DOMAIN_ID, 0 by default) with the ROS arguments of `args`."""
    _default.init(args, domain_id=domain_id)


def ok() -> bool:
    """Whether nodes may go on."""
    return _default.ok()


def shutdown() -> None:
    """Leave the domain."""
    _default.shutdown()


def try_shutdown() -> None:
    """Leave the domain unless that was done before."""
    _default.try_shutdown()
