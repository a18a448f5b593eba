"""
ROS 2 without ROS 2: rclpy's names on Cyclone DDS and rosbags, as far as this package needs them.

Nodes are written against `folk_ros.ros.runtime`, which chooses between this and rclpy.
"""

from __future__ import annotations

from typing import Any

from folk_ros.ros.embedded.callback_groups import (
    MutuallyExclusiveCallbackGroup,
    ReentrantCallbackGroup,
)
from folk_ros.ros.embedded.context import init, ok, shutdown, try_shutdown
from folk_ros.ros.embedded.exceptions import ExternalShutdownException, ParameterException
from folk_ros.ros.embedded.executors import MultiThreadedExecutor, SingleThreadedExecutor
from folk_ros.ros.embedded.messages import interfaces
from folk_ros.ros.embedded.node import Node
from folk_ros.ros.embedded.parameters import Parameter
from folk_ros.ros.embedded.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

__all__ = [
    'DurabilityPolicy',
    'ExternalShutdownException',
    'HistoryPolicy',
    'MultiThreadedExecutor',
    'MutuallyExclusiveCallbackGroup',
    'Node',
    'Parameter',
    'ParameterException',
    'QoSProfile',
    'ReentrantCallbackGroup',
    'ReliabilityPolicy',
    'SingleThreadedExecutor',
    'init',
    'message',
    'ok',
    'serialize_message',
    'service',
    'shutdown',
    'try_shutdown',
]


def message(name: str) -> Any:
    """Return the class of 'package/msg/Name'; raises LookupError where there is none."""
    return interfaces().message(name)


def serialize_message(message: Any) -> bytes:
    """Return the bytes of a message: CDR with its header."""
    return bytes(interfaces().encode(message))


def service(name: str) -> Any:
    """Return the class of 'package/srv/Name'; raises LookupError where there is none."""
    return interfaces().service(name)
