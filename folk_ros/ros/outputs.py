"""What the node publishes: everything latched, so that those who come late see the last scene."""

from __future__ import annotations

from collections.abc import Callable
import threading
from typing import Any

from folk_ros.markers import MarkerLedger, MarkerSpec
from folk_ros.ros import runtime
from folk_ros.ros.cloud_input import to_profile
from folk_ros.ros.conversions import (
    to_detections,
    to_instance_array,
    to_markers,
    to_point_cloud2,
)
from folk_ros.ros.qos_matching import NAMED
from folk_ros.ros.segmented_cloud import paint
from folk_ros.ros.segmenter import Segmented
from folk_ros.structures import Match

Ask = Callable[[Segmented], list[Match]]


class Outputs:
    """The publishers of scenes and markers; called by the worker and by callbacks alike."""

    def __init__(self, node: Any) -> None:
        qos = to_profile(NAMED['latched'])

        def latched(type_name: str, topic: str) -> Any:
            return node.create_publisher(runtime.message(type_name), topic, qos)

        self._instances = latched('folk_ros/msg/InstanceArray', '~/instances')
        self._markers = latched('visualization_msgs/msg/MarkerArray', '~/markers')
        self._cloud = latched('sensor_msgs/msg/PointCloud2', '~/segmented_cloud')
        self._detections: Any = None
        try:
            self._detections = latched('vision_msgs/msg/Detection3DArray', '~/detections')
        except LookupError:
            node.get_logger().info('vision_msgs is not installed: there is no ~/detections')
        self._ledger = MarkerLedger()
        self._frame_id = ''
        self._cloud_of = 0  # scene_id of the last cloud published
        self._lock = threading.Lock()

    def publish(self, segmented: Segmented) -> None:
        """Publish a new scene; the cloud only if somebody listens."""
        scene, names = segmented.scene, segmented.names
        self._instances.publish(to_instance_array(names, scene))
        if self._detections is not None:
            self._detections.publish(to_detections(names, scene))
        self.publish_cloud(segmented)

    def publish_cloud(self, segmented: Segmented | None) -> None:
        """Publish the coloured cloud of a scene, once, if somebody listens."""
        if self.cloud_wanted(segmented) and segmented is not None:
            self._cloud_of = segmented.scene.scene_id
            painted, ids = paint(segmented.cloud, segmented.scene)
            self._cloud.publish(to_point_cloud2(painted, ids))

    def cloud_wanted(self, segmented: Segmented | None) -> bool:
        """Whether somebody waits for the coloured cloud of this scene."""
        unsent = segmented is not None and segmented.scene.scene_id != self._cloud_of
        return unsent and self._cloud.get_subscription_count() > 0

    def show(self, newest: Callable[[], Segmented | None], ask: Ask) -> None:
        """
        Bring the markers up to date: what `ask` finds in the newest scene.

        The scene is read inside the lock, so that an older one never follows a newer one.
        """
        with self._lock:
            segmented = newest()
            if segmented is None:
                return
            matches = ask(segmented)
            first = self._ledger.reset() if not self._frame_id else []
            specs = self._ledger.update(matches, segmented.scene)
            self._frame_id = segmented.scene.frame_id
            self._send([*first, *specs], segmented.scene.stamp_ns)

    def clear(self) -> None:
        """Delete every marker, if there were any."""
        with self._lock:
            if self._frame_id:
                self._send(self._ledger.reset(), 0)

    def _send(self, specs: list[MarkerSpec], stamp_ns: int) -> None:
        self._markers.publish(to_markers(specs, self._frame_id, stamp_ns))
