"""`folk query`: ask a running node over ROS 2."""

from __future__ import annotations

import argparse
from typing import Any

from folk_ros.cli.found import answers_table, by_text, Found
from folk_ros.cli.output import as_json, say


def add_parser(commands: Any) -> None:
    """Add `folk query` to the parser."""
    parser = commands.add_parser(
        'query',
        help='ask a running node in free words',
        description='Ask a running node where things are, in free words, over /folk/query.',
        epilog='Example: folk query "something to sit on" screen --min-score 0.3',
    )
    parser.add_argument('texts', nargs='+', metavar='TEXT', help='what to look for')
    parser.add_argument('--min-score', type=float, default=0.0, help='leave out what scores less')
    parser.add_argument('--max-results', type=int, default=0, help='answers at most')
    parser.add_argument(
        '--remember', action='store_true', help='show these words in /folk/markers from now on'
    )
    parser.add_argument('--timeout', type=float, default=10.0, help='seconds (default: 10)')
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, print."""
    from folk_ros.cli.peer import Peer

    if args.max_results < 0:
        raise ValueError(f'--max-results: expected 0 (default) or more, got {args.max_results}')
    with Peer('folk_query') as peer:
        peer.wait_for_node(args.timeout)
        response = peer.query(
            args.texts, args.min_score, args.max_results, args.remember, args.timeout
        )
    found = [Found.from_message(instance) for instance in response.instances]
    say(response.message)
    if args.json:
        print(
            as_json(
                {
                    'frame_id': response.header.frame_id,
                    'scene_id': int(response.scene_id),
                    'message': response.message,
                    'found': by_text(found, args.texts),
                }
            )
        )
    else:
        print(answers_table(found, args.texts))
    return 0
