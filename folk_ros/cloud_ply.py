"""Read the vertices of a PLY file: ASCII or binary of either byte order."""

from __future__ import annotations

from dataclasses import dataclass
import io
from pathlib import Path
from typing import BinaryIO, Literal

from folk_ros.cloud_ascii import parse_rows
from folk_ros.cloud_layout import CloudLayout, FLOAT32, FLOAT64, PointField

Order = Literal['big', 'little']

MAX_HEADER_LINES = 1000
MAX_LINE_BYTES = 4096
FORMATS = ('ascii', 'binary_little_endian', 'binary_big_endian')
TYPES = {  # PLY name -> bytes, datatype of sensor_msgs/PointField
    **dict.fromkeys(('char', 'int8'), (1, 1)),
    **dict.fromkeys(('uchar', 'uint8'), (1, 2)),
    **dict.fromkeys(('short', 'int16'), (2, 3)),
    **dict.fromkeys(('ushort', 'uint16'), (2, 4)),
    **dict.fromkeys(('int', 'int32'), (4, 5)),
    **dict.fromkeys(('uint', 'uint32'), (4, 6)),
    **dict.fromkeys(('float', 'float32'), (4, FLOAT32)),
    **dict.fromkeys(('double', 'float64'), (8, FLOAT64)),
}
COLOURS = {'red': 'r', 'green': 'g', 'blue': 'b'}
COLOURS |= {f'diffuse_{name}': short for name, short in COLOURS.items()}


@dataclass(frozen=True)
class Property:
    """One property of an element; a list where it has a type for its length."""

    name: str
    kind: str
    length_kind: str | None = None


@dataclass
class Element:
    """One element of the header, filled while its properties are read."""

    name: str
    count: int
    properties: list[Property]


def read_ply(path: Path, max_points: int) -> tuple[CloudLayout, bytes]:
    """
    Read the vertex element as bytes and their layout; red, green, blue are named r, g, b.

    Other elements are skipped. Raises ValueError, without the path, where the file is malformed.
    """
    with path.open('rb') as file:
        file_format, elements = read_header(file)
        before, vertex = _split(elements)
        layout = _layout(vertex, is_bigendian=file_format == 'binary_big_endian')
        if layout.num_points > max_points:
            raise ValueError(f'{layout.num_points} vertices are more than {max_points}')
        left = path.stat().st_size - file.tell()
        if file_format == 'ascii':
            text = io.TextIOWrapper(file, encoding='ascii', errors='replace')
            for _ in range(sum(element.count for element in before)):
                if not text.readline():
                    raise ValueError('the file ends before its vertices')
            return layout, parse_rows(text, layout, left)
        for element in before:
            _skip(file, element, left, 'big' if layout.is_bigendian else 'little')
        return layout, _read_vertices(file, layout, path.stat().st_size - file.tell())


def _read_vertices(file: BinaryIO, layout: CloudLayout, left: int) -> bytes:
    wanted = layout.row_step
    if wanted > left:
        raise ValueError(
            f'{layout.num_points} vertices of {layout.point_step} bytes take {wanted} bytes, '
            f'got {max(left, 0)}; the file was cut off or its header is wrong'
        )
    return file.read(wanted)


def read_header(file: BinaryIO) -> tuple[str, list[Element]]:
    """Read up to end_header; return the format and the elements in order."""
    if file.readline(MAX_LINE_BYTES).strip() != b'ply':
        raise ValueError("expected 'ply' in the first line; this is no PLY file")
    file_format = ''
    elements: list[Element] = []
    for number in range(2, MAX_HEADER_LINES):
        line = file.readline(MAX_LINE_BYTES).decode('ascii', 'replace')
        words = line.split() or ['comment']
        if not line or words[0] == 'end_header':
            break
        if words[0] == 'format' and len(words) == 3 and words[1] in FORMATS:
            file_format = words[1]
        elif words[0] not in ('comment', 'obj_info'):
            _read_line(words, elements, f"header line {number} '{line.strip()[:60]}'")
    if not file_format or words[0] != 'end_header':
        raise ValueError(
            f"the header must hold a line 'format {'|'.join(FORMATS)} 1.0' and end with "
            f"'end_header'; the last line read is '{line.strip()[:60]}'"
        )
    return file_format, elements


def _read_line(words: list[str], elements: list[Element], where: str) -> None:
    """Add the element or property of one header line."""
    if words[0] == 'element' and len(words) == 3 and words[2].isdecimal() and len(words[2]) < 12:
        elements.append(Element(words[1], int(words[2]), []))
    elif words[0] == 'property' and elements:
        elements[-1].properties.append(_property(words, where))
    else:
        wanted = f"'format {'|'.join(FORMATS)} 1.0', 'element NAME COUNT' or 'property …'"
        raise ValueError(f'{where}: expected {wanted}')


def _property(words: list[str], where: str) -> Property:
    if len(words) == 3 and words[1] in TYPES:
        return Property(words[2], words[1])
    if len(words) == 5 and words[1] == 'list' and words[2] in TYPES and words[3] in TYPES:
        if TYPES[words[2]][1] in (FLOAT32, FLOAT64):
            raise ValueError(f'{where}: the length of a list must be an integer')
        return Property(words[4], words[3], words[2])
    raise ValueError(f'{where}: expected property TYPE NAME or property list TYPE TYPE NAME')


def _split(elements: list[Element]) -> tuple[list[Element], Element]:
    """Return the elements that stand before the vertices, and the vertices."""
    for index, element in enumerate(elements):
        if element.name == 'vertex':
            return elements[:index], element
    names = ', '.join(element.name for element in elements) or 'none'
    raise ValueError(f"expected an element 'vertex', got {names}")


def _layout(vertex: Element, *, is_bigendian: bool) -> CloudLayout:
    offset, fields = 0, []
    if not vertex.properties:
        raise ValueError('expected element vertex to have properties x, y and z, got none')
    for prop in vertex.properties:
        if prop.length_kind:
            raise ValueError(
                f"vertex property '{prop.name}' is a list; write the vertices without lists"
            )
        size, datatype = TYPES[prop.kind]
        fields.append(PointField(COLOURS.get(prop.name, prop.name), offset, datatype))
        offset += size
    return CloudLayout(vertex.count, 1, offset, offset * vertex.count, tuple(fields), is_bigendian)


def _skip(file: BinaryIO, element: Element, left: int, order: Order) -> None:
    """Move past one binary element; lists are walked one by one."""
    fixed = sum(TYPES[prop.kind][0] for prop in element.properties if not prop.length_kind)
    if fixed * element.count > left:
        raise ValueError(f"{element.count} of '{element.name}' do not fit in {left} bytes")
    if not any(prop.length_kind for prop in element.properties):
        file.seek(fixed * element.count, io.SEEK_CUR)
        return
    if element.count > left:  # every row has a list, and its length takes a byte
        raise ValueError(f"{element.count} of '{element.name}' do not fit in {left} bytes")
    for _ in range(element.count):
        for prop in element.properties:
            size = TYPES[prop.kind][0]
            if prop.length_kind:
                size *= _read_length(file, TYPES[prop.length_kind], order)
            file.seek(size, io.SEEK_CUR)


def _read_length(file: BinaryIO, kind: tuple[int, int], order: Order) -> int:
    raw = file.read(kind[0])
    signed = kind[1] in (1, 3, 5)
    length = int.from_bytes(raw, order, signed=signed)
    if len(raw) < kind[0] or length < 0:
        raise ValueError('the file ends, or a list is of negative length, before its vertices')
    return length
