"""
The command `folk`: choose a subcommand, turn what goes wrong into one line and an exit code.

Exit codes: 0 it worked, 1 it failed, 2 the command or its input was wrong, 130 interrupted.
Command modules import what is heavy inside their functions, so that `--help` is instant.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import os
import sys

from folk_ros import __version__
from folk_ros.cli import (
    benchmark,
    demo,
    distill,
    doctor,
    evaluate,
    node,
    nvblox,
    play,
    query,
    record,
    scenes,
    segment,
    soak,
    teach,
    train_masks,
    weights,
)
from folk_ros.cli.output import CommandFailed

COMMANDS = (
    *(demo, segment, node, query, play, nvblox),  # use
    *(record, scenes, train_masks, teach, distill, evaluate),  # teach
    *(benchmark, soak, weights, doctor),  # check
)
# Read when numpy and torch are loaded, here and in the node that a command starts. Threads that
# wait by spinning take the processor from each other where anything else runs: on two busy cores
# a cloud took 15 to 60 s instead of 0.8 s, and a matrix product of 0.1 ms took 16 ms.
CALM_THREADS = {'OMP_WAIT_POLICY': 'PASSIVE', 'OPENBLAS_NUM_THREADS': '1'}
OK, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of `folk` with every subcommand."""
    parser = argparse.ArgumentParser(
        prog='folk',
        description='Fused point clouds in, named 3D instances out, for free words.',
        epilog='First steps: folk demo, then folk segment room.ply --query "something to sit on"',
    )
    parser.add_argument('--version', action='version', version=f'folk_ros {__version__}')
    parser.add_argument(
        '--traceback', action='store_true', help='show where an error comes from, for bug reports'
    )
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    for module in COMMANDS:
        module.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `folk` with arguments (those of the process by default); return the exit code."""
    try:
        args = build_parser().parse_args(argv)  # prints, for --help
        return _run(args)
    except KeyboardInterrupt:
        print('folk: interrupted', file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def _run(args: argparse.Namespace) -> int:
    """Run the command that was chosen; what goes wrong becomes one line and an exit code."""
    for name, value in CALM_THREADS.items():
        os.environ.setdefault(name, value)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        raise
    except (ValueError, FileNotFoundError) as error:
        return _explain(args, error, WRONG_INPUT)
    except (CommandFailed, RuntimeError, OSError, ImportError) as error:
        return _explain(args, error, FAILED)


def _explain(args: argparse.Namespace, error: Exception, code: int) -> int:
    if args.traceback:
        raise error
    message = ' '.join(str(error).split()) or type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        message = f'{message}; folk doctor gives the line that installs what is missing'
    print(f'folk: {message}', file=sys.stderr)
    return code
