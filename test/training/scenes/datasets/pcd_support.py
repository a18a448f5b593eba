"""Writes organised PCD files of a small known table, in all three encodings."""

import struct

import numpy as np

from folk_ros.training.scenes.datasets.osd import kinect_intrinsics
from folk_ros.upright import camera_above

HEIGHT, WIDTH = 48, 64
CAMERA_M, TILT = 0.6, np.radians(40)
BOXES = {20: (0.55, 0.10), 30: (0.75, -0.05), 31: (0.75, -0.18)}  # label: where, x and y
BOX_M = (0.08, 0.09, 0.1)  # half width, half depth, height: seen from a camera above it


def table_scan():
    """
    Points [H, W, 3] in the camera frame, labels [H, W] and colours [H, W, 3] of a known table.

    Every ray meets the table or the top of a box; a corner of the image sees nothing.
    """
    k = kinect_intrinsics(HEIGHT, WIDTH).astype(np.float64)
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    rays = np.stack([(u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1], np.ones(u.shape)], -1)
    up = np.array([0, -np.cos(TILT), -np.sin(TILT)])  # the table's normal seen by the camera
    T = camera_above(up, CAMERA_M)
    depth = -CAMERA_M / (rays @ up)
    label = np.ones((HEIGHT, WIDTH), np.uint32)
    for number, (x, y) in BOXES.items():
        top = (BOX_M[2] - CAMERA_M) / (rays @ up)
        world = (rays * top[..., None]) @ T[:3, :3].T + T[:3, 3]
        hit = (abs(world[..., 0] - x) < BOX_M[1]) & (abs(world[..., 1] - y) < BOX_M[0] / 2)
        depth[hit], label[hit] = top[hit], number
    xyz = (rays * depth[..., None]).astype(np.float32)
    xyz[:5, :7], label[:5, :7] = np.nan, 0
    rgb = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    return xyz, label, rgb


def write_pcd(path, scan, kind='binary', colour='U', fields='label x y z rgba'):
    xyz, label, rgb = scan
    rows, columns = label.shape
    packed = (rgb.astype(np.uint32) << np.array([16, 8, 0], np.uint32)).sum(2, dtype=np.uint32)
    words = np.stack([label, *xyz.view(np.uint32).transpose(2, 0, 1), packed], -1)
    words = np.ascontiguousarray(words.reshape(-1, 5), '<u4')
    header = (
        f'# .PCD v0.7\nVERSION 0.7\nFIELDS {fields}\nSIZE 4 4 4 4 4\nTYPE U F F F {colour}\n'
        f'COUNT 1 1 1 1 1\nWIDTH {columns}\nHEIGHT {rows}\nVIEWPOINT 0 0 0 1 0 0 0\n'
        f'POINTS {rows * columns}\nDATA {kind}\n'
    ).encode()
    if kind == 'ascii':
        lines = [
            f'{row[0]} {" ".join(str(x) for x in row[1:4].view("<f4"))} {row[4]}\n'
            for row in words
        ]
        body = ''.join(lines).encode()
    elif kind == 'binary':
        body = words.tobytes()
    else:
        packed_bytes = compress_runs(words.T.tobytes())
        body = struct.pack('<II', len(packed_bytes), words.nbytes) + packed_bytes
    path.write_bytes(header + body)
    return path


def compress_runs(data):
    """Compress to LZF: words that repeat the one before become a step back, others stay."""
    out, position = bytearray(), 0
    while position < len(data):
        length = 0
        while (
            position >= 4
            and length < 200
            and position + length < len(data)
            and data[position + length] == data[position + length - 4]
        ):
            length += 1
        if length >= 9:
            out += bytes([7 << 5, length - 9, 3])  # 3: four bytes back
        else:
            length = len(data[position : position + 4])
            out += bytes([length - 1]) + data[position : position + length]
        position += length
    return bytes(out)
