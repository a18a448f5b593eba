"""Writes real recordings of an empty room whose walls, colours and camera path are formulas."""

from __future__ import annotations

from dataclasses import dataclass, field
import io
import struct

import numpy as np
from PIL import Image as Pillow
from rosbags.convert import convert
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

ROOM = np.array([4.0, 3.0, 2.5])
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
WIDTH, HEIGHT = 64, 48
K = np.array([[55.0, 0, 31.5], [0, 55.0, 23.5], [0, 0, 1]])
COLOUR_K = np.array([[130.0, 0, 63.0], [0, 130.0, 47.0], [0, 0, 1]])  # of 128 x 96 pixels
OPTICAL = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
STORE = get_typestore(Stores.ROS2_HUMBLE)
T = STORE.types
STORAGES = {'sqlite3': StoragePlugin.SQLITE3, 'mcap': StoragePlugin.MCAP}
BASELINE_M = 0.05  # the colour camera stands this far to the right of the depth camera


def walking(seconds):
    """Pose [4, 4] of the base: forward and turning left, both evenly."""
    return pose_of([1.0 + 0.2 * seconds, 1.0 + 0.05 * seconds, 0.0], 0.15 * seconds)


def standing(seconds):
    return walking(0.0)


def pose_of(xyz, yaw=0.0):
    pose = np.eye(4)
    cos, sin = np.cos(yaw), np.sin(yaw)
    pose[:2, :2] = [[cos, -sin], [sin, cos]]
    pose[:3, 3] = xyz
    return pose


@dataclass
class Recipe:
    """What to record; the defaults are a registered camera walking for six seconds."""

    path: object = walking
    seconds: float = 6.0
    rate: float = 10.0
    rgb_encoding: str = 'rgb8'
    depth_encoding: str = '16UC1'
    depth_topic: str = '/camera/aligned_depth_to_color/image_raw'
    registered: bool = True
    cloud: bool = True
    rgb_delay_s: float = 0.0
    tf_ahead_s: float = 0.0  # how much later than the images the moving transforms are
    scale: int = 1  # of the images of a registered camera
    cut_first: bool = False  # the first photograph lacks most of its bytes
    without: tuple[str, ...] = ()  # topics, or parts of their names, that are left out
    child_frame: str = 'camera_optical'
    extra: dict[str, object] = field(default_factory=dict)  # topic -> message, written once


def true_pose(recipe, stamp_ns):
    """Where the depth camera was, in map."""
    moved = recipe.path((stamp_ns - START) / SECOND)
    return pose_of([0, 0, 0.1]) @ moved @ pose_of([0.1, 0, 1.2]) @ OPTICAL


def look(pose, k, width, height):
    """Depth [H, W] in metres and colours [H, W, 3] of the room's inside."""
    v, u = np.mgrid[:height, :width]
    rays = np.stack([(u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1], np.ones(u.shape)], -1)
    world = rays @ pose[:3, :3].T
    world[world == 0] = 1e-12
    walls = np.where(world > 0, ROOM - pose[:3, 3], -pose[:3, 3]) / world
    depth = walls.min(-1)
    return depth, paint(world * depth[..., None] + pose[:3, 3])


def paint(points):
    """Colour of the walls: even slopes, so that looking a bit aside changes little."""
    return np.rint(20 + 200 * np.clip(points / ROOM, 0, 1)).astype(np.uint8)


def wall_distance(points):
    """How far points [N, 3] are from the nearest wall."""
    return np.minimum(abs(points), abs(points - ROOM)).min(-1)


def stamp(ns):
    return T['builtin_interfaces/msg/Time'](int(ns // SECOND), int(ns % SECOND))


def header(ns, frame):
    return T['std_msgs/msg/Header'](stamp(ns), frame)


def transform(ns, parent, child, matrix):
    w = np.sqrt(max(0.0, 1 + np.trace(matrix[:3, :3]))) / 2
    if w < 0.1:  # not needed by these paths but for a half turn
        raise ValueError('turned too far for this formula')
    m = matrix
    x, y, z = ((m[2, 1] - m[1, 2]), (m[0, 2] - m[2, 0]), (m[1, 0] - m[0, 1]))
    turn = T['geometry_msgs/msg/Quaternion'](x / (4 * w), y / (4 * w), z / (4 * w), w)
    move = T['geometry_msgs/msg/Vector3'](*(float(value) for value in matrix[:3, 3]))
    body = T['geometry_msgs/msg/Transform'](move, turn)
    return T['geometry_msgs/msg/TransformStamped'](header(ns, parent), child, body)


def frames(*links):
    return T['tf2_msgs/msg/TFMessage'](list(links))


def image(ns, frame, pixels, encoding, *, padding=0, big=False):
    """Lay pixels [H, W] or [H, W, C] out as an Image."""
    pixels = pixels.astype(pixels.dtype.newbyteorder('>' if big else '<'))
    rows = pixels.reshape(len(pixels), -1).view(np.uint8)
    rows = np.pad(rows, [(0, 0), (0, padding)], constant_values=7)
    data = np.ascontiguousarray(rows).reshape(-1)
    shape = pixels.shape[0], pixels.shape[1]
    return T['sensor_msgs/msg/Image'](
        header(ns, frame), *shape, encoding, int(big), rows.shape[1], data
    )


def compressed(ns, frame, data, kind):
    array = np.frombuffer(data, np.uint8)
    return T['sensor_msgs/msg/CompressedImage'](header(ns, frame), kind, array)


def encoded(pixels, kind, **options):
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def colour_message(ns, frame, rgb, encoding):
    """A photograph in one of the encodings, or as 'jpeg' or 'png'."""
    if encoding in ('jpeg', 'png'):
        options = {'quality': 98, 'subsampling': 0} if encoding == 'jpeg' else {}
        kind = f'rgb8; {encoding} compressed bgr8'
        return compressed(ns, frame, encoded(rgb, encoding, **options), kind)
    alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    pixels = {
        'rgb8': rgb,
        'bgr8': rgb[..., ::-1],
        'rgba8': np.concatenate([rgb, alpha], -1),
        'bgra8': np.concatenate([rgb[..., ::-1], alpha], -1),
        'mono8': rgb[..., 1],
    }.get(encoding, rgb)
    return image(ns, frame, np.ascontiguousarray(pixels), encoding, padding=5)


def depth_message(ns, frame, metres, encoding):
    """A depth image in one of the encodings, or as compressedDepth of either kind."""
    counts = np.rint(metres * 1000).astype(np.uint16)
    if encoding in ('16UC1', 'mono16'):
        return image(ns, frame, counts, encoding)
    if encoding == '32FC1':
        return image(ns, frame, np.where(metres > 0, metres, np.nan).astype(np.float32), encoding)
    if encoding == '16UC1 compressedDepth':
        data = struct.pack('<iff', 0, 0.0, 0.0) + encoded(counts, 'png')
        return compressed(ns, frame, data, '16UC1; compressedDepth png')
    if encoding == '32FC1 compressedDepth':
        a, b = inverse_depth(quantum=100.0, far=10.0)
        with np.errstate(divide='ignore'):
            inverse = np.where(metres > 0, np.rint(a / metres + b), 0).astype(np.uint16)
        data = struct.pack('<iff', 0, a, b) + encoded(inverse, 'png')
        return compressed(ns, frame, data, '32FC1; compressedDepth')
    return image(ns, frame, counts, encoding)


def inverse_depth(quantum, far):
    """The two numbers by which inverse depth is stored, as the transport chooses them."""
    a = quantum * (quantum + 1.0)
    return a, 1.0 - a / far


def camera_info(ns, frame, k, size, *, lens=(0.0,) * 5, model='plumb_bob'):
    width, height = size
    p = np.concatenate([k, np.zeros((3, 1))], 1).reshape(-1)
    region = T['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    lens, eye = np.array(lens, float), np.eye(3).reshape(-1)
    return T['sensor_msgs/msg/CameraInfo'](
        header(ns, frame), height, width, model, lens, k.reshape(-1), eye, p, 0, 0, region
    )


def room_cloud(ns, frame='map', step=0.1, shift=(0.0, 0.0, 0.0)):
    """The walls as a coloured PointCloud2; `shift` moves the points."""
    grid = np.stack(np.meshgrid(*(np.arange(0, s + 1e-6, step) for s in ROOM), indexing='ij'), -1)
    points = grid.reshape(-1, 3)
    points = points[wall_distance(points) < 1e-6]
    rgb = paint(points).astype(np.uint32)
    words = np.empty((len(points), 4), np.uint32)
    words[:, :3] = (points + shift).astype(np.float32).view(np.uint32)
    words[:, 3] = 255 << 24 | rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]
    names = ('x', 'y', 'z', 'rgb')
    fields = [T['sensor_msgs/msg/PointField'](n, 4 * i, 7, 1) for i, n in enumerate(names)]
    data = words.view(np.uint8).reshape(-1)
    size = len(points)
    return T['sensor_msgs/msg/PointCloud2'](
        header(ns, frame), 1, size, fields, False, 16, 16 * size, data, True
    )


def messages_of(recipe):
    """All messages of a recording as (receive time, topic, message), unordered."""
    end = START + round(recipe.seconds * SECOND)
    optical = recipe.child_frame
    fixed = [
        transform(0, 'map', 'odom', pose_of([0, 0, 0.1])),
        transform(0, 'base', 'camera', pose_of([0.1, 0, 1.2])),
        transform(0, 'camera', optical, OPTICAL),
        transform(0, optical, 'colour_optical', pose_of([BASELINE_M, 0, 0])),
    ]
    yield START, '/tf_static', frames(*fixed)
    # the transforms stand between the images in time, so that poses must be interpolated
    for ns in range(START - SECOND // 20, end + SECOND // 10, SECOND // 10):
        later = ns + round(recipe.tf_ahead_s * SECOND)
        base = transform(later, 'odom', 'base', recipe.path((ns - START) / SECOND))
        yield ns, '/tf', frames(base)
    for ns in range(START, end, round(SECOND / recipe.rate)):
        yield from _camera(recipe, ns)
    if recipe.cloud:  # two of them: the last one counts
        yield START, '/cloud_map', room_cloud(START, shift=(0, 0, 9))
        yield end, '/cloud_map', room_cloud(end)
    for topic, message in recipe.extra.items():
        yield START, topic, message


def _camera(recipe, ns):
    pose = true_pose(recipe, ns)
    depth_k, depth_size = K * recipe.scale, (WIDTH * recipe.scale, HEIGHT * recipe.scale)
    depth_k[2, 2] = 1
    depth, rgb = look(pose, depth_k, *depth_size)
    depth[:3] = 0  # not measured
    frame, k, size = recipe.child_frame, depth_k, depth_size
    later = ns + round(recipe.rgb_delay_s * SECOND)
    if not recipe.registered:
        frame, k, size = 'colour_optical', COLOUR_K, (128, 96)
        _, rgb = look(true_pose(recipe, later) @ pose_of([BASELINE_M, 0, 0]), k, *size)
    transport = '/compressed' if recipe.rgb_encoding in ('jpeg', 'png') else ''
    photograph = colour_message(later, frame, rgb, recipe.rgb_encoding)
    if recipe.cut_first and ns == START:
        photograph.data = photograph.data[:100]
    yield later, f'/camera/color/image_raw{transport}', photograph
    yield later, '/camera/color/camera_info', camera_info(later, frame, k, size)
    transport = '/compressedDepth' if 'compressedDepth' in recipe.depth_encoding else ''
    image_of_depth = depth_message(ns, recipe.child_frame, depth, recipe.depth_encoding)
    yield ns, recipe.depth_topic + transport, image_of_depth
    info = camera_info(ns, recipe.child_frame, depth_k, depth_size)
    yield ns, recipe.depth_topic.rsplit('/', 1)[0] + '/camera_info', info


def write_bag(path, recipe=None, storage='mcap'):
    """Write a recording and return its path; SQLite waits for the disk and is slower."""
    recipe = recipe or Recipe()
    kept = [
        entry
        for entry in messages_of(recipe)
        if not any(part in entry[1] for part in recipe.without)
    ]
    with Writer(path, version=9, storage_plugin=STORAGES[storage]) as writer:
        topics = {}
        for ns, topic, message in sorted(kept, key=lambda entry: entry[0]):
            kind = message.__msgtype__
            if topic not in topics:
                topics[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(topics[topic], ns, STORE.serialize_cdr(message, kind))
    return path


def as_ros1(bag, path):
    """Write a ROS 2 recording as a ROS 1 bag and return its path."""
    noetic = get_typestore(Stores.ROS1_NOETIC)
    convert([bag], path, 'sqlite3', 9, None, 'file', None, noetic, (), (), (), ())
    return path
