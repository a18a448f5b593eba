"""Read annotated meshes from PLY files: their vertices in order, and a value of each face."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud import decode, read_field
from folk_ros.cloud_files import MAX_FILE_POINTS
from folk_ros.cloud_layout import DATATYPES
from folk_ros.cloud_ply import Element, read_header, read_ply, TYPES
from folk_ros.structures import PointCloud

KINDS = {name: DATATYPES[number][1] for name, (_, number) in TYPES.items()}  # PLY to numpy


def read_vertices(path: Path) -> tuple[PointCloud, NDArray[np.bool_]]:
    """
    Read the vertices of a mesh in their order, and which vertices [M] of the file they are.

    Vertices that are not finite are left out of the cloud and False in the mask; annotations per
    vertex must follow. Raises ValueError naming the file.
    """
    try:
        layout, data = read_ply(_there(path), MAX_FILE_POINTS)
        cloud = decode(data, layout, frame_id='world', max_points=MAX_FILE_POINTS)
        kept = np.ones(layout.num_points, np.bool_)
        if len(cloud) != len(kept):
            with np.errstate(over='ignore'):
                for axis in 'xyz':
                    values = read_field(data, layout, axis).reshape(-1)
                    kept &= np.isfinite(values.astype(np.float32))
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return cloud, kept


def vertex_values(path: Path, name: str, none: int) -> NDArray[np.int64]:
    """
    Give each vertex [M] of a mesh a value that its faces have, `none` where no face has it.

    Faces are all triangles or all quads, in a binary little-endian file, after the vertices.
    Where faces of several values meet, the last face in the file wins. ValueError names the file.
    """
    try:
        corners, values, count = _read_faces(_there(path), name)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    found = np.full(count, none, np.int64)
    found[corners] = values[:, None]
    return found


def _there(path: Path) -> Path:
    if not path.is_file():
        raise ValueError('there is no such file')
    return path


def _read_faces(path: Path, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the corners [F, 3 or 4] and one property [F] of all faces, and the vertex count."""
    with path.open('rb') as file:
        file_format, elements = read_header(file)
        vertex, face = _vertex_and_face(file_format, elements, name)
        start = file.tell() + vertex.count * _row(vertex).itemsize
        file.seek(start)
        first = np.frombuffer(file.read(_row(face).itemsize), _row(face))
        row = _row(face, int(first['length'][0]) if face.count and len(first) else 0)
        file.seek(start)
        data = file.read(face.count * row.itemsize)
    if len(data) < face.count * row.itemsize:
        raise ValueError(f'{face.count} faces do not fit the file; it was cut off')
    faces = np.frombuffer(data, row)
    sides = row['corners'].shape[0]
    if (faces['length'] != sides).any():
        raise ValueError(f'expected every face to have {sides} corners, as the first has')
    corners = faces['corners'].astype(np.int64)
    if corners.size and not 0 <= corners.min() <= corners.max() < vertex.count:
        raise ValueError(f'faces speak of vertices beyond the {vertex.count} there are')
    return corners, faces[name].astype(np.int64), vertex.count


def _vertex_and_face(
    file_format: str, elements: list[Element], name: str
) -> tuple[Element, Element]:
    """Return the two elements; ValueError if they are not laid out as annotated meshes are."""
    names = [element.name for element in elements[:2]]
    if file_format != 'binary_little_endian' or names != ['vertex', 'face']:
        raise ValueError(
            'expected a binary little-endian file of vertices, then faces, got '
            f'{file_format} with {names}'
        )
    properties = elements[1].properties
    lists = [prop for prop in properties if prop.length_kind]
    if len(lists) != 1 or name not in [prop.name for prop in properties if not prop.length_kind]:
        raise ValueError(
            f"expected faces with a list of vertices and '{name}', got "
            f'{[prop.name for prop in properties]}'
        )
    return elements[0], elements[1]


def _row(element: Element, sides: int = 0) -> np.dtype[Any]:
    """Return the layout of one row; its list becomes 'length' and 'corners'."""
    fields: list[tuple[Any, ...]] = []
    for prop in element.properties:
        kind = f'<{KINDS[prop.kind]}'
        if prop.length_kind:
            fields += [('length', f'<{KINDS[prop.length_kind]}'), ('corners', kind, (sides,))]
        else:
            fields.append((prop.name, kind))
    return np.dtype(fields)
