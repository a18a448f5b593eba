"""`folk weights average`: the mean of what one network became in several runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from folk_ros.cli.output import say


def add_average(actions: Any) -> None:
    """Add `folk weights average` to the actions."""
    parser = actions.add_parser(
        'average',
        help='average the weights of students that began as one',
        description='Write the mean of the weights of several students, or mask training runs, '
        'that began with the same weights. Its words are gone: distil them anew.',
        epilog='Example: folk weights average runs/tables runs/scans --out runs/both',
    )
    parser.add_argument('runs', type=Path, nargs='+', help='their folders, or student files')
    parser.add_argument('--out', type=Path, required=True, help='folder of the student to write')
    parser.set_defaults(run=run_average)


def run_average(args: argparse.Namespace) -> int:
    """Average and write."""
    from folk_ros.student.weights import save_student, STUDENT_FILE
    from folk_ros.training.masks.trained import average_students

    if len(args.runs) < 2:
        raise ValueError(f'expected at least two runs to average, got {len(args.runs)}')
    student = average_students(args.runs)
    told = 'mean of ' + ', '.join(str(path) for path in args.runs)
    save_student(args.out / STUDENT_FILE, student, None, half=False, provenance=told)
    say(f'wrote {args.out / STUDENT_FILE}')
    return 0
