"""`folk node`: the node itself, on the clouds of a robot."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from folk_ros.cli.output import say


def add_parser(commands: Any) -> None:
    """Add `folk node` to the parser."""
    parser = commands.add_parser(
        'node',
        help='run the node on the clouds of a robot, also without ROS',
        description='Run the node until Ctrl-C: on rclpy where ROS 2 is sourced, else on the '
        'embedded runtime, which ROS 2 nodes can talk to.',
        epilog='Example: folk node /rtabmap/cloud_map -p max_rate:=2.0; then, in another '
        'terminal: folk query chair. config/folk.yaml lists the parameters.',
    )
    parser.add_argument(
        'topics', metavar='TOPIC', nargs='*', help='fused PointCloud2 topics (default: /cloud)'
    )
    parser.add_argument('--model', default='', help='model folder (default: the shipped one)')
    parser.add_argument(
        '--params', metavar='FILE', default='', help='parameters, like config/folk.yaml'
    )
    parser.add_argument(
        '-p', dest='given', metavar='NAME:=VALUE', action='append', default=[], help='one of them'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Become the node: its signals, log and exit code are then this process's own."""
    from folk_ros.cli.node_process import node_command
    from folk_ros.ros import runtime

    if args.params and not Path(args.params).is_file():
        raise FileNotFoundError(f'--params {args.params}: there is no such file')
    for given in args.given:
        name, found, _ = given.partition(':=')
        if not (name and found):
            raise ValueError(f'-p {given}: expected NAME:=VALUE, as in max_rate:=2.0')
    named = [word for given in args.given for word in ('-p', given)]
    command = [*node_command(','.join(args.topics), args.model, args.params), *named]
    runtime.Node  # noqa: B018 - what is not installed is said here, in one line
    say(f'{runtime.name}: {" ".join(command)}')
    os.execv(command[0], command)
