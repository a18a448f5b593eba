"""One slot per source: the newest waits, what it replaces was dropped and is counted."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar('T')


class Mailbox(Generic[T]):
    """Hands the newest item of every source from the callbacks to the one worker."""

    def __init__(self) -> None:
        self._slots: dict[str, T] = {}
        self._dropped: dict[str, int] = {}
        self._changed = threading.Condition()
        self._rung = False
        self._closed = False

    def put(self, source: str, item: T) -> None:
        """Leave the newest item of a source; never waits."""
        with self._changed:
            if source in self._slots:
                self._dropped[source] = self._dropped.get(source, 0) + 1
            self._slots[source] = item
            self._changed.notify()

    def ring(self) -> None:
        """Wake the worker without an item: there is something else to look at."""
        with self._changed:
            self._rung = True
            self._changed.notify()

    def take(self, timeout_s: float | None = None) -> dict[str, T]:
        """Take everything; waits for something first. Empty after a ring, timeout or close."""
        with self._changed:
            self._changed.wait_for(lambda: self._slots or self._rung or self._closed, timeout_s)
            self._rung = False
            taken, self._slots = self._slots, {}
            return {} if self._closed else taken

    def pause(self, seconds: float) -> None:
        """Wait, or until closed; items go on replacing each other meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    def close(self) -> None:
        """Let the worker go; nothing is handed out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether the worker was told to go."""
        return self._closed

    def dropped(self, source: str) -> int:
        """Return how many items of a source were replaced before they were taken."""
        with self._changed:
            return self._dropped.get(source, 0)
