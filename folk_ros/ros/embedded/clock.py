"""Time: instants, lengths, and a clock that follows /clock where use_sim_time is set."""

from __future__ import annotations

from enum import IntEnum
from functools import total_ordering
import threading
import time
from typing import Any

from folk_ros.ros.embedded.messages import interfaces

NS_PER_S = 1_000_000_000


class ClockType(IntEnum):
    """Whose time it is."""

    ROS_TIME = 1
    SYSTEM_TIME = 2
    STEADY_TIME = 3


@total_ordering
class Duration:
    """A length of time."""

    def __init__(self, *, seconds: float = 0, nanoseconds: int = 0) -> None:
        self.nanoseconds = int(seconds * NS_PER_S) + int(nanoseconds)

    def __repr__(self) -> str:
        return f'Duration(nanoseconds={self.nanoseconds})'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.nanoseconds == other.nanoseconds

    def __lt__(self, other: Duration) -> bool:
        return self.nanoseconds < other.nanoseconds

    def __hash__(self) -> int:
        return hash(self.nanoseconds)

    def to_msg(self) -> Any:
        """Return builtin_interfaces/Duration."""
        sec, nanosec = divmod(self.nanoseconds, NS_PER_S)
        return interfaces().message('builtin_interfaces/msg/Duration')(sec=sec, nanosec=nanosec)


@total_ordering
class Time:
    """An instant."""

    def __init__(
        self,
        *,
        seconds: float = 0,
        nanoseconds: int = 0,
        clock_type: ClockType = ClockType.SYSTEM_TIME,
    ) -> None:
        self.nanoseconds = int(seconds * NS_PER_S) + int(nanoseconds)
        self.clock_type = clock_type

    def __repr__(self) -> str:
        return f'Time(nanoseconds={self.nanoseconds}, clock_type={self.clock_type.name})'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and self.nanoseconds == other.nanoseconds

    def __lt__(self, other: Time) -> bool:
        return self.nanoseconds < other.nanoseconds

    def __hash__(self) -> int:
        return hash(self.nanoseconds)

    def __add__(self, length: Duration) -> Time:
        return Time(nanoseconds=self.nanoseconds + length.nanoseconds, clock_type=self.clock_type)

    def __sub__(self, other: Any) -> Any:
        difference = self.nanoseconds - other.nanoseconds
        if isinstance(other, Time):
            return Duration(nanoseconds=difference)
        return Time(nanoseconds=difference, clock_type=self.clock_type)

    def seconds_nanoseconds(self) -> tuple[int, int]:
        """Split into whole seconds and the rest."""
        return divmod(self.nanoseconds, NS_PER_S)

    def to_msg(self) -> Any:
        """Return builtin_interfaces/Time."""
        sec, nanosec = self.seconds_nanoseconds()
        return interfaces().message('builtin_interfaces/msg/Time')(sec=sec, nanosec=nanosec)

    @classmethod
    def from_msg(cls, msg: Any, clock_type: ClockType = ClockType.ROS_TIME) -> Time:
        """Read builtin_interfaces/Time."""
        return cls(nanoseconds=msg.sec * NS_PER_S + msg.nanosec, clock_type=clock_type)


class Clock:
    """Tells the time; ROS time is the system's until a simulation sets it."""

    def __init__(self, *, clock_type: ClockType = ClockType.ROS_TIME) -> None:
        self.clock_type = clock_type
        self._lock = threading.Lock()
        self._simulated_ns: int | None = None

    @property
    def ros_time_is_active(self) -> bool:
        """Whether /clock sets the time."""
        return self._simulated_ns is not None

    def now(self) -> Time:
        """Return the present time; 0 while a simulation has not yet told it."""
        return Time(nanoseconds=self.now_ns(), clock_type=self.clock_type)

    def now_ns(self) -> int:
        """Return the present time in nanoseconds."""
        with self._lock:
            if self._simulated_ns is not None:
                return self._simulated_ns
        return time.monotonic_ns() if self.clock_type == ClockType.STEADY_TIME else time.time_ns()

    def set_simulated_ns(self, nanoseconds: int | None) -> None:
        """Set the time by hand; None goes back to the system's."""
        with self._lock:
            self._simulated_ns = nanoseconds
