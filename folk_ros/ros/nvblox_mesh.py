"""The mesh of nvblox as a cloud: nvblox_msgs/Mesh comes in blocks, those that changed alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.ros.conversions import stamp_ns
from folk_ros.structures import PointCloud

Block = tuple[NDArray[np.float32], NDArray[np.uint8] | None]  # [N, 3] vertices, [N, 3] colours


class MeshCloud:
    """
    The vertices of a mesh, block by block.

    A message replaces the blocks that it names; one without vertices is gone. `clear` says that
    the message is the whole mesh.
    """

    def __init__(self) -> None:
        self._blocks: dict[tuple[int, int, int], Block] = {}
        self._frame_id, self._stamp_ns = '', 0

    def update(self, message: Any) -> None:
        """Take in a nvblox_msgs/Mesh; ValueError, and no change, where its parts do not fit."""
        indices, blocks = message.block_indices, message.blocks
        if len(indices) != len(blocks):
            raise ValueError(
                f'nvblox mesh: expected a block for each of {len(indices)} indices, got '
                f'{len(blocks)}'
            )
        read = {(i.x, i.y, i.z): _read(b) for i, b in zip(indices, blocks, strict=True)}
        if message.clear:
            self._blocks.clear()
        self._blocks |= read
        self._blocks = {index: block for index, block in self._blocks.items() if len(block[0])}
        self._frame_id = message.header.frame_id
        self._stamp_ns = stamp_ns(message.header.stamp)

    def cloud(self) -> PointCloud:
        """Return all vertices, with colour if all blocks have some."""
        blocks = list(self._blocks.values())
        xyz = _joined([vertices for vertices, _ in blocks], np.float32)
        colours = [rgb for _, rgb in blocks if rgb is not None]
        finite = np.isfinite(xyz).all(1)
        rgb = _joined(colours, np.uint8)[finite] if len(colours) == len(blocks) else None
        return PointCloud(xyz[finite], rgb, self._frame_id, self._stamp_ns)


def _read(block: Any) -> Block:
    xyz = _columns(((v.x, v.y, v.z) for v in block.vertices), len(block.vertices))
    if not block.colors:
        return xyz, None
    if len(block.colors) != len(xyz):
        raise ValueError(
            f'nvblox mesh: expected a colour for each of {len(xyz)} vertices of a block, got '
            f'{len(block.colors)}'
        )
    share = _columns(((c.r, c.g, c.b) for c in block.colors), len(xyz))
    return xyz, np.rint(np.nan_to_num(share).clip(0, 1) * 255).astype(np.uint8)


def _columns(rows: Iterable[tuple[float, float, float]], count: int) -> NDArray[np.float32]:
    values = np.fromiter((value for row in rows for value in row), np.float32, 3 * count)
    return values.reshape(count, 3)


def _joined(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate([np.zeros((0, 3), dtype), *parts])
