"""`folk distill`: give a mask student the words of its teacher."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add `folk distill` to the parser."""
    parser = commands.add_parser(
        'distill',
        help='distil the teacher into a student',
        description='Train the VL-adapter of a mask student on teacher files; write the student.',
        epilog='Example: folk distill --rooms rooms --teacher teacher --masks runs/masks '
        '--out model/student.safetensors',
    )
    parser.add_argument(
        '--rooms', type=Path, nargs='+', required=True, help='folders with scenes train_*'
    )
    parser.add_argument(
        '--teacher', type=Path, nargs='+', required=True, help='their folders of teacher files'
    )
    parser.add_argument(
        '--masks',
        type=Path,
        required=True,
        help='folder of a mask training run, or of an imported student',
    )
    parser.add_argument('--out', type=Path, required=True, help='student.safetensors to write')
    parser.add_argument('--clip', default='demo_clip', help='the CLIP of the teacher files')
    parser.add_argument('--steps', type=int, default=4000, help='training steps (default: 4000)')
    parser.add_argument('--seed', type=int, default=0, help='default: 0')
    parser.add_argument('--workers', type=int, default=1, help='processes (default: 1)')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Collect features, vote, train, write."""
    import logging

    from folk_ros.resources import text_tower_place
    from folk_ros.text import load_text_tower
    from folk_ros.training.distill.run import distill, mask_student
    from folk_ros.training.distill.trainer import Distillation

    if len(args.rooms) != len(args.teacher):
        raise ValueError(
            f'--teacher: expected one folder for each of {len(args.rooms)} --rooms, '
            f'got {len(args.teacher)}'
        )
    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s', datefmt='%H:%M:%S')
    text = load_text_tower(text_tower_place(args.clip))
    student = mask_student(args.masks, text, args.clip)
    config = Distillation(steps=args.steps, seed=args.seed)
    pairs = list(zip(args.rooms, args.teacher, strict=True))
    distill(pairs, student, text, config, args.workers, args.out)
    return 0
