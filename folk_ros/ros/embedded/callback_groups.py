"""Which callbacks may run at the same time."""

from __future__ import annotations

import threading


class CallbackGroup:
    """Callbacks that share a rule; begin() and end() stand around each."""

    def begin(self) -> bool:
        """Try to start a callback of this group; false if it has to wait."""
        raise NotImplementedError

    def end(self) -> None:
        """Say that the callback is over."""
        raise NotImplementedError


class MutuallyExclusiveCallbackGroup(CallbackGroup):
    """One callback at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def begin(self) -> bool:
        """Try to start a callback; false while another one runs."""
        return self._lock.acquire(blocking=False)

    def end(self) -> None:
        """Let the next one start."""
        self._lock.release()


class ReentrantCallbackGroup(CallbackGroup):
    """Any number at once."""

    def begin(self) -> bool:
        """Start a callback."""
        return True

    def end(self) -> None:
        """Nothing waits for it."""
