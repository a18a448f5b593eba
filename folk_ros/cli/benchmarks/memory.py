"""Measure whether the node's memory grows while clouds come in for a while."""

from __future__ import annotations

from folk_ros.cli.benchmarks.setting import room_of, running_node
from folk_ros.cli.output import Progress

CLOUDS, SETTLED = 200, 20  # clouds played; after how many memory must have settled
RATE_HZ = 5.0
NUM_POINTS = 100_000


def run(model: str) -> dict[str, float]:
    """Return the resident memory of the node after 20 and after 200 clouds at 5 Hz, MB."""
    cloud = room_of(NUM_POINTS)
    with running_node(model) as setting:
        progress = Progress('clouds', CLOUDS)
        with setting.playing(cloud, RATE_HZ, CLOUDS):
            setting.wait_for_scene(1)
            setting.peer.rest(SETTLED / RATE_HZ)
            progress.step(SETTLED)
            settled, peak = setting.resident_mb(), 0.0
            for _ in range(CLOUDS - SETTLED):
                setting.peer.rest(1.0 / RATE_HZ)
                progress.step()
                peak = max(peak, setting.resident_mb())
        setting.peer.rest(3.0)
        end = setting.resident_mb()
        scenes = setting.scene_id
    return {
        'memory_after_20_mb': settled,
        'memory_end_mb': end,
        'memory_peak_mb': peak,
        'memory_growth_percent': (end - settled) / settled * 100,
        'memory_scenes_segmented': scenes,
    }
