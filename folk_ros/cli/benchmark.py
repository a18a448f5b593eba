"""`folk benchmark`: measure what the program promises, and hold it against the bars."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from folk_ros.cli.output import say, write_json

FIGURES = (
    'decode',
    'import',
    'query',
    'transport',
    'memory',
    'demo',
    'evaluate',
    'scenes',
    'student',
    'segment',
    'engines',
    'identity',
    'incremental',
    'teacher',
    'warmup',
)


def add_parser(commands: Any) -> None:
    """Add `folk benchmark` to the parser."""
    parser = commands.add_parser(
        'benchmark',
        help='measure speed and memory against the bars',
        description='Measure speed and memory; print each figure beside the bar it must clear.',
        epilog='Example: folk benchmark decode query --json figures.json. '
        'The exit code is 1 if a bar is missed. Leave the machine quiet meanwhile.',
    )
    parser.add_argument(
        'figures', nargs='+', choices=(*FIGURES, 'all'), metavar='FIGURE', help=', '.join(FIGURES)
    )
    parser.add_argument('--model', default='', help='model folder (default: the shipped one)')
    parser.add_argument(
        '--scans', metavar='DIR', help='labelled scans of the OSD, which `student` is scored on'
    )
    parser.add_argument(
        '--fold',
        metavar='K/N',
        default='0/1',
        help='score on each Nth scan from number K on, for cross-validation (default: all)',
    )
    parser.add_argument(
        '--folds',
        nargs='+',
        metavar='MODEL',
        help='students of cross-validation in place of --model: number K of N is scored on each '
        'Nth scan from K on',
    )
    parser.add_argument('--json', metavar='FILE', help='also write the figures to a file')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure what was asked for, print it, write it; 1 if a bar is missed."""
    from folk_ros.cli.benchmarks.bars import missed, report

    wanted = FIGURES if 'all' in args.figures else tuple(dict.fromkeys(args.figures))
    if 'all' in args.figures and not args.scans:
        wanted = tuple(name for name in wanted if name != 'student')
    figures: dict[str, float] = {}
    for name in wanted:
        say(f'measuring {name} ...')
        figures.update(_runner(name, args)())
    print(report(figures))
    if args.json:
        write_json(args.json, figures)
        say(f'wrote {args.json}')
    return 1 if missed(figures) else 0


def _runner(name: str, args: argparse.Namespace) -> Callable[[], dict[str, float]]:
    """Return what measures a group of figures; only its own module is loaded."""
    model = args.model
    from folk_ros.cli.benchmarks import (
        decode,
        demo,
        engines,
        evaluate,
        identity,
        importing,
        incremental,
        memory,
        query,
        scans,
        scenes,
        segment,
        teacher,
        transport,
        warmup,
    )

    return {
        'decode': decode.run,
        'import': importing.run,
        'query': lambda: query.run(model),
        'transport': lambda: transport.run(model),
        'memory': lambda: memory.run(model),
        'demo': lambda: demo.run(model),
        'scenes': scenes.run,
        'student': lambda: scans.run(scans.chosen(args.scans, args.fold, args.folds or (model,))),
        'segment': lambda: segment.run(model),
        'evaluate': evaluate.run,
        'engines': engines.run,
        'identity': lambda: identity.run(model),
        'incremental': lambda: incremental.run(model),
        'teacher': lambda: teacher.run(model),
        'warmup': lambda: warmup.run(model),
    }[name]
