"""In which frame a cloud is segmented, and in which its answers are given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.config import FolkConfig
from folk_ros.ros.frames import Frames
from folk_ros.ros.fusion import move, Placed
from folk_ros.structures import PointCloud
from folk_ros.transforms import TransformError

OPTICAL = '_optical_frame'  # REP 103: the suffix of frames with z forward
UPRIGHT = ('map', 'odom', 'base_link', 'base_footprint')  # REP 105: frames with z up
LEVEL = 'level'  # stands in for _optical in the name of a frame that nobody publishes
LEVEL_CAMERA = np.array(  # x right, y down, z forward to x forward, y left, z up
    [[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], np.float64
)


class Placing:
    """Chooses the frames and moves clouds; `note` says what was chosen without being told."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.note = ''
        self._upright: dict[str, str] = {}  # optical frame -> what was chosen for it

    def place(
        self, cloud: PointCloud, config: FolkConfig, answer_frame: str, *, last_chance: bool
    ) -> Placed:
        """
        Move a cloud to where it is segmented; its answers go to `answer_frame`.

        Raises TransformError if a transform of its time is not known.
        """
        answer = answer_frame or cloud.frame_id
        home = config.node.inference_frame or self._upright_for(answer, last_chance)
        to_home = self._lookup(home, cloud.frame_id, cloud.stamp_ns)
        to_answer = self._lookup(answer, home, cloud.stamp_ns)
        if to_home is not None:
            cloud = replace(cloud, xyz=move(cloud.xyz, to_home))
        return Placed(replace(cloud, frame_id=home), answer, to_answer)

    def forget(self, stamp_ns: int) -> None:
        """Choose anew, and drop the later poses of moving frames: time was set back to there."""
        self._upright.clear()
        self.frames.forget(stamp_ns)

    def _upright_for(self, frame: str, last_chance: bool) -> str:
        """Return a frame with z up for an optical one; any other frame as it is."""
        if not frame.endswith(OPTICAL):
            return frame
        chosen = self._upright.get(frame, '')
        if chosen in UPRIGHT:
            return chosen
        related = next((name for name in UPRIGHT if self.frames.connected(name, frame)), '')
        if not related and not chosen and not last_chance:  # TF may still be on its way
            raise TransformError(f'TF does not relate {frame!r} to {", ".join(UPRIGHT)} yet')
        chosen = related or frame.removesuffix(OPTICAL) + f'_{LEVEL}_frame'
        self._upright[frame] = chosen
        self.note = _note(frame, chosen)
        return chosen

    def _lookup(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64] | None:
        """Return [4, 4], None where the frames are one."""
        if target == source:
            return None
        if self._upright.get(source) == target and target not in UPRIGHT:
            return LEVEL_CAMERA
        if self._upright.get(target) == source and source not in UPRIGHT:
            return LEVEL_CAMERA.T
        return self.frames.lookup(target, source, stamp_ns)


def _note(frame: str, chosen: str) -> str:
    if chosen in UPRIGHT:
        return f'the clouds are in {frame!r}, where z points forward; segmenting in {chosen!r}'
    return (
        f'the clouds are in {frame!r}, where z points forward, and TF does not relate it to '
        f'{", ".join(UPRIGHT)}: the camera is taken to look level; set inference_frame to a frame '
        'with z up'
    )
