"""
Decode the bytes of a PointCloud2 into a PointCloud and encode one back, without ROS.

Everything is read through strides, a block of points at a time, so that padding, field order,
byte order and unaligned offsets cost nothing and temporaries stay small. Packed colours are only
ever touched as bytes: as floats half of them are NaN patterns, and arithmetic changes their bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud_layout import (
    check_overlap,
    check_sizes,
    CloudLayout,
    colour_fields,
    coordinate_fields,
    FLOAT32,
    known_field,
    PointField,
    UINT32,
)
from folk_ros.structures import PointCloud

__all__ = ['CloudLayout', 'PointField', 'decode', 'encode', 'read_field']

BLOCK_POINTS = 65_536
KEPT_WHOLE = 0.8  # share of finite points above which the room of the others is not given back
MAX_POINTS = 5_000_000


def decode(
    data: Any,
    layout: CloudLayout,
    *,
    frame_id: str = '',
    stamp_ns: int = 0,
    max_points: int = MAX_POINTS,
) -> PointCloud:
    """
    Decode the bytes of a PointCloud2, dropping points that are not finite with their colours.

    `data` is bytes-like or a uint8 array and is copied, never kept. Coordinates are float32
    afterwards: a float64 cloud far from its origin loses its millimetres. Float channels r, g, b
    must lie in [0, 1]. Colour is None unless the fields hold rgb, rgba, or all of r, g and b.
    Raises ValueError where the layout is wrong, ambiguous, does not fit the data, or holds more
    than `max_points` points; sizes are checked before memory is taken.
    """
    raw = as_bytes(data)
    check_sizes(layout, len(raw), max_points)
    colours = colour_fields(layout)
    if layout.num_points == 0:
        rgb = np.empty((0, 3), np.uint8) if colours else None
        return PointCloud(np.empty((0, 3), np.float32), rgb, frame_id, stamp_ns)
    xyz_fields = coordinate_fields(layout)
    check_overlap(xyz_fields + colours)
    coordinates = _columns(raw, layout, xyz_fields)
    xyz, rgb = _gather(coordinates, _channels(raw, layout, colours), layout.num_points)
    return PointCloud(xyz, rgb, frame_id, stamp_ns)


def encode(
    cloud: PointCloud, instance_id: NDArray[np.uint32] | None = None
) -> tuple[CloudLayout, bytes]:
    """
    Lay a cloud out for publishing: x, y, z and packed rgb as FLOAT32, then UINT32 instance_id.

    Fields the cloud has not are left out, so a point takes 12 to 20 bytes, little-endian. The
    spare byte of the colour is 0: with 255 there every second colour would be a NaN pattern, and
    subscribers that skip NaNs would lose those points. `instance_id` is [N].
    """
    kinds = [('x', FLOAT32), ('y', FLOAT32), ('z', FLOAT32)]
    kinds += [('rgb', FLOAT32)] if cloud.rgb is not None else []
    kinds += [('instance_id', UINT32)] if instance_id is not None else []
    step = 4 * len(kinds)
    points = np.zeros((len(cloud), step), np.uint8)
    points[:, :12].view('<f4')[:] = cloud.xyz
    if cloud.rgb is not None:
        points[:, 12:15] = cloud.rgb[:, ::-1]  # 0x00RRGGBB
    if instance_id is not None:
        if np.shape(instance_id) != (len(cloud),):
            raise ValueError(
                f'instance_id: expected one per point [{len(cloud)}], got {np.shape(instance_id)}'
            )
        points[:, -4:].view('<u4')[:, 0] = instance_id
    fields = tuple(PointField(name, 4 * i, kind) for i, (name, kind) in enumerate(kinds))
    return CloudLayout(len(cloud), 1, step, step * len(cloud), fields), points.tobytes()


def read_field(data: Any, layout: CloudLayout, name: str) -> NDArray[Any]:
    """
    View one field of every point in place, [H, W], not finite points included.

    Raises ValueError where there is no such field or the data do not fit the layout.
    """
    raw = as_bytes(data)
    check_sizes(layout, len(raw), layout.num_points)
    field = known_field(layout, name)
    shape = (int(layout.height), int(layout.width))
    return _view(raw, layout, field.offset, field.kind).reshape(shape)


def as_bytes(data: Any) -> NDArray[np.uint8]:
    """View bytes-like data (bytes, array.array('B'), memoryview, uint8 array) as uint8 [B]."""
    try:
        view = memoryview(data)
    except TypeError:
        raise ValueError(
            f'cloud data: expected bytes or a uint8 array, got {type(data).__name__}'
        ) from None
    if view.itemsize != 1:
        raise ValueError(
            f'cloud data: expected bytes or a uint8 array, got items of {view.itemsize} '
            f"bytes (format '{view.format}')"
        )
    return np.frombuffer(view if view.c_contiguous else view.tobytes(), np.uint8)


def _view(raw: NDArray[np.uint8], layout: CloudLayout, offset: int, kind: str) -> NDArray[Any]:
    """View one value of every point in place, [H, W]; one row where nothing parts the rows."""
    together = layout.height == 1 or layout.row_step == layout.width * layout.point_step
    shape = (1, layout.num_points) if together else (int(layout.height), int(layout.width))
    strides = (int(layout.row_step), int(layout.point_step))
    dtype = np.dtype(('>' if layout.is_bigendian else '<') + kind)
    return np.ndarray(shape, dtype, raw, int(offset), strides)


def _columns(
    raw: NDArray[np.uint8], layout: CloudLayout, fields: list[PointField]
) -> list[NDArray[Any]]:
    """View x, y and z in place."""
    return [_view(raw, layout, field.offset, field.kind) for field in fields]


def _channels(
    raw: NDArray[np.uint8], layout: CloudLayout, fields: list[PointField]
) -> list[NDArray[Any]]:
    """View red, green and blue in place; nothing where there are none."""
    if len(fields) != 1:
        return _columns(raw, layout, fields)
    bytes_of_rgb = (1, 2, 3) if layout.is_bigendian else (2, 1, 0)  # 0xAARRGGBB
    return [_view(raw, layout, fields[0].offset + byte, 'u1') for byte in bytes_of_rgb]


def _gather(
    coordinates: list[NDArray[Any]], channels: list[NDArray[Any]], num_points: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
    """Copy the finite points and their colours out, block by block."""
    xyz = np.empty((num_points, 3), np.float32)
    rgb = np.empty((num_points, 3), np.uint8) if channels else None
    end = 0
    for block in _blocks(coordinates[0].shape):
        with np.errstate(over='ignore', invalid='ignore'):  # beyond float32: inf, so dropped
            columns = [c[block].astype(np.float32).reshape(-1) for c in coordinates]
        rows = _finite_rows(columns)
        start, end = end, end + (len(columns[0]) if rows is None else len(rows))
        for axis, column in enumerate(columns):
            xyz[start:end, axis] = column if rows is None else column[rows]
        if rgb is not None:
            for axis, channel in enumerate(channels):
                values = channel[block].reshape(-1)
                rgb[start:end, axis] = _to_uint8(values if rows is None else values[rows])
    return _first_rows(xyz, end), None if rgb is None else _first_rows(rgb, end)


def _first_rows(array: NDArray[Any], count: int) -> NDArray[Any]:
    """Leave out the rows from `count` on; give their memory back where that is worth a copy."""
    # Not by ndarray.resize, which copies always since NumPy 2.5.
    return array[:count] if count > KEPT_WHOLE * len(array) else array[:count].copy()


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Cut [H, W] into blocks of about BLOCK_POINTS points, in order."""
    height, width = shape
    rows = max(1, BLOCK_POINTS // width)
    for row in range(0, height, rows):
        for column in range(0, width, BLOCK_POINTS):
            yield slice(row, row + rows), slice(column, column + BLOCK_POINTS)


def _finite_rows(columns: list[NDArray[np.float32]]) -> NDArray[np.intp] | None:
    """Return the rows that are finite in all columns, or None where that is every row."""
    keep = np.isfinite(columns[0])
    for column in columns[1:]:
        keep &= np.isfinite(column)
    return None if keep.all() else np.flatnonzero(keep)


def _to_uint8(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring a colour channel, uint8 or float in [0, 1], to 0..255; NaN becomes 0."""
    if values.dtype == np.uint8:
        return values
    known = np.nan_to_num(values.astype(np.float32))
    if known.size and not -0.001 <= known.min() <= known.max() <= 1.001:
        raise ValueError(
            'cloud fields: r, g and b as floats must lie in [0, 1], got values from '
            f'{known.min():g} to {known.max():g}; publish them as UINT8 or scale them'
        )
    return np.rint(known.clip(0, 1) * 255).astype(np.uint8)
