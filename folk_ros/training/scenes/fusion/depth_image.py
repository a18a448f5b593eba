"""A depth image for looking up where millions of points fall, and what may hide a ball."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.views import View

Floats = NDArray[np.float32]

NEAREST = 0.3  # metres; nearer measurements weigh no more


class DepthImage:
    """A depth image, made ready for looking up many places at once."""

    def __init__(self, view: View) -> None:
        height, width = view.depth.shape
        T = view.T_world_camera.astype(np.float64)
        self.R, self.o = T[:3, :3], T[:3, 3]
        k = view.intrinsics.astype(np.float64)
        # a rim of zeros takes what falls beside the image
        self.last = np.array([width + 1, height + 1], np.float32)
        self.focal = np.array([k[0, 0], k[1, 1]], np.float32)
        self.middle = np.array([k[0, 2] + 1, k[1, 2] + 1], np.float32)
        self.stride = width + 2
        padded = np.pad(view.depth, 1)
        self.depth = padded.reshape(-1)
        self.trust = (1 / np.maximum(self.depth, NEAREST) ** 2).astype(np.float32)
        self.levels = _maxima(padded)

    def pixel(self, x: Floats, y: Floats, z: Floats) -> NDArray[np.int32]:
        """Return where points before the camera fall in `depth`: its rim, if beside the image."""
        column = np.clip(x / z * self.focal[0] + self.middle[0], 0, self.last[0])
        row = np.clip(y / z * self.focal[1] + self.middle[1], 0, self.last[1])
        column, row = np.rint(column).astype(np.int32), np.rint(row).astype(np.int32)
        return np.asarray(row * np.int32(self.stride) + column)

    def farthest(
        self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], radius: float
    ) -> Floats:
        """Return the greatest depth [b] in a square of pixels around balls before the camera."""
        reach = radius / (z - radius) * np.hypot(1, np.hypot(x, y) / z) * self.focal.max() + 1
        u = x / z * self.focal[0] + self.middle[0]
        v = y / z * self.focal[1] + self.middle[1]
        level = np.clip(np.ceil(np.log2(2 * reach)), 0, len(self.levels) - 1).astype(np.int64)
        result = np.zeros(len(z), np.float32)
        for number in np.unique(level):
            rows = np.flatnonzero(level == number)
            tiles = self.levels[number]
            for du, dv in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
                ends = ((u + du * reach)[rows], (v + dv * reach)[rows])
                column, row = (
                    np.clip(np.floor((end + 0.5) / 2**number), 0, size - 1).astype(np.int64)
                    for end, size in zip(ends, tiles.shape[::-1], strict=True)
                )
                result[rows] = np.maximum(result[rows], tiles[row, column])
        beside = (u + reach < 0.5) | (u - reach > self.last[0] - 0.5)
        beside |= (v + reach < 0.5) | (v - reach > self.last[1] - 0.5)
        result[beside] = 0
        return result


def _maxima(image: Floats) -> list[Floats]:
    """Return the image and its maxima over tiles of 2, 4, 8, ... pixels, up to one tile."""
    levels = [image]
    while max(levels[-1].shape) > 1:
        rows, columns = (size + size % 2 for size in levels[-1].shape)
        even = np.zeros((rows, columns), np.float32)
        even[: levels[-1].shape[0], : levels[-1].shape[1]] = levels[-1]
        levels.append(even.reshape(rows // 2, 2, columns // 2, 2).max((1, 3)))
    return levels
