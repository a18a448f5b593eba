"""
rclpy's own names, from rclpy where ROS 2 is installed, else from the embedded runtime.

A node written against these names runs unchanged on both:

    from folk_ros.ros import runtime

    class Talker(runtime.Node): ...

The choice falls when the first name is used: FOLK_ROS_RUNTIME=rclpy or =embedded forces it.
The names are those of NAMES, and `name`, which is 'rclpy' or 'embedded'.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
import logging
import os
from typing import Any

log = logging.getLogger(__name__)

ENVIRONMENT = 'FOLK_ROS_RUNTIME'
NAMES = {  # where rclpy keeps each name
    'init': 'rclpy',
    'ok': 'rclpy',
    'shutdown': 'rclpy',
    'try_shutdown': 'rclpy',
    'Node': 'rclpy.node',
    'MultiThreadedExecutor': 'rclpy.executors',
    'SingleThreadedExecutor': 'rclpy.executors',
    'ExternalShutdownException': 'rclpy.executors',
    'MutuallyExclusiveCallbackGroup': 'rclpy.callback_groups',
    'ReentrantCallbackGroup': 'rclpy.callback_groups',
    'QoSProfile': 'rclpy.qos',
    'ReliabilityPolicy': 'rclpy.qos',
    'DurabilityPolicy': 'rclpy.qos',
    'HistoryPolicy': 'rclpy.qos',
    'Parameter': 'rclpy.parameter',
    'ParameterException': 'rclpy.exceptions',
    'serialize_message': 'rclpy.serialization',
}


def __getattr__(name: str) -> Any:
    """Return a name of the chosen runtime."""
    if name == 'name':
        return chosen()
    if name not in NAMES:
        raise AttributeError(f'{__name__} has no {name!r}; it has: {", ".join(NAMES)}, name')
    if chosen() == 'rclpy':
        return getattr(import_module(NAMES[name]), name)
    return getattr(_embedded(), name)


@lru_cache(maxsize=1)
def chosen() -> str:
    """
    Choose 'rclpy' or 'embedded', once.

    Raises ValueError for an unknown FOLK_ROS_RUNTIME, ModuleNotFoundError if the runtime that it
    asks for is not there.
    """
    wanted = os.environ.get(ENVIRONMENT, '')
    if wanted not in ('', 'rclpy', 'embedded'):
        raise ValueError(f"{ENVIRONMENT} must be 'rclpy', 'embedded' or not set, got {wanted!r}")
    if wanted == 'embedded':
        return 'embedded'
    try:
        import_module('rclpy')
    except ImportError as error:
        if wanted == 'rclpy':
            raise ModuleNotFoundError(
                f'{ENVIRONMENT}=rclpy, but rclpy cannot be imported ({error}): source ROS 2, with '
                f'the Python it was made for, or unset {ENVIRONMENT}'
            ) from None
        if getattr(error, 'name', '') != 'rclpy':  # it is there, for another Python
            log.warning('rclpy is here but cannot be imported (%s); running without ROS 2', error)
        return 'embedded'
    return 'rclpy'


def _embedded() -> Any:
    """Import the embedded runtime; raises ModuleNotFoundError that says what to install."""
    try:
        return import_module('folk_ros.ros.embedded')
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'Without ROS 2 (rclpy is not importable) the package {error.name} is needed: '
            f"pip install 'folk_ros[embedded]', or source ROS 2"
        ) from None


def message(name: str) -> Any:
    """Return the class of 'package/msg/Name'; raises LookupError where it is not installed."""
    return _interface(name, 'msg')


def service(name: str) -> Any:
    """Return the class of 'package/srv/Name'; raises LookupError where it is not installed."""
    return _interface(name, 'srv')


def _interface(name: str, kind: str) -> Any:
    parts = name.split('/')
    if len(parts) != 3 or parts[1] != kind:
        raise LookupError(f'Interface {name!r} is not of the form package/{kind}/Name')
    if chosen() == 'embedded':
        return _embedded().message(name) if kind == 'msg' else _embedded().service(name)
    try:
        return getattr(import_module(f'{parts[0]}.{kind}'), parts[2])
    except (ModuleNotFoundError, AttributeError):
        raise LookupError(
            f'Interface {name!r} is not installed: install the package {parts[0]} of this ROS 2 '
            f'distribution, or source the workspace that has it'
        ) from None
