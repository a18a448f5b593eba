"""Find the camera, its calibration and the fused cloud among the topics of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from folk_ros.training.scenes.recordings.bag import Bag, Topic
from folk_ros.training.scenes.recordings.images import kind_of, shows_depth

IMAGES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
INFO = 'sensor_msgs/msg/CameraInfo'
CLOUD = 'sensor_msgs/msg/PointCloud2'
TRANSFORMS = ('tf2_msgs/msg/TFMessage', 'tf/msg/tfMessage')
NONE = 'none'  # said for a cloud topic: make the cloud from the images
TRANSPORTS = ('compressed', 'compressedDepth', 'theora', 'ffmpeg')
NOT_A_PHOTOGRAPH = ('infra', 'debug', 'mask', 'segment', 'overlay', 'label', 'depth')
FUSED = ('map', 'fused', 'merged', 'accumulated', 'global', 'reconstruct', 'mesh')
NOT_FUSED = ('local', 'costmap', 'obstacle')


@dataclass(frozen=True)
class TopicNames:
    """What to read; an empty name is found by type and by name."""

    rgb: str = ''
    depth: str = ''
    camera_info: str = ''  # of the photographs
    depth_camera_info: str = ''
    cloud: str = ''  # 'none': there is no fused cloud


def choose_topics(bag: Bag, wanted: TopicNames) -> TopicNames:
    """
    Fill in the names that are not given; raise ValueError where none or several would do.

    Images are told apart by their encoding, topics of one kind by usual names: depth that is
    aligned to colour, raw images before compressed ones. A cloud is taken only if its name says
    that it is a map, since most cameras publish a cloud for every image.
    """
    images = {topic.name: bag.first(topic.name) for topic in bag.of_type(*IMAGES)}
    rgb = wanted.rgb or _best(bag, images, False)
    depth = wanted.depth or _best(bag, images, True)
    _check_type(bag, rgb, IMAGES, '--rgb')
    _check_type(bag, depth, IMAGES, '--depth')
    info = wanted.camera_info or _calibration(bag, rgb, '--camera-info')
    depth_info = wanted.depth_camera_info or _calibration(bag, depth, '--depth-camera-info', info)
    _check_type(bag, info, (INFO,), '--camera-info')
    _check_type(bag, depth_info, (INFO,), '--depth-camera-info')
    return TopicNames(rgb, depth, info, depth_info, _cloud(bag, wanted.cloud))


def base_topic(topic: str) -> str:
    """Return an image topic without its transport, by the rule of image_transport."""
    base, _, last = topic.rpartition('/')
    return base if last in TRANSPORTS else topic


def is_rectified(topic: str) -> bool:
    """Whether an image topic is called rectified, as image_rect and image_rect_color are."""
    return 'rect' in base_topic(topic).rpartition('/')[2]


def _words(name: str, *words: str) -> bool:
    return any(word in name.lower() for word in words)


def _photograph(name: str) -> int:
    usual = 4 * _words(name, 'rgb', 'color', 'colour') + 2 * ('/rgb/' in name)
    usual -= 8 * _words(name, *NOT_A_PHOTOGRAPH)
    return usual + 2 * is_rectified(name) + (not name.endswith(TRANSPORTS))


def _depth(name: str) -> int:
    aligned = 4 * _words(name, 'aligned', 'registered', 'depth_to_color', 'depth_to_rgb')
    usual = 8 * _words(name, 'depth') - 8 * _words(name, 'infra', 'disparity', 'confidence')
    return usual + aligned + (not name.endswith(TRANSPORTS))


def _best(bag: Bag, images: dict[str, Any], depth: bool) -> str:
    """Return the name with the highest mark; ValueError where there is none, or several."""
    what, option = ('depth images', '--depth') if depth else ('colour images', '--rgb')
    rate = _depth if depth else _photograph
    names = [name for name, message in images.items() if shows_depth(message) is depth]
    if not names:
        kinds = ', '.join(f'{name} is {kind_of(message)}' for name, message in images.items())
        raise ValueError(
            f'{bag.path}: expected a topic of {what}, found none; record one, or name it with '
            f'{option} ({kinds + "; " if kinds else ""}{bag.listed()})'
        )
    top = max(rate(name) for name in names)
    best = [name for name in names if rate(name) == top]
    if len(best) > 1:
        raise ValueError(
            f'{bag.path}: several topics could be the {what}: {", ".join(best)}; choose one with '
            f'{option}'
        )
    return best[0]


def _check_type(bag: Bag, name: str, types: Sequence[str], option: str) -> None:
    """Refuse a topic that was named, is not there, has no messages or is of another type."""
    found: dict[str, Topic] = {topic.name: topic for topic in bag.topics}
    if name not in found:
        raise ValueError(f'{bag.path}: {option} {name}: no such topic ({bag.listed()})')
    if found[name].type not in types or not found[name].count:
        raise ValueError(
            f'{bag.path}: {option} {name}: expected messages of {" or ".join(types)}, got '
            f'{found[name].count} of {found[name].type}'
        )


def _calibration(bag: Bag, image: str, option: str, fallback: str = '') -> str:
    """Return the camera_info beside an image topic, else the only one, or of the same frame."""
    infos = [topic.name for topic in bag.of_type(INFO)]
    beside = base_topic(image).rpartition('/')[0] + '/camera_info'
    if beside in infos:
        return beside
    if len(infos) == 1:
        return infos[0]
    frame = _frame(bag.first(image))
    same = [name for name in infos if _frame(bag.first(name)) == frame]
    if fallback in same or len(same) == 1:
        return fallback if fallback in same else same[0]
    found = f'found {", ".join(infos)}' if infos else 'found none'
    raise ValueError(
        f'{bag.path}: expected {beside} ({INFO}) for {image}, {found}; record it, or name it with '
        f'{option} ({bag.listed()})'
    )


def _frame(message: Any) -> str:
    return str(message.header.frame_id).strip('/')


def _cloud(bag: Bag, wanted: str) -> str:
    """Return the fused cloud that was named or is called a map; 'none' where there is none."""
    if wanted == NONE:
        return NONE
    if wanted:
        _check_type(bag, wanted, (CLOUD,), '--cloud')
        return wanted
    names = [topic.name for topic in bag.of_type(CLOUD)]
    maps = [name for name in names if _words(name, *FUSED) and not _words(name, *NOT_FUSED)]
    if len(maps) > 1:
        raise ValueError(
            f'{bag.path}: several topics could be the fused cloud: {", ".join(maps)}; choose one '
            f'with --cloud, or say --cloud {NONE} to make it from the images'
        )
    return maps[0] if maps else NONE
