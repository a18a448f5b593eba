"""
Where one frame lies in another: by tf2 where ROS 2 has it, else by an own reader of /tf.

Lookups never wait: who has a cloud whose transform is not there yet keeps it and asks again.
"""

from __future__ import annotations

from importlib import import_module
import threading
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
import yaml

from folk_ros.ros import runtime
from folk_ros.ros.cloud_input import to_profile
from folk_ros.ros.conversions import to_poses
from folk_ros.ros.qos_matching import Choice
from folk_ros.ros.survival import survives
from folk_ros.transforms import JUMP_BACK_NS, Pose, TransformBuffer, TransformError

QUEUE = 100
LISTED = 20  # frames in a sentence


class Frames(Protocol):
    """The tree of frames; safe to use from several threads."""

    def listen(self) -> None:
        """Begin to receive transforms; again does nothing."""

    def lookup(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """Return [4, 4] that takes `source` to `target` at a time; 0 is the newest one."""

    def connected(self, target: str, source: str) -> bool:
        """Whether the frames are related now."""

    def forget(self, stamp_ns: int) -> None:
        """Drop what was known of moving frames: time was set back to there."""


def make_frames(node: Any) -> Frames:
    """Choose tf2 where it is installed."""
    if runtime.name == 'rclpy':
        try:
            return Tf2Frames(node, import_module('tf2_ros'))
        except ImportError as error:
            node.get_logger().info(f'tf2_ros is not installed ({error}): reading /tf directly')
    return OwnFrames(node)


class OwnFrames:
    """The tree as TransformBuffer has it, fed by two subscriptions."""

    def __init__(self, node: Any = None, buffer: TransformBuffer | None = None) -> None:
        self.buffer = buffer or TransformBuffer()
        self._node = node
        self._listening = False
        self._lock = threading.Lock()

    def listen(self) -> None:
        """Subscribe to /tf and /tf_static, once."""
        with self._lock:
            if self._listening or self._node is None:
                return
            self._listening = True
        group = runtime.MutuallyExclusiveCallbackGroup()
        for topic, call in (('/tf', self._on_moving), ('/tf_static', self._on_static)):
            choice = Choice(reliable=True, latched=call == self._on_static, depth=QUEUE)
            kind = runtime.message('tf2_msgs/msg/TFMessage')
            self._node.create_subscription(
                kind, topic, call, to_profile(choice), callback_group=group
            )

    def lookup(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """Return [4, 4]; raises TransformError with a sentence."""
        return self.buffer.lookup(target, source, stamp_ns)

    def connected(self, target: str, source: str) -> bool:
        """Whether the frames are related now."""
        try:
            self.buffer.lookup(target, source, 0)
        except TransformError:
            return False
        return True

    def forget(self, stamp_ns: int) -> None:
        """Drop the poses of moving frames after that time."""
        self.buffer.forget_after(stamp_ns + JUMP_BACK_NS)

    def get_logger(self) -> Any:
        """Return the logger of the node, for faults in the callbacks."""
        return self._node.get_logger()

    @survives
    def _on_moving(self, message: Any) -> None:
        for parent, child, pose in to_poses(message):
            self.buffer.insert(parent, child, pose)

    @survives
    def _on_static(self, message: Any) -> None:
        for parent, child, pose in to_poses(message):
            self.buffer.insert(parent, child, pose, static=True)


class Tf2Frames:
    """The tree as tf2 has it."""

    def __init__(self, node: Any, tf2_ros: Any) -> None:
        self._node, self._tf2 = node, tf2_ros
        self._time = import_module('rclpy.time').Time
        self._buffer = tf2_ros.Buffer()  # with a node it would serve /tf2_frames for all
        self._listener: Any = None
        self._lock = threading.Lock()

    def listen(self) -> None:
        """Make the listener, once; its callbacks run where the node's do."""
        with self._lock:
            if self._listener is None:
                make = self._tf2.TransformListener
                self._listener = make(self._buffer, self._node, spin_thread=False)

    def lookup(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """Return [4, 4]; raises TransformError with a sentence."""
        target, source = target.strip('/'), source.strip('/')
        if target == source:
            return np.eye(4)
        try:
            found = self._buffer.lookup_transform(
                target, source, self._time(nanoseconds=stamp_ns)
            ).transform
        except (self._tf2.TransformException, TypeError) as error:  # TypeError: an empty name
            raise TransformError(self._sentence(target, source, error)) from None
        move, turn = found.translation, found.rotation
        pose = Pose(
            stamp_ns,
            np.array([move.x, move.y, move.z]),
            np.array([turn.x, turn.y, turn.z, turn.w]),
        )
        return pose.matrix()

    def connected(self, target: str, source: str) -> bool:
        """Whether the frames are related now."""
        target, source = target.strip('/'), source.strip('/')
        known = bool(target) and bool(source)
        return known and bool(self._buffer.can_transform(target, source, self._time()))

    def forget(self, stamp_ns: int) -> None:
        """Drop every pose of moving frames: tf2 takes no older ones; it keeps static frames."""
        self._buffer.clear()

    def _sentence(self, target: str, source: str, error: Exception) -> str:
        tree = yaml.safe_load(self._buffer.all_frames_as_yaml()) or {}
        names = sorted({*tree, *(link.get('parent', '') for link in tree.values())})
        missing = [frame for frame in (source, target) if frame not in names]
        if not missing:
            return f'transform {source} -> {target}: {error}'
        listed = ', '.join(names[:LISTED]) or 'none; nothing was received on /tf or /tf_static'
        return (
            f'transform {source} -> {target}: frame {missing[0]!r} is not in TF '
            f'(known frames: {listed})'
        )
