"""A result that comes later."""

from __future__ import annotations

from collections.abc import Callable
import threading
from typing import Any


class Future:
    """The result of a service call, when it is there."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._result: Any = None
        self._exception: BaseException | None = None
        self._cancelled = False
        self._callbacks: list[Callable[[Future], None]] = []

    def done(self) -> bool:
        """Whether there is a result, an exception, or it was cancelled."""
        return self._event.is_set()

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._cancelled

    def result(self) -> Any:
        """Return the result, None as long as there is none; raise what went wrong."""
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self) -> BaseException | None:
        """Return what went wrong."""
        return self._exception

    def set_result(self, result: Any) -> None:
        """Finish with a result."""
        self._result = result
        self._finish()

    def set_exception(self, exception: BaseException) -> None:
        """Finish with what went wrong."""
        self._exception = exception
        self._finish()

    def cancel(self) -> None:
        """Finish without a result."""
        if not self.done():
            self._cancelled = True
            self._finish()

    def wait(self, timeout_sec: float | None = None) -> bool:
        """Wait until it is done; false if time runs out."""
        return self._event.wait(timeout_sec)

    def add_done_callback(self, callback: Callable[[Future], None]) -> None:
        """Call back when it is done, at once if it is."""
        with self._lock:
            if not self.done():
                self._callbacks.append(callback)
                return
        callback(self)

    def _finish(self) -> None:
        with self._lock:
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)
