"""Log lines on stderr, in the form and with the options of rclpy's loggers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
import sys
import threading
import time
from types import FrameType
from typing import NamedTuple


class LoggingSeverity(IntEnum):
    """How grave a line is."""

    UNSET = 0
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    FATAL = 50


class Line(NamedTuple):
    """One line of a log, and where it was written."""

    level: LoggingSeverity
    name: str
    text: str
    time_ns: int
    file: str
    function: str
    number: int


Sink = Callable[[Line], None]


class _Settings:
    """Levels by logger name; '' is the default for all."""

    def __init__(self) -> None:
        self.sinks: list[tuple[str, Sink]] = []
        self.lock = threading.Lock()
        self.levels: dict[str, LoggingSeverity] = {'': LoggingSeverity.INFO}
        self.last_ns: dict[tuple[str, str, int], int] = {}  # last line of each throttled place


_settings = _Settings()


def set_level(name: str, level: str | LoggingSeverity) -> None:
    """Set the level of one logger, or with '' of all; raises ValueError for unknown levels."""
    if isinstance(level, str):
        spelt = {'WARNING': 'WARN'}.get(level.upper(), level.upper())
        if spelt not in LoggingSeverity.__members__:
            known = ', '.join(item.name.lower() for item in LoggingSeverity)
            raise ValueError(f'Log level {level!r} is unknown; use one of {known}')
        level = LoggingSeverity[spelt]
    _settings.levels[name] = level


def add_sink(name: str, sink: Sink) -> None:
    """Hand the lines of a logger and its children to `sink` too."""
    with _settings.lock:
        _settings.sinks = [*_settings.sinks, (name, sink)]


def remove_sink(name: str, sink: Sink) -> None:
    """Hand it no more."""
    with _settings.lock:
        _settings.sinks = [item for item in _settings.sinks if item != (name, sink)]


class Logger:
    """Writes the lines of one name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get_child(self, name: str) -> Logger:
        """Return the logger of a part."""
        return Logger(f'{self.name}.{name}')

    def set_level(self, level: LoggingSeverity) -> None:
        """Leave out what is less grave."""
        set_level(self.name, level)

    def get_effective_level(self) -> LoggingSeverity:
        """Return the level that holds: one's own, the nearest parent's, or the default."""
        name = self.name
        while name and name not in _settings.levels:
            name = name.rpartition('.')[0]
        return _settings.levels[name]

    def debug(self, message: str, **options: float | bool) -> bool:
        """Log what helps to find a fault."""
        return self._log(LoggingSeverity.DEBUG, message, options)

    def info(self, message: str, **options: float | bool) -> bool:
        """Log what a person wants to know."""
        return self._log(LoggingSeverity.INFO, message, options)

    def warning(self, message: str, **options: float | bool) -> bool:
        """Log what may be wrong."""
        return self._log(LoggingSeverity.WARN, message, options)

    warn = warning

    def error(self, message: str, **options: float | bool) -> bool:
        """Log what went wrong."""
        return self._log(LoggingSeverity.ERROR, message, options)

    def fatal(self, message: str, **options: float | bool) -> bool:
        """Log what ends the node."""
        return self._log(LoggingSeverity.FATAL, message, options)

    def _log(self, level: LoggingSeverity, message: str, options: dict[str, float | bool]) -> bool:
        """Write one line, unless its level or an option (once, throttle_duration_sec) holds it."""
        unknown = set(options) - {'once', 'skip_first', 'throttle_duration_sec'}
        if unknown:
            raise TypeError(f'Logger.{level.name.lower()} has no option {sorted(unknown)}')
        if level < self.get_effective_level():
            return False
        caller = sys._getframe(2)
        if any(options.values()) and self._held(caller, options):
            return False
        now = time.time_ns()
        line = f'[{level.name}] [{now // 10**9}.{now % 10**9:09d}] [{self.name}]: {message}\n'
        with suppress(OSError, ValueError):  # a full disk or a closed pipe shall not end the node
            sys.stderr.write(line)
            sys.stderr.flush()
        for name, sink in _settings.sinks:
            if self.name == name or self.name.startswith(f'{name}.'):
                code = caller.f_code
                place = code.co_filename, code.co_name, caller.f_lineno
                sink(Line(level, self.name, message, now, *place))
        return True

    def _held(self, caller: FrameType, options: dict[str, float | bool]) -> bool:
        """Whether the options hold back a line of this place in the code."""
        place = (self.name, caller.f_code.co_filename, caller.f_lineno)
        now = time.monotonic_ns()
        with _settings.lock:
            last = _settings.last_ns.get(place)
            if last is None and options.get('skip_first'):
                _settings.last_ns[place] = 0
                return True
            if last is not None and options.get('once'):
                return True
            if last and now - last < float(options.get('throttle_duration_sec', 0)) * 1e9:
                return True
            _settings.last_ns[place] = now
            return False


def get_logger(name: str) -> Logger:
    """Return the logger of a name."""
    return Logger(name)
