"""
Listens to a robot's RGB-D camera: pairs of images with the poses of their cameras come out.

Callbacks only store; the caller's thread takes pairs with `take`, so that writing files never
holds up the middleware. What becomes of them is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import threading
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.ros import runtime
from folk_ros.ros.cloud_input import CloudInput
from folk_ros.ros.conversions import stamp_ns, to_cloud
from folk_ros.ros.frames import Frames
from folk_ros.ros.fusion import move
from folk_ros.ros.qos_matching import CLOUD_TYPE
from folk_ros.ros.steady import steady_clock
from folk_ros.structures import PointCloud
from folk_ros.transforms import TransformError

WAITING_IMAGES = 15  # of each camera, until their partner comes
WAITING_PAIRS = 30  # until their transforms come, or there is time to write
PATIENCE_S = 2.0  # a pair waits so long for its transforms
MAX_CLOUD_POINTS = 50_000_000


@dataclass(frozen=True)
class Camera:
    """What to listen to."""

    rgb: str
    depth: str
    rgb_type: str  # sensor_msgs/msg/Image or CompressedImage
    depth_type: str
    rgb_frame: str
    depth_frame: str
    cloud: str = ''  # the fused cloud, '' if there is none


@dataclass(frozen=True)
class Posed:
    """Two images of one moment, and where the cameras were."""

    rgb: Any
    depth: Any
    stamp_ns: int
    T_world_depth: NDArray[np.float64]  # [4, 4]
    T_colour_depth: NDArray[np.float64]  # [4, 4]


class Pairing:
    """Brings together the images nearest in time; those that stay alone are dropped."""

    def __init__(self, max_delay_ns: int) -> None:
        self._max_delay_ns = max_delay_ns
        self._rgb: deque[Any] = deque(maxlen=WAITING_IMAGES)
        self._depth: deque[Any] = deque(maxlen=WAITING_IMAGES)

    def add_rgb(self, message: Any) -> tuple[Any, Any] | None:
        """Take a photograph; the pair that it completes, if it does."""
        self._rgb.append(message)
        return self._pair()

    def add_depth(self, message: Any) -> tuple[Any, Any] | None:
        """Take a depth image; the pair that it completes, if it does."""
        self._depth.append(message)
        return self._pair()

    def _pair(self) -> tuple[Any, Any] | None:
        """Return (rgb, depth) of the newest depth image that has a partner near enough."""
        for depth in reversed(self._depth):
            stamp = stamp_ns(depth.header.stamp)
            gaps = [abs(stamp_ns(rgb.header.stamp) - stamp) for rgb in self._rgb]
            if gaps and min(gaps) <= self._max_delay_ns:
                rgb = self._rgb[gaps.index(min(gaps))]
                self._rgb.remove(rgb)
                while self._depth.popleft() is not depth:
                    pass
                return rgb, depth
        return None


class Recorder:
    """The subscriptions of a recording, on a node that somebody spins."""

    def __init__(self, node: Any, frames: Frames, camera: Camera, max_delay_s: float) -> None:
        self.received = {'rgb': 0, 'depth': 0}
        self.pairs = self.without_pose = self.dropped = 0
        self.reason = ''  # why the last pair had no pose
        self.cloud_topic = camera.cloud
        self._frames, self._camera = frames, camera
        self._pairing = Pairing(round(max_delay_s * 1e9))
        self._posing: deque[tuple[Any, Any, float]] = deque()
        self._cloud_message: Any = None
        self._changed = threading.Condition()
        frames.listen()
        self.inputs = [
            CloudInput(node, camera.rgb, 'auto', self._on_rgb, camera.rgb_type),
            CloudInput(node, camera.depth, 'auto', self._on_depth, camera.depth_type),
        ]
        if camera.cloud:
            self.inputs.append(
                CloudInput(node, camera.cloud, 'auto', self._on_cloud_message, CLOUD_TYPE)
            )
        group = runtime.MutuallyExclusiveCallbackGroup()
        node.create_timer(1.0, self._check, callback_group=group, clock=steady_clock())

    def _check(self) -> None:
        for source in self.inputs:
            source.check()

    def _on_rgb(self, _source: CloudInput, message: Any) -> None:
        self._on_image('rgb', self._pairing.add_rgb, message)

    def _on_depth(self, _source: CloudInput, message: Any) -> None:
        self._on_image('depth', self._pairing.add_depth, message)

    def _on_image(self, kind: str, add: Callable[[Any], Any], message: Any) -> None:
        with self._changed:
            self.received[kind] += 1
            pair = add(message)
            if pair is None:
                return
            self.pairs += 1
            if len(self._posing) >= WAITING_PAIRS:
                self._posing.popleft()
                self.dropped += 1
            self._posing.append((*pair, time.monotonic() + PATIENCE_S))
            self._changed.notify()

    def _on_cloud_message(self, _source: CloudInput, message: Any) -> None:
        with self._changed:
            self._cloud_message = message

    def take(self, world: str, timeout_s: float) -> Posed | None:
        """Return the oldest pair with its pose in `world`; None if none is ready in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            with self._changed:
                if not self._posing:
                    self._changed.wait(max(0.0, deadline - time.monotonic()))
                first = self._posing[0] if self._posing else None
            if first is not None:
                posed = self._posed(first, world)
                if posed is not None:
                    return posed
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(left, 0.01))

    def _posed(self, item: tuple[Any, Any, float], world: str) -> Posed | None:
        """Look up the poses of a pair, and take it from the list unless it may wait."""
        rgb, depth, until = item
        stamp, camera = stamp_ns(depth.header.stamp), self._camera
        try:
            pose = self._frames.lookup(world, camera.depth_frame, stamp)
            between = np.eye(4)
            if camera.rgb_frame != camera.depth_frame:
                rgb_pose = self._frames.lookup(world, camera.rgb_frame, stamp_ns(rgb.header.stamp))
                between = np.linalg.inv(rgb_pose) @ pose
        except TransformError as error:
            self.reason = str(error)
            if time.monotonic() >= until:
                self._drop(item)
                self.without_pose += 1
            return None
        self._drop(item)
        return Posed(rgb, depth, stamp, pose, between)

    def _drop(self, item: Any) -> None:
        with self._changed:
            if self._posing and self._posing[0] is item:
                self._posing.popleft()

    def take_cloud(self, world: str) -> PointCloud | None:
        """
        Return the newest fused cloud that has come, in `world`; None if there is no new one.

        Raises ValueError where it cannot be used.
        """
        with self._changed:
            message, self._cloud_message = self._cloud_message, None
        if message is None:
            return None
        cloud = to_cloud(message, MAX_CLOUD_POINTS)
        if not len(cloud):
            return None
        if cloud.frame_id.strip('/') == world:
            return PointCloud(cloud.xyz, cloud.rgb, 'world', cloud.stamp_ns)
        try:
            matrix = self._frames.lookup(world, cloud.frame_id, cloud.stamp_ns)
        except TransformError as error:
            raise ValueError(str(error)) from None
        return PointCloud(move(cloud.xyz, matrix), cloud.rgb, 'world', cloud.stamp_ns)
