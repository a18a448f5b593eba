"""The log of a node on /rosout, where rqt_console and `ros2 topic echo /rosout` look for it."""

from __future__ import annotations

import threading
from typing import Any, TYPE_CHECKING

from folk_ros.ros.embedded import logger
from folk_ros.ros.embedded.clock import NS_PER_S
from folk_ros.ros.embedded.cyclone import DdsError
from folk_ros.ros.embedded.messages import interfaces
from folk_ros.ros.embedded.qos import DurabilityPolicy, QoSProfile

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

TOPIC = '/rosout'
KEPT = 1000  # lines for those who come late, as rcl keeps


class Rosout:
    """Sends what the logger of a node, and its children, write."""

    def __init__(self, node: Node) -> None:
        self._node, self._name = node, node.get_logger().name
        self._sending = threading.local()  # a line about this publisher must not be sent by it
        self._class: Any = interfaces().message('rcl_interfaces/msg/Log')
        profile = QoSProfile(depth=KEPT, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._publisher = node.create_publisher(self._class, TOPIC, profile)
        logger.add_sink(self._name, self._send)

    def close(self) -> None:
        """Send no more; before the publisher is taken back."""
        logger.remove_sink(self._name, self._send)

    def _send(self, line: logger.Line) -> None:
        if getattr(self._sending, 'now', False):
            return
        self._sending.now = True
        try:
            message = self._class(level=int(line.level), name=line.name, msg=line.text)
            message.stamp.sec, message.stamp.nanosec = divmod(line.time_ns, NS_PER_S)
            message.file, message.function, message.line = line.file, line.function, line.number
            self._publisher.publish(message)
        except (DdsError, ValueError, TypeError):
            pass  # it stands on stderr; a log that fails must not end what is logged
        finally:
            self._sending.now = False
