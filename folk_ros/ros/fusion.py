"""Several clouds become one, in one frame; a cloud alone stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.config import SourceConfig
from folk_ros.ros.timekeeping import Arrival
from folk_ros.structures import PointCloud
from folk_ros.transforms import JUMP_BACK_NS

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Placed:
    """A cloud in the frame it is segmented in, and how its answers get to the frame of theirs."""

    cloud: PointCloud
    answer_frame: str
    T_answer_cloud: NDArray[np.float64] | None = None  # [4, 4], None: the frames are one
    arrival: Arrival | None = None


class Fusion:
    """Keeps the newest cloud of every source."""

    def __init__(self) -> None:
        self._placed: dict[str, Placed] = {}
        self._newest: dict[str, int] = {}  # stamp of each source, nanoseconds
        self._max_age: dict[str, float] = {}

    def went_back(self, source: str, stamp_ns: int) -> bool:
        """Whether a source's clouds are older than before: a bag played again, or a clock set."""
        return stamp_ns < self._newest.get(source, stamp_ns) - JUMP_BACK_NS

    def note(self, source: str, stamp_ns: int) -> None:
        """Note the stamp of a source's newest cloud, usable or not."""
        self._newest[source] = stamp_ns

    def first_frame(self) -> str:
        """Return the frame of the answers so far; '' if there is no cloud."""
        return next((placed.answer_frame for placed in self._placed.values()), '')

    def keep(self, source: str, placed: Placed, max_age_s: float = 0.0) -> None:
        """Take a source's newest cloud in place of its last one; all must be in one frame."""
        frame = placed.cloud.frame_id
        others = {name: p for name, p in self._placed.items() if p.cloud.frame_id == frame}
        self._placed = {**others, source: placed}
        self._max_age[source] = max_age_s

    def fused(self) -> Placed:
        """
        Return all sources as one cloud, at the time of the newest; those too old are left out.

        Colour is kept if every source that has points has it: none is invented.
        """
        newest = max(self._placed.values(), key=lambda placed: placed.cloud.stamp_ns)
        clouds = [
            placed.cloud
            for name, placed in self._placed.items()
            if not self._too_old(name, newest.cloud.stamp_ns)
        ]
        if len(clouds) == 1:
            return newest
        filled = [cloud for cloud in clouds if len(cloud)] or clouds[:1]
        colours = [cloud.rgb for cloud in filled if cloud.rgb is not None]
        cloud = PointCloud(
            xyz=np.concatenate([cloud.xyz for cloud in filled]),
            rgb=np.concatenate(colours) if len(colours) == len(filled) else None,
            frame_id=newest.cloud.frame_id,
            stamp_ns=newest.cloud.stamp_ns,
        )
        return replace(newest, cloud=cloud)

    def _too_old(self, source: str, newest_ns: int) -> bool:
        age_s = (newest_ns - self._placed[source].cloud.stamp_ns) / NANOSECONDS
        return 0 < self._max_age[source] < age_s

    def forget(self) -> None:
        """Drop every cloud."""
        self._placed.clear()
        self._newest.clear()


def move(xyz: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """
    Move points [N, 3] by a rigid motion [4, 4].

    One product in float32, after a point of the cloud was subtracted: far from its origin a map
    would lose centimetres in the product. The point itself is moved in float64.
    """
    if not len(xyz):
        return xyz
    centre = xyz[len(xyz) // 2].copy()
    rotation = np.ascontiguousarray(matrix[:3, :3].T, np.float32)
    place = matrix[:3, :3] @ centre.astype(np.float64) + matrix[:3, 3]
    moved = (xyz - centre) @ rotation
    moved += place.astype(np.float32)
    return moved


def in_range(cloud: PointCloud, source: SourceConfig) -> PointCloud:
    """Leave out what is too near to the origin of the cloud's own frame, or too far from it."""
    if source.min_range <= 0 and source.max_range <= 0:
        return cloud
    square = np.einsum('ij,ij->i', cloud.xyz, cloud.xyz)  # [N]
    kept = square >= source.min_range**2
    if source.max_range > 0:
        kept &= square <= source.max_range**2
    return cloud.select(kept)


def in_height(cloud: PointCloud, source: SourceConfig) -> PointCloud:
    """Leave out what is too low or too high, in the frame that the cloud was moved to."""
    standard = SourceConfig()
    limits = source.min_height, source.max_height
    if limits == (standard.min_height, standard.max_height):
        return cloud
    z = cloud.xyz[:, 2]
    return cloud.select((z >= limits[0]) & (z <= limits[1]))
