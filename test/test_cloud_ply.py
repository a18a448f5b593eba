from __future__ import annotations

import struct

from cloud_file_cases import assert_same, make_cloud, write
import pytest

from folk_ros.cloud_files import read_cloud


def ply_header(file_format, count, *, kind='float', colours=('red', 'green', 'blue')):
    return '\n'.join(
        [
            'ply',
            f'format {file_format} 1.0',
            'comment made by hand',
            'element camera 2',
            'property float focal',
            'property list uchar int pixels',
            'element serial 2',
            'property ushort number',
            f'element vertex {count}',
            f'property {kind} x',
            f'property {kind} y',
            'property uchar flag',
            f'property {kind} z',
            *(f'property uchar {colour}' for colour in colours),
            'element face 1',
            'property list uchar int vertex_indices',
            'end_header',
            '',
        ]
    )


@pytest.mark.parametrize('colours', [('red', 'green', 'blue'), ('r', 'g', 'b')])
@pytest.mark.parametrize('kind', ['float', 'double', 'float32'])
@pytest.mark.parametrize('order', ['<', '>'])
def test_binary_vertices_are_found_behind_other_elements(tmp_path, order, kind, colours):
    cloud = make_cloud()
    code = order + ('dd?d3B' if kind == 'double' else 'ff?f3B')
    rows = [
        struct.pack(code, p[0], p[1], True, p[2], *c)
        for p, c in zip(cloud.xyz, cloud.rgb, strict=True)
    ]
    before = struct.pack(order + 'fB2i', 1, 2, 3, 4) + struct.pack(order + 'fB', 1, 0)
    before += struct.pack(order + '2H', 5, 6)
    name = 'binary_little_endian' if order == '<' else 'binary_big_endian'
    face = struct.pack(order + 'B3i', 3, 0, 1, 2)
    header = ply_header(name, 50, kind=kind, colours=colours)
    path = write(tmp_path / 'a.ply', header, before, *rows, face)
    assert_same(read_cloud(path), cloud)


@pytest.mark.parametrize('newline', ['\n', '\r\n'])
def test_ascii_vertices_are_read_exactly(tmp_path, newline):
    cloud = make_cloud()
    rows = [
        f'{p[0]!s} {p[1]!s} 1 {p[2]!s} {c[0]} {c[1]} {c[2]}\n'
        for p, c in zip(cloud.xyz, cloud.rgb, strict=True)
    ]
    colours = ('diffuse_red', 'diffuse_green', 'diffuse_blue')
    text = ply_header('ascii', 50, colours=colours)
    text += '1.0 2 3 4\n1.0 0\n5\n6\n' + ''.join(rows) + '3 0 1 2\n'
    path = write(tmp_path / 'a.PLY', text.replace('\n', newline))
    assert_same(read_cloud(path), cloud)


def test_points_that_are_not_finite_are_dropped_with_their_colours(tmp_path):
    header = (
        'ply\nformat ascii 1.0\nelement vertex 3\n'
        'property float x\nproperty float y\nproperty float z\n'
        'property float red\nproperty float green\nproperty float blue\nend_header\n'
    )
    path = write(tmp_path / 'a.ply', header, 'nan 0 0 1 1 1\n1 2 3 0 0.5 1\n0 inf 0 0 0 0\n')
    cloud = read_cloud(path)
    assert (cloud.xyz.tolist(), cloud.rgb.tolist()) == ([[1, 2, 3]], [[0, 128, 255]])


XYZ_PLY = 'property float x\nproperty float y\nproperty float z\n'


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        ('', 'no PLY file'),
        ('\0\1\2', 'no PLY file'),
        ('ply\n', 'end_header'),
        ('ply\nformat ascii 1.0\nelement vertex 1\n', 'end_header'),
        ('ply\nformat binary_middle 1.0\nend_header\n', 'binary_middle'),
        ('ply\nformat ascii 1.0\nelement face 0\nend_header\n', "'vertex', got face"),
        ('ply\nformat ascii 1.0\nelement vertex -1\nend_header\n', "line 3 'element vertex -1'"),
        ('ply\nformat ascii 1.0\nelement vertex 1\nproperty half x\nend_header\n', 'line 4'),
        ('ply\nformat ascii 1.0\nelement vertex 1\nend_header\n', 'properties x, y and z, got'),
        (f'ply\nformat ascii 1.0\nelement vertex 2\n{XYZ_PLY}end_header\n1 2 3\n', 'do not fit'),
        (
            f'ply\nformat ascii 1.0\nelement vertex 2\n{XYZ_PLY}end_header\n1.000 2.000 3.0\n',
            'expected 2 rows of 3 numbers, got 1',
        ),
        (
            f'ply\nformat ascii 1.0\nelement vertex 2\n{XYZ_PLY}end_header\n1 2 3\n4 five 6\n',
            'five',
        ),
        (
            f'ply\nformat ascii 1.0\nelement vertex 2\n{XYZ_PLY}property uchar red\nproperty '
            'uchar green\nproperty uchar blue\nend_header\n1 2 3 4 5 6\n1 2 3 4 5 256\n',
            "row 2: 'b' must be a whole number that fits UINT8, got 256",
        ),
        (
            f'ply\nformat binary_little_endian 1.0\nelement vertex 9\n{XYZ_PLY}end_header\nshort',
            'take 108 bytes, got 5',
        ),
        (
            f'ply\nformat ascii 1.0\nelement vertex 1\n{XYZ_PLY}property list uchar int w\n'
            'end_header\n1 2 3 0\n',
            "'w' is a list",
        ),
        (
            'ply\nformat binary_little_endian 1.0\nelement face 99999999999\nproperty list uchar '
            f'int v\nelement vertex 0\n{XYZ_PLY}end_header\n',
            'do not fit',
        ),
        (
            f'ply\nformat ascii 1.0\nelement vertex 99999999999\n{XYZ_PLY}end_header\n',
            'more than 50000000',
        ),
        (
            f'ply\nformat binary_big_endian 1.0\nelement vertex 49999999\n{XYZ_PLY}end_header\n',
            'take 599999988 bytes, got 0',
        ),
    ],
)
def test_a_malformed_ply_is_refused_with_a_sentence(tmp_path, content, said):
    path = write(tmp_path / 'bad.ply', content)
    with pytest.raises(ValueError, match=r'bad\.ply: ') as error:
        read_cloud(path)
    assert said in str(error.value)
