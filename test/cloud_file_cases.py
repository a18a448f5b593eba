"""Clouds to write, and files of them made by hand, for the tests of file formats."""

import numpy as np

from folk_ros.structures import PointCloud


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
