"""What a peer hears from the node about one scene, put together from its topics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cli.found import Found
from folk_ros.cli.peer import NODE, Peer
from folk_ros.cloud import read_field
from folk_ros.ros.conversions import to_layout
from folk_ros.structures import Boxes, Instances


class Heard:
    """Listens to ~/instances and ~/segmented_cloud; `complete` when both speak of one cloud."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._instances: Any = None
        self._cloud: Any = None
        instances, cloud = 'folk_ros/msg/InstanceArray', 'sensor_msgs/msg/PointCloud2'
        peer.listen(f'{NODE}/instances', instances, self._keep_instances, 'latched')
        peer.listen(f'{NODE}/segmented_cloud', cloud, self._keep_cloud, 'latched')

    def connected(self) -> bool:
        """Whether the node publishes what is listened to."""
        count = self._peer.node.count_publishers
        return bool(count(f'{NODE}/instances') and count(f'{NODE}/segmented_cloud'))

    def complete(self) -> bool:
        """Whether both messages are there and speak of the same cloud."""
        if self._instances is None or self._cloud is None:
            return False
        return bool(self._instances.header.stamp == self._cloud.header.stamp)

    def objects(self) -> list[Found]:
        """Return every instance with its best name."""
        return [Found.from_message(instance) for instance in self._instances.instances]

    def point_ids(self, num_points: int) -> NDArray[np.uint32]:
        """Return the instance id [N] of every point, 0 for none."""
        ids = read_field(memoryview(self._cloud.data), to_layout(self._cloud), 'instance_id')
        if ids.size != num_points:
            raise ValueError(
                f'{NODE}/segmented_cloud: expected the {num_points} points that were played, '
                f'got {ids.size}'
            )
        return ids.reshape(-1).astype(np.uint32)

    def scene(self, num_points: int) -> Instances:
        """Return the scene as far as it is on the wire: masks and boxes, no embeddings."""
        found, ids = self.objects(), self.point_ids(num_points)
        points = [np.flatnonzero(ids == item.id).astype(np.int32) for item in found]
        starts = np.zeros(len(found) + 1, np.int64)
        np.cumsum([len(part) for part in points], out=starts[1:])
        return Instances(
            starts=starts,
            points=np.concatenate(points) if points else np.empty(0, np.int32),
            embeddings=np.zeros((len(found), 1), np.float32),
            quality=np.array([item.quality for item in found], np.float32),
            boxes=Boxes(
                centre=np.array([item.position for item in found], np.float32).reshape(-1, 3),
                size=np.array([item.size for item in found], np.float32).reshape(-1, 3),
                yaw=np.array([item.yaw for item in found], np.float32),
            ),
            ids=np.array([item.id for item in found], np.uint32),
            num_points=num_points,
        )

    def _keep_instances(self, message: Any) -> None:
        self._instances = message

    def _keep_cloud(self, message: Any) -> None:
        self._cloud = message
