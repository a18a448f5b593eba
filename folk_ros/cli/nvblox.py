"""`folk nvblox`: the mesh of nvblox becomes a cloud that the node takes."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import CommandFailed, say

if TYPE_CHECKING:
    from folk_ros.cli.peer import Peer

MESH = 'nvblox_msgs/msg/Mesh'


def add_parser(commands: Any) -> None:
    """Add `folk nvblox` to the parser."""
    parser = commands.add_parser(
        'nvblox',
        help='republish the mesh of nvblox as a cloud',
        description='Listen to the mesh of nvblox (nvblox_msgs/Mesh, in pieces) and publish its '
        'vertices, with their colours, as one sensor_msgs/PointCloud2, latched. Needs ROS 2 with '
        'nvblox_msgs. It goes on until Ctrl-C.',
        epilog='Example: folk nvblox --topic /nvblox_cloud, and the node with '
        '"cloud_topics:=[\'/nvblox_cloud\']"',
    )
    parser.add_argument(
        '--mesh', default='/nvblox_node/mesh', help='topic to read (default: /nvblox_node/mesh)'
    )
    parser.add_argument(
        '--topic', default='/nvblox_cloud', help='topic to publish (default: /nvblox_cloud)'
    )
    parser.add_argument(
        '--rate', type=float, default=1.0, help='at most so many clouds a second (default: 1)'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen and publish until the user ends it."""
    if not 0.0 < args.rate <= 100.0:
        raise ValueError(f'--rate: expected more than 0 and at most 100 Hz, got {args.rate}')
    from folk_ros.cli.peer import Peer

    with suppress(KeyboardInterrupt), Peer('folk_nvblox') as peer:
        republish(peer, args.mesh, args.topic, args.rate)
    return 0


def republish(peer: Peer, mesh: str, topic: str, rate_hz: float) -> None:
    """Publish the cloud of a mesh whenever it has changed; CommandFailed without nvblox_msgs."""
    from folk_ros.cli.peer import cloud_message
    from folk_ros.ros.nvblox_mesh import MeshCloud

    vertices, changed = MeshCloud(), False

    def take(message: Any) -> None:
        nonlocal changed
        try:
            vertices.update(message)
            changed = True
        except ValueError as error:
            say(f'{mesh}: {error}; this message is left out')

    try:
        peer.listen(mesh, MESH, take, 'reliable')
    except LookupError as error:
        raise CommandFailed(f'{error} (nvblox_msgs comes with Isaac ROS nvblox)') from None
    publisher = peer.cloud_publisher(topic, 'latched')
    say(f'waiting for {mesh}')
    told = False
    while True:
        peer.rest(1.0 / rate_hz)
        if not changed:
            continue
        changed = False
        cloud = vertices.cloud()
        publisher.publish(cloud_message(cloud))
        if not told:
            colour = 'with' if cloud.rgb is not None else 'without'
            say(f'publishing {topic} in {cloud.frame_id!r}, {colour} colour')
            told = True
