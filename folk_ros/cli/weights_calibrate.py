"""`folk weights calibrate`: make a student's mask quality the overlap to expect."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from folk_ros.cli.output import as_json


def add_calibrate(actions: Any) -> None:
    """Add `folk weights calibrate` to the actions."""
    parser = actions.add_parser(
        'calibrate',
        help='make the mask quality of a student the overlap to expect',
        description='Run a student on scenes it did not learn from, fit two numbers that turn its '
        'mask quality into the overlap to expect, and store them with its weights. Which masks '
        'are better than others does not change, but what a minimum quality lets through does.',
        epilog='Example: folk weights calibrate runs/model --scenes rooms',
    )
    parser.add_argument('model', type=Path, help='model folder; its weights are written anew')
    parser.add_argument(
        '--scenes', type=Path, nargs='+', required=True, help='folders with scenes and truth'
    )
    parser.add_argument('--split', default='val', help="which scenes, or 'all' (default: val)")
    parser.add_argument('--json', action='store_true', help='print JSON instead of lines')
    parser.set_defaults(run=run_calibrate)


def run_calibrate(args: argparse.Namespace) -> int:
    """Fit, store, and tell how reliable the qualities were and are."""
    from folk_ros.student.sums import SUMS, write_sums
    from folk_ros.student.weights import load_masks, STUDENT_FILE
    from folk_ros.training.masks.calibration import calibrate, store_calibration
    from folk_ros.training.scenes.splits import split_folders

    path = args.model / STUDENT_FILE
    student = load_masks(path)
    scenes = [scene for folder in args.scenes for scene in split_folders(folder, args.split)]
    before, after = calibrate(student, scenes)
    store_calibration(path, student.config.calibration)
    if (args.model / SUMS).is_file():
        write_sums(args.model)
    a, b = student.config.calibration
    if args.json:
        facts = {'calibration': [a, b], 'scenes': len(scenes), 'masks': int(after.count.sum())}
        facts |= {'error_before': before.error, 'error_after': after.error}
        print(as_json(facts | {'rank_correlation': after.rank_correlation}))
        return 0
    print(f'{path}: quality is now sigmoid({a:.3f} * logit + {b:.3f})')
    print(
        f'{int(after.count.sum())} masks of {len(scenes)} scenes: mean gap to the overlap reached '
        f'{before.error:.3f} before, {after.error:.3f} now; rank correlation '
        f'{after.rank_correlation:.2f}'
    )
    for count, quality, iou in zip(after.count, after.quality, after.iou, strict=True):
        if count:
            print(f'  quality {quality:.2f}  overlap {iou:.2f}  {count} masks')
    return 0
