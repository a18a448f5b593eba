"""A fault in a callback costs that call, not the node."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
import traceback
from typing import Any


def survives(callback: Callable[..., None]) -> Callable[..., None]:
    """Make a node's method log what it raises: rclpy would end the node."""

    @wraps(callback)
    def guarded(node: Any, *args: Any) -> None:
        try:
            callback(node, *args)
        except Exception:  # noqa: BLE001 - the rest of the node still does its work
            text = f'a fault in {callback.__name__}: {traceback.format_exc()}'
            node.get_logger().error(text, throttle_duration_sec=10.0)

    return guarded
