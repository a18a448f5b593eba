"""Measure whether the node's memory grows while clouds come in for a while."""

from __future__ import annotations

import statistics

from folk_ros.cli.benchmarks.setting import room_of, running_node
from folk_ros.cli.output import Progress
from folk_ros.cli.peer import cloud_message

CLOUDS, SETTLED = 200, 20  # clouds played; after how many memory must have settled
RATE_HZ = 5.0
WINDOW = 40  # samples, one per cloud, at each end
NUM_POINTS = 100_000


def run(model: str) -> dict[str, float]:
    """Return the resident memory of the node, MB: early, late, and what it grew meanwhile."""
    cloud = room_of(NUM_POINTS)
    samples: list[float] = []
    with running_node(model) as setting:
        setting.send(cloud_message(cloud))
        setting.wait_for_scene(1)  # the model is loaded
        progress = Progress('clouds', CLOUDS)
        with setting.playing(cloud, RATE_HZ, CLOUDS):
            setting.wait_for_scene(2)
            setting.peer.rest(SETTLED / RATE_HZ)
            progress.step(SETTLED)
            for _ in range(CLOUDS - SETTLED):
                setting.peer.rest(1.0 / RATE_HZ)
                samples.append(setting.resident_mb())
                progress.step()
        scenes = setting.scene_id
    # It goes up and down with each cloud by some MB: a median of many tells more than one sample.
    early, late = statistics.median(samples[:WINDOW]), statistics.median(samples[-WINDOW:])
    return {
        'memory_after_20_mb': early,
        'memory_end_mb': late,
        'memory_peak_mb': max(samples),
        'memory_growth_percent': (late - early) / early * 100,
        'memory_scenes_segmented': scenes,
    }
