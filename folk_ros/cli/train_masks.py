"""`folk train-masks`: teach the student to tell objects apart."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add `folk train-masks` to the parser."""
    parser = commands.add_parser(
        'train-masks',
        help='train the masks of a student on scenes',
        description='Train backbone and mask decoder on scene folders; goes on where it ended.',
        usage='folk train-masks --data DIR --out DIR [options]',
        epilog='Example: folk train-masks --preset rooms --data rooms --out runs/rooms '
        '--workers 2; '
        'recipes for CPUs, GPUs and several machines: docs/train_masks.md',
    )
    parser.add_argument(
        '--data',
        '--rooms',
        dest='data',
        action='append',
        required=True,
        metavar='DIR[:WEIGHT]',
        help='folder with scenes train_* (or, without those, of any); may be given several times, '
        'with the share of the crops that come from there (default: 1)',
    )
    parser.add_argument('--out', type=Path, required=True, help='folder of the checkpoint')
    parser.add_argument(
        '--preset', choices=('rooms', 'tabletop', 'mask3d'), default='rooms', help='default: rooms'
    )
    parser.add_argument(
        '--queries',
        choices=('seeds', 'fps'),
        help='where queries come from: seeds picked by predicted quality, or furthest points '
        "(default: the preset's: seeds, or fps for mask3d)",
    )
    parser.add_argument(
        '--spatial',
        action=argparse.BooleanOptionalAction,
        help="whether a mask's voxels must also be near each other (default: the preset's: yes, "
        'or no for mask3d); without it masks form slowly',
    )
    _add_schedule(parser)
    parser.add_argument(
        '--start',
        type=Path,
        metavar='PATH',
        help='student file, or folder of a student or an earlier run, whose weights to begin with',
    )
    parser.add_argument(
        '--workers', type=int, default=1, help='processes: one thread or GPU each (default: 1)'
    )
    parser.add_argument(
        '--loaders',
        type=int,
        default=0,
        help='processes, per worker, that prepare crops ahead (default: 0, for GPUs more)',
    )
    parser.add_argument('--device', choices=('cpu', 'cuda'), default='cpu', help='default: cpu')
    parser.add_argument(
        '--tensorboard', action='store_true', help='also write losses for TensorBoard'
    )
    parser.set_defaults(run=run)


def _add_schedule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--steps', type=int, help='training steps (default: 4500, or 40000 for mask3d)'
    )
    parser.add_argument(
        '--crops', type=int, help='at once in each process (default: 2, or 4 for mask3d)'
    )
    parser.add_argument(
        '--accumulate', type=int, default=1, help='average so many runs a step (default: 1)'
    )
    parser.add_argument(
        '--rate', type=float, help='learning rate (default: 0.002, or 0.0002 for mask3d)'
    )
    parser.add_argument(
        '--warm-up', type=int, default=200, help='steps until the full rate (default: 200)'
    )
    parser.add_argument('--seed', type=int, default=0, help='default: 0')


def run(args: argparse.Namespace) -> int:
    """Train to the last step."""
    import logging

    from folk_ros.training.masks.presets import PRESETS, with_switches
    from folk_ros.training.masks.run import Run, starting_weights, train_masks
    from folk_ros.training.masks.sources import Source
    from folk_ros.training.masks.trainer import MaskTraining

    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s', datefmt='%H:%M:%S')
    preset = with_switches(PRESETS[args.preset], args.queries, args.spatial)
    steps = preset.steps if args.steps is None else args.steps
    crops = preset.crops if args.crops is None else args.crops
    if min(steps, crops, args.accumulate, args.workers, args.warm_up) < 1 or args.loaders < 0:
        raise ValueError(
            '--steps, --crops, --accumulate, --workers and --warm-up: expected 1 or more, and '
            '--loaders 0 or more'
        )
    config = MaskTraining(
        steps=steps,
        crops=crops,
        accumulate=args.accumulate,
        learning_rate=preset.learning_rate if args.rate is None else args.rate,
        warm_up=args.warm_up,
        seed=args.seed,
        device=args.device,
        loaders=args.loaders,
    )
    sources = tuple(Source.parse(text) for text in args.data)
    start = None if args.start is None else starting_weights(args.start)
    train_masks(Run(sources, args.out, config, preset, start, args.tensorboard), args.workers)
    return 0
