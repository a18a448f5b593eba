"""
Replies to clients whose reader for replies is not discovered yet; each goes out as soon as it is.

A reply sent before is lost. Nobody else waits meanwhile: a client that asks and leaves at once
would hold up the questions of all others.
"""

from __future__ import annotations

from collections.abc import Callable
import threading
import time
from typing import NamedTuple

POLL_S = 0.01
REPLY_READER_S = 2.0  # how long a new client's reply reader is waited for; mostly some ms
MAX_WAITING = 256  # replies; further ones are sent at once


class _Late(NamedTuple):
    heard: Callable[[], bool]
    send: Callable[[], None]
    until: float


class LateReplies:
    """Keeps replies back on a thread of its own, which lives only while there are some."""

    def __init__(self) -> None:
        self._waiting: list[_Late] = []
        self._lock = threading.Lock()
        self._running = self._closed = False

    def put(self, heard: Callable[[], bool], send: Callable[[], None]) -> None:
        """Call `send` once `heard` says so, or after some seconds."""
        item = _Late(heard, send, time.monotonic() + REPLY_READER_S)
        with self._lock:
            full = len(self._waiting) >= MAX_WAITING
            if not full:
                self._waiting.append(item)
            start = not self._running and not self._closed
            self._running = self._running or start
        if start:
            threading.Thread(target=self._run, name='late-replies', daemon=True).start()
        if full:
            send()

    def close(self) -> None:
        """Send nothing more; before the endpoints are closed."""
        with self._lock:
            self._closed = True

    def _run(self) -> None:
        try:
            while self._send_some():
                time.sleep(POLL_S)
        finally:  # whatever a reply raised: the next one begins anew
            with self._lock:
                self._running = False

    def _send_some(self) -> bool:
        """Send what may go; whether there is more."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if self._closed:
                return False
        later = []
        for item in waiting:
            if item.heard() or time.monotonic() > item.until:
                item.send()
            else:
                later.append(item)
        with self._lock:
            self._waiting += later
            if not self._waiting:
                self._running = False  # within the lock: a reply put now starts a thread
            return self._running
