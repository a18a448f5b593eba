"""A robot in a process of its own: it walks through a room of formulas and films it."""

from __future__ import annotations

import sys
import time

import numpy as np

from folk_ros.ros import runtime
from folk_ros.ros.conversions import header, to_point_cloud2
from folk_ros.structures import PointCloud
from folk_ros.transforms import quaternion

ROOM = np.array([4.0, 3.0, 2.5])
WIDTH, HEIGHT = 64, 48
K = np.array([[55.0, 0, 31.5], [0, 55.0, 23.5], [0, 0, 1]])
OPTICAL = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])


def base_pose(seconds):
    """Where the robot is: it walks and turns evenly."""
    yaw = 0.3 * seconds
    pose = np.eye(4)
    pose[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    pose[:3, 3] = [1.0 + 0.15 * seconds % 2, 1.0, 0.0]
    return pose


def camera_in_base():
    mount = np.eye(4)
    mount[:3, 3] = [0.1, 0, 1.2]
    return mount @ OPTICAL


def look(pose):
    """Depth [H, W] in millimetres and colours [H, W, 3] of the room's inside."""
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    rays = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones(u.shape)], -1)
    world = rays @ pose[:3, :3].T
    world[world == 0] = 1e-12
    walls = np.where(world > 0, ROOM - pose[:3, 3], -pose[:3, 3]) / world
    depth = walls.min(-1)
    points = world * depth[..., None] + pose[:3, 3]
    rgb = np.rint(20 + 200 * np.clip(points / ROOM, 0, 1)).astype(np.uint8)
    return np.rint(depth * 1000).astype(np.uint16), rgb


def image(stamp_ns, pixels, encoding):
    message = runtime.message('sensor_msgs/msg/Image')()
    message.header = header('camera_optical_frame', stamp_ns)
    message.height, message.width = pixels.shape[:2]
    message.encoding, message.step = encoding, pixels[0].nbytes
    message.data = pixels.tobytes()
    return message


def link(stamp_ns, parent, child, pose):
    message = runtime.message('geometry_msgs/msg/TransformStamped')()
    message.header, message.child_frame_id = header(parent, stamp_ns), child
    for name, value in zip('xyz', pose[:3, 3], strict=True):
        setattr(message.transform.translation, name, float(value))
    for name, value in zip('xyzw', quaternion(pose[:3, :3]), strict=True):
        setattr(message.transform.rotation, name, float(value))
    return runtime.message('tf2_msgs/msg/TFMessage')(transforms=[message])


def profile(reliable=True, latched=False):
    reliability, durability = runtime.ReliabilityPolicy, runtime.DurabilityPolicy
    return runtime.QoSProfile(
        depth=5,
        reliability=reliability.RELIABLE if reliable else reliability.BEST_EFFORT,
        durability=durability.TRANSIENT_LOCAL if latched else durability.VOLATILE,
    )


def calibration(stamp_ns):
    message = runtime.message('sensor_msgs/msg/CameraInfo')()
    message.header = header('camera_optical_frame', stamp_ns)
    message.height, message.width, message.distortion_model = HEIGHT, WIDTH, 'plumb_bob'
    message.k = K.ravel()
    message.p = np.hstack([K, np.zeros((3, 1))]).ravel()
    message.d = np.zeros(5)
    return message


def main(with_cloud):
    runtime.init(args=[])
    node = runtime.Node('live_robot')

    def publisher(kind, topic, **qos):
        return node.create_publisher(runtime.message(kind), topic, profile(**qos))

    rgb = publisher('sensor_msgs/msg/Image', '/camera/color/image_rect', reliable=False)
    depth = publisher('sensor_msgs/msg/Image', '/camera/depth/image_rect', reliable=False)
    infos = [
        publisher('sensor_msgs/msg/CameraInfo', f'/camera/{kind}/camera_info', reliable=False)
        for kind in ('color', 'depth')
    ]
    tf = publisher('tf2_msgs/msg/TFMessage', '/tf')
    static = publisher('tf2_msgs/msg/TFMessage', '/tf_static', latched=True)
    clouds = publisher('sensor_msgs/msg/PointCloud2', '/map_cloud', latched=True)
    static.publish(link(0, 'base_link', 'camera_optical_frame', camera_in_base()))
    if with_cloud:
        xyz = np.random.default_rng(0).uniform(0, 2, (500, 3)).astype(np.float32)
        clouds.publish(to_point_cloud2(PointCloud(xyz, None, 'map', time.time_ns())))
    begin = time.monotonic()
    while runtime.ok():
        now, pose = time.time_ns(), base_pose(time.monotonic() - begin)
        millimetres, colours = look(pose @ camera_in_base())
        rgb.publish(image(now, colours, 'rgb8'))
        depth.publish(image(now, millimetres, '16UC1'))
        for info in infos:
            info.publish(calibration(now))
        time.sleep(0.05)  # transforms come later than the images they belong to
        tf.publish(link(now, 'map', 'base_link', pose))
        time.sleep(0.05)
    node.destroy_node()
    runtime.try_shutdown()


if __name__ == '__main__':
    main('--cloud' in sys.argv)
