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
        epilog='Example: folk train-masks --preset tabletop --data tables --data scans:0.5 '
        '--out runs/tabletop --steps 3000 --workers 2',
    )
    parser.add_argument(
        '--data',
        '--rooms',
        dest='data',
        action='append',
        required=True,
        metavar='DIR[:WEIGHT]',
        help='folder with scenes train_* (or, without those, of any scenes); may be given several '
        'times, and a weight says how much of the crops come from there (default: 1)',
    )
    parser.add_argument('--out', type=Path, required=True, help='folder of the checkpoint')
    parser.add_argument(
        '--preset', choices=('rooms', 'tabletop'), default='rooms', help='default: rooms'
    )
    parser.add_argument('--steps', type=int, default=4500, help='training steps (default: 4500)')
    parser.add_argument('--crops', type=int, default=2, help='per step and process (default: 2)')
    parser.add_argument(
        '--accumulate', type=int, default=1, help='add up so many gradients a step (default: 1)'
    )
    parser.add_argument('--rate', type=float, default=2e-3, help='learning rate (default: 0.002)')
    parser.add_argument('--seed', type=int, default=0, help='default: 0')
    parser.add_argument('--start', type=Path, help='student file whose weights to begin with')
    parser.add_argument(
        '--workers', type=int, default=1, help='processes: one thread or GPU each (default: 1)'
    )
    parser.add_argument('--device', choices=('cpu', 'cuda'), default='cpu', help='default: cpu')
    parser.add_argument(
        '--tensorboard', action='store_true', help='also write losses for TensorBoard'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train to the last step."""
    import logging

    from folk_ros.training.masks.presets import PRESETS
    from folk_ros.training.masks.run import Run, train_masks
    from folk_ros.training.masks.sources import Source
    from folk_ros.training.masks.trainer import MaskTraining

    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s', datefmt='%H:%M:%S')
    if min(args.steps, args.crops, args.accumulate, args.workers) < 1:
        raise ValueError('--steps, --crops, --accumulate and --workers: expected 1 or more')
    config = MaskTraining(
        steps=args.steps,
        crops=args.crops,
        accumulate=args.accumulate,
        learning_rate=args.rate,
        seed=args.seed,
        device=args.device,
    )
    sources = tuple(Source.parse(text) for text in args.data)
    preset = PRESETS[args.preset]
    train_masks(Run(sources, args.out, config, preset, args.start, args.tensorboard), args.workers)
    return 0
