"""Publishes a room with a cloud a second until it is ended."""

from pathlib import Path
import sys
import time

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from colour_folk import room
from node_support import profile

from folk_ros.ros import runtime
from folk_ros.ros.conversions import to_point_cloud2


def main():
    runtime.init(args=[])
    node = runtime.Node('player')
    kind = runtime.message('sensor_msgs/msg/PointCloud2')
    publisher = node.create_publisher(kind, '/cloud', profile())
    try:
        while runtime.ok():
            publisher.publish(to_point_cloud2(room(stamp_ns=time.time_ns())))
            time.sleep(1.0)
    except KeyboardInterrupt:
        pass
    node.destroy_node()
    runtime.try_shutdown()


if __name__ == '__main__':
    main()
