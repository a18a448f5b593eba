"""Measure how long a cloud takes in the network, and how much memory: a room, and a building."""

from __future__ import annotations

from dataclasses import replace
import math
from multiprocessing import get_context
from pathlib import Path
import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from folk_ros.cli.benchmarks.setting import room_of
from folk_ros.cli.demo_room import load_demo_room

if TYPE_CHECKING:
    from folk_ros.structures import PointCloud

ROOM_POINTS, BUILDING_POINTS = 100_000, 5_000_000
THREADS = 2
REPEATS = 7
APART_M = 6.0  # from room to room of the building
MB = 1 / 1024  # of the kB in /proc


def run(model: str) -> dict[str, float]:
    """Return seconds and MB for a room and for a building, each in a process of its own."""
    figures: dict[str, float] = {}
    for name, points in (('room', ROOM_POINTS), ('building', BUILDING_POINTS)):
        with get_context('spawn').Pool(1) as fresh:
            measured = fresh.apply(trial, (model, points))
        figures |= {f'segment_{name}_{key}': value for key, value in measured.items()}
    return figures


def trial(model: str, points: int) -> dict[str, float]:
    """Segment a cloud some times on the CPU; memory is what the first time adds at its peak."""
    from folk_ros.config import FolkConfig, SegmentConfig
    from folk_ros.pipeline import Folk

    config = SegmentConfig(device='cpu', threads=THREADS, max_instances=2000)
    folk = Folk.load(model, FolkConfig(segment=config))
    cloud = room_of(points) if points <= ROOM_POINTS else building_of(points)
    folk.warm_up()
    before = memory_mb('VmRSS')
    Path('/proc/self/clear_refs').write_text('5')  # the peak counts from here
    seconds, cpu_seconds = [], []
    for _ in range(REPEATS if points <= ROOM_POINTS else 1):
        start, cpu_start = time.perf_counter(), time.process_time()
        scene = folk.segment(cloud)
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu_start)
    peak = memory_mb('VmHWM')
    return {
        's': statistics.median(seconds),
        'cpu_s': statistics.median(cpu_seconds),
        'added_mb': peak - before,
        'peak_mb': peak,
        'points': len(cloud),
        'instances': len(scene),
    }


def building_of(num_points: int) -> PointCloud:
    """Put demo rooms side by side, each measured anew, until there are so many points."""
    room = load_demo_room().cloud
    assert room.rgb is not None
    count = math.ceil(num_points / len(room))
    rows, rng = math.ceil(math.sqrt(count)), np.random.default_rng(0)
    xyz = np.empty((num_points, 3), np.float32)
    for number in range(count):
        place = xyz[number * len(room) : (number + 1) * len(room)]
        noise = rng.standard_normal(place.shape, np.float32) * 0.002
        offset = np.array([*divmod(number, rows), 0], np.float32) * APART_M
        place[:] = room.xyz[: len(place)] + noise + offset
    rgb = np.tile(room.rgb, (count, 1))[:num_points]
    return replace(room, xyz=xyz, rgb=rgb, frame_id='map')


def memory_mb(name: str) -> float:
    """Return a figure of /proc/self/status in MB: VmRSS, or VmHWM, its peak."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(f'{name}:'):
            return int(line.split()[1]) * MB
    raise RuntimeError(f'/proc/self/status names no {name}')
