"""What the DDS benchmarks share: a node in its own process, a peer, and something to send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
import os
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np

from folk_ros.cli.demo_room import load_demo_room
from folk_ros.cli.domain import own_domain
from folk_ros.cli.node_process import node_command, NodeProcess, orderly_end
from folk_ros.cli.output import CommandFailed
from folk_ros.cli.peer import NODE, Peer
from folk_ros.cloud_files import write_npz
from folk_ros.structures import PointCloud

TOPIC = '/cloud'
START_S, SEGMENT_S = 60.0, 180.0


@dataclass
class Setting:
    """A running node, a peer beside it, and the newest scene it has told of."""

    node: NodeProcess
    peer: Peer
    publisher: Any  # of TOPIC
    folder: Path
    scene_id: int = 0

    def send(self, message: Any) -> None:
        """Publish a cloud with the time of now."""
        stamp = message.header.stamp
        stamp.sec, stamp.nanosec = divmod(self.peer.now_ns(), 1_000_000_000)
        self.publisher.publish(message)

    def wait_for_scene(self, scene_id: int, timeout_s: float = SEGMENT_S) -> None:
        """Wait until the node has segmented so many clouds."""
        if not self.peer.wait_until(lambda: self.scene_id >= scene_id, timeout_s):
            raise CommandFailed(
                f'cloud {scene_id} was not segmented within {timeout_s:g} s: '
                f'{self.node.last_words()}'
            )

    @contextmanager
    def playing(self, cloud: PointCloud, rate_hz: float, count: int = 0) -> Iterator[None]:
        """Let a third process publish a cloud meanwhile."""
        path = self.folder / 'played.npz'
        write_npz(cloud, path)
        command = [sys.executable, '-m', 'folk_ros.cli', 'play', str(path), '--topic', TOPIC]
        command += ['--rate', str(rate_hz), '--count', str(count)]
        with (self.folder / 'play.log').open('wb') as log:
            player = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            player.terminate()
            player.wait()

    def resident_mb(self) -> float:
        """Return the resident memory of the node, MB."""
        for line in Path(f'/proc/{self.node.pid}/status').read_text().splitlines():
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) / 1024
        raise CommandFailed(f'/proc/{self.node.pid}/status names no VmRSS')


@contextmanager
def running_node(model: str) -> Iterator[Setting]:
    """Start a node on a domain of its own; it ends with the block."""
    os.environ.setdefault('FOLK_ROS_RUNTIME', 'embedded')
    with (
        tempfile.TemporaryDirectory() as name,
        orderly_end(),
        own_domain(),
        NodeProcess(node_command(TOPIC, model), Path(name) / 'node.log') as node,
        Peer('folk_benchmark', alive=node.check) as peer,
    ):
        setting = Setting(node, peer, peer.cloud_publisher(TOPIC, 'reliable'), Path(name))

        def note(message: Any) -> None:
            setting.scene_id = int(message.scene_id)

        peer.listen(f'{NODE}/instances', 'folk_ros/msg/InstanceArray', note, 'latched')
        peer.heed_failures()
        peer.wait_for_node(START_S)
        if not peer.wait_until(lambda: setting.publisher.get_subscription_count() > 0, START_S):
            raise CommandFailed(f'the node does not listen to {TOPIC}: {node.last_words()}')
        yield setting


def room_of(num_points: int) -> PointCloud:
    """Return the demo room, thinned out or filled up to a number of points."""
    cloud = load_demo_room().cloud
    rng = np.random.default_rng(0)
    rows = rng.permutation(np.resize(rng.permutation(len(cloud)), num_points))
    thinned = cloud.select(rows)
    noise = rng.normal(0.0, 0.002, thinned.xyz.shape).astype(np.float32)  # no two points the same
    return replace(thinned, xyz=thinned.xyz + noise, frame_id='map')
