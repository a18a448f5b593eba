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
        epilog='Example: folk train-masks --rooms rooms --out runs/masks --steps 4500 --workers 2',
    )
    parser.add_argument('--rooms', type=Path, required=True, help='folder with scenes train_*')
    parser.add_argument('--out', type=Path, required=True, help='folder of the checkpoint')
    parser.add_argument('--steps', type=int, default=4500, help='training steps (default: 4500)')
    parser.add_argument('--seed', type=int, default=0, help='default: 0')
    parser.add_argument(
        '--workers', type=int, default=1, help='processes of one thread each (default: 1)'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train to the last step."""
    import logging

    from folk_ros.training.masks.run import train_masks
    from folk_ros.training.masks.trainer import MaskTraining

    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s', datefmt='%H:%M:%S')
    config = MaskTraining(steps=args.steps, seed=args.seed)
    train_masks(args.rooms, args.out, config, args.workers)
    return 0
