"""
A recording of a robot becomes a scene, without ROS: a rosbag2 (SQLite, MCAP) or a ROS 1 bag.

It must hold colour and depth images, their camera_info, and TF. The recording is read twice:
first transforms and stamps, then the pixels of the images that were chosen, one pair at a time.
The world of the scene is the fixed frame, which the student expects with z up, as REP 105 has it.

A view is taken by the depth camera, at the stamp of the depth image, with its lens removed.
Approximate where the images are not registered: the photograph is moved to the depth pixels by
their depth (see colour_at_depth), through TF at the stamps of both images; where they are, a
photograph taken up to `max_delay_s` apart is used as it is. Poses are interpolated between
transforms; an image before the first or after the last one is left out and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import tempfile
from typing import Any

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.fusion.fuse import fuse
from folk_ros.training.scenes.recordings.bag import open_bag
from folk_ros.training.scenes.recordings.keyframes import KeyframeConfig
from folk_ros.training.scenes.recordings.pixels import Pixels
from folk_ros.training.scenes.recordings.survey import (
    choose_fixed_frame,
    find_keyframes,
    Survey,
    survey,
)
from folk_ros.training.scenes.recordings.topics import choose_topics, TopicNames
from folk_ros.training.scenes.scene import save_scene, Scene
from folk_ros.training.scenes.view_files import FileViews, read_views
from folk_ros.training.scenes.view_recording import append_view


@dataclass(frozen=True)
class RecordingConfig:
    """What to take from a recording."""

    topics: TopicNames = TopicNames()
    fixed_frame: str = ''
    """World of the scene; empty: the frame of the fused cloud, else the root of TF."""
    keyframes: KeyframeConfig = KeyframeConfig()
    max_depth_m: float = 8.0
    """Farther measurements are left out, metres."""
    cell_m: float = 0.02
    """Edge of a voxel where the cloud is made from the images, metres."""

    def __post_init__(self) -> None:
        for name in ('max_depth_m', 'cell_m'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name}: expected more than 0, got {getattr(self, name)}')


def silent(stage: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def import_recording(
    path: Path | str,
    out: Path | str,
    scene_id: str,
    config: RecordingConfig | None = None,
    progress: Callable[[str, int, int], None] = silent,
) -> Path:
    """
    Write a recording as the scene `<out>/<scene_id>/` and return that path; it has no truth.

    Images become files beside `views.jsonl`; facts say what was chosen and left out. Raises
    ValueError naming the recording, what is missing and the topics it has.
    """
    config = config or RecordingConfig()
    if not scene_id or Path(scene_id).name != scene_id or scene_id.startswith('.'):
        raise ValueError(f'scene id {scene_id!r}: expected a plain name for a folder')
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with open_bag(path) as bag, tempfile.TemporaryDirectory(prefix='.recording.', dir=out) as work:
        topics = choose_topics(bag, config.topics)
        total = sum(topic.count for topic in bag.topics)
        found = survey(bag, topics, lambda done: progress('messages', done, total))
        fixed = choose_fixed_frame(bag, found, config.fixed_frame)
        frames, counts = find_keyframes(bag, found, fixed, config.keyframes)
        pixels = Pixels(bag, found, fixed, config.max_depth_m)
        for done, (frame, view) in enumerate(pixels.views(frames), 1):
            append_view(work, view, stamp_ns=frame.stamp_ns)
            progress('views', done, len(frames))
        if pixels.unreadable == len(frames):
            raise ValueError(f'{bag.path}: no image can be read: {pixels.reason}')
        views = read_views(work)
        cloud, made_of = _cloud_of(pixels, views, topics, config.cell_m)
        facts = _facts(found, fixed, made_of)
        facts |= counts | {'views': len(views), 'unreadable': pixels.unreadable}
        return save_scene(Scene(scene_id, cloud, None, views, facts), out, copy=True)


def _cloud_of(
    pixels: Pixels, views: FileViews, topics: TopicNames, cell_m: float
) -> tuple[PointCloud, str]:
    """Return the cloud that was recorded, or one made from the views, and which it is."""
    if pixels.cloud is not None:
        return pixels.cloud, topics.cloud
    cloud, _ = fuse(views, cell_m)
    return cloud, f'fused from {len(views)} views in a TSDF of {cell_m:g} m'


def _facts(found: Survey, fixed: str, made_of: str) -> dict[str, Any]:
    names = found.topics
    return {
        'source': 'recording',
        'fixed_frame': fixed,
        'cloud': made_of,
        'rgb': names.rgb,
        'depth': names.depth,
        'camera_info': names.camera_info,
        'depth_camera_info': names.depth_camera_info,
        'colour': 'registered' if found.registered else 'moved to the pixels of the depth image',
    }
