"""A good cloud, and what must be answered when it was the last one: the check after each fault."""

from __future__ import annotations

from collections.abc import Callable
import struct
import time
from typing import Any

import numpy as np

from folk_ros.cli.demo_room import load_demo_room
from folk_ros.ros import runtime
from folk_ros.ros.conversions import to_point_cloud2
from folk_ros.structures import PointCloud

TEXTS = ['chair', 'table', 'fridge']
MIN_SCORE = 1e-6  # something is always found: the best of all instances
NEAR_M = 0.15  # the same object, in another cloud of it
STAMP = struct.Struct('<iI')  # behind the CDR header of every message with a header
CDR_HEADER = 4
Ask = Callable[
    [list[str]], Any
]  # texts to a response of folk_ros/srv/Query; None if there is none


class Truth:
    """Knows the answers of the first good cloud, and compares all later ones with them."""

    def __init__(self, num_points: int, seed: int = 0) -> None:
        cloud = load_demo_room().cloud
        rng = np.random.default_rng(seed)
        self.cloud = cloud.select(
            rng.permutation(np.resize(rng.permutation(len(cloud)), num_points))
        )
        self._data = encoded(self.cloud)
        self._places: dict[str, Any] = {}

    def payload(self, at_ns: int = 0) -> tuple[bytes, tuple[int, int]]:
        """Return the bytes of the cloud at a time, that of now if none is given, and the stamp."""
        return stamped(self._data, at_ns or time.time_ns())

    def learn(self, response: Any) -> None:
        """Take an answer as the truth."""
        self._places = _places(response)

    def judge(self, response: Any, stamp: tuple[int, int]) -> str:
        """Say what is wrong with an answer; '' if nothing is."""
        if response is None:
            return 'no answer came'
        if not response.success:
            return f'the question was refused: {response.message}'
        if (response.header.stamp.sec, response.header.stamp.nanosec) != stamp:
            return 'the answer is not of the last cloud'
        if not self._places:
            self.learn(response)
        found = _places(response)
        if set(found) != set(self._places):
            return f'answered {sorted(found)}, expected {sorted(self._places)}'
        far = [
            text
            for text, place in found.items()
            if np.abs(place - self._places[text]).max() > NEAR_M
        ]
        return f'found elsewhere: {", ".join(far)}' if far else ''


def _places(response: Any) -> dict[str, Any]:
    """Return the centre [3] of the best instance of each text."""
    return {
        item.text: np.array([item.pose.position.x, item.pose.position.y, item.pose.position.z])
        for item in reversed(response.instances)
    }


def encoded(cloud: PointCloud) -> bytearray:
    """Return the bytes of a cloud message."""
    return bytearray(runtime.serialize_message(to_point_cloud2(cloud)))


def stamped(data: bytearray, nanoseconds: int) -> tuple[bytes, tuple[int, int]]:
    """Write the stamp into the bytes of a message with a header; return both."""
    stamp = divmod(nanoseconds, 1_000_000_000)
    STAMP.pack_into(data, CDR_HEADER, *stamp)
    return bytes(data), stamp
