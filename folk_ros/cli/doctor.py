"""`folk doctor`: look at everything the program stands on; say what is wrong and what mends it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from folk_ros.cli.doctoring import buffers, computing, discovery, files, packages, robot
from folk_ros.cli.doctoring.finding import Finding, wrong
from folk_ros.cli.output import as_json

Check = Callable[[], Finding]

CHECKS: dict[str, Check] = {
    'python': lambda: packages.judge_python(packages.look_at_python()),
    'packages': lambda: packages.judge_packages(packages.look_at_packages()),
    'torch': lambda: computing.judge_torch(computing.look_at_torch()),
    'open_clip': lambda: packages.judge_clip(packages.look_at_clip()),
    'engine': lambda: computing.judge_engines(computing.look_at_engines()),
    'weights': lambda: files.judge_weights(files.look_at_weights()),
    'disk': lambda: files.judge_places(files.look_at_places()),
    'memory': lambda: files.judge_memory(files.look_at_memory()),
    'ros': lambda: robot.judge_ros(robot.look_at_ros()),
    'rmw': lambda: robot.judge_rmw(robot.look_at_rmw()),
    'discovery': lambda: discovery.judge_discovery(discovery.look_at_discovery()),
    'buffers': lambda: buffers.judge_buffers(buffers.look_at_buffers()),
    'dds': lambda: discovery.judge_trip(discovery.look_at_trip()),
}
WIDTH = max(map(len, CHECKS))


def add_parser(commands: Any) -> None:
    """Add `folk doctor` to the parser."""
    parser = commands.add_parser(
        'doctor',
        help='check the installation, and say what mends it',
        description='Check the installation: each line is ok, a note, or says what is wrong, with '
        'the line to type that mends it.',
        epilog='Example: folk doctor; folk doctor ros rmw dds. The exit code is 1 if something is '
        'wrong; a note works, but not as well as it could.',
    )
    parser.add_argument(
        'checks', nargs='*', metavar='CHECK', help=f'what to check: {", ".join(CHECKS)}; all'
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of lines')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run every check; one that fails does not keep the others from running."""
    unknown = sorted(set(args.checks) - {*CHECKS, 'all'})
    if unknown:
        raise ValueError(f'no check {unknown[0]!r}; there are {", ".join(CHECKS)}')
    names = [n for n in CHECKS if not args.checks or 'all' in args.checks or n in args.checks]
    findings = {}
    for name in names:
        findings[name] = finding = _found(CHECKS[name])
        if not args.json:
            print('\n'.join(lines_of(name, finding)), flush=True)
    bad = [name for name, finding in findings.items() if finding.state == 'wrong']
    if args.json:
        print(as_json({name: _as_dict(finding) for name, finding in findings.items()}))
    elif bad:
        print(f'\n{len(bad)} of {len(names)} checks found something wrong: {", ".join(bad)}')
    return 1 if bad else 0


def lines_of(name: str, finding: Finding) -> list[str]:
    """Return what is printed of a finding: one line, and one to type."""
    state = finding.state.upper() if finding.state == 'wrong' else finding.state
    lines = [f'{state:<5}  {name:<{WIDTH}}  {finding.found}']
    if finding.mend:
        lines.append(f'{"":<5}  {"":<{WIDTH}}  $ {finding.mend}')
    return lines


def _as_dict(finding: Finding) -> dict[str, Any]:
    return {
        'ok': finding.state != 'wrong',
        'state': finding.state,
        'what': finding.found,
        'mend': finding.mend,
    }


def _found(check: Check) -> Finding:
    try:
        return check()
    except (ImportError, OSError, RuntimeError, ValueError, AttributeError) as error:
        return wrong(' '.join(str(error).split()) or type(error).__name__)
