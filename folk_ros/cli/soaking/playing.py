"""
Play clouds as a sensor does: each differs from the last one everywhere, so all is looked at anew.

    python -m folk_ros.cli.soaking.playing TOPIC POINTS RATE_HZ

It is light: a few variants are laid out beforehand, and get the time of now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import sys
import time

import numpy as np

from folk_ros.cli.peer import qos
from folk_ros.cli.soaking.truth import encoded, stamped, Truth
from folk_ros.ros import runtime

VARIANTS = 5
NOISE_M = 0.003


def main(arguments: Sequence[str]) -> None:
    """Publish until a signal comes."""
    topic, points, rate = arguments[0], int(arguments[1]), float(arguments[2])
    cloud, rng = Truth(points).cloud, np.random.default_rng(1)
    variants = []
    for _ in range(VARIANTS):
        noise = rng.normal(0.0, NOISE_M, cloud.xyz.shape).astype(np.float32)
        variants.append(encoded(replace(cloud, xyz=cloud.xyz + noise)))
    runtime.init(args=[])
    node = runtime.Node('soak_player', start_parameter_services=False)
    publisher = node.create_publisher(
        runtime.message('sensor_msgs/msg/PointCloud2'), topic, qos('reliable')
    )
    number, due = 0, time.monotonic()
    while runtime.ok():
        payload, _ = stamped(variants[number % VARIANTS], time.time_ns())
        publisher.publish(payload)
        number += 1
        due = max(due + 1 / rate, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))
    runtime.try_shutdown()


if __name__ == '__main__':
    main(sys.argv[1:])
