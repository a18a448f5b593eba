"""`folk weights`: look after the weights that come with the program, bring in others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from folk_ros.cli.output import as_json, CommandFailed
from folk_ros.cli.weights_average import add_average
from folk_ros.cli.weights_calibrate import add_calibrate
from folk_ros.cli.weights_foreign import add_fetch, add_import


def add_parser(commands: Any) -> None:
    """Add `folk weights` to the parser."""
    parser = commands.add_parser(
        'weights',
        help='check the shipped weights, bring in those of others',
        description='Look after the weights that come with the program, and bring in others.',
        epilog='Example: folk weights verify',
    )
    actions = parser.add_subparsers(metavar='ACTION', required=True)
    verify = actions.add_parser(
        'verify',
        help='compare every file with its SHA-256',
        description='Compare every weight file with the SHA256SUMS beside it.',
        epilog='Example: folk weights verify resource/models/rooms',
    )
    verify.add_argument(
        'model', nargs='*', help='model folders or names of shipped models (default: all shipped)'
    )
    verify.add_argument('--json', action='store_true', help='print JSON instead of lines')
    verify.set_defaults(run=run_verify)
    add_average(actions)
    add_calibrate(actions)
    add_import(actions)
    add_fetch(actions)


def run_verify(args: argparse.Namespace) -> int:
    """Check the sums of model folders; fail if a file differs, is missing, or has no sum."""
    from folk_ros.resources import find_file, model_folder

    shipped = sorted(path for path in find_file('resource/models').iterdir() if path.is_dir())
    folders = [model_folder(model) for model in args.model] or shipped
    states = {str(path): state for folder in folders for path, state in verify(folder).items()}
    if args.json:
        print(as_json(states))
    else:
        for path, state in states.items():
            print(f'{state:>8}  {path}')
    wrong = [path for path, state in states.items() if state != 'ok']
    if wrong:
        raise CommandFailed(
            f'{len(wrong)} of {len(states)} weight files are not as shipped (first: {wrong[0]}); '
            'install again, or write SHA256SUMS anew if you trained them yourself'
        )
    return 0


def verify(folder: Path) -> dict[Path, str]:
    """Return 'ok', 'altered', 'missing' or 'no sum' for each weight file of a model folder."""
    import hashlib

    if not folder.is_dir():
        raise ValueError(f'{folder}: there is no such model folder')
    sums = folder / 'SHA256SUMS'
    lines = sums.read_text().splitlines() if sums.is_file() else []
    wanted = dict(line.split()[::-1] for line in lines if len(line.split()) == 2)
    states = dict.fromkeys(sorted(folder.glob('*.safetensors')), 'no sum')
    for name, digest in wanted.items():
        path = folder / name
        if not path.is_file():
            states[path] = 'missing'
            continue
        same = hashlib.sha256(path.read_bytes()).hexdigest() == digest
        states[path] = 'ok' if same else 'altered'
    return states
