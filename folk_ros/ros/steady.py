"""A clock for timers that must run where simulated time stands still, or was never told."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from folk_ros.ros import runtime


def steady_clock() -> Any:
    """Return a Clock of the runtime that only ever goes forward."""
    module = 'rclpy.clock' if runtime.name == 'rclpy' else 'folk_ros.ros.embedded.clock'
    clock = import_module(module)
    return clock.Clock(clock_type=clock.ClockType.STEADY_TIME)
