"""What the node publishes: everything latched, so that those who come late see the last scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import threading
from typing import Any

import numpy as np

from folk_ros.markers import MarkerLedger
from folk_ros.ros import runtime
from folk_ros.ros.cloud_input import to_profile
from folk_ros.ros.conversions import (
    to_detections,
    to_instance_array,
    to_markers,
    to_point_cloud2,
)
from folk_ros.ros.fusion import move
from folk_ros.ros.qos_matching import NAMED
from folk_ros.ros.segmented_cloud import paint
from folk_ros.ros.segmenter import Segmented
from folk_ros.structures import Boxes, Instances, Match, PointCloud

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
        self._scene_frame = ''  # of the last scene published; '' if it was taken back
        self._cloud_of = 0  # scene_id of the last cloud published
        self._lock = threading.RLock()

    def warm_up(self) -> None:
        """Write one of each message, so that the first scene goes out as fast as the tenth."""
        zero, one = np.zeros((1, 3), np.float32), np.ones(1, np.float32)
        cloud = PointCloud(zero, np.zeros((1, 3), np.uint8), 'warm_up')
        scene = Instances(
            starts=np.array([0, 1]),
            points=np.zeros(1, np.int32),
            embeddings=zero,
            quality=one,
            boxes=Boxes(zero, zero + 1, 0 * one),
            ids=np.ones(1, np.uint32),
            num_points=1,
        )
        matches = [Match(0, 'warm up', 1.0, 1.0)]
        painted, ids = paint(cloud, scene)
        written = [
            to_instance_array(matches, scene, 'warm_up', np.eye(4)),
            to_markers(MarkerLedger().update(matches, scene), 'warm_up', 0),
            to_point_cloud2(painted, ids),
        ]
        if self._detections is not None:
            written.append(to_detections(matches, scene))
        for message in written:
            runtime.serialize_message(message)

    def publish(self, segmented: Segmented) -> None:
        """Publish a new scene; the cloud only if somebody listens."""
        scene, names = segmented.scene, segmented.names
        frame, T = segmented.frame_id, segmented.T_answer_scene
        with self._lock:
            self._scene_frame = frame
            self._instances.publish(to_instance_array(names, scene, frame, T))
            if self._detections is not None:
                self._detections.publish(to_detections(names, scene, frame, T))
            self.publish_cloud(segmented)

    def publish_cloud(self, segmented: Segmented | None) -> None:
        """Publish the coloured cloud of a scene, once, if somebody listens."""
        with self._lock:
            if segmented is None or not self.cloud_wanted(segmented):
                return
            painted, ids = paint(segmented.cloud, segmented.scene)
            if segmented.T_answer_scene is not None:
                xyz = move(painted.xyz, segmented.T_answer_scene)
                painted = replace(painted, xyz=xyz, frame_id=segmented.frame_id)
            self._scene_frame, self._cloud_of = segmented.frame_id, segmented.scene.scene_id
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
            self._frame_id = segmented.frame_id
            stamp, T = segmented.scene.stamp_ns, segmented.T_answer_scene
            self._markers.publish(to_markers([*first, *specs], self._frame_id, stamp, T))

    def clear(self, stamp_ns: int = 0) -> None:
        """Take back what was published, in the frame it was in: no scene is known any more."""
        with self._lock:
            if self._frame_id:
                self._markers.publish(to_markers(self._ledger.reset(), self._frame_id, 0))
            frame, self._scene_frame = self._scene_frame, ''
            if not frame:
                return
            nothing = PointCloud(np.empty((0, 3), np.float32), None, frame, stamp_ns)
            scene = Instances.empty(0, nothing)
            self._instances.publish(to_instance_array([], scene))
            if self._detections is not None:
                self._detections.publish(to_detections([], scene))
            if self._cloud_of:
                self._cloud_of = 0
                self._cloud.publish(to_point_cloud2(*paint(nothing, scene)))
