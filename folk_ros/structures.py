"""
The vocabulary of the program: what its parts hand to each other.

Letters, everywhere: N points, V voxels, I instances, Q texts, D embedding, C channels, K views,
H W image. Metres, radians, nanoseconds. Every type is frozen and checked when it is built.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


def check_arrays(owner: str, **arrays: tuple[NDArray[Any], str, Any]) -> dict[str, int]:
    """
    Check shape and dtype of several arrays at once; return the size of each letter.

    Each value is (array, spec, dtype), the spec being letters or numbers, as in 'N 3'. A letter
    must have the same size wherever it stands. Raises ValueError naming field, expected and got.
    """
    sizes: dict[str, int] = {}
    for name, (array, spec, dtype) in arrays.items():
        axes = spec.split()
        if not isinstance(array, np.ndarray) or array.ndim != len(axes):
            got = getattr(array, 'shape', type(array).__name__)
            raise ValueError(f'{owner}.{name}: expected an array [{", ".join(axes)}], got {got}')
        if array.dtype != np.dtype(dtype):
            raise ValueError(f'{owner}.{name}: expected {np.dtype(dtype)}, got {array.dtype}')
        for axis, size in zip(axes, array.shape, strict=True):
            wanted = int(axis) if axis.isdigit() else sizes.setdefault(axis, size)
            if size != wanted:
                raise ValueError(
                    f'{owner}.{name}: expected [{", ".join(axes)}] with {axis}={wanted}, '
                    f'got {list(array.shape)}'
                )
    return sizes


@dataclass(frozen=True)
class PointCloud:
    """One fused cloud. Points are finite; colour is there for all of them or for none."""

    xyz: NDArray[np.float32]  # [N, 3] metres, in frame_id
    rgb: NDArray[np.uint8] | None = None  # [N, 3], None where the sensor has no colour
    frame_id: str = ''
    stamp_ns: int = 0  # the sensor's time, nanoseconds

    def __post_init__(self) -> None:
        check_arrays('PointCloud', xyz=(self.xyz, 'N 3', np.float32))
        if self.rgb is not None:
            check_arrays(
                'PointCloud',
                xyz=(self.xyz, 'N 3', np.float32),
                rgb=(self.rgb, 'N 3', np.uint8),
            )

    def __len__(self) -> int:
        return len(self.xyz)

    def select(self, rows: NDArray[Any]) -> PointCloud:
        """Keep some points (mask or indices); colours stay with their points."""
        rgb = None if self.rgb is None else self.rgb[rows]
        return replace(self, xyz=self.xyz[rows], rgb=rgb)


@dataclass(frozen=True)
class Voxels:
    """A cloud on a regular grid, one row per occupied voxel: the student's input."""

    coords: NDArray[np.int32]  # [V, 3] grid cell, smallest is 0
    rgb: NDArray[np.float32]  # [V, 3] mean colour in [0, 1]; 0.5 where the cloud has none
    has_colour: bool
    centres: NDArray[np.float32]  # [V, 3] mean of the points of the voxel, metres, cloud frame
    point_to_voxel: NDArray[np.int64]  # [N]
    origin: NDArray[np.float64]  # [3] metres: cell (0, 0, 0) begins here
    size_m: float

    def __post_init__(self) -> None:
        check_arrays(
            'Voxels',
            coords=(self.coords, 'V 3', np.int32),
            rgb=(self.rgb, 'V 3', np.float32),
            centres=(self.centres, 'V 3', np.float32),
            point_to_voxel=(self.point_to_voxel, 'N', np.int64),
            origin=(self.origin, '3', np.float64),
        )

    def __len__(self) -> int:
        return len(self.coords)


@dataclass(frozen=True)
class Boxes:
    """Oriented boxes that stand upright: turned about the vertical axis alone."""

    centre: NDArray[np.float32]  # [I, 3] metres
    size: NDArray[np.float32]  # [I, 3] metres, along the box's own axes
    yaw: NDArray[np.float32]  # [I] radians about z, in (-pi/2, pi/2]

    def __post_init__(self) -> None:
        check_arrays(
            'Boxes',
            centre=(self.centre, 'I 3', np.float32),
            size=(self.size, 'I 3', np.float32),
            yaw=(self.yaw, 'I', np.float32),
        )

    def __len__(self) -> int:
        return len(self.yaw)

    def select(self, rows: NDArray[Any]) -> Boxes:
        """Keep some boxes (mask or indices)."""
        return replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def corners(self) -> NDArray[np.float32]:
        """Return the eight corners [I, 8, 3] of each box, metres; bit k of a corner is axis k."""
        signs = np.array([[(c >> k & 1) - 0.5 for k in range(3)] for c in range(8)], np.float32)
        local = signs[None] * self.size[:, None]  # [I, 8, 3]
        cos, sin = np.cos(self.yaw)[:, None], np.sin(self.yaw)[:, None]
        x = cos * local[..., 0] - sin * local[..., 1]
        y = sin * local[..., 0] + cos * local[..., 1]
        return np.stack([x, y, local[..., 2]], -1) + self.centre[:, None]


@dataclass(frozen=True)
class Instances:
    """
    The objects found in one cloud: class-agnostic masks and CLIP-space embeddings.

    Masks are kept as point lists one after another (CSR): the points of instance i are
    `points[starts[i]:starts[i + 1]]`, so memory grows with what was found, not with I x N.
    A point may belong to several instances.
    """

    starts: NDArray[np.int64]  # [I + 1]
    points: NDArray[np.int32]  # [M] indices into the cloud
    embeddings: NDArray[np.float32]  # [I, D] unit length, in the space named by the weights
    quality: NDArray[np.float32]  # [I] how good the mask is, in [0, 1]; not a class score
    boxes: Boxes  # [I]
    ids: NDArray[np.uint32]  # [I] stable while the object is tracked
    num_points: int  # N of the cloud the masks refer to
    frame_id: str = ''
    stamp_ns: int = 0
    scene_id: int = 0  # counts the clouds segmented by one program, from 1; 0 is "none yet"

    def __post_init__(self) -> None:
        check_arrays(
            'Instances',
            embeddings=(self.embeddings, 'I D', np.float32),
            quality=(self.quality, 'I', np.float32),
            ids=(self.ids, 'I', np.uint32),
        )
        check_arrays(
            'Instances',
            starts=(self.starts, 'I+1', np.int64),
            points=(self.points, 'M', np.int32),
        )
        count = len(self.ids)
        if len(self.starts) != count + 1 or len(self.boxes) != count:
            raise ValueError(
                f'Instances: {count} ids need {count + 1} starts and {count} boxes, '
                f'got {len(self.starts)} and {len(self.boxes)}'
            )
        if self.starts[0] != 0 or self.starts[-1] != len(self.points):
            raise ValueError(
                f'Instances.starts: expected to run from 0 to {len(self.points)} (points), '
                f'got {self.starts[0]} to {self.starts[-1]}'
            )
        if len(self.points) and not 0 <= self.points.min() <= self.points.max() < self.num_points:
            raise ValueError(f'Instances.points: indices must lie in [0, {self.num_points})')

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def point_counts(self) -> NDArray[np.int64]:
        """Number of points [I] of each instance."""
        return np.diff(self.starts)

    def points_of(self, row: int) -> NDArray[np.int32]:
        """Return the point indices of one instance, by its row."""
        return self.points[self.starts[row] : self.starts[row + 1]]

    def select(self, rows: NDArray[Any]) -> Instances:
        """Keep some instances (mask or indices), in the order given."""
        index = np.arange(len(self))[rows]
        parts = [self.points_of(i) for i in index]
        starts = np.zeros(len(index) + 1, np.int64)
        np.cumsum([len(p) for p in parts], out=starts[1:])
        return replace(
            self,
            starts=starts,
            points=np.concatenate(parts) if parts else np.empty(0, np.int32),
            embeddings=self.embeddings[index],
            quality=self.quality[index],
            boxes=self.boxes.select(index),
            ids=self.ids[index],
        )

    def joined(self, *others: Instances) -> Instances:
        """Return these instances and then those of other lists over the same points."""
        parts = (self, *others)
        for other in others:
            if other.num_points != self.num_points:
                raise ValueError(
                    f'Instances: masks over {self.num_points} and over {other.num_points} points '
                    'cannot be joined'
                )

        def together(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(part, name) for part in parts])

        starts = np.zeros(sum(map(len, parts)) + 1, np.int64)
        np.cumsum(np.concatenate([part.point_counts for part in parts]), out=starts[1:])
        boxes = [np.concatenate([getattr(p.boxes, f.name) for p in parts]) for f in fields(Boxes)]
        return replace(
            self,
            starts=starts,
            points=together('points'),
            embeddings=together('embeddings'),
            quality=together('quality'),
            boxes=Boxes(*boxes),
            ids=together('ids'),
        )

    @classmethod
    def empty(cls, dim: int, cloud: PointCloud | None = None) -> Instances:
        """Return "looked, found nothing" for a cloud."""
        zero = np.zeros((0, 3), np.float32)
        return cls(
            starts=np.zeros(1, np.int64),
            points=np.empty(0, np.int32),
            embeddings=np.empty((0, dim), np.float32),
            quality=np.empty(0, np.float32),
            boxes=Boxes(zero, zero, np.empty(0, np.float32)),
            ids=np.empty(0, np.uint32),
            num_points=0 if cloud is None else len(cloud),
            frame_id='' if cloud is None else cloud.frame_id,
            stamp_ns=0 if cloud is None else cloud.stamp_ns,
        )


@dataclass(frozen=True)
class Match:
    """One instance that answers one text."""

    row: int  # which instance
    text: str
    score: float  # probability in [0, 1] against the background vocabulary
    similarity: float  # cosine of embedding and text
