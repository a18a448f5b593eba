"""PointCloud2 bytes of any layout, and the slow twin that decodes them point by point."""

from dataclasses import replace
import math
import struct

from hypothesis import strategies as st
import numpy as np

from folk_ros.cloud import CloudLayout, PointField

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


XYZ = make_layout().fields[:3]
