"""`folk scenes`: make scenes to learn from, count what is in them, look at one."""

from __future__ import annotations

import argparse
from dataclasses import replace
import os
from typing import Any

from folk_ros.cli import scenes_import, scenes_look, scenes_tabletops
from folk_ros.cli.output import Progress, say


def add_parser(commands: Any) -> None:
    """Add `folk scenes` to the parser."""
    parser = commands.add_parser(
        'scenes',
        help='make and look at scenes to learn from',
        description='Make scenes to learn from, count what is in them, look at one.',
        epilog='Example: folk scenes rooms --out scenes --train 40 --val 8',
    )
    actions = parser.add_subparsers(metavar='ACTION', required=True)
    _add_rooms(actions)
    scenes_import.add_parser(actions)
    scenes_look.add_parser(actions)
    scenes_tabletops.add_parser(actions)


def _add_rooms(actions: Any) -> None:
    rooms = actions.add_parser(
        'rooms',
        help='make furnished rooms, filmed by a simulated RGB-D camera',
        description='Make furnished rooms, filmed by a simulated RGB-D camera. The same seed '
        'gives the same rooms on any number of workers; those already there are skipped.',
        epilog='Example: folk scenes rooms --out scenes --train 40 --val 8 --workers 2',
    )
    rooms.add_argument('--out', required=True, help='folder to write train_00000/ ... to')
    rooms.add_argument('--train', type=int, default=40, help='rooms to learn from (default: 40)')
    rooms.add_argument('--val', type=int, default=8, help='rooms to score on (default: 8)')
    rooms.add_argument('--test', type=int, default=0, help='rooms kept apart (default: 0)')
    rooms.add_argument(
        '--unlabelled',
        type=int,
        default=0,
        metavar='N',
        help='rooms unlabelled_00000 ... without names and instances, all categories in them: '
        'what a robot brings home (default: 0)',
    )
    rooms.add_argument('--seed', type=int, default=0, help='seed (default: 0)')
    rooms.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes')
    rooms.add_argument('--views', type=int, help='images taken of a room (default: 20)')
    rooms.add_argument(
        '--lidar', action='store_true', help='fuse a spinning scanner: clouds without colour'
    )
    rooms.set_defaults(run=run_rooms)


def run_rooms(args: argparse.Namespace) -> int:
    """Make rooms, with a line that says how far it is."""
    splits = {'train': args.train, 'val': args.val, 'test': args.test}
    splits['unlabelled'] = args.unlabelled
    if min(*splits.values(), args.seed) < 0:
        raise ValueError('--train, --val, --test, --unlabelled and --seed: expected 0 or more')
    from folk_ros.training.scenes.filming.lidar import LidarConfig
    from folk_ros.training.scenes.generate import generate_rooms
    from folk_ros.training.scenes.synthetic import RoomConfig

    config = RoomConfig(lidar=LidarConfig() if args.lidar else None)
    if args.views is not None:
        config = replace(config, views=args.views)
    progress = Progress('rooms', sum(splits.values()))
    folders = generate_rooms(
        args.out,
        splits,
        args.seed,
        args.workers,
        config,
        progress=lambda done, total, scene_id: progress.reach(done, scene_id),
    )
    say(f'{len(folders)} rooms are in {args.out}')
    return 0
