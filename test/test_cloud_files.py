from __future__ import annotations

import struct
import tracemalloc
import zipfile

from cloud_file_cases import (
    assert_same,
    compress_lzf,
    make_cloud,
    pcd_header,
    pcd_points,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.cloud_files import read_cloud, write_npz, write_ply


@pytest.mark.parametrize('coloured', [True, False])
@pytest.mark.parametrize('count', [0, 1, 50])
@pytest.mark.parametrize(('suffix', 'save'), [('.ply', write_ply), ('.npz', write_npz)])
def test_a_written_cloud_reads_back_the_same(tmp_path, save, suffix, count, coloured):
    cloud = make_cloud(count, coloured)
    path = tmp_path / f'cloud{suffix}'
    save(cloud, path, np.arange(count))
    assert_same(read_cloud(path), cloud)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


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
