"""A recording of a generated room, as a robot would bring it home: RGB, depth, TF, no cloud."""

from bag_support import (
    camera_info,
    colour_message,
    depth_message,
    frames,
    header,
    SECOND,
    START,
    STORAGES,
    STORE,
    T,
)
import numpy as np
from rosbags.rosbag2 import Writer

from folk_ros.transforms import quaternion

PAUSE = 2 * SECOND  # between images: the views of a room lie apart


def pose_message(ns, pose):
    """The camera's pose [4, 4] in the map, turned however."""
    turn = T['geometry_msgs/msg/Quaternion'](*map(float, quaternion(pose[:3, :3])))
    move = T['geometry_msgs/msg/Vector3'](*map(float, pose[:3, 3]))
    body = T['geometry_msgs/msg/Transform'](move, turn)
    return frames(T['geometry_msgs/msg/TransformStamped'](header(ns, 'map'), 'camera', body))


def messages(views):
    """Give (time, topic, message) of a camera that is carried from view to view."""
    for number, view in enumerate(views):
        ns, size = START + number * PAUSE, view.depth.shape[::-1]
        pose = np.asarray(view.T_world_camera, float)
        for later in (ns - SECOND // 10, ns + SECOND // 10):  # it stands still for the image
            yield later, '/tf', pose_message(later, pose)
        info = camera_info(ns, 'camera', np.asarray(view.intrinsics, float), size)
        depth = depth_message(ns, 'camera', view.depth, '16UC1')
        yield ns, '/camera/color/image_raw', colour_message(ns, 'camera', view.rgb, 'rgb8')
        yield ns, '/camera/color/camera_info', info
        yield ns, '/camera/aligned_depth_to_color/image_raw', depth
        yield ns, '/camera/aligned_depth_to_color/camera_info', info


def write_bag_of_room(path, views):
    """Write an MCAP recording of the views of a scene; return its path."""
    with Writer(path, version=9, storage_plugin=STORAGES['mcap']) as writer:
        topics = {}
        for ns, topic, message in sorted(messages(views), key=lambda entry: entry[0]):
            kind = message.__msgtype__
            if topic not in topics:
                topics[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(topics[topic], ns, STORE.serialize_cdr(message, kind))
    return path
