"""The second reading of a recording: the pixels of the chosen images, and the fused cloud."""

from __future__ import annotations

from collections.abc import Iterator
import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud import CloudLayout, decode, PointField
from folk_ros.structures import PointCloud
from folk_ros.training.scenes.recordings.bag import Bag
from folk_ros.training.scenes.recordings.cameras import Camera, colour_at_depth, straighten
from folk_ros.training.scenes.recordings.images import decode_colour, decode_depth
from folk_ros.training.scenes.recordings.survey import Keyframe, Survey
from folk_ros.training.scenes.recordings.topics import NONE
from folk_ros.training.scenes.views import View
from folk_ros.transforms import TransformError

MAX_CLOUD_POINTS = 50_000_000
log = logging.getLogger(__name__)


class Pixels:
    """Reads the chosen views one after another; cloud and counts are known when all are read."""

    def __init__(self, bag: Bag, found: Survey, fixed: str, max_depth_m: float) -> None:
        self.bag, self.found, self.fixed = bag, found, fixed
        self.max_depth_m = max_depth_m
        self.cloud: PointCloud | None = None  # in the fixed frame
        self.unreadable = 0
        self.reason = ''  # of the first unreadable image

    def views(self, frames: list[Keyframe]) -> Iterator[tuple[Keyframe, View]]:
        """Give each view when both of its images have come; one that is damaged is left out."""
        names = self.found.topics
        chosen = {
            names.rgb: {frame.rgb_row: number for number, frame in enumerate(frames)},
            names.depth: {frame.depth_row: number for number, frame in enumerate(frames)},
        }
        rows = dict.fromkeys((names.rgb, names.depth, names.cloud), -1)
        waiting: dict[int, dict[str, Any]] = {}  # keyframe -> what came first
        for topic, message in self.bag.messages(set(rows) - {NONE}):
            rows[topic] += 1
            if topic == names.cloud:
                if rows[topic] == self.found.cloud_row:
                    self.cloud = self._to_cloud(message)
                continue
            number = chosen[topic].get(rows[topic])
            if number is None:
                continue
            pair = waiting.setdefault(number, {})
            pair[topic] = message
            if len(pair) == 2:
                del waiting[number]
                try:
                    yield frames[number], self._to_view(frames[number], pair)
                except ValueError as error:
                    self.unreadable += 1
                    self.reason = self.reason or str(error)
                    log.warning('%s: an image was left out: %s', self.bag.path, error)

    def _to_view(self, frame: Keyframe, pair: dict[str, Any]) -> View:
        """Decode a pair of images; ValueError where they do not fit their calibration."""
        found, names = self.found, self.found.topics
        T_colour_depth = None if found.registered else frame.T_colour_depth
        return to_view(
            pair[names.rgb],
            pair[names.depth],
            (found.rgb, found.depth),
            frame.T_world_depth,
            T_colour_depth,
            self.max_depth_m,
        )

    def _to_cloud(self, message: Any) -> PointCloud:
        """Decode the fused cloud and move it to the fixed frame at its own stamp."""
        found = self.found
        layout = CloudLayout(
            message.width,
            message.height,
            message.point_step,
            message.row_step,
            tuple(PointField(f.name, f.offset, f.datatype, f.count) for f in message.fields),
            bool(message.is_bigendian),
        )
        try:
            cloud = decode(message.data, layout, max_points=MAX_CLOUD_POINTS)
            buffer = found.tree.buffer((found.cloud_frame, self.fixed))
            T = buffer.lookup(self.fixed, found.cloud_frame, found.cloud_ns)
        except (ValueError, TransformError) as error:
            raise ValueError(
                f'{self.bag.path}: {found.topics.cloud}: {error}; or say --cloud {NONE} to make '
                'the cloud from the images'
            ) from None
        xyz = cloud.xyz.astype(np.float64) @ T[:3, :3].T + T[:3, 3]
        return PointCloud(xyz.astype(np.float32), cloud.rgb, 'world', found.cloud_ns)


def to_view(  # noqa: PLR0913 - what a view is made of
    rgb_message: Any,
    depth_message: Any,
    cameras: tuple[Camera, Camera],
    T_world_depth: NDArray[np.float64],
    T_colour_depth: NDArray[np.float64] | None,
    max_depth_m: float,
) -> View:
    """
    Decode a pair of images taken by two cameras (colour, depth) to a view of the depth camera.

    `T_colour_depth` is None where the images are registered. Raises ValueError where one cannot
    be read or does not fit its calibration.
    """
    colour, camera = cameras
    rgb, depth = decode_colour(rgb_message), decode_depth(depth_message)
    _check_size('colour image', rgb, colour)
    _check_size('depth image', depth, camera)
    depth = straighten(depth, camera)
    depth = np.where(depth <= max_depth_m, depth, np.float32(0))
    if T_colour_depth is not None:
        rgb = colour_at_depth(rgb, colour, depth, camera, T_colour_depth)
    return View(
        rgb=rgb,
        depth=depth,
        intrinsics=camera.K.astype(np.float32),
        T_world_camera=T_world_depth.astype(np.float32),
    )


def _check_size(what: str, image: np.ndarray[Any, Any], camera: Camera) -> None:
    """Refuse an image of another size than its calibration; raise ValueError."""
    height, width = image.shape[:2]
    if (width, height) != (camera.width, camera.height):
        raise ValueError(
            f'{what}: expected {camera.width}x{camera.height} pixels, as its camera_info says, '
            f'got {width}x{height}; name the camera_info of this topic'
        )
