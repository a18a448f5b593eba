"""Read the rows of numbers of an ASCII cloud file into the bytes that its layout describes."""

from __future__ import annotations

from collections.abc import Iterable
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud_layout import CloudLayout, DATATYPES, PointField

MIN_BYTES_PER_NUMBER = 2  # a digit and what parts it from the next


def parse_rows(lines: Iterable[str], layout: CloudLayout, num_bytes: int) -> bytes:
    """
    Parse one line per point, one number per value of a field, from at most `num_bytes` of text.

    Numbers go through float64, which holds every float32 and every 32-bit integer. Raises
    ValueError where rows are missing or are not the numbers that the fields declare.
    """
    count = layout.num_points
    if count == 0:
        return b''
    columns = sum(max(1, field.count) for field in layout.fields)
    if count * columns * MIN_BYTES_PER_NUMBER > num_bytes + 1:
        raise ValueError(
            f'{count} points of {columns} numbers do not fit in the {num_bytes} bytes after the '
            'header; the file was cut off or its header is wrong'
        )
    filled = (line for line in lines if line.strip())
    table = _load(itertools.islice(filled, count), columns)
    if table.shape != (count, columns):
        raise ValueError(
            f'expected {count} rows of {columns} numbers, got {table.shape[0]} of '
            f'{table.shape[1]}; the file was cut off or its header is wrong'
        )
    data = np.zeros((count, layout.point_step), np.uint8)
    column = 0
    for field in layout.fields:
        if field.datatype in DATATYPES and field.count <= 1:
            end = field.offset + np.dtype(field.kind).itemsize
            target = data[:, field.offset : end].view('<' + field.kind)
            target[:, 0] = _cast(table[:, column], field)
        column += max(1, field.count)
    return data.tobytes()


def _load(lines: Iterable[str], columns: int) -> NDArray[np.float64]:
    """Parse the rows [N, columns]; say where they stop being numbers."""
    first = next(iter(lines), '')
    if not first:  # loadtxt would warn
        return np.empty((0, columns))
    try:
        return np.loadtxt(itertools.chain([first], lines), np.float64, comments=None, ndmin=2)
    except ValueError as error:
        reason = str(error).split(';')[0]
        raise ValueError(f'expected rows of {columns} numbers; {reason}') from None


def _cast(values: NDArray[np.float64], field: PointField) -> NDArray[Any]:
    """Bring a column to the datatype of its field; integers must fit."""
    dtype = np.dtype(field.kind)
    if dtype.kind == 'f':
        with np.errstate(over='ignore', under='ignore'):
            return values.astype(dtype)
    # Packed colours are written signed and unsigned whatever the header says.
    info = np.iinfo(dtype)
    low, high = (-(2**31), 2**32 - 1) if dtype.itemsize == 4 else (info.min, info.max)
    whole = (values >= low) & (values <= high) & (values == np.floor(values))
    if not whole.all():
        row = int(np.argmin(whole))
        raise ValueError(
            f"row {row + 1}: '{field.name}' must be a whole number that fits "
            f'{DATATYPES[field.datatype][0]}, got {values[row]:g}'
        )
    return values.astype(np.int64).astype(dtype)
