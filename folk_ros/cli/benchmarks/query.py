"""Measure /folk/query over DDS from another process: idle, and while the node segments."""

from __future__ import annotations

from collections.abc import Sequence
import itertools
import statistics
import time

from folk_ros.cli.benchmarks.setting import room_of, running_node, Setting
from folk_ros.cli.peer import cloud_message

KNOWN, NEW = 200, 60  # questions asked
NUM_POINTS = 100_000
BUSY_RATE_HZ = 4.0  # faster than a CPU segments, so that it always does
WORDS = (
    ('small', 'big', 'red', 'wooden', 'old', 'bright', 'round', 'soft'),
    ('thing', 'object', 'piece', 'item', 'tool', 'box', 'part', 'toy'),
    ('on a table', 'by the door', 'in a corner', 'for a child', 'made of glass'),
)


def run(model: str) -> dict[str, float]:
    """Return median milliseconds of known and new texts, and how much slower when busy."""
    phrases = [' '.join(words) for words in itertools.product(*WORDS)]
    with running_node(model) as setting:
        cloud = room_of(NUM_POINTS)
        setting.send(cloud_message(cloud))
        setting.wait_for_scene(1)
        idle_known, idle_new = ask(setting, phrases[:NEW])
        before = setting.scene_id
        with setting.playing(cloud, BUSY_RATE_HZ):
            setting.wait_for_scene(before + 1)
            begin, first = time.perf_counter(), setting.scene_id
            busy_known, busy_new = ask(setting, phrases[NEW : 2 * NEW])
            scenes_a_second = (setting.scene_id - first) / (time.perf_counter() - begin)
    return {
        'query_known_ms': idle_known,
        'query_new_ms': idle_new,
        'query_known_busy_ms': busy_known,
        'query_new_busy_ms': busy_new,
        'query_known_busy_ratio': busy_known / idle_known,
        'query_new_busy_ratio': busy_new / idle_new,
        'query_busy_scenes_hz': scenes_a_second,
    }


def ask(setting: Setting, phrases: Sequence[str]) -> tuple[float, float]:
    """Return the median milliseconds of a text asked before, and of texts never asked."""
    milliseconds(setting, 'chair')
    known = statistics.median(milliseconds(setting, 'chair') for _ in range(KNOWN))
    new = statistics.median(milliseconds(setting, phrase) for phrase in phrases)
    return known, new


def milliseconds(setting: Setting, text: str) -> float:
    """Ask once; return how long the answer took."""
    start = time.perf_counter()
    setting.peer.query([text], timeout_s=30.0)
    return (time.perf_counter() - start) * 1e3
