"""Read a PCD file of the Point Cloud Library: ascii, binary or binary_compressed."""

from __future__ import annotations

import io
from pathlib import Path
import struct
from typing import BinaryIO

import numpy as np

from folk_ros.cloud_ascii import parse_rows
from folk_ros.cloud_layout import CloudLayout, PointField

MAX_HEADER_LINES = 100
MAX_LINE_BYTES = 65_536
LZF_MOST = 88  # bytes that one byte of compressed data can stand for: three give at most 264
TYPES = {  # TYPE and SIZE -> datatype of sensor_msgs/PointField, which has no 8-byte integers
    **{('I', 1): 1, ('U', 1): 2, ('I', 2): 3, ('U', 2): 4, ('I', 4): 5, ('U', 4): 6},
    **{('F', 4): 7, ('F', 8): 8, ('I', 8): 0, ('U', 8): 0},
}


def read_pcd(path: Path, max_points: int) -> tuple[CloudLayout, bytes]:
    """
    Read all points as bytes and their layout; organised clouds keep width and height.

    The viewpoint is not applied. Raises ValueError, without the path, where the file is
    malformed.
    """
    with path.open('rb') as file:
        header = _read_header(file)
        layout, sizes = _layout(header)
        if layout.num_points > max_points:
            raise ValueError(f'{layout.num_points} points are more than {max_points}')
        left = path.stat().st_size - file.tell()
        kind = header['DATA'][0].lower()
        if kind == 'ascii':
            text = io.TextIOWrapper(file, encoding='ascii', errors='replace')
            return layout, parse_rows(text, layout, left)
        if kind == 'binary':
            return layout, _read_binary(file, layout, left)
        if kind == 'binary_compressed':
            return layout, _read_compressed(file, layout, sizes, left)
    raise ValueError(f"DATA: expected ascii, binary or binary_compressed, got '{kind[:40]}'")


def _read_header(file: BinaryIO) -> dict[str, list[str]]:
    """Read up to the DATA line; return the words of each line by its keyword."""
    header: dict[str, list[str]] = {}
    for _ in range(MAX_HEADER_LINES):
        line = file.readline(MAX_LINE_BYTES)
        words = line.decode('ascii', 'replace').split()
        if not line:
            break
        if not words or words[0].startswith('#'):
            continue
        header[words[0].upper()] = words[1:]
        if words[0].upper() == 'DATA':
            break
    for keyword in ('FIELDS', 'SIZE', 'TYPE', 'DATA'):
        if not header.get(keyword):
            raise ValueError(f"expected a header line '{keyword} …'; this is no PCD file")
    return header


def _whole(header: dict[str, list[str]], keyword: str, default: list[str]) -> list[int]:
    """Return the whole numbers of a header line."""
    words = header.get(keyword, default)
    if not words or not all(word.isdecimal() and len(word) < 12 for word in words):
        raise ValueError(f"{keyword}: expected whole numbers, got '{' '.join(words)[:60]}'")
    return [int(word) for word in words]


def _layout(header: dict[str, list[str]]) -> tuple[CloudLayout, list[int]]:
    """Return the layout and the bytes [F] of each field, its count included."""
    names, kinds = header['FIELDS'], header['TYPE']
    sizes = _whole(header, 'SIZE', [])
    counts = _whole(header, 'COUNT', ['1'] * len(names))
    if not len(names) == len(kinds) == len(sizes) == len(counts):
        raise ValueError(
            f'FIELDS, SIZE, TYPE and COUNT must be of one length, got {len(names)}, '
            f'{len(sizes)}, {len(kinds)} and {len(counts)}'
        )
    fields, offset = [], 0
    for name, kind, size, count in zip(names, kinds, sizes, counts, strict=True):
        if (kind, size) not in TYPES or count == 0:
            raise ValueError(
                f"field '{name}': expected TYPE I, U or F, SIZE 1 to 8 and COUNT from 1, got "
                f'{kind[:8]}, {size} and {count}'
            )
        fields.append(PointField(name, offset, TYPES[kind, size], count))
        offset += size * count
    width, height = _size(header)
    layout = CloudLayout(width, height, offset, offset * width, tuple(fields))
    return layout, [size * count for size, count in zip(sizes, counts, strict=True)]


def _size(header: dict[str, list[str]]) -> tuple[int, int]:
    """Return width and height; POINTS must agree with them."""
    points = _whole(header, 'POINTS', header.get('WIDTH', []))[0]
    width = _whole(header, 'WIDTH', [str(points)])[0]
    height = _whole(header, 'HEIGHT', ['1'])[0]
    if 'POINTS' in header and width * height != points:
        raise ValueError(f'POINTS: expected WIDTH x HEIGHT = {width * height}, got {points}')
    return width, height


def _read_binary(file: BinaryIO, layout: CloudLayout, left: int) -> bytes:
    wanted = layout.row_step * layout.height
    if wanted > left:
        raise ValueError(
            f'{layout.num_points} points of {layout.point_step} bytes take {wanted} bytes, '
            f'got {left}; the file was cut off or its header is wrong'
        )
    return file.read(wanted)


def _read_compressed(file: BinaryIO, layout: CloudLayout, sizes: list[int], left: int) -> bytes:
    """Decompress and bring the fields, which stand one after another, back to points."""
    wanted = layout.row_step * layout.height
    head = file.read(8)
    if len(head) < 8:
        raise ValueError('expected the two sizes of the compressed data, got the end of the file')
    packed, unpacked = struct.unpack('<II', head)
    if unpacked != wanted or packed > left - 8 or unpacked > packed * LZF_MOST:
        raise ValueError(
            f'compressed data: expected {wanted} bytes out of at most {left - 8}, got sizes that '
            f'say {unpacked} out of {packed}; the file was cut off or its header is wrong'
        )
    columns = decompress_lzf(file.read(packed), unpacked)
    count = layout.num_points
    data = np.empty((count, layout.point_step), np.uint8)
    offset = 0
    for size in sizes:
        column = np.frombuffer(columns, np.uint8, count * size, count * offset)
        data[:, offset : offset + size] = column.reshape(count, size)
        offset += size
    return data.tobytes()


def decompress_lzf(data: bytes, size: int) -> bytearray:
    """
    Decompress LZF data to exactly `size` bytes.

    A byte below 32 announces that many + 1 bytes to copy; any other one, with what follows, says
    how far to go back in the output and how many bytes to repeat from there. Raises ValueError
    where the data are malformed.
    """
    out = bytearray()
    position, end = 0, len(data)
    try:
        while position < end and len(out) <= size:
            control = data[position]
            position += 1
            if control < 32:
                out += data[position : position + control + 1]
                position += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += data[position]
                position += 1
            back = ((control & 31) << 8) + data[position] + 1
            position += 1
            _repeat(out, back, length + 2)
    except IndexError:
        position = end + 1
    if position != end or len(out) != size:
        raise ValueError(
            f'compressed data: expected {size} bytes, got {len(out)} and then nonsense; the file '
            'is damaged'
        )
    return out


def _repeat(out: bytearray, back: int, length: int) -> None:
    """Append `length` bytes that stand `back` bytes before the end, themselves included."""
    start = len(out) - back
    if start < 0:
        raise IndexError('before the first byte')
    if length <= back:
        out += out[start : start + length]
    else:
        out += (out[start:] * (length // back + 1))[:length]
