"""Read clouds from PLY, PCD and NPZ files, and write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import threading
from typing import Any, BinaryIO
import zipfile
import zlib

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud import decode
from folk_ros.cloud_layout import CloudLayout, DATATYPES, PointField
from folk_ros.cloud_pcd import read_pcd
from folk_ros.cloud_ply import read_ply
from folk_ros.structures import PointCloud

MAX_FILE_POINTS = 50_000_000
XYZ_KEYS = ('xyz', 'points', 'coord', 'coords', 'positions')
RGB_KEYS = ('rgb', 'colors', 'colours', 'color', 'colour')


def read_cloud(path: str | Path, max_points: int = MAX_FILE_POINTS) -> PointCloud:
    """
    Read a PLY, PCD or NPZ file; points that are not finite are dropped with their colours.

    An NPZ file holds xyz [N, 3] and, where there is colour, rgb [N, 3] as uint8 or as floats in
    [0, 1] (or 'points' and 'colors'). Raises ValueError naming the file where it is malformed or
    holds more than `max_points` points; sizes are checked before memory is taken.
    """
    path = Path(path)
    readers = {'.ply': read_ply, '.pcd': read_pcd, '.npz': _read_npz}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f'{path}: expected a .ply, .pcd or .npz file')
    if not path.is_file():
        raise ValueError(f'{path}: there is no such file')
    try:
        layout, data = reader(path, max_points)
        return decode(data, layout, max_points=max_points)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def write_ply(
    cloud: PointCloud, path: str | Path, instance: NDArray[np.integer[Any]] | None = None
) -> None:
    """Write a binary PLY file; `instance` [N] becomes the int property of that name."""
    kinds = [('x', '<f4'), ('y', '<f4'), ('z', '<f4')]
    kinds += [(name, 'u1') for name in ('red', 'green', 'blue') if cloud.rgb is not None]
    kinds += [('instance', '<i4')] if instance is not None else []
    vertices = np.empty(len(cloud), kinds)
    for axis, name in enumerate('xyz'):
        vertices[name] = cloud.xyz[:, axis]
    if cloud.rgb is not None:
        for axis, name in enumerate(('red', 'green', 'blue')):
            vertices[name] = cloud.rgb[:, axis]
    if instance is not None:
        vertices['instance'] = _checked_instance(instance, len(cloud))
    names = {'<f4': 'float', 'u1': 'uchar', '<i4': 'int'}
    header = ['ply', 'format binary_little_endian 1.0', f'element vertex {len(cloud)}']
    header += [f'property {names[kind]} {name}' for name, kind in kinds]
    with replacing(path) as file:
        file.write('\n'.join([*header, 'end_header\n']).encode('ascii'))
        file.write(vertices.tobytes())


def write_npz(
    cloud: PointCloud, path: str | Path, instance: NDArray[np.integer[Any]] | None = None
) -> None:
    """Write an NPZ file with xyz, rgb where there is colour, and instance [N] where given."""
    arrays: dict[str, Any] = {'xyz': cloud.xyz}
    if cloud.rgb is not None:
        arrays['rgb'] = cloud.rgb
    if instance is not None:
        arrays['instance'] = _checked_instance(instance, len(cloud))
    with replacing(path) as file:
        np.savez_compressed(file, **arrays)


@contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """Write a file beside `path` that takes its place when all went well, else is removed."""
    path = Path(path)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.{threading.get_ident()}.part')
    try:
        with temporary.open('wb') as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _checked_instance(instance: NDArray[np.integer[Any]], count: int) -> NDArray[np.int32]:
    if instance.shape != (count,) or instance.dtype.kind not in 'iu':
        raise ValueError(
            f'instance: expected whole numbers [{count}], got {instance.dtype} '
            f'{list(instance.shape)}'
        )
    if count and not -(2**31) <= instance.min() <= instance.max() < 2**31:
        raise ValueError(f'instance: must fit 32 bits, got up to {instance.max()}')
    return instance.astype(np.int32)


def _read_npz(path: Path, max_points: int) -> tuple[CloudLayout, bytes]:
    """Read the arrays of an NPZ file as points side by side, for decode() to check."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name[:-4] for name in archive.namelist() if name.endswith('.npy')}
            xyz_key = next((key for key in XYZ_KEYS if key in names), None)
            rgb_key = next((key for key in RGB_KEYS if key in names), None)
            if xyz_key is None:
                got = ', '.join(sorted(names)) or 'nothing'
                raise ValueError(f"expected an array 'xyz' (or 'points'), got {got[:200]}")
            xyz = _read_npy(archive, xyz_key, max_points)
            rgb = None if rgb_key is None else _read_npy(archive, rgb_key, max_points)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise ValueError(f'this is no readable NPZ file ({error})') from None
    if rgb is not None and len(rgb) != len(xyz):
        raise ValueError(f"'{rgb_key}': expected {len(xyz)} colours, got {len(rgb)}")
    kinds = {np.dtype(kind): number for number, (_, kind) in DATATYPES.items()}
    columns = [(name, xyz[:, axis]) for axis, name in enumerate('xyz')]
    columns += [(name, rgb[:, axis]) for axis, name in enumerate('rgb') if rgb is not None]
    fields, offset = [], 0
    for name, column in columns:
        fields.append(PointField(name, offset, kinds.get(column.dtype.newbyteorder('='), 0)))
        offset += column.dtype.itemsize
    points = np.empty((len(xyz), offset), np.uint8)
    for field, (_, column) in zip(fields, columns, strict=True):
        target = points[:, field.offset : field.offset + column.dtype.itemsize]
        target.view(column.dtype.newbyteorder('<'))[:, 0] = column
    layout = CloudLayout(len(xyz), 1, offset, offset * len(xyz), tuple(fields))
    return layout, points.tobytes()


def _read_npy(archive: zipfile.ZipFile, key: str, max_points: int) -> NDArray[Any]:
    """Read one array [N, 3], its header checked before memory is taken for it."""
    info = archive.getinfo(f'{key}.npy')
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"'{key}': expected an array of numbers in npy format 1.0")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if len(shape) != 2 or shape[1] != 3 or dtype.kind not in 'fui' or shape[0] < 0:
            raise ValueError(f"'{key}': expected numbers [N, 3], got {dtype} {list(shape)}")
        if shape[0] > max_points:
            raise ValueError(f"'{key}': {shape[0]} points are more than {max_points}")
        size = shape[0] * 3 * dtype.itemsize
        data = file.read(size)
        if len(data) != size:
            raise ValueError(f"'{key}': expected {size} bytes, got {len(data)}")
    values = np.frombuffer(data, dtype)
    return values.reshape(shape[::-1]).T if fortran else values.reshape(shape)
