"""Running callbacks: one after another, or callback groups side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import threading
import time
from typing import Protocol, TYPE_CHECKING

from folk_ros.ros.embedded.callback_groups import CallbackGroup
from folk_ros.ros.embedded.context import Context, get_default_context
from folk_ros.ros.embedded.exceptions import (
    ExternalShutdownException,
    ShutdownException,
    TimeoutException,
)
from folk_ros.ros.embedded.future import Future

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

LONGEST_WAIT_S = 0.2  # a signal only sets a flag, which is looked at this often
WATCH_S = 0.05  # .. and this often by a thread that runs no callbacks itself
LEAVE_S = 1.0  # how long shutdown waits for callbacks that run
MAX_THREADS = 32


class Waitable(Protocol):
    """What an executor can run: a subscription, service, client or timer."""

    callback_group: CallbackGroup

    def take(self) -> Callable[[], None] | None:
        """Take one piece of work; None if there is none."""


class Executor:
    """Waits for work of its nodes and runs it. One thread: the one that calls spin()."""

    def __init__(self, *, context: Context | None = None) -> None:
        self._context = context or get_default_context()
        self._condition = threading.Condition()
        self._ready: deque[Waitable] = deque()
        self._nodes: list[Node] = []
        self._closed = False

    @property
    def context(self) -> Context:
        """The context whose end ends spinning."""
        return self._context

    def add_node(self, node: Node) -> bool:
        """Run the callbacks of a node; false if that is so already."""
        with self._condition:
            if node in self._nodes:
                return False
            self._nodes.append(node)
        node.executor = self
        for waitable in node.waitables():
            self.wake(waitable)
        return True

    def remove_node(self, node: Node) -> None:
        """Leave a node alone."""
        with self._condition:
            if node in self._nodes:
                self._nodes.remove(node)
        node.executor = None

    def get_nodes(self) -> list[Node]:
        """Return the nodes that were added."""
        return list(self._nodes)

    def wake(self, waitable: Waitable) -> None:
        """Say that something may have work."""
        with self._condition:
            if waitable not in self._ready:
                self._ready.append(waitable)
            self._condition.notify()

    def _next(self, deadline: float | None) -> Waitable:
        """Wait for work whose group is free, and occupy the group."""
        with self._condition:
            while True:
                self._raise_if_over()
                timer_wait = self._queue_due_timers()
                for waitable in self._ready:
                    if waitable.callback_group.begin():
                        self._ready.remove(waitable)
                        return waitable
                left = LONGEST_WAIT_S if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutException
                self._condition.wait(min(left, timer_wait, LONGEST_WAIT_S))

    def _raise_if_over(self) -> None:
        if self._closed:
            raise ShutdownException
        if not self._context.ok():
            raise ExternalShutdownException

    def _queue_due_timers(self) -> float:
        """Queue the timers that are due; return the seconds until the next one."""
        wait = LONGEST_WAIT_S
        for node in self._nodes:
            for timer in node.timers:
                left = timer.seconds_left()
                if left <= 0 and timer not in self._ready:
                    self._ready.append(timer)
                if left > 0:
                    wait = min(wait, left)
        return wait

    def _run(self, waitable: Waitable) -> bool:
        """Run one piece of work, its group being occupied; false if there was none."""
        try:
            work = waitable.take()
            if work is not None:
                work()
        finally:
            waitable.callback_group.end()
            with self._condition:
                self._condition.notify_all()  # another of the group may go now
        if work is not None:
            self.wake(waitable)  # there may be more
        return work is not None

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Run one callback; return without one when time runs out."""
        endless = timeout_sec is None or timeout_sec < 0
        deadline = None if endless else time.monotonic() + (timeout_sec or 0.0)
        try:
            while not self._run(self._next(deadline)):
                pass
        except (TimeoutException, ShutdownException):
            return

    def spin(self) -> None:
        """
        Run callbacks until shutdown() is called here.

        Raises ExternalShutdownException when the context ends, and whatever a callback raises.
        """
        while not self._closed:
            self.spin_once()

    def spin_until_future_complete(self, future: Future, timeout_sec: float | None = None) -> None:
        """Run callbacks until the future has a result, or time runs out."""
        deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
        future.add_done_callback(lambda _: self.kick())
        while not future.done():
            left = LONGEST_WAIT_S if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return
            self._spin_for(min(left, LONGEST_WAIT_S), future)

    def _spin_for(self, seconds: float, future: Future) -> None:
        self.spin_once(seconds)

    def kick(self) -> None:
        """Look again at once: a future is done, or the time has jumped."""
        with self._condition:
            self._condition.notify_all()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """End spinning; false if callbacks still run after the time given (1 s by default)."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        for node in list(self._nodes):
            self.remove_node(node)
        return True


class SingleThreadedExecutor(Executor):
    """One callback at a time, in the thread that spins."""


class MultiThreadedExecutor(Executor):
    """Callback groups side by side, in threads that are started when all others are busy."""

    def __init__(self, num_threads: int | None = None, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        self._limit = MAX_THREADS if num_threads is None else max(num_threads, 1)
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._error: BaseException | None = None
        self._news = threading.Event()  # for the thread that spins: it runs no callbacks itself

    def spin(self) -> None:
        """
        Run callbacks in worker threads until shutdown() is called here.

        Raises ExternalShutdownException when the context ends, and whatever a callback raises.
        """
        self._start_worker()
        while not self._closed:
            self._watch(WATCH_S)

    def _spin_for(self, seconds: float, future: Future) -> None:
        self._start_worker()
        if not future.done():
            self._watch(seconds)

    def kick(self) -> None:
        """Look again at once: a future is done, or the time has jumped."""
        self._news.set()
        super().kick()

    def _watch(self, seconds: float) -> None:
        """Wait for news; raise what a worker raised, or ExternalShutdownException at the end."""
        self._news.wait(seconds)
        self._news.clear()
        error, self._error = self._error, None
        if error is not None:
            raise error
        if not self._closed and not self._context.ok():
            raise ExternalShutdownException

    def _start_worker(self) -> None:
        """Start a thread unless one is idle or there are enough."""
        with self._condition:
            if self._idle or len(self._threads) >= self._limit or self._closed:
                return
            self._idle += 1
            name = f'executor-{len(self._threads)}'
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        """Run callbacks until the end; an exception is handed to the thread that spins."""
        try:
            while True:
                waitable = self._next(None)
                with self._condition:
                    self._idle -= 1
                self._start_worker()  # so that somebody listens while this callback runs
                try:
                    self._run(waitable)
                finally:
                    with self._condition:
                        self._idle += 1
        except (ExternalShutdownException, ShutdownException):
            pass  # the thread that spins says so
        except BaseException as error:  # noqa: BLE001  raised again by spin(), as rclpy does
            self._error = error
            self._news.set()
        finally:
            with self._condition:
                self._idle -= 1
                self._threads.remove(threading.current_thread())
                self._condition.notify_all()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """End spinning; false if callbacks still run after the time given (1 s by default)."""
        super().shutdown()
        deadline = time.monotonic() + (LEAVE_S if timeout_sec is None else timeout_sec)
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        return not self._threads
