"""Messages to the types of the core and back; nothing else knows the fields of a message."""

from __future__ import annotations

import array
from collections.abc import Iterable, Sequence
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud import CloudLayout, decode, encode, PointField
from folk_ros.markers import MarkerSpec
from folk_ros.ros import runtime
from folk_ros.structures import Instances, Match, PointCloud
from folk_ros.transforms import Pose, quaternion

Matrix = NDArray[np.float64]  # [4, 4]
NANOSECONDS = 1_000_000_000


def stamp_ns(stamp: Any) -> int:
    """Return builtin_interfaces/Time as nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def header(frame_id: str, nanoseconds: int) -> Any:
    """
    Return std_msgs/Header.

    Raises ValueError for a time that it cannot hold: rclpy would send another one.
    """
    seconds, rest = divmod(int(nanoseconds), NANOSECONDS)
    if not -(2**31) <= seconds < 2**31:
        raise ValueError(f'stamp: expected seconds that fit 32 bits, got {seconds}')
    message = runtime.message('std_msgs/msg/Header')()
    message.frame_id = frame_id
    message.stamp.sec, message.stamp.nanosec = seconds, rest
    return message


def to_layout(message: Any) -> CloudLayout:
    """Read how the bytes of a sensor_msgs/PointCloud2 are to be read."""
    return CloudLayout(
        width=message.width,
        height=message.height,
        point_step=message.point_step,
        row_step=message.row_step,
        fields=tuple(PointField(f.name, f.offset, f.datatype, f.count) for f in message.fields),
        is_bigendian=bool(message.is_bigendian),
    )


def to_cloud(message: Any, max_points: int) -> PointCloud:
    """Read sensor_msgs/PointCloud2; ValueError says what is wrong with it."""
    stamp = message.header.stamp
    if stamp.sec < 0 or stamp.nanosec >= NANOSECONDS:  # answers could not bear it
        raise ValueError(
            f'cloud stamp: expected seconds from 0 on and less than {NANOSECONDS} nanoseconds, '
            f'got {stamp.sec} s and {stamp.nanosec} ns; set it where the cloud is published'
        )
    layout = to_layout(message)
    return decode(
        memoryview(message.data),
        layout,
        frame_id=message.header.frame_id,
        stamp_ns=stamp_ns(stamp),
        max_points=max_points,
    )


def to_point_cloud2(cloud: PointCloud, instance_id: NDArray[np.uint32] | None = None) -> Any:
    """Write sensor_msgs/PointCloud2, with a field `instance_id` where ids [N] are given."""
    layout, data = encode(cloud, instance_id)
    cls = runtime.message('sensor_msgs/msg/PointField')
    fields = [
        cls(name=f.name, offset=f.offset, datatype=f.datatype, count=f.count)
        for f in layout.fields
    ]
    head = header(cloud.frame_id, cloud.stamp_ns)
    if runtime.name == 'rclpy' and len(cloud):  # its helper cannot take a cloud of no points
        from sensor_msgs_py import point_cloud2

        points = np.frombuffer(data, point_cloud2.dtype_from_fields(fields))
        message = point_cloud2.create_cloud(head, fields, points)
    else:
        message = runtime.message('sensor_msgs/msg/PointCloud2')()
        message.header, message.fields = head, fields
        message.height, message.width = layout.height, layout.width
        message.point_step, message.row_step = layout.point_step, layout.row_step
        message.data = array.array('B', data)  # what rclpy takes without a copy byte by byte
    message.is_dense = True
    return message


def to_instance(match: Match, scene: Instances, T: Matrix | None = None) -> Any:
    """Write folk_ros/Instance, moved by T [4, 4] where the answer is in another frame."""
    message = runtime.message('folk_ros/msg/Instance')()
    message.id = int(scene.ids[match.row])
    message.text = match.text
    message.score, message.similarity = float(match.score), float(match.similarity)
    message.quality = float(scene.quality[match.row])
    message.pose = _pose(scene, match.row, T)
    message.size = _vector(scene.boxes.size[match.row])
    message.point_count = int(scene.point_counts[match.row])
    return message


def to_instance_array(
    matches: Sequence[Match], scene: Instances, frame_id: str = '', T: Matrix | None = None
) -> Any:
    """Write folk_ros/InstanceArray, in another frame where T [4, 4] takes the scene there."""
    message = runtime.message('folk_ros/msg/InstanceArray')()
    message.header = header(frame_id or scene.frame_id, scene.stamp_ns)
    message.scene_id = scene.scene_id
    message.instances = [to_instance(match, scene, T) for match in matches]
    return message


def to_detections(
    matches: Sequence[Match], scene: Instances, frame_id: str = '', T: Matrix | None = None
) -> Any:
    """Write vision_msgs/Detection3DArray; the class is the words, the id is the instance's."""
    message = runtime.message('vision_msgs/msg/Detection3DArray')()
    message.header = header(frame_id or scene.frame_id, scene.stamp_ns)
    message.detections = [_detection(match, scene, message.header, T) for match in matches]
    return message


def _detection(match: Match, scene: Instances, head: Any, T: Matrix | None) -> Any:
    detection = runtime.message('vision_msgs/msg/Detection3D')()
    detection.header = head
    result = runtime.message('vision_msgs/msg/ObjectHypothesisWithPose')()
    result.hypothesis.class_id = match.text
    result.hypothesis.score = float(match.score)
    result.pose.pose = _pose(scene, match.row, T)
    detection.results = [result]
    detection.bbox.center = _pose(scene, match.row, T)
    detection.bbox.size = _vector(scene.boxes.size[match.row])
    detection.id = str(int(scene.ids[match.row]))
    return detection


def to_markers(
    specs: Iterable[MarkerSpec], frame_id: str, nanoseconds: int, T: Matrix | None = None
) -> Any:
    """Write visualization_msgs/MarkerArray, moved by T [4, 4]."""
    message = runtime.message('visualization_msgs/msg/MarkerArray')()
    head = header(frame_id, nanoseconds)
    message.markers = [_marker(spec, head, T) for spec in specs]
    return message


def _marker(spec: MarkerSpec, head: Any, T: Matrix | None) -> Any:
    cls = runtime.message('visualization_msgs/msg/Marker')
    marker = cls(header=head, ns=spec.namespace, id=spec.id)
    marker.action = {'add': cls.ADD, 'delete': cls.DELETE, 'delete_all': cls.DELETEALL}[
        spec.action
    ]
    marker.type = cls.LINE_LIST if spec.kind == 'box' else cls.TEXT_VIEW_FACING
    marker.pose.orientation.w = 1.0
    if spec.action != 'add':
        return marker
    red, green, blue, alpha = spec.rgba
    marker.color = runtime.message('std_msgs/msg/ColorRGBA')(r=red, g=green, b=blue, a=alpha)
    if spec.points is not None:
        marker.scale.x = float(spec.scale)
        marker.points = [_point(_moved(xyz, T)) for xyz in spec.points]
    else:
        marker.scale.z = float(spec.scale)
        marker.pose.position = _point(_moved(spec.position, T))
        marker.text = spec.text
    return marker


def to_poses(message: Any) -> list[tuple[str, str, Pose]]:
    """Read tf2_msgs/TFMessage: parent, child, and where the child lies in the parent."""
    return [
        (
            item.header.frame_id,
            item.child_frame_id,
            Pose(
                stamp_ns(item.header.stamp),
                np.array([getattr(item.transform.translation, k) for k in 'xyz']),
                np.array([getattr(item.transform.rotation, k) for k in 'xyzw']),
            ),
        )
        for item in message.transforms
    ]


def _pose(scene: Instances, row: int, T: Matrix | None) -> Any:
    """Write the centre and direction of a box as geometry_msgs/Pose."""
    pose = runtime.message('geometry_msgs/msg/Pose')()
    pose.position = _point(_moved(scene.boxes.centre[row], T))
    yaw = float(scene.boxes.yaw[row])
    pose.orientation.z, pose.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
    if T is not None:
        cos, sin = math.cos(yaw), math.sin(yaw)
        turned = T[:3, :3] @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        for name, value in zip('xyzw', quaternion(turned), strict=True):
            setattr(pose.orientation, name, float(value))
    return pose


def _moved(xyz: Any, T: Matrix | None) -> Any:
    return xyz if T is None else T[:3, :3] @ np.asarray(xyz, np.float64) + T[:3, 3]


def _point(xyz: Iterable[float]) -> Any:
    x, y, z = (float(value) for value in xyz)
    return runtime.message('geometry_msgs/msg/Point')(x=x, y=y, z=z)


def _vector(xyz: Iterable[float]) -> Any:
    x, y, z = (float(value) for value in xyz)
    return runtime.message('geometry_msgs/msg/Vector3')(x=x, y=y, z=z)
