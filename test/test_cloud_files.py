from __future__ import annotations

from pathlib import Path
import struct
import tracemalloc
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.cloud import read_field
from folk_ros.cloud_files import read_cloud, write_npz, write_ply
from folk_ros.cloud_pcd import decompress_lzf, read_pcd
from folk_ros.structures import PointCloud

LEARN = Path(__file__).parents[2] / 'shared/data/mosd/learn'
REAL = [pytest.param(LEARN / f'learn{i}.pcd', id=f'learn{i}') for i in (0, 20, 30)]
needs_scans = pytest.mark.skipif(not LEARN.is_dir(), reason='the mOSD scans are not there')


def make_cloud(count=50, coloured=True):
    rng = np.random.default_rng(count)
    rgb = rng.integers(0, 256, (count, 3), np.uint8) if coloured else None
    return PointCloud(rng.normal(size=(count, 3)).astype(np.float32), rgb)


def assert_same(got, wanted):
    np.testing.assert_array_equal(got.xyz, wanted.xyz)
    if wanted.rgb is None:
        assert got.rgb is None
    else:
        np.testing.assert_array_equal(got.rgb, wanted.rgb)


def write(path, *parts):
    path.write_bytes(b''.join(p.encode() if isinstance(p, str) else p for p in parts))
    return path


def compress_lzf(data):
    """Compress greedily: the slow twin of the decoder, from the format's description."""
    out, literals, position = bytearray(), bytearray(), 0

    def flush():
        for i in range(0, len(literals), 32):
            run = literals[i : i + 32]
            out.extend([len(run) - 1, *run])
        literals.clear()

    while position < len(data):
        longest, back = 0, 0
        for start in range(max(0, position - 8192), position):
            length = 0
            while (
                length < 264
                and position + length < len(data)
                and data[start + length] == data[position + length]
            ):
                length += 1
            if length > longest:
                longest, back = length, position - start - 1
        if longest < 3:
            literals.append(data[position])
            position += 1
            continue
        flush()
        code = longest - 2
        if code < 7:
            out.extend([code << 5 | back >> 8, back & 255])
        else:
            out.extend([7 << 5 | back >> 8, code - 7, back & 255])
        position += longest
    flush()
    return bytes(out)


# ---- PLY


@pytest.mark.parametrize('coloured', [True, False])
@pytest.mark.parametrize('count', [0, 1, 50])
@pytest.mark.parametrize(('suffix', 'save'), [('.ply', write_ply), ('.npz', write_npz)])
def test_a_written_cloud_reads_back_the_same(tmp_path, save, suffix, count, coloured):
    cloud = make_cloud(count, coloured)
    path = tmp_path / f'cloud{suffix}'
    save(cloud, path, np.arange(count))
    assert_same(read_cloud(path), cloud)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


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


# ---- PCD


def pcd_header(data, *, width=25, height=2, fields='label x y z rgb', kinds='U F F F F', **other):
    lines = {
        'VERSION': '0.7',
        'FIELDS': fields,
        'SIZE': ' '.join('4' for _ in fields.split()),
        'TYPE': kinds,
        'COUNT': ' '.join('1' for _ in fields.split()),
        'WIDTH': width,
        'HEIGHT': height,
        'VIEWPOINT': '0 0 0 1 0 0 0',
        'POINTS': width * height,
        'DATA': data,
    } | other
    return '# .PCD v0.7\n' + ''.join(f'{k} {v}\n' for k, v in lines.items() if v is not None)


def pcd_points(cloud, alpha=255):
    points = np.zeros((len(cloud), 5), '<u4')
    points[:, 0] = np.arange(len(cloud))
    points[:, 1:4] = cloud.xyz.view('<u4')
    points[:, 4] = (cloud.rgb.astype(np.uint32) << np.array([16, 8, 0], np.uint32)).sum(1)
    points[:, 4] |= np.uint32(alpha << 24)
    return points


def test_a_binary_pcd_reads_its_packed_colours(tmp_path):
    cloud = make_cloud()
    path = write(tmp_path / 'a.pcd', pcd_header('binary'), pcd_points(cloud).tobytes())
    assert_same(read_cloud(path), cloud)


def test_a_compressed_pcd_reads_as_the_binary_one(tmp_path):
    cloud = make_cloud()
    packed = compress_lzf(pcd_points(cloud).T.tobytes())
    sizes = struct.pack('<II', len(packed), 50 * 20)
    path = write(tmp_path / 'a.pcd', pcd_header('binary_compressed'), sizes, packed)
    assert_same(read_cloud(path), cloud)


@pytest.mark.parametrize('kind', ['U', 'I', 'F'])
def test_an_ascii_pcd_reads_its_packed_colours(tmp_path, kind):
    cloud = make_cloud()
    points = pcd_points(cloud, alpha=0 if kind == 'F' else 255)
    colours = points[:, 4].view({'U': '<u4', 'I': '<i4', 'F': '<f4'}[kind])
    rows = [
        f'{i} {p[0]!s} {p[1]!s} {p[2]!s} {c!s}\n'
        for i, (p, c) in enumerate(zip(cloud.xyz, colours, strict=True))
    ]
    path = write(tmp_path / 'a.pcd', pcd_header('ascii', kinds=f'U F F F {kind}'), *rows)
    assert_same(read_cloud(path), cloud)


def test_a_pcd_without_count_or_size_lines_it_can_do_without(tmp_path):
    cloud = make_cloud()
    header = pcd_header('binary', COUNT=None, VIEWPOINT=None, HEIGHT=None, WIDTH=None)
    assert_same(read_cloud(write(tmp_path / 'a.pcd', header, pcd_points(cloud).tobytes())), cloud)


def test_pcd_fields_of_several_values_are_stepped_over(tmp_path):
    cloud = make_cloud()
    words = pcd_points(cloud)
    points = np.concatenate([words, words[:, :3], words[:, :1]], 1)
    header = pcd_header(
        'binary',
        fields='label x y z rgb histogram _',
        kinds='U F F F F F U',
        SIZE='4 4 4 4 4 4 1',
        COUNT='1 1 1 1 1 3 4',
    )
    assert_same(read_cloud(write(tmp_path / 'a.pcd', header, points.tobytes())), cloud)


@pytest.mark.parametrize(
    ('header', 'body', 'said'),
    [
        ('', b'', 'FIELDS'),
        ('garbage\n', b'', 'no PCD file'),
        (pcd_header('zipped'), b'', "got 'zipped'"),
        (pcd_header('binary', POINTS=7), b'', 'WIDTH x HEIGHT = 50, got 7'),
        (pcd_header('binary', WIDTH='many'), b'', "WIDTH: expected whole numbers, got 'many'"),
        (pcd_header('binary', SIZE='4 4'), b'', 'of one length'),
        (pcd_header('binary', TYPE='U F F F Q'), b'', "field 'rgb'"),
        (pcd_header('binary', COUNT='1 1 1 1 0'), b'', "field 'rgb'"),
        (pcd_header('binary'), bytes(999), 'take 1000 bytes, got 999'),
        (pcd_header('binary', width=10**9), b'', 'more than 50000000'),
        (pcd_header('binary', COUNT='1 1 1 1 99999999999'), b'', 'got 0'),
        (pcd_header('ascii'), b'1 2 3 4 5\n' * 49, 'do not fit'),
        (pcd_header('ascii'), b'1.5 2.0 3.0 4.0 5.0\n' * 50, "row 1: 'label'"),
        (pcd_header('binary_compressed'), b'', 'two sizes'),
        (pcd_header('binary_compressed'), struct.pack('<II', 9, 1000) + bytes(9), 'out of 9'),
        (pcd_header('binary_compressed'), struct.pack('<II', 40, 1000) + bytes(40), 'nonsense'),
        (pcd_header('binary_compressed'), struct.pack('<II', 40, 999) + bytes(40), 'say 999'),
    ],
)
def test_a_malformed_pcd_is_refused_with_a_sentence(tmp_path, header, body, said):
    path = write(tmp_path / 'bad.pcd', header, body)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r'bad\.pcd: ') as error:
        read_cloud(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said in str(error.value)
    assert peak < 1_000_000


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([b'a', b'ab', b'abc' * 9, b'\0' * 300, b'xyz']), max_size=12))
def test_lzf_gives_back_what_was_compressed(parts):
    data = b''.join(parts)
    assert decompress_lzf(compress_lzf(data), len(data)) == data


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_damaged_lzf_data_is_refused_or_of_the_right_size(data, size):
    try:
        assert len(decompress_lzf(data, size)) == size
    except ValueError as error:
        assert 'expected' in str(error)


@needs_scans
@pytest.mark.parametrize('path', REAL)
def test_a_real_scan_is_as_its_readme_says(path):
    layout, data = read_pcd(path, 10**6)
    assert (layout.width, layout.height, layout.field_names) == (
        640,
        480,
        "'label', 'x', 'y', 'z', 'rgba'",
    )
    label, z = read_field(data, layout, 'label'), read_field(data, layout, 'z')
    assert label.shape == (480, 640)
    np.testing.assert_array_equal(label == 0, np.isnan(z))
    assert 0.1 < np.isnan(z).mean() < 0.6
    assert set(np.unique(label[label >= 10] // 10)) <= set(range(2, 12))
    # Rows are those of the image, in an optical frame: x grows to the right, y downwards.
    x, y = read_field(data, layout, 'x'), read_field(data, layout, 'y')
    assert np.nanmedian(x[:, :320]) < np.nanmedian(x[:, 320:])
    assert np.nanmedian(y[:240]) < np.nanmedian(y[240:])
    # The colour of points without depth is kept: the photograph has no holes.
    assert (read_field(data, layout, 'rgba') & 0xFFFFFF)[np.isnan(z)].mean() > 0


@needs_scans
@pytest.mark.parametrize('path', REAL)
def test_a_real_scan_becomes_its_finite_points(path):
    cloud = read_cloud(path)
    layout, data = read_pcd(path, 10**6)
    z, rgba = (read_field(data, layout, name) for name in ('z', 'rgba'))
    kept = np.isfinite(z)
    np.testing.assert_array_equal(cloud.xyz[:, 2], z[kept])
    np.testing.assert_array_equal(cloud.rgb[:, 0], rgba[kept] >> 16 & 255)
    assert 0.3 < cloud.xyz[:, 2].min() < cloud.xyz[:, 2].max() < 3  # metres in front


# ---- NPZ and the rest


@pytest.mark.parametrize('kind', ['<f4', '>f4', '<f8'])
@pytest.mark.parametrize('order', ['C', 'F'])
def test_an_npz_of_other_names_and_types_is_read(tmp_path, kind, order):
    cloud = make_cloud()
    points = np.asarray(cloud.xyz, kind, order=order)
    np.savez(tmp_path / 'a.npz', points=points, colors=(cloud.rgb / 255).astype(np.float32))
    assert_same(read_cloud(tmp_path / 'a.npz'), cloud)


@pytest.mark.parametrize(
    ('arrays', 'said'),
    [
        ({'a': np.zeros(3)}, "expected an array 'xyz' (or 'points'), got a"),
        ({'xyz': np.zeros((4, 2))}, "'xyz': expected numbers [N, 3], got float64 [4, 2]"),
        ({'xyz': np.zeros((4, 3), np.int64)}, "'x' must be FLOAT32 or FLOAT64"),
        ({'xyz': np.zeros((4, 3)), 'rgb': np.zeros((5, 3), np.uint8)}, 'expected 4 colours'),
        ({'xyz': np.zeros((4, 3)), 'rgb': np.full((4, 3), 200.0)}, 'lie in [0, 1]'),
        ({'xyz': np.array([None] * 3)[None]}, 'object'),
    ],
)
def test_a_malformed_npz_is_refused_with_a_sentence(tmp_path, arrays, said):
    np.savez(tmp_path / 'bad.npz', **arrays)
    with pytest.raises(ValueError, match=r'bad\.npz: ') as error:
        read_cloud(tmp_path / 'bad.npz')
    assert said in str(error.value)


def test_an_npz_that_announces_too_much_is_refused_before_memory_is_taken(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (49000000, 3), }\n"
    with zipfile.ZipFile(tmp_path / 'bad.npz', 'w') as archive:
        magic = b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header))
        archive.writestr('xyz.npy', magic + header + bytes(100))
    tracemalloc.start()
    with pytest.raises(ValueError, match='expected 588000000 bytes, got 100'):
        read_cloud(tmp_path / 'bad.npz')
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(['ply', 'npz', 'pcd']))
def test_a_damaged_file_is_read_or_refused_but_never_breaks(tmp_path_factory, place, value, kind):
    path = tmp_path_factory.mktemp('damaged') / f'a.{kind}'
    cloud = make_cloud(20)
    if kind == 'pcd':
        packed = compress_lzf(pcd_points(cloud).T.tobytes())
        sizes = struct.pack('<II', len(packed), 400)
        write(path, pcd_header('binary_compressed', width=10), sizes, packed)
    else:
        (write_ply if kind == 'ply' else write_npz)(cloud, path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = value
    write(path, bytes(data))
    try:
        assert len(read_cloud(path, max_points=1000)) <= 1000
    except ValueError as error:
        assert str(error).startswith(str(path))


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r'expected a \.ply, \.pcd or \.npz'):
        read_cloud(tmp_path / 'cloud.las')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'nowhere\.ply: there is no such file'):
        read_cloud(tmp_path / 'nowhere.ply')


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write(tmp_path / 'a.ply', 'old')
    with pytest.raises(ValueError, match='instance'):
        write_ply(make_cloud(), path, np.zeros(3, np.int32))
    with pytest.raises(TypeError):
        write_npz(make_cloud(), path, instance=np.zeros(50, np.int32), extra=1)
    assert path.read_bytes() == b'old'
    assert len(list(tmp_path.iterdir())) == 1
