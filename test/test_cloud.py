from __future__ import annotations

import array
import struct
import tracemalloc

from cloud_messages import F32, F64, make_layout, messages, pack, slow_decode, U32, XYZ
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros import cloud as cloud_module
from folk_ros.cloud import CloudLayout, decode, encode, PointField
from folk_ros.structures import PointCloud


@settings(max_examples=400, deadline=None)
@given(messages(), st.sampled_from([1, 3, 65_536]))
def test_any_layout_decodes_as_its_point_by_point_twin(message, block_points):
    data, layout = message
    before, cloud_module.BLOCK_POINTS = cloud_module.BLOCK_POINTS, block_points
    try:
        cloud = decode(data, layout)
    finally:
        cloud_module.BLOCK_POINTS = before
    xyz, rgb = slow_decode(data, layout)
    np.testing.assert_array_equal(cloud.xyz, xyz)
    if rgb is None:
        assert cloud.rgb is None
    else:
        np.testing.assert_array_equal(cloud.rgb, rgb)


def test_every_colour_survives_although_half_are_nan_patterns():
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (20_000, 3))
    points = np.zeros((len(colours), 8), '<f4')  # point_step 32, as PCL publishes
    points[:, :3] = rng.normal(size=(len(colours), 3))
    points[:, 4] = (0xFF000000 + (colours << [16, 8, 0]).sum(1)).astype(np.uint32).view(np.float32)
    assert np.isnan(points[:, 4]).mean() > 0.3
    fields = (*make_layout().fields[:3], PointField('rgb', 16, F32))
    layout = CloudLayout(len(colours), 1, 32, 32 * len(colours), fields)
    cloud = decode(points.tobytes(), layout)
    np.testing.assert_array_equal(cloud.rgb, colours)


def test_dropping_points_keeps_colours_with_their_points():
    data = pack([(1, 0, 0, 0x010203), (np.nan, 0, 0, 0xFF0000), (2, np.inf, 0, 7), (3, 0, 0, 9)])
    cloud = decode(data, make_layout(4))
    assert cloud.xyz[:, 0].tolist() == [1, 3]
    assert cloud.rgb.tolist() == [[1, 2, 3], [0, 0, 9]]


def test_a_finite_point_of_nan_patterned_colour_is_kept():
    cloud = decode(pack([(1, 2, 3, 0xFFFFFFFF)]), make_layout())
    assert cloud.rgb.tolist() == [[255, 255, 255]]


def test_a_cloud_without_colour_says_so():
    layout = make_layout(fields=make_layout().fields[:3])
    assert decode(bytes(16), layout).rgb is None


def test_a_range_called_r_is_no_colour():
    layout = make_layout(fields=(*make_layout().fields[:3], PointField('r', 12, F32)))
    assert decode(bytes(16), layout).rgb is None


def test_the_header_is_carried_over():
    cloud = decode(bytes(16), make_layout(), frame_id='map', stamp_ns=7)
    assert (cloud.frame_id, cloud.stamp_ns) == ('map', 7)


def test_the_cloud_outlives_the_bytes_it_came_from():
    data = bytearray(pack([(1, 2, 3, 4)]))
    cloud = decode(data, make_layout())
    data[:] = bytes(16)
    assert cloud.xyz.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize('wrap', [bytes, bytearray, memoryview, lambda b: array.array('B', b)])
def test_all_kinds_of_bytes_are_read(wrap):
    assert decode(wrap(pack([(1, 2, 3, 4)])), make_layout()).xyz.tolist() == [[1, 2, 3]]


def test_a_strided_array_is_read():
    data = np.frombuffer(pack([(1, 2, 3, 4)]), np.uint8)
    assert decode(np.repeat(data, 2)[::2], make_layout()).xyz.tolist() == [[1, 2, 3]]


def test_a_default_constructed_message_is_an_empty_cloud():
    cloud = decode(b'', CloudLayout(0, 0, 0, 0, ()))
    assert len(cloud) == 0 and cloud.rgb is None


def test_an_empty_cloud_with_a_colour_field_has_colour_for_its_no_points():
    cloud = decode(b'', make_layout(0))
    assert cloud.rgb is not None and cloud.rgb.shape == (0, 3)


def test_a_cloud_of_nothing_but_nan_is_empty():
    assert len(decode(pack([(np.nan, 0, 0, 0)] * 5), make_layout(5))) == 0


def test_a_row_step_of_zero_does_not_matter_in_one_row():
    assert len(decode(bytes(32), make_layout(2, row_step=0))) == 2


def test_doubles_beyond_float32_are_dropped():
    fields = tuple(PointField(n, 8 * i, F64) for i, n in enumerate('xyz'))
    layout = CloudLayout(2, 1, 24, 48, fields)
    cloud = decode(struct.pack('<6d', 1e300, 0, 0, 1, 2, 3), layout)
    assert cloud.xyz.tolist() == [[1, 2, 3]]


def float_coloured(*colours):
    fields = tuple(PointField(n, 4 * i, F32) for i, n in enumerate(('x', 'y', 'z', *'rgb')))
    data = b''.join(struct.pack('<6f', *c) for c in colours)
    return data, CloudLayout(len(colours), 1, 24, 24 * len(colours), fields)


def test_a_dropped_point_may_have_any_float_colour():
    data, layout = float_coloured((np.nan, 0, 0, 300, 0, 0), (1, 2, 3, 0, 0.5, np.nan))
    assert decode(data, layout).rgb.tolist() == [[0, 128, 0]]


def test_float_colours_up_to_255_are_refused():
    data, layout = float_coloured((1, 2, 3, 255, 0, 0))
    with pytest.raises(ValueError, match=r'\[0, 1\], got values from 255 to 255'):
        decode(data, layout)


def test_rgb_and_rgba_over_the_same_bytes_are_one_colour():
    fields = (*XYZ, PointField('rgb', 12, F32), PointField('rgba', 12, U32))
    cloud = decode(pack([(1, 2, 3, 0x102030)]), make_layout(fields=fields))
    assert cloud.rgb.tolist() == [[16, 32, 48]]


def test_decoding_takes_little_memory_beyond_its_result():
    count = 400_000
    data = np.random.default_rng(0).normal(size=(count, 4)).astype('<f4')
    data[::100] = np.nan
    raw = data.tobytes()
    tracemalloc.start()
    cloud = decode(raw, make_layout(count))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * (cloud.xyz.nbytes + cloud.rgb.nbytes)


@pytest.mark.parametrize('coloured', [True, False])
@pytest.mark.parametrize('with_ids', [True, False])
@pytest.mark.parametrize('count', [0, 1, 1000])
def test_an_encoded_cloud_decodes_to_itself(coloured, with_ids, count):
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (count, 3), np.uint8) if coloured else None
    cloud = PointCloud(rng.normal(size=(count, 3)).astype(np.float32), rgb)
    ids = rng.integers(0, 2**32, count, np.uint32) if with_ids else None
    layout, data = encode(cloud, ids)
    assert layout.point_step == 12 + 4 * coloured + 4 * with_ids
    assert len(data) == layout.row_step * layout.height
    back = decode(data, layout)
    np.testing.assert_array_equal(back.xyz, cloud.xyz)
    if coloured:
        np.testing.assert_array_equal(back.rgb, rgb)
    else:
        assert back.rgb is None
    if with_ids:
        offset = layout.fields[-1].offset
        step = layout.point_step
        got = [struct.unpack_from('<I', data, i * step + offset)[0] for i in range(count)]
        assert got == ids.tolist()


def test_encoded_colours_are_never_nan_patterns():
    cloud = PointCloud(np.zeros((256, 3), np.float32), np.full((256, 3), 255, np.uint8))
    _, data = encode(cloud)
    assert np.isfinite(np.frombuffer(data, '<f4')).all()


def test_ids_of_another_length_are_refused():
    cloud = PointCloud(np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match=r'one per point \[2\]'):
        encode(cloud, np.zeros(3, np.uint32))
