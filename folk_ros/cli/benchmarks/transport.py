"""Measure what DDS and decoding add to the segmentation of a cloud, from publish to scene."""

from __future__ import annotations

import statistics
import time
from typing import Any

from folk_ros.cli.benchmarks.setting import room_of, running_node, Setting
from folk_ros.cli.output import CommandFailed
from folk_ros.cli.peer import cloud_message

NUM_POINTS = 100_000
CLOUDS, UNCOUNTED = 12, 2  # the first ones warm caches
STAGES = ('decode ms', 'segment ms', 'publish ms')


class Stages:
    """What the node says in /diagnostics that its last cloud cost, stage by stage."""

    def __init__(self, setting: Setting) -> None:
        self.scene_id = 0
        self.milliseconds: dict[str, float] = {}
        kind = 'diagnostic_msgs/msg/DiagnosticArray'
        setting.peer.listen('/diagnostics', kind, self._keep, 'reliable')

    def _keep(self, message: Any) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            if set(STAGES) <= set(values):
                self.scene_id = int(values['scene id'])
                self.milliseconds = {stage: float(values[stage]) for stage in STAGES}


def run(model: str) -> dict[str, float]:
    """
    Return medians over ten clouds of 100,000 points, milliseconds.

    From the call that publishes a cloud in this process to the arrival of its instances here;
    the node's own time for the segmentation is taken off.
    """
    with running_node(model) as setting:
        stages = Stages(setting)
        message = cloud_message(room_of(NUM_POINTS))
        rows = [_one(setting, stages, message) for _ in range(CLOUDS)][UNCOUNTED:]
    total, segment, decode = (statistics.median(column) for column in zip(*rows, strict=True))
    added = statistics.median(row[0] - row[1] for row in rows)
    return {
        'transport_decode_100k_ms': added,
        'cloud_to_instances_100k_ms': total,
        'segment_100k_ms': segment,
        'decode_100k_ms': decode,
    }


def _one(setting: Setting, stages: Stages, message: Any) -> tuple[float, float, float]:
    """Publish one cloud; return milliseconds in all, of the segmentation, and of decoding."""
    number = setting.scene_id + 1
    start = time.perf_counter()
    setting.send(message)
    setting.wait_for_scene(number)
    total = (time.perf_counter() - start) * 1e3
    if not setting.peer.wait_until(lambda: stages.scene_id >= number, 10.0):
        raise CommandFailed('/diagnostics does not tell what the last cloud cost')
    return total, stages.milliseconds['segment ms'], stages.milliseconds['decode ms']
