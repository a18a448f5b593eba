"""Every transform of a recording, kept small, and the few of them that its camera needs."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from folk_ros.training.scenes.recordings.bag import stamp_ns
from folk_ros.transforms import Pose, TransformBuffer

MAX_DEPTH = 100  # longer chains of frames are loops
LISTED = 20  # frames in an error


@dataclass
class _Link:
    """All poses of one frame in its parent: 64 bytes each."""

    parent: str
    static: bool
    stamps: array[int] = field(default_factory=lambda: array('q'))
    numbers: array[float] = field(default_factory=lambda: array('d'))  # 7 a pose: x y z, x y z w


class FrameTree:
    """The tree of frames over the whole of a recording."""

    def __init__(self) -> None:
        self._links: dict[str, _Link] = {}

    def add(self, message: Any, static: bool) -> None:
        """Note the transforms of one TFMessage; a new parent drops what was known of a frame."""
        for item in message.transforms:
            parent, child = item.header.frame_id.strip('/'), item.child_frame_id.strip('/')
            link = self._links.get(child)
            if link is None or (link.parent, link.static) != (parent, static):
                link = self._links[child] = _Link(parent, static)
            move, turn = item.transform.translation, item.transform.rotation
            link.stamps.append(stamp_ns(item.header.stamp))
            link.numbers.extend((move.x, move.y, move.z, turn.x, turn.y, turn.z, turn.w))

    def __len__(self) -> int:
        return len(self._links)

    def ancestors(self, frame: str) -> list[str]:
        """Return the frame and those above it, root last."""
        chain = [frame.strip('/')]
        while chain[-1] in self._links and len(chain) < MAX_DEPTH:
            chain.append(self._links[chain[-1]].parent)
        return chain

    def connected(self, one: str, other: str) -> bool:
        """Whether two frames hang in one tree."""
        return self.ancestors(one)[-1] == self.ancestors(other)[-1]

    def listed(self) -> str:
        """Say which frames there are, for an error."""
        frames = sorted({*self._links, *(link.parent for link in self._links.values())})
        more = f' and {len(frames) - LISTED} more' if len(frames) > LISTED else ''
        return f'frames in TF: {", ".join(frames[:LISTED]) or "none"}{more}'

    def buffer(self, frames: Iterable[str]) -> TransformBuffer:
        """Return the poses of these frames and of all above them, ready to be looked up."""
        buffer = TransformBuffer(history_ns=None)
        for child in sorted({name for frame in frames for name in self.ancestors(frame)}):
            link = self._links.get(child)
            if link is None:
                continue
            poses = np.frombuffer(link.numbers, np.float64).reshape(-1, 7)
            for stamp, pose in zip(link.stamps, poses, strict=True):
                place = Pose(stamp, pose[:3], pose[3:])
                buffer.insert(link.parent, child, place, static=link.static)
        return buffer
