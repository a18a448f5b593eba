"""
How old a cloud is, by the right clock, and whether time was set back.

A stamp is compared with the node's clock once, when its cloud comes; from there the age grows by
simulated time where that is used, else by a clock that nobody sets. So neither a bag played
without its clock nor a step of the system's clock makes a cloud look old, or new.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import threading
import time
from typing import Any

from folk_ros.transforms import JUMP_BACK_NS

NANOSECONDS = 1_000_000_000
EARLY_S = 1.0  # a stamp may be so far ahead of this machine's clock
LATE_S = 60.0  # a cloud that comes later than this was stamped by another clock
JUMP_S = 1.0  # a simulated clock set back by more starts everything anew


@dataclass(frozen=True)
class Arrival:
    """When a cloud came, and how old it was then."""

    delay_s: float  # from its stamp to its coming; where the clocks differ, their difference
    clocks_agree: bool
    ros_ns: int
    steady_s: float


@dataclass(frozen=True)
class Reset:
    """Time was set back: what is of later than `stamp_ns` is of before, and goes."""

    reason: str
    stamp_ns: int
    at: float = field(default_factory=time.monotonic)

    def spares(self, other_ns: int) -> bool:
        """Whether something of that stamp may be of the new time."""
        return other_ns <= self.stamp_ns + JUMP_BACK_NS


class Timekeeper:
    """Reads a node's clock for others; safe to use from several threads."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_ns, self._last_simulated = 0, False

    @property
    def simulated(self) -> bool:
        """Whether /clock sets the time."""
        return bool(self._clock.ros_time_is_active)

    def arrived(self, stamp_ns: int) -> Arrival:
        """Note the coming of a cloud."""
        now = int(self._clock.now().nanoseconds)
        delay = (now - stamp_ns) / NANOSECONDS
        agree = bool(stamp_ns > 0 and now > 0 and -EARLY_S <= delay <= LATE_S)
        return Arrival(delay, agree, now, time.monotonic())

    def age_s(self, arrival: Arrival) -> float:
        """Return how old the cloud is now; from its coming on where the clocks differ."""
        if self.simulated:
            passed = (int(self._clock.now().nanoseconds) - arrival.ros_ns) / NANOSECONDS
        else:
            passed = time.monotonic() - arrival.steady_s
        return max(passed, 0.0) + (max(arrival.delay_s, 0.0) if arrival.clocks_agree else 0.0)

    def set_back_s(self) -> float:
        """Return by how much simulated time went back since this was last asked; 0 if not."""
        now, simulated = int(self._clock.now().nanoseconds), self.simulated
        if simulated and now == 0:  # nothing was told on /clock yet
            return 0.0
        with self._lock:
            last, before = self._last_ns, self._last_simulated
            self._last_ns, self._last_simulated = now, simulated
        back = (last - now) / NANOSECONDS
        return back if simulated and before and back > JUMP_S else 0.0
