"""`folk play`: publish a cloud file over ROS 2."""

from __future__ import annotations

import argparse
from dataclasses import replace
import time
from typing import Any

from folk_ros.cli.output import CommandFailed, say


def add_parser(commands: Any) -> None:
    """Add `folk play` to the parser."""
    parser = commands.add_parser(
        'play',
        help='publish a cloud file as sensor_msgs/PointCloud2',
        description='Publish a cloud file, or the demo room, as sensor_msgs/PointCloud2.',
        epilog='Example: folk play room.ply --topic /cloud --rate 2. '
        'Without --once it goes on until Ctrl-C.',
    )
    parser.add_argument('file', nargs='?', help='cloud: .ply, .pcd or .npz')
    parser.add_argument('--demo', action='store_true', help='play the shipped demo room')
    parser.add_argument('--topic', default='/cloud', help='topic (default: /cloud)')
    parser.add_argument('--frame', default='map', help='frame_id (default: map)')
    parser.add_argument('--rate', type=float, default=1.0, help='clouds a second (default: 1)')
    times = parser.add_mutually_exclusive_group()
    times.add_argument('--once', action='store_true', help='publish one cloud, then end')
    times.add_argument('--count', type=int, default=0, help='publish so many, then end')
    times.add_argument('--loop', action='store_true', help='go on until Ctrl-C (the default)')
    parser.add_argument(
        '--qos',
        choices=('reliable', 'sensor_data', 'latched'),
        default='reliable',
        help='how it is offered (default: reliable)',
    )
    parser.add_argument(
        '--wait', type=float, default=10.0, help='seconds to wait for a listener (default: 10)'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, wait for a listener, publish."""
    if bool(args.file) == args.demo:
        raise ValueError('play: expected one of FILE and --demo; for example: folk play room.ply')
    if not 0.0 < args.rate <= 1000.0:
        raise ValueError(f'--rate: expected more than 0 and at most 1000 Hz, got {args.rate}')
    from folk_ros.cli.demo_room import load_demo_room
    from folk_ros.cli.peer import cloud_message, Peer
    from folk_ros.cloud_files import read_cloud

    cloud = load_demo_room().cloud if args.demo else read_cloud(args.file)
    message = cloud_message(replace(cloud, frame_id=args.frame))
    count = 1 if args.once else args.count
    with Peer('folk_play') as peer:
        publisher = peer.cloud_publisher(args.topic, args.qos)
        heard = peer.wait_until(lambda: publisher.get_subscription_count() > 0, args.wait)
        if not heard and count:
            raise CommandFailed(
                f'nobody listens to {args.topic} within {args.wait:g} s: is the node running with '
                'that topic in its cloud_topics, under the same ROS_DOMAIN_ID?'
            )
        if not heard:
            say(f'nobody listens to {args.topic} yet; publishing all the same')
        try:
            publish(peer, publisher, message, args.rate, count)
        except KeyboardInterrupt:
            if count:  # it was to come to an end by itself
                raise
    return 0


def publish(peer: Any, publisher: Any, message: Any, rate_hz: float, count: int) -> None:
    """Publish at a rate, `count` times or (0) until the user ends it, then let it arrive."""
    sent = 0
    due = time.monotonic()
    while not count or sent < count:
        stamp, now = message.header.stamp, peer.now_ns()
        stamp.sec, stamp.nanosec = divmod(now, 1_000_000_000)
        publisher.publish(message)
        sent += 1
        if sent == 1:
            say(f'publishing {message.width * message.height} points in {message.header.frame_id}')
        due = max(due + 1.0 / rate_hz, time.monotonic())
        if not count or sent < count:
            peer.rest(due - time.monotonic())
    peer.rest(0.5)  # a reliable writer needs its process until the cloud has arrived
    say(f'published {sent} cloud{"s" * (sent != 1)}')
