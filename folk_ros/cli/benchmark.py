"""`folk benchmark`: measure what the program promises, and hold it against the bars."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from folk_ros.cli.output import say, write_json

FIGURES = ('decode', 'import', 'query', 'transport', 'memory', 'demo', 'evaluate')


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
    parser.add_argument('--json', metavar='FILE', help='also write the figures to a file')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure what was asked for, print it, write it; 1 if a bar is missed."""
    from folk_ros.cli.benchmarks.bars import missed, report

    wanted = FIGURES if 'all' in args.figures else tuple(dict.fromkeys(args.figures))
    figures: dict[str, float] = {}
    for name in wanted:
        say(f'measuring {name} ...')
        figures.update(_runner(name, args.model)())
    print(report(figures))
    if args.json:
        write_json(args.json, figures)
        say(f'wrote {args.json}')
    return 1 if missed(figures) else 0


def _runner(name: str, model: str) -> Callable[[], dict[str, float]]:
    """Return what measures a group of figures; only its own module is loaded."""
    from folk_ros.cli.benchmarks import (
        decode,
        demo,
        evaluate,
        importing,
        memory,
        query,
        transport,
    )

    return {
        'decode': decode.run,
        'import': importing.run,
        'query': lambda: query.run(model),
        'transport': lambda: transport.run(model),
        'memory': lambda: memory.run(model),
        'demo': lambda: demo.run(model),
        'evaluate': evaluate.run,
    }[name]
