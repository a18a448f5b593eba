"""Timers."""

from __future__ import annotations

from collections.abc import Callable
import threading

from folk_ros.ros.embedded.callback_groups import CallbackGroup
from folk_ros.ros.embedded.clock import Clock, NS_PER_S

NEVER_S = 3600.0


class Timer:
    """Calls back once per period of its clock; periods missed are not made up for."""

    def __init__(
        self,
        period_ns: int,
        callback: Callable[[], None],
        callback_group: CallbackGroup,
        clock: Clock,
    ) -> None:
        if period_ns < 0:
            raise ValueError(
                f'A timer needs a period of 0 s or more, got {period_ns / NS_PER_S} s'
            )
        self.timer_period_ns = period_ns
        self.callback = callback
        self.callback_group = callback_group
        self.clock = clock
        self._lock = threading.Lock()
        self._cancelled = False
        self._last_ns = clock.now_ns()
        self._next_ns = self._last_ns + period_ns

    def cancel(self) -> None:
        """Stop calling back."""
        self._cancelled = True

    def is_canceled(self) -> bool:
        """Whether it was stopped."""
        return self._cancelled

    def reset(self) -> None:
        """Begin a new period now, also after cancel()."""
        with self._lock:
            self._last_ns = self.clock.now_ns()
            self._next_ns = self._last_ns + self.timer_period_ns
            self._cancelled = False

    def is_ready(self) -> bool:
        """Whether the period is over."""
        return self.seconds_left() <= 0

    def time_until_next_call(self) -> int | None:
        """Return the nanoseconds that are left, None for a stopped timer."""
        return None if self._cancelled else self._next_ns - self.clock.now_ns()

    def seconds_left(self) -> float:
        """Return the seconds that are left, an hour for a stopped timer."""
        if self._cancelled:
            return NEVER_S
        now = self.clock.now_ns()
        if now < self._last_ns:  # the clock was set back, as by a bag that starts again
            self.reset()
        return (self._next_ns - now) / NS_PER_S

    def take(self) -> Callable[[], None] | None:
        """Return the callback if it is due, and begin the next period."""
        with self._lock:
            now = self.clock.now_ns()
            if self._cancelled or now < self._next_ns:
                return None
            self._last_ns = now
            missed = (now - self._next_ns) // self.timer_period_ns if self.timer_period_ns else 0
            self._next_ns += (missed + 1) * self.timer_period_ns
        return self.callback
