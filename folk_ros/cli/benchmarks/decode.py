"""Measure how long a cloud takes from the bytes of its message to a PointCloud."""

from __future__ import annotations

import statistics
import time
import tracemalloc

import numpy as np

from folk_ros.cloud import CloudLayout, decode, encode, PointField

NUM_POINTS = 1_000_000
POINT_STEP = 32
NAN_SHARE = 0.01
REPEATS = 9


def make_message(num_points: int = NUM_POINTS, seed: int = 0) -> tuple[bytes, CloudLayout]:
    """Lay a cloud out as PCL does: x, y, z at 0, packed colour at 16, a point every 32 bytes."""
    rng = np.random.default_rng(seed)
    xyz = rng.uniform(-5, 5, (num_points, 3)).astype('<f4')
    xyz[rng.random(num_points) < NAN_SHARE] = np.nan
    points = np.zeros((num_points, POINT_STEP), np.uint8)
    points[:, :12] = xyz.view(np.uint8)
    points[:, 16:19] = rng.integers(0, 256, (num_points, 3))
    points[:, 19] = 255  # as PCL writes it: half of the colours are NaN patterns
    places = {'x': 0, 'y': 4, 'z': 8, 'rgb': 16}
    fields = tuple(PointField(name, offset, 7) for name, offset in places.items())
    layout = CloudLayout(num_points, 1, POINT_STEP, POINT_STEP * num_points, fields)
    return points.tobytes(), layout


def run() -> dict[str, float]:
    """Return the figures by name and unit; times are medians of nine on one thread."""
    data, layout = make_message()
    decode_s = [_seconds(data, layout) for _ in range(REPEATS)]
    tracemalloc.start()
    cloud = decode(data, layout)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    result_bytes = cloud.xyz.nbytes + (0 if cloud.rgb is None else cloud.rgb.nbytes)
    encode_s = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        encode(cloud)
        encode_s.append(time.perf_counter() - start)
    return {
        'decode_1m_ms': statistics.median(decode_s) * 1e3,
        'decode_1m_worst_ms': max(decode_s) * 1e3,
        'encode_1m_ms': statistics.median(encode_s) * 1e3,
        'message_bytes': len(data),
        'result_bytes': result_bytes,
        'result_points': len(cloud),
        'peak_memory_bytes': peak,
        'extra_memory_ratio': (peak - result_bytes) / result_bytes,
    }


def _seconds(data: bytes, layout: CloudLayout) -> float:
    start = time.perf_counter()
    decode(data, layout)
    return time.perf_counter() - start
