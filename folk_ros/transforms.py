"""
The tree of frames read from /tf and /tf_static, and where a cloud lies in another frame.

Pure numpy: the node feeds it from topics, the reader of recordings from a bag. Poses are
interpolated at the time asked for, never extrapolated.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
import math
import threading
import time

import numpy as np
from numpy.typing import NDArray

NANOSECONDS = 1_000_000_000
HISTORY_NS = 20 * NANOSECONDS  # a robot forgets older poses of a moving frame
JUMP_BACK_NS = NANOSECONDS  # a stamp this much older than the newest means time was set back
MAX_DEPTH = 100  # longer chains of frames are loops
MAX_FRAMES = 10_000  # of a tree: what a broken or hostile publisher can make us keep
MAX_NAME = 256  # characters


@dataclass(frozen=True)
class Pose:
    """Where a child frame lies in its parent at one time."""

    stamp_ns: int
    translation: NDArray[np.float64]  # [3] metres
    rotation: NDArray[np.float64]  # [4] unit quaternion x y z w

    def matrix(self) -> NDArray[np.float64]:
        """Return the pose as [4, 4]: child coordinates to parent coordinates."""
        x, y, z, w = self.rotation
        matrix = np.eye(4)
        matrix[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
        matrix[:3, 3] = self.translation
        return matrix


@dataclass
class _Link:
    """What is known of one frame: its parent, and its poses in order of time."""

    parent: str
    static: bool
    poses: list[Pose] = field(default_factory=list)


class TransformError(LookupError):
    """Two frames cannot be related; the message says why."""


class TransformBuffer:
    """
    The newest seconds of the tree of frames; safe to use from several threads.

    Time that runs back (a bag played again) drops what was known of a moving frame. A history of
    None keeps every pose in order of its stamp, whatever order they come in.
    """

    def __init__(self, history_ns: int | None = HISTORY_NS) -> None:
        self._history_ns = history_ns
        self._links: dict[str, _Link] = {}
        self._changed = threading.Condition()

    def insert(self, parent: str, child: str, pose: Pose, *, static: bool = False) -> None:
        """Note a pose of `child` in `parent`; one that is not a rigid motion is left out."""
        parent, child = parent.strip('/'), child.strip('/')
        norm = float(np.linalg.norm(pose.rotation))
        if not (parent and child and parent != child and len(parent + child) <= MAX_NAME):
            return
        if not (np.isfinite(pose.translation).all() and 0.5 < norm < 2.0):
            return
        pose = Pose(pose.stamp_ns, pose.translation, pose.rotation / norm)
        with self._changed:
            link = self._links.get(child)
            if link is None and len(self._links) >= MAX_FRAMES:
                return
            if link is None or link.static or static or link.parent != parent:
                link = self._links[child] = _Link(parent, static)
            _add(link.poses, pose, self._history_ns)
            self._changed.notify_all()

    def forget_after(self, stamp_ns: int) -> None:
        """Drop the poses of moving frames after a time: it was set back to there."""
        with self._changed:
            for name, link in list(self._links.items()):
                if not link.static:
                    link.poses = [pose for pose in link.poses if pose.stamp_ns <= stamp_ns]
                    if not link.poses:
                        del self._links[name]

    def lookup(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """
        Return [4, 4] that takes coordinates in `source` to `target` at a time; 0 is the newest.

        Raises TransformError with a sentence if the frames are not related at that time.
        """
        target, source = target.strip('/'), source.strip('/')
        if target == source:
            return np.eye(4)
        with self._changed:
            up, down = self._chain(source), self._chain(target)
            shared = next((frame for frame in up if frame in set(down)), None)
            if shared is None:
                raise TransformError(self._unrelated(target, source))
            to_shared = self._climb(up[: up.index(shared)], stamp_ns)
            from_shared = self._climb(down[: down.index(shared)], stamp_ns)
        return np.linalg.inv(from_shared) @ to_shared

    def wait_for(
        self, target: str, source: str, stamp_ns: int, timeout_s: float
    ) -> NDArray[np.float64]:
        """Look up, waiting for what is missing; raises like `lookup` when time is up."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                try:
                    return self.lookup(target, source, stamp_ns)
                except TransformError:
                    remaining = deadline - time.monotonic()
                    if remaining <= 0 or not self._changed.wait(remaining):
                        return self.lookup(target, source, stamp_ns)

    def _chain(self, frame: str) -> list[str]:
        """Return the frame and its ancestors, root last."""
        chain = [frame]
        while chain[-1] in self._links and len(chain) < MAX_DEPTH:
            chain.append(self._links[chain[-1]].parent)
        return chain

    def _climb(self, frames: list[str], stamp_ns: int) -> NDArray[np.float64]:
        """Multiply the poses of frames, each in the next one."""
        total = np.eye(4)
        for frame in frames:
            link = self._links[frame]
            pose = link.poses[-1] if link.static else _at(link.poses, stamp_ns, frame, link.parent)
            total = pose.matrix() @ total
        return total

    def _unrelated(self, target: str, source: str) -> str:
        known = sorted({*self._links, *(link.parent for link in self._links.values())})
        missing = [f for f in (source, target) if f not in known]
        listed = ', '.join(known[:20]) or 'none; nothing was received on /tf or /tf_static'
        what = (
            f'frame {missing[0]!r} is not in TF' if missing else 'the two trees are not connected'
        )
        return f'transform {source} -> {target}: {what} (known frames: {listed})'


def _add(poses: list[Pose], pose: Pose, history_ns: int | None) -> None:
    """Insert a pose in order of time; forget what is old, or everything if time was set back."""
    forgets = history_ns is not None
    if forgets and poses and pose.stamp_ns < poses[-1].stamp_ns - JUMP_BACK_NS:
        poses.clear()
    place = bisect_left(poses, pose.stamp_ns, key=lambda p: p.stamp_ns)
    if place < len(poses) and poses[place].stamp_ns == pose.stamp_ns:
        poses[place] = pose
    else:
        poses.insert(place, pose)
    while history_ns is not None and poses[0].stamp_ns < poses[-1].stamp_ns - history_ns:
        poses.pop(0)


def _at(poses: list[Pose], stamp_ns: int, child: str, parent: str) -> Pose:
    """Return the pose at a time between two known ones; 0 is the newest."""
    if stamp_ns == 0 or stamp_ns == poses[-1].stamp_ns:
        return poses[-1]
    place = bisect_left(poses, stamp_ns, key=lambda p: p.stamp_ns)
    if place < len(poses) and poses[place].stamp_ns == stamp_ns:
        return poses[place]
    if place == 0 or place == len(poses):
        nearest = poses[0] if place == 0 else poses[-1]
        gap = (stamp_ns - nearest.stamp_ns) / NANOSECONDS
        raise TransformError(
            f'transform {child} -> {parent} is not known at that time: the '
            f'{"oldest" if place == 0 else "newest"} one is {abs(gap):.3f} s '
            f'{"younger" if gap < 0 else "older"}; check the clocks and use_sim_time'
        )
    before, after = poses[place - 1], poses[place]
    share = (stamp_ns - before.stamp_ns) / (after.stamp_ns - before.stamp_ns)
    translation = before.translation + share * (after.translation - before.translation)
    rotation = slerp(before.rotation, after.rotation, share)
    return Pose(stamp_ns, translation, rotation)


def turned_about_z(T: NDArray[np.float64], yaw: float) -> float:
    """Return the turn about z, radians, of what was turned by `yaw` and then by T [4, 4]."""
    cos, sin = math.cos(yaw), math.sin(yaw)
    turned = T[:3, :3] @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    _, _, z, w = quaternion(turned)
    return 2.0 * math.atan2(z, w)


def quaternion(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a rotation matrix [3, 3] as a unit quaternion x y z w, w not negative."""
    R = rotation
    squares = np.array(  # of the parts, times 4; the largest is safe to divide by
        [
            1 + R[0, 0] - R[1, 1] - R[2, 2],
            1 - R[0, 0] + R[1, 1] - R[2, 2],
            1 - R[0, 0] - R[1, 1] + R[2, 2],
            1 + R[0, 0] + R[1, 1] + R[2, 2],
        ]
    )
    parts = np.array(  # row k: all parts times 4 times part k
        [
            [squares[0], R[0, 1] + R[1, 0], R[0, 2] + R[2, 0], R[2, 1] - R[1, 2]],
            [R[0, 1] + R[1, 0], squares[1], R[1, 2] + R[2, 1], R[0, 2] - R[2, 0]],
            [R[0, 2] + R[2, 0], R[1, 2] + R[2, 1], squares[2], R[1, 0] - R[0, 1]],
            [R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1], squares[3]],
        ]
    )[squares.argmax()]
    return parts / np.linalg.norm(parts) * (1.0 if parts[3] >= 0 else -1.0)


def slerp(a: NDArray[np.float64], b: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Turn evenly from unit quaternion [4] a to b, the short way; share 0 is a, 1 is b."""
    cosine = float(a @ b)
    if cosine < 0:
        b, cosine = -b, -cosine
    if cosine > 0.9995:  # nearly the same: the sine below would be 0
        mixed = a + share * (b - a)
    else:
        angle = np.arccos(cosine)
        mixed = np.sin((1 - share) * angle) * a + np.sin(share * angle) * b
    return mixed / np.linalg.norm(mixed)
