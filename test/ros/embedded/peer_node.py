"""A node for the tests, run in a process of its own: everything that a peer can see of one."""

from __future__ import annotations

import sys
import time

from folk_ros.ros import runtime

CLOUD = 'sensor_msgs/msg/PointCloud2'


class PeerNode(runtime.Node):
    """Counts clouds, latches a marker, answers two services, and can be kept busy."""

    def __init__(self) -> None:
        super().__init__('peer')
        self.busy_s = self.declare_parameter('busy_s', 0.0).value
        self.declare_parameter('word', 'none')
        self.declare_parameter('numbers', [1, 2])
        sensor = runtime.QoSProfile(depth=5, reliability=runtime.ReliabilityPolicy.RELIABLE)
        latched = runtime.QoSProfile(depth=1, durability=runtime.DurabilityPolicy.TRANSIENT_LOCAL)
        work = runtime.MutuallyExclusiveCallbackGroup()
        answers = runtime.MutuallyExclusiveCallbackGroup()
        self.clouds = 0
        self.create_subscription(
            runtime.message(CLOUD), 'cloud', self.on_cloud, sensor, callback_group=work
        )
        self.count = self.create_publisher(runtime.message('std_msgs/msg/String'), '~/count', 10)
        marker = runtime.message('visualization_msgs/msg/Marker')
        self.markers = self.create_publisher(
            runtime.message('visualization_msgs/msg/MarkerArray'), '~/markers', latched
        )
        array = self.markers.msg_type(markers=[marker(id=7, type=marker.CUBE, text='chair')])
        self.markers.publish(array)
        query = runtime.service('folk_ros/srv/Query')
        trigger = runtime.service('std_srvs/srv/Trigger')
        self.create_service(query, '~/query', self.on_query, callback_group=answers)
        self.create_service(trigger, '~/state', self.on_state, callback_group=answers)

    def on_cloud(self, msg):
        self.clouds += 1
        total = int(msg.width) * int(msg.height)
        text = f'{self.clouds} {total} {len(msg.data)} {int(msg.data[-1])} {msg.header.frame_id}'
        self.count.publish(self.count.msg_type(data=text))
        time.sleep(self.busy_s)

    def on_query(self, request, response):
        instance = runtime.message('folk_ros/msg/Instance')
        response.success = bool(request.texts)
        response.message = ', '.join(request.texts)
        response.instances = [
            instance(id=i, text=text, score=request.min_score)
            for i, text in enumerate(request.texts)
        ]
        return response

    def on_state(self, request, response):
        names = ('busy_s', 'word', 'numbers')
        values = [str(self.get_parameter(name).value) for name in names]
        response.success = True
        response.message = '|'.join([self.get_fully_qualified_name(), *values])
        return response


def spin() -> None:
    executor = runtime.MultiThreadedExecutor()
    executor.add_node(PeerNode())
    try:
        executor.spin()
    finally:
        executor.shutdown()


def main() -> int:
    try:
        runtime.init(args=sys.argv)
        spin()
    except (KeyboardInterrupt, runtime.ExternalShutdownException):
        pass
    finally:
        runtime.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
