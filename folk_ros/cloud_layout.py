"""What the bytes of a PointCloud2 mean: the fields it declares, checked against each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

INT8, UINT8, INT16, UINT16, INT32, UINT32, FLOAT32, FLOAT64 = range(1, 9)
DATATYPES = {  # sensor_msgs/PointField datatype -> its name there, NumPy type without byte order
    INT8: ('INT8', 'i1'),
    UINT8: ('UINT8', 'u1'),
    INT16: ('INT16', 'i2'),
    UINT16: ('UINT16', 'u2'),
    INT32: ('INT32', 'i4'),
    UINT32: ('UINT32', 'u4'),
    FLOAT32: ('FLOAT32', 'f4'),
    FLOAT64: ('FLOAT64', 'f8'),
}
COORDINATES = {FLOAT32, FLOAT64}
PACKED = {FLOAT32, UINT32, INT32}
CHANNELS = {UINT8, FLOAT32, FLOAT64}
FIELDS_SHOWN, NAME_SHOWN = 16, 40  # in a message: how many, how many characters of each


@dataclass(frozen=True)
class PointField:
    """One field of a point, as in sensor_msgs/PointField."""

    name: str
    offset: int  # bytes from the start of the point
    datatype: int  # 1..8, see DATATYPES
    count: int = 1

    @property
    def kind(self) -> str:
        """NumPy type of one value, without byte order."""
        return DATATYPES[self.datatype][1]

    @property
    def end(self) -> int:
        """First byte after the value."""
        return int(self.offset) + np.dtype(self.kind).itemsize


@dataclass(frozen=True)
class CloudLayout:
    """Where things stand in the bytes of a cloud, as in sensor_msgs/PointCloud2."""

    width: int  # points per row
    height: int  # rows, 1 where the cloud is not organised
    point_step: int  # bytes from a point to the next
    row_step: int  # bytes from a row to the next
    fields: tuple[PointField, ...]
    is_bigendian: bool = False

    @property
    def num_points(self) -> int:
        """Number of points declared, finite or not."""
        return int(self.width) * int(self.height)

    @property
    def field_names(self) -> str:
        """The names of the fields, the first ones of many, for a message to a person."""
        shown = [repr(field.name[:NAME_SHOWN]) for field in self.fields[:FIELDS_SHOWN]]
        if len(self.fields) > FIELDS_SHOWN:
            shown.append(f'and {len(self.fields) - FIELDS_SHOWN} more')
        return ', '.join(shown) or 'none'


def check_sizes(layout: CloudLayout, num_bytes: int, max_points: int) -> None:
    """Refuse sizes that cannot be, before any memory is taken for them; raise ValueError."""
    sizes = (layout.width, layout.height, layout.point_step, layout.row_step)
    width, height, step, row_step = (int(size) for size in sizes)
    points = f'{width} x {height} points'
    if min(width, height, step, row_step) < 0:
        raise ValueError(
            f'cloud: sizes must not be negative, got {points}, point_step {step}, '
            f'row_step {row_step}'
        )
    if width * height > max_points:
        raise ValueError(
            f'cloud: {points} are {width * height}, the limit is {max_points}; filter the '
            'map on a voxel grid first, or raise max_points'
        )
    if width * height and step == 0:
        raise ValueError(
            f'cloud point_step: expected the bytes of one point, got 0 for {points}; '
            'set it where the cloud is published'
        )
    if height > 1 and row_step < width * step:
        raise ValueError(
            f'cloud row_step: a row of {width} points of {step} bytes takes at least '
            f'{width * step} bytes, got {row_step}'
        )
    # The last row may lack its padding.
    least = (height - 1) * row_step + width * step if height else 0
    most = max(least, height * row_step)
    if not least <= num_bytes <= most:
        wanted = str(least) if least == most else f'{least} to {most}'
        raise ValueError(
            f'cloud data: {points} with point_step {step} and row_step {row_step} take '
            f'{wanted} bytes, got {num_bytes}; the message was cut off or its sizes are wrong'
        )


def coordinate_fields(layout: CloudLayout) -> list[PointField]:
    """Return the fields x, y and z, checked; raise ValueError where one is missing or wrong."""
    found = [field for name in 'xyz' if (field := _find(layout, name))]
    if len(found) < 3:
        raise ValueError(
            f'cloud fields: expected x, y and z, got {layout.field_names}; choose a '
            'cloud with coordinates'
        )
    for field in found:
        _check_field(layout, field, COORDINATES)
    _check_together(found)
    return found


def colour_fields(layout: CloudLayout) -> list[PointField]:
    """
    Return the one packed field, or r, g and b, or nothing where the cloud has no colour.

    Raises ValueError where several colours stand there or one is of the wrong datatype.
    """
    packed = [field for name in ('rgb', 'rgba') if (field := _find(layout, name))]
    single = [field for name in 'rgb' if (field := _find(layout, name))]
    if len({field.offset for field in packed}) > 1 or (packed and len(single) == 3):
        raise ValueError(
            'cloud fields: expected one colour (rgb, or rgba, or r with g and b), got '
            f'several ({layout.field_names}); rename those that are not meant'
        )
    if packed:
        _check_field(layout, packed[0], PACKED)
        return packed[:1]
    if len(single) < 3:  # 'r' alone is often a range
        return []
    for field in single:
        _check_field(layout, field, CHANNELS)
    _check_together(single)
    return single


def known_field(layout: CloudLayout, name: str) -> PointField:
    """Return the field of that name, checked; raise ValueError where there is none."""
    field = _find(layout, name)
    if field is None:
        raise ValueError(f"cloud fields: expected '{name}', got {layout.field_names}")
    _check_field(layout, field, set(DATATYPES))
    return field


def check_overlap(fields: list[PointField]) -> None:
    """Refuse fields that share bytes; raise ValueError."""
    ordered = sorted(fields, key=lambda field: field.offset)
    for first, second in zip(ordered, ordered[1:], strict=False):
        if first.end > second.offset:
            raise ValueError(
                f"cloud fields: '{first.name}' and '{second.name}' overlap (bytes "
                f'{first.offset} to {first.end} and {second.offset} to {second.end})'
            )


def _find(layout: CloudLayout, name: str) -> PointField | None:
    """Return the field of that name, if any; two of one name are refused."""
    found = [field for field in layout.fields if field.name == name]
    if len(found) > 1:
        raise ValueError(
            f"cloud fields: expected '{name}' once, got it {len(found)} times "
            f'({layout.field_names})'
        )
    return found[0] if found else None


def _check_field(layout: CloudLayout, field: PointField, allowed: set[int]) -> None:
    """Refuse a field of the wrong datatype or count, or one that leaves its point."""
    if field.datatype not in allowed:
        got = DATATYPES.get(field.datatype, ('an unknown datatype', ''))[0]
        wanted = ' or '.join(DATATYPES[kind][0] for kind in sorted(allowed))
        raise ValueError(
            f"cloud fields: '{field.name}' must be {wanted}, got {got} ({field.datatype})"
        )
    if field.count > 1:  # 0 is written by some drivers and means 1, as in PCL
        raise ValueError(
            f"cloud fields: '{field.name}' must hold one value per point, got count {field.count}"
        )
    if field.offset < 0 or (field.end > layout.point_step and layout.num_points):
        raise ValueError(
            f"cloud fields: '{field.name}' takes bytes {field.offset} to {field.end} of a "
            f'point, but point_step is {layout.point_step}'
        )


def _check_together(fields: list[PointField]) -> None:
    """Refuse three fields that are not of one datatype."""
    if len({field.datatype for field in fields}) > 1:
        names = ', '.join(field.name for field in fields)
        got = ', '.join(DATATYPES[field.datatype][0] for field in fields)
        raise ValueError(f'cloud fields: {names} must be of one datatype, got {got}')
