"""Clouds that are right and huge: near the limit, beyond it, or nothing but single points."""

from __future__ import annotations

from dataclasses import replace
import time

import numpy as np

from folk_ros.cli.soaking.live import Live
from folk_ros.cli.soaking.tally import Tally
from folk_ros.cli.soaking.truth import encoded, stamped, Truth
from folk_ros.config import SegmentConfig
from folk_ros.structures import PointCloud

MOST = SegmentConfig().max_points
SINGLE, SPREAD_M = 200_000, 60.0  # points, and the edge of the cube they lie in
PINGS, PAUSE_S = 30, 0.1


def huge_clouds(live: Live) -> Tally:
    """Send huge clouds; questions are answered meanwhile, and a good cloud afterwards."""
    tally = Tally('huge clouds')
    clouds = {'as many points as allowed': MOST, 'more points than allowed': MOST + 1}
    for what, points in clouds.items():
        _show(live, tally, what, Truth(points).cloud)
    _show(live, tally, 'single points', _single())
    refused = any('points' in line and 'limit' in line for line in live.log_lines())
    tally.refused += refused
    if not refused:
        tally.unsaid += 1
        tally.note('nothing was said of too many points')
    return tally


def _single() -> PointCloud:
    """Return points so far from each other that each is alone in its voxel."""
    rng = np.random.default_rng(0)
    cloud = Truth(SINGLE).cloud
    return replace(cloud, xyz=rng.uniform(0.0, SPREAD_M, (SINGLE, 3)).astype(np.float32))


def _show(live: Live, tally: Tally, what: str, cloud: PointCloud) -> None:
    tally.cases += 1
    payload, _ = stamped(encoded(cloud), time.time_ns())
    live.clouds.publish(payload)
    del payload
    for _ in range(PINGS):
        live.ping(tally, what)
        live.peer.rest(PAUSE_S)
    live.check(tally, f'after {what}')
