"""The first reading of a recording: transforms, stamps and cameras, but no pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.recordings.bag import Bag, stamp_ns
from folk_ros.training.scenes.recordings.cameras import Camera, same_pixels, to_camera
from folk_ros.training.scenes.recordings.frames import FrameTree
from folk_ros.training.scenes.recordings.keyframes import (
    choose_keyframes,
    KeyframeConfig,
    pair_nearest,
)
from folk_ros.training.scenes.recordings.topics import (
    is_rectified,
    NONE,
    TopicNames,
    TRANSFORMS,
)
from folk_ros.transforms import TransformBuffer, TransformError

REPORT_EVERY = 500  # messages


@dataclass(frozen=True)
class Survey:
    """What is in a recording, without its pixels."""

    topics: TopicNames
    tree: FrameTree
    rgb: Camera
    depth: Camera
    rgb_ns: NDArray[np.int64]  # stamp of each message of the topic, in the order of the recording
    depth_ns: NDArray[np.int64]
    cloud_row: int  # the last message of the cloud topic that holds points, -1 none
    cloud_frame: str
    cloud_ns: int

    @property
    def registered(self) -> bool:
        """Whether colour and depth image have the same pixels."""
        return same_pixels(self.rgb, self.depth)


@dataclass(frozen=True)
class Keyframe:
    """One view to be read: which messages, and where the cameras were."""

    depth_row: int
    rgb_row: int
    stamp_ns: int  # of the depth image
    T_world_depth: NDArray[np.float64]  # [4, 4]
    T_colour_depth: NDArray[np.float64]  # [4, 4]: points of the depth camera to the colour camera


def survey(bag: Bag, topics: TopicNames, progress: Callable[[int], None]) -> Survey:
    """Read a recording once; ValueError where it has no transforms or no fit calibration."""
    transforms = {topic.name for topic in bag.of_type(*TRANSFORMS)}
    tree = FrameTree()
    stamps: dict[str, list[int]] = {topics.rgb: [], topics.depth: []}
    cloud_row, cloud_count, cloud_frame, cloud_ns = -1, 0, '', 0
    wanted = transforms | set(stamps) | ({topics.cloud} - {NONE})
    for done, (topic, message) in enumerate(bag.messages(wanted)):
        if topic in transforms:
            tree.add(message, topic.endswith('tf_static'))
        elif topic in stamps:
            stamps[topic].append(stamp_ns(message.header.stamp))
        else:
            if message.width * message.height > 0:
                cloud_row, cloud_frame = cloud_count, message.header.frame_id.strip('/')
                cloud_ns = stamp_ns(message.header.stamp)
            cloud_count += 1
        if done % REPORT_EVERY == 0:
            progress(done)
    if not len(tree):
        raise ValueError(
            f'{bag.path}: expected transforms on /tf and /tf_static, found none; record them with '
            f'the images ({bag.listed()})'
        )
    return Survey(
        topics,
        tree,
        _camera(bag, topics.camera_info, topics.rgb),
        _camera(bag, topics.depth_camera_info, topics.depth),
        np.array(stamps[topics.rgb], np.int64),
        np.array(stamps[topics.depth], np.int64),
        cloud_row,
        cloud_frame,
        cloud_ns,
    )


def _camera(bag: Bag, info_topic: str, image_topic: str) -> Camera:
    """Read the calibration of an image topic; images called rectified have no lens left."""
    try:
        info = bag.first(info_topic)
        camera = to_camera(info, is_rectified(image_topic))
        frame = bag.first(image_topic).header.frame_id.strip('/')
    except ValueError as error:
        raise ValueError(f'{bag.path}: {info_topic}: {error}') from None
    return camera if not frame else camera.in_frame(frame)


def choose_fixed_frame(bag: Bag, found: Survey, wanted: str) -> str:
    """
    Return the frame of the scene: the one wanted, that of the cloud, or the root of TF.

    Raises ValueError where the cameras do not hang in one tree with it.
    """
    root = found.tree.ancestors(found.depth.frame_id)[-1]
    fixed = (wanted or found.cloud_frame or root).strip('/')
    for topic, frame in (
        (found.topics.depth, found.depth.frame_id),
        (found.topics.rgb, found.rgb.frame_id),
        (found.topics.cloud, found.cloud_frame),
    ):
        if frame and not found.tree.connected(frame, fixed):
            raise ValueError(
                f'{bag.path}: {topic} is in frame {frame!r}, which TF does not connect with '
                f'{fixed!r}; record the missing transforms, or choose another --fixed-frame '
                f'({found.tree.listed()})'
            )
    if fixed == found.depth.frame_id:
        raise ValueError(
            f'{bag.path}: the camera is its own fixed frame {fixed!r}: no transform says where it '
            f'is; record /tf and /tf_static, or choose --fixed-frame ({found.tree.listed()})'
        )
    return fixed


def find_keyframes(
    bag: Bag, found: Survey, fixed: str, config: KeyframeConfig
) -> tuple[list[Keyframe], dict[str, int]]:
    """
    Return the views worth reading, and how many images and pairs there were and had no pose.

    Raises ValueError where no image has a partner, or no pair a pose.
    """
    pairs = pair_nearest(found.depth_ns, found.rgb_ns, round(config.max_delay_s * 1e9))
    if not len(pairs):
        raise ValueError(
            f'{bag.path}: no image of {found.topics.rgb} was taken within {config.max_delay_s} s '
            f'of one of {found.topics.depth}; check their stamps, or raise --max-delay'
        )
    frames = (found.depth.frame_id, found.rgb.frame_id, fixed)
    buffer = found.tree.buffer(frames)
    posed, reason = [], ''
    for depth_row, rgb_row in pairs.tolist():
        try:
            posed.append(_keyframe(found, buffer, fixed, depth_row, rgb_row))
        except TransformError as error:
            reason = reason or str(error)
    if not posed:
        raise ValueError(
            f'{bag.path}: none of {len(pairs)} images has a pose in {fixed!r}: {reason}; record '
            '/tf for as long as the images, by the same clock'
        )
    poses = np.stack([frame.T_world_depth for frame in posed])
    stamps = np.array([frame.stamp_ns for frame in posed], np.int64)
    kept = [posed[row] for row in choose_keyframes(poses, stamps, config)]
    counts = {
        'depth_images': len(found.depth_ns),
        'pairs': len(pairs),
        'frames_without_pose': len(pairs) - len(posed),
    }
    return kept, counts


def _keyframe(
    found: Survey, buffer: TransformBuffer, fixed: str, depth_row: int, rgb_row: int
) -> Keyframe:
    """Look up where both cameras were when they took their images."""
    stamp, rgb_stamp = int(found.depth_ns[depth_row]), int(found.rgb_ns[rgb_row])
    if stamp <= 0 or rgb_stamp <= 0:
        raise TransformError('the images bear no time (stamp 0)')
    T_world_depth = buffer.lookup(fixed, found.depth.frame_id, stamp)
    T_colour_depth = np.eye(4)
    if not found.registered:
        T_world_colour = buffer.lookup(fixed, found.rgb.frame_id, rgb_stamp)
        T_colour_depth = np.linalg.inv(T_world_colour) @ T_world_depth
    return Keyframe(depth_row, rgb_row, stamp, T_world_depth, T_colour_depth)
