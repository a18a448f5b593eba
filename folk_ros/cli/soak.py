"""`folk soak`: ill-treat a running node, count what comes of it, and hold it against the bars."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import sys
import tempfile
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import say, write_json

if TYPE_CHECKING:
    from folk_ros.cli.soaking.live import Live
    from folk_ros.cli.soaking.tally import Tally

PARTS = (
    'hand',
    'wire',
    'clients',
    'passing',
    'killed',
    'twins',
    'huge',
    'disk',
    'model',
    'time',
    'memory',
)
POINTS = 20_000  # of the good cloud that is shown after each fault
WIRE_SHARE = 0.2  # of the cases, over DDS; the others by hand, which is faster


def add_parser(commands: Any) -> None:
    """Add `folk soak` to the parser."""
    parser = commands.add_parser(
        'soak',
        help='ill-treat a node and see that it survives',
        description='Start a node on this machine alone and throw at it what goes wrong on robots:'
        ' malformed messages, many clients, killed peers, full disks, jumps of time. Print what '
        'came of it; the exit code is 1 if a bar is missed.',
        epilog='Examples: folk soak; folk soak --only wire --cases 1000; folk soak --only clients '
        '--minutes 1 --json soak.json. Leave the machine quiet meanwhile.',
    )
    parser.add_argument(
        '--only',
        nargs='+',
        choices=PARTS,
        default=list(PARTS),
        metavar='PART',
        help=', '.join(PARTS),
    )
    parser.add_argument('--cases', type=int, default=23_000, help='malformed messages made')
    parser.add_argument('--seed', type=int, default=1, help='of the malformed messages')
    parser.add_argument(
        '--minutes', type=float, default=11.0, help='of questions; one is to warm up'
    )
    parser.add_argument('--clients', type=int, default=50, help='that ask at once')
    parser.add_argument('--rate', type=float, default=2.0, help='questions a second, each client')
    parser.add_argument('--points', type=int, default=100_000, help='of the clouds then played')
    parser.add_argument('--rounds', type=int, default=100, help='of peers that come and go')
    parser.add_argument('--model', default='', help='model folder (default: the shipped one)')
    parser.add_argument('--logs', metavar='DIR', help='keep the logs of all processes there')
    parser.add_argument('--json', metavar='FILE', help='also write the figures to a file')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked for, print it, write it; 1 if a bar is missed."""
    from folk_ros.cli.node_process import orderly_end
    from folk_ros.cli.soaking.tally import report

    if min(args.cases, args.clients, args.rounds, args.points) < 1 or args.minutes <= 0:
        raise ValueError('--cases, --clients, --rounds, --points, --minutes: expected more than 0')
    with tempfile.TemporaryDirectory() as name, orderly_end(), settled_here():
        folder = Path(args.logs or name)
        folder.mkdir(parents=True, exist_ok=True)
        tallies = soak(args, folder)
    print(report(tallies))
    if args.json:
        write_json(args.json, [tally.figures() for tally in tallies])
        say(f'wrote {args.json}')
    return 1 if any(tally.missed() for tally in tallies) else 0


@contextmanager
def settled_here() -> Iterator[None]:
    """Keep to this machine, on a domain of its own; for the processes that are started, too."""
    from folk_ros.cli.domain import own_domain

    os.environ['FOLK_ROS_RUNTIME'] = 'embedded'
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    with own_domain():
        yield


def soak(args: argparse.Namespace, folder: Path) -> list[Tally]:
    """Run the parts one after another."""
    from folk_ros.cli.node_process import node_command
    from folk_ros.cli.soaking.cases import TOPIC
    from folk_ros.cli.soaking.live import Live
    from folk_ros.cli.soaking.truth import Truth

    model, scenes = folder / 'model', folder / 'scenes'
    copy_model(args.model, model)
    scenes.mkdir(exist_ok=True)
    wire = round(args.cases * WIRE_SHARE) if 'hand' in args.only else args.cases
    tallies: list[Tally] = []
    if 'hand' in args.only:
        say('malformed messages, by hand ...')
        hand = args.cases - wire if 'wire' in args.only else args.cases
        tallies += by_hand(args, model, folder, range(hand))
    parts = live_parts(args, scenes, model, range(args.cases - wire, args.cases))
    if set(args.only) <= {'hand'}:
        return tallies
    command = [*node_command(TOPIC, str(model)), '-p', f'scene_folder:={scenes}']
    with Live(command, folder, Truth(POINTS)) as live:
        for name in PARTS:
            if name in args.only and name in parts:
                say(f'{name} ...')
                tallies.append(parts[name](live))
    return tallies


def by_hand(args: argparse.Namespace, model: Path, folder: Path, numbers: range) -> list[Tally]:
    """Throw cases at a node in a child process."""
    from folk_ros.cli.soaking import by_hand as hand

    child = [sys.executable, '-m', 'folk_ros.cli.soaking.inside_child']
    log = folder / 'by_hand.log'
    return hand.run(child, [str(args.seed), str(POINTS), str(model)], numbers, log)


def live_parts(
    args: argparse.Namespace, scenes: Path, model: Path, numbers: range
) -> dict[str, Callable[[Live], Tally]]:
    """Return what is done to a live node, by name."""
    from folk_ros.cli.soaking import clients, huge, machine, over_wire, peers
    from folk_ros.student.weights import STUDENT_FILE

    load = clients.Load(60 * args.minutes, args.clients, args.rate, args.points)
    return {
        'wire': lambda live: over_wire.run(live, args.seed, numbers),
        'clients': lambda live: clients.run(live, load),
        'passing': lambda live: peers.passing(live, args.rounds),
        'killed': lambda live: peers.killed(live, max(1, args.rounds // 25)),
        'twins': peers.twins,
        'huge': huge.huge_clouds,
        'disk': lambda live: machine.full_disk(live, scenes),
        'model': lambda live: machine.other_model(live, model / STUDENT_FILE),
        'time': machine.time_jumps,
        'memory': machine.no_memory,
    }


def copy_model(model: str, folder: Path) -> None:
    """Copy a model folder, so that its files can be spoilt."""
    from folk_ros.resources import model_folder

    shutil.copytree(model_folder(model), folder, dirs_exist_ok=True)
