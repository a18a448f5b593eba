from __future__ import annotations

from pathlib import Path
import struct
import tracemalloc

from cloud_file_cases import assert_same, compress_lzf, make_cloud, pcd_header, pcd_points, write
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.cloud import read_field
from folk_ros.cloud_files import read_cloud
from folk_ros.cloud_pcd import decompress_lzf, read_pcd

LEARN = Path(__file__).parents[2] / 'shared/data/mosd/learn'
REAL = [pytest.param(LEARN / f'learn{i}.pcd', id=f'learn{i}') for i in (0, 20, 30)]
needs_scans = pytest.mark.skipif(not LEARN.is_dir(), reason='the mOSD scans are not there')


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
