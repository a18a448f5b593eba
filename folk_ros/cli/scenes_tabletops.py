"""`folk scenes tabletops`: make scans of heaped tables to learn from."""

from __future__ import annotations

import argparse
import os
from typing import Any

from folk_ros.cli.output import Progress, say


def add_parser(actions: Any) -> None:
    """Add `folk scenes tabletops` to the parser."""
    parser = actions.add_parser(
        'tabletops',
        help='make tables with things in heaps, each seen once by a depth camera',
        description='Make tables with things that stand, lie, lean and pile up, each seen once by '
        'a simulated depth camera. The same seed gives the same scans on any number of workers; '
        'those already there are skipped.',
        epilog='Example: folk scenes tabletops --out tables --train 600 --val 60 --workers 2',
    )
    parser.add_argument('--out', required=True, help='folder to write train_00000/ ... to')
    parser.add_argument('--train', type=int, default=600, help='to learn from (default: 600)')
    parser.add_argument('--val', type=int, default=60, help='to score on (default: 60)')
    parser.add_argument('--test', type=int, default=0, help='kept apart (default: 0)')
    parser.add_argument('--seed', type=int, default=0, help='seed (default: 0)')
    parser.add_argument('--most', type=int, default=16, help='things on a table (default: 16)')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make scans, with a line that says how far it is."""
    splits = {'train': args.train, 'val': args.val, 'test': args.test}
    if min(*splits.values(), args.seed) < 0 or args.most < 1:
        raise ValueError(
            '--train, --val, --test and --seed: expected 0 or more, --most: 1 or more'
        )
    from folk_ros.training.scenes.tabletops.tabletop import generate_tabletops, TabletopConfig

    progress = Progress('tables', sum(splits.values()))
    folders = generate_tabletops(
        args.out,
        splits,
        args.seed,
        args.workers,
        TabletopConfig(most=args.most),
        progress=lambda done, total, scene_id: progress.reach(done, scene_id),
    )
    say(f'{len(folders)} tables are in {args.out}')
    return 0
