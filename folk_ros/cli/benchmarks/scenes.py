"""Measure how fast synthetic rooms are made, and how large they are."""

from __future__ import annotations

from pathlib import Path
import resource
import tempfile
import time

from folk_ros.cli.output import Progress
from folk_ros.training.scenes.generate import generate_rooms
from folk_ros.training.scenes.scene import load_scene

ROOMS, WORKERS = 12, 2


def run() -> dict[str, float]:
    """Return rooms a minute on two processes, and what a room costs."""
    progress = Progress('rooms', ROOMS)
    with tempfile.TemporaryDirectory() as name:
        spent, start = _cpu_s(), time.perf_counter()
        folders = generate_rooms(
            name,
            {'train': ROOMS},
            0,
            WORKERS,
            progress=lambda done, total, scene_id: progress.reach(done, scene_id),
        )
        elapsed, spent = time.perf_counter() - start, _cpu_s() - spent
        size = sum(path.stat().st_size for path in Path(name).rglob('*') if path.is_file())
        scenes = [load_scene(folder) for folder in folders]
        views = [len(scene.views) for scene in scenes]
        points = [len(scene.cloud) for scene in scenes]
    return {
        'scenes_rooms_per_minute': ROOMS / elapsed * 60,
        'scenes_cpu_s_per_room': spent / ROOMS,
        'scenes_mb_per_room': size / ROOMS / 1e6,
        'scenes_views_per_room': sum(views) / ROOMS,
        'scenes_points_per_room': sum(points) / ROOMS,
    }


def _cpu_s() -> float:
    """Return the processor time of all processes started so far that have ended, seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
