"""`folk query`: ask a running node over ROS 2, or a scene that was saved."""

from __future__ import annotations

import argparse
from typing import Any

from folk_ros.cli.found import answers_table, by_text, Found
from folk_ros.cli.output import as_json, say


def add_parser(commands: Any) -> None:
    """Add `folk query` to the parser."""
    parser = commands.add_parser(
        'query',
        help='ask a running node, or a saved scene, in free words',
        description='Ask where things are, in free words: a running node over /folk/query, or a '
        'scene that was saved.',
        epilog='Examples: folk query "something to sit on" screen --min-score 0.3; '
        'folk query --scene office.safetensors screen',
    )
    parser.add_argument('texts', nargs='+', metavar='TEXT', help='what to look for')
    parser.add_argument('--min-score', type=float, default=0.0, help='leave out what scores less')
    parser.add_argument('--max-results', type=int, default=0, help='answers at most')
    parser.add_argument(
        '--remember', action='store_true', help='show these words in /folk/markers from now on'
    )
    parser.add_argument('--timeout', type=float, default=10.0, help='seconds (default: 10)')
    parser.add_argument(
        '--scene', metavar='FILE', help='ask a saved scene (.safetensors) instead of a node'
    )
    parser.add_argument(
        '--model', default='', help='with --scene: model folder (default: the shipped one)'
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, print."""
    if args.max_results < 0:
        raise ValueError(f'--max-results: expected 0 (default) or more, got {args.max_results}')
    if args.scene is not None and args.remember:
        raise ValueError('--remember: a saved scene shows nothing; leave --scene or this away')
    answer = ask_file(args) if args.scene is not None else ask_node(args)
    found: list[Found] = answer.pop('found')
    say(answer['message'])
    if args.json:
        print(as_json({**answer, 'found': by_text(found, args.texts)}))
    else:
        print(answers_table(found, args.texts))
    return 0


def ask_node(args: argparse.Namespace) -> dict[str, Any]:
    """Ask a running node; return what is to be printed, the answers as `found`."""
    from folk_ros.cli.peer import Peer

    with Peer('folk_query') as peer:
        peer.wait_for_node(args.timeout)
        response = peer.query(
            args.texts, args.min_score, args.max_results, args.remember, args.timeout
        )
    return {
        'frame_id': response.header.frame_id,
        'scene_id': int(response.scene_id),
        'message': response.message,
        'found': [Found.from_message(instance) for instance in response.instances],
    }


def ask_file(args: argparse.Namespace) -> dict[str, Any]:
    """Ask a saved scene; return what is to be printed, the answers as `found`."""
    from folk_ros.config import FolkConfig, SegmentConfig
    from folk_ros.pipeline import Folk
    from folk_ros.scene_files import load_scene

    saved = load_scene(args.scene)
    folk = Folk.load(args.model, FolkConfig(segment=SegmentConfig(device='cpu')))
    own = folk.student.config.clip
    if saved.clip != own:
        raise ValueError(
            f'{args.scene}: its objects live in CLIP space {saved.clip!r}, the model in {own!r}; '
            'name the model that it was made with (--model)'
        )
    scene = saved.instances
    matches = folk.query(args.texts, args.min_score, args.max_results, scene)
    return {
        'frame_id': saved.frame_id,
        'scene_id': scene.scene_id,
        'message': f'{len(matches)} matches among {len(scene)} objects of {args.scene}',
        'found': [Found.from_match(match, scene, saved.T_answer_scene) for match in matches],
    }
