from __future__ import annotations

import array
from dataclasses import replace
import math
import struct
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros import cloud as cloud_module
from folk_ros.cloud import CloudLayout, decode, encode, PointField
from folk_ros.structures import PointCloud

F32, F64, U8, I32, U32, U16 = 7, 8, 2, 5, 6, 4
FORMATS = {1: 'b', 2: 'B', 3: 'h', 4: 'H', 5: 'i', 6: 'I', 7: 'f', 8: 'd'}
SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 8: 8}


def make_layout(width=1, height=1, step=16, **changes):
    fields = tuple(PointField(n, 4 * i, F32) for i, n in enumerate(('x', 'y', 'z', 'rgb')))
    layout = CloudLayout(width, height, step, width * step, fields)
    return replace(layout, **changes)


def pack(points, padding=b''):
    """Pack rows of (x, y, z, rgb bits) little-endian."""
    return b''.join(struct.pack('<fffI', *p) + padding for p in points)


def slow_decode(data, layout):
    """Decode point by point with struct alone: the twin of decode()."""
    order = '>' if layout.is_bigendian else '<'
    fields = {field.name: field for field in layout.fields}

    def value(name, start, as_bits=False):
        field = fields[name]
        code = 'I' if as_bits else FORMATS[field.datatype]
        return struct.unpack_from(order + code, data, start + field.offset)[0]

    xyz, rgb = [], []
    for row in range(layout.height):
        for column in range(layout.width):
            start = row * layout.row_step + column * layout.point_step
            point = [value(name, start) for name in 'xyz']
            if not all(math.isfinite(p) for p in point):
                continue
            xyz.append(point)
            packed = next((n for n in ('rgb', 'rgba') if n in fields), None)
            if packed:
                bits = value(packed, start, as_bits=True)
                rgb.append([bits >> 16 & 255, bits >> 8 & 255, bits & 255])
            elif 'g' in fields:
                channels = [value(n, start) for n in 'rgb']
                if fields['r'].datatype != U8:
                    channels = [round(c * 255) for c in channels]
                rgb.append(channels)
    coloured = bool({'rgb', 'rgba', 'g'} & set(fields))
    colours = np.array(rgb, np.uint8).reshape(-1, 3) if coloured else None
    return np.array(xyz, np.float32).reshape(-1, 3), colours


@st.composite
def messages(draw):
    """Draw a layout of any order, padding, byte order and datatype, with data that fits it."""
    kind = draw(st.sampled_from([F32, F64]))
    wanted = [(name, kind) for name in 'xyz']
    colour = draw(st.sampled_from(['none', 'rgb', 'rgba', 'bytes', 'floats']))
    if colour in ('rgb', 'rgba'):
        wanted.append((colour, draw(st.sampled_from([F32, U32, I32]))))
    elif colour != 'none':
        wanted += [(name, U8 if colour == 'bytes' else F32) for name in 'rgb']
    wanted += draw(st.sampled_from([[], [('intensity', F32), ('ring', U16)]]))
    fields, offset = [], 0
    for name, datatype in draw(st.permutations(wanted)):
        offset += draw(st.integers(0, 3))
        fields.append(PointField(name, offset, datatype, draw(st.integers(0, 1))))
        offset += SIZES[datatype]
    step = offset + draw(st.integers(0, 5))
    width, height = draw(st.integers(0, 9)), draw(st.integers(0, 4))
    row_step = width * step + draw(st.integers(0, 7))
    layout = CloudLayout(
        width, height, step, row_step, tuple(draw(st.permutations(fields))), draw(st.booleans())
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    data = bytearray(rng.integers(0, 256, row_step * height, np.uint8).tobytes())
    fill(data, layout, rng)
    if height and draw(st.booleans()):
        data = data[: (height - 1) * row_step + width * step]
    return bytes(data), layout


def fill(data, layout, rng):
    order = '>' if layout.is_bigendian else '<'
    specials = [np.nan, np.inf, -np.inf, 0.0, -0.0]
    for row in range(layout.height):
        for column in range(layout.width):
            start = row * layout.row_step + column * layout.point_step
            for field in layout.fields:
                if field.name in 'xyz':
                    value = rng.choice(specials) if rng.random() < 0.1 else rng.normal()
                elif field.name in 'rgb' and field.datatype == F32:
                    value = rng.random()
                else:
                    continue  # any bytes will do
                code = order + FORMATS[field.datatype]
                struct.pack_into(code, data, start + field.offset, value)


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


XYZ = make_layout().fields[:3]


def test_names_from_a_message_are_cut_short_in_what_is_said():
    layout = make_layout(fields=tuple(PointField('n' * 3000, 0, F32) for _ in range(500)))
    with pytest.raises(ValueError, match='and 484 more') as caught:
        decode(bytes(16), layout)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ('layout', 'size', 'said'),
    [
        (make_layout(fields=XYZ[:2]), 16, "expected x, y and z, got 'x', 'y'"),
        (make_layout(fields=()), 16, 'expected x, y and z, got none'),
        (make_layout(fields=(*XYZ[:2], PointField('z', 8, I32))), 16, 'FLOAT64, got INT32'),
        (make_layout(fields=(*XYZ[:2], PointField('z', 8, 77))), 16, 'unknown datatype'),
        (make_layout(fields=(*XYZ[:2], PointField('z', 8, F64))), 16, 'of one datatype'),
        (make_layout(fields=(*XYZ[:2], PointField('z', 8, F32, 3))), 16, 'one value per point'),
        (make_layout(fields=(*XYZ, PointField('x', 12, F32))), 16, "'x' once, got it 2 times"),
        (make_layout(fields=(*XYZ[:2], PointField('z', 6, F32))), 16, "'y' and 'z' overlap"),
        (make_layout(fields=(*XYZ, PointField('rgb', 8, F32))), 16, 'overlap'),
        (make_layout(fields=(*XYZ, PointField('rgb', 13, F32))), 16, '13 to 17'),
        (make_layout(fields=(*XYZ, PointField('rgb', 12, U16))), 16, 'UINT16'),
        (
            make_layout(fields=(*XYZ, PointField('rgb', 12, F32), PointField('rgba', 8, U32))),
            16,
            'got several',
        ),
        (make_layout(step=0, row_step=16), 16, 'point_step'),
        (make_layout(4, 2, row_step=63), 128, 'row of 4 points'),
        (make_layout(4, 2), 127, 'take 128 bytes, got 127'),
        (make_layout(4, 2, row_step=70), 133, 'take 134 to 140 bytes, got 133'),
        (make_layout(4, 2), 129, 'take 128 bytes, got 129'),
        (make_layout(20_000_000), 16, '20000000, the limit is 5000000'),
        (make_layout(2**32 - 1, 2**32 - 1), 16, 'limit'),
        (make_layout(-1), 16, 'negative'),
        (make_layout(2**20, 4, step=2**32 - 1), 16, 'take 18014398505287680 bytes'),
    ],
)
def test_a_wrong_message_is_refused_with_a_sentence(layout, size, said):
    with pytest.raises(ValueError, match='^cloud') as error:
        decode(bytes(size), layout)
    assert said in str(error.value)


@pytest.mark.parametrize('data', [[1, 2, 3], 'text', None, np.zeros(4, np.float32)])
def test_what_is_not_bytes_is_refused(data):
    with pytest.raises(ValueError, match='expected bytes'):
        decode(data, make_layout())


def test_rgb_and_rgba_over_the_same_bytes_are_one_colour():
    fields = (*XYZ, PointField('rgb', 12, F32), PointField('rgba', 12, U32))
    cloud = decode(pack([(1, 2, 3, 0x102030)]), make_layout(fields=fields))
    assert cloud.rgb.tolist() == [[16, 32, 48]]


def test_a_refused_size_takes_no_memory():
    layout = make_layout(4_000_000)
    tracemalloc.start()
    with pytest.raises(ValueError, match='take 64000000 bytes'):
        decode(b'', layout)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


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
