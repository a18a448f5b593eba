"""Several clouds become one, in one frame; a cloud alone stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud
from folk_ros.transforms import JUMP_BACK_NS, TransformBuffer

WAIT_S = 0.5  # how long a cloud waits for the transform of its time


class Fusion:
    """Keeps the newest cloud of every source, moved to the fixed frame when it came."""

    def __init__(self, fixed_frame: str, transforms: TransformBuffer | None = None) -> None:
        self.fixed_frame = fixed_frame  # empty: the frame of the first cloud
        self.transforms = transforms or TransformBuffer()
        self._clouds: dict[str, PointCloud] = {}
        self._newest: dict[str, int] = {}  # stamp of each source, nanoseconds

    def went_back(self, source: str, stamp_ns: int) -> bool:
        """Whether a source's clouds are older than before: a bag played again, or a clock set."""
        return stamp_ns < self._newest.get(source, stamp_ns) - JUMP_BACK_NS

    def add(self, source: str, cloud: PointCloud, *, alone: bool, wait_s: float = WAIT_S) -> None:
        """
        Take a source's newest cloud in place of its last one.

        `alone` says that no other source exists: without a fixed frame nothing is moved then.
        Raises TransformError if the cloud cannot be moved in time; the last one stays.
        """
        self._newest[source] = cloud.stamp_ns
        frame = self.fixed_frame
        if not alone and not frame:
            frame = next((c.frame_id for c in self._clouds.values()), cloud.frame_id)
        if frame and frame != cloud.frame_id:
            matrix = self.transforms.wait_for(frame, cloud.frame_id, cloud.stamp_ns, wait_s)
            cloud = replace(cloud, xyz=move(cloud.xyz, matrix), frame_id=frame)
        self._clouds[source] = cloud

    def fused(self) -> PointCloud:
        """
        Return all sources as one cloud, at the time of the newest.

        Colour is kept if every source that has points has it: none is invented.
        """
        clouds = list(self._clouds.values())
        if len(clouds) == 1:
            return clouds[0]
        newest = max(clouds, key=lambda cloud: cloud.stamp_ns)
        filled = [cloud for cloud in clouds if len(cloud)] or clouds[:1]
        colours = [cloud.rgb for cloud in filled if cloud.rgb is not None]
        return PointCloud(
            xyz=np.concatenate([cloud.xyz for cloud in filled]),
            rgb=np.concatenate(colours) if len(colours) == len(filled) else None,
            frame_id=newest.frame_id,
            stamp_ns=newest.stamp_ns,
        )

    def forget(self) -> None:
        """Drop every cloud."""
        self._clouds.clear()
        self._newest.clear()


def move(xyz: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move points [N, 3] by a rigid motion [4, 4]."""
    rotation = np.ascontiguousarray(matrix[:3, :3].T, np.float32)
    return xyz @ rotation + matrix[:3, 3].astype(np.float32)
