"""`folk demo`: the whole program on a shipped room, over DDS between two processes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
import os
from pathlib import Path
import time
from typing import Any, TYPE_CHECKING

from folk_ros.cli.found import answers_table, by_text, Found
from folk_ros.cli.output import as_json, CommandFailed, say, write_json

if TYPE_CHECKING:
    from folk_ros.cli.demo_room import DemoRoom
    from folk_ros.cli.listener import Heard
    from folk_ros.cli.peer import Peer

START_S = 60.0  # for the node to come up, on a slow machine
SEGMENT_S = 180.0  # for the model to load and the first scene to come
TOPIC = '/cloud'
UNSURE = 0.35  # a best name of lower probability is drawn with a question mark


def add_parser(commands: Any) -> None:
    """Add `folk demo` to the parser."""
    parser = commands.add_parser(
        'demo',
        help='run everything once on a shipped room',
        description='Start the node, play it the shipped room, ask three questions over DDS.',
        epilog='Example: folk demo --out folk_demo. It writes overview.png, answers.json and '
        'node.log. With --stay: other terminals can use folk query and folk play.',
    )
    parser.add_argument('--out', default='folk_demo', help='folder to write to (./folk_demo)')
    parser.add_argument('--model', default='', help='model folder (default: the shipped one)')
    parser.add_argument('--stay', action='store_true', help='keep the node running until Ctrl-C')
    parser.add_argument('--json', action='store_true', help='print answers.json, no tables')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start the node, play, ask, print, write."""
    start = time.perf_counter()
    # Any distribution's rclpy may lie on the path; the demo shows what comes with pip.
    os.environ.setdefault('FOLK_ROS_RUNTIME', 'embedded')
    from folk_ros.cli.demo_room import load_demo_room
    from folk_ros.cli.node_process import node_command, NodeProcess, orderly_end
    from folk_ros.cli.peer import Peer

    room = load_demo_room()
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    log = out / 'node.log'
    with orderly_end(), domain(args.stay) as number:
        say(f'starting the node on ROS_DOMAIN_ID {number}; its log is {log}')
        with (
            NodeProcess(node_command(TOPIC, args.model), log) as node,
            Peer('folk_demo', alive=node.check) as peer,
        ):
            heard = play(peer, room)
            found = ask(peer, room)
            answers = report(room, heard, found, out, start)
            if args.json:
                print(as_json(answers))
            else:
                show(room, heard, found, answers, out)
            if args.stay:
                stay(peer)
    return 0


@contextmanager
def domain(stay: bool) -> Iterator[str]:
    """Choose the user's ROS_DOMAIN_ID, or 0 where others shall find the node, or a free one."""
    from folk_ros.cli.domain import own_domain

    if stay:
        os.environ.setdefault('ROS_DOMAIN_ID', '0')
    if 'ROS_DOMAIN_ID' in os.environ:
        yield os.environ['ROS_DOMAIN_ID']
        return
    with own_domain() as number:
        yield str(number)


def play(peer: Peer, room: DemoRoom) -> Heard:
    """Publish the room once, to be had until it was heard; wait for what the node says of it."""
    from dataclasses import replace

    from folk_ros.cli.listener import Heard
    from folk_ros.cli.peer import cloud_message

    heard = Heard(peer)
    peer.heed_failures()
    peer.wait_for_node(START_S)
    if not peer.wait_until(heard.connected, START_S):
        raise CommandFailed('the node came up, but does not publish /folk/segmented_cloud')
    message = cloud_message(replace(room.cloud, frame_id='map', stamp_ns=peer.now_ns()))
    publisher = peer.cloud_publisher(TOPIC, 'latched')
    say(f'playing a room of {len(room.cloud):,} points to {TOPIC}')
    publisher.publish(message)
    if not peer.wait_until(heard.complete, SEGMENT_S):
        raise CommandFailed(f'no scene came within {SEGMENT_S:g} s; see the log of the node')
    peer.node.destroy_publisher(publisher)  # or the room would come again after others' clouds
    return heard


def ask(peer: Peer, room: DemoRoom) -> list[Found]:
    """Ask the room's questions, one at a time, as a user would."""
    found: list[Found] = []
    for question in room.questions:
        say(f'asking /folk/query: "{question}"')
        response = peer.query([question], timeout_s=30.0)
        found += [Found.from_message(instance) for instance in response.instances]
    return found


def report(
    room: DemoRoom, heard: Heard, found: list[Found], out: Path, start: float
) -> dict[str, Any]:
    """Score the scene, draw it, and write answers.json; returns what was written."""
    from folk_ros.cli.demo_room import count_named_right
    from folk_ros.draw import draw_overview

    names = {item.id: item.text for item in heard.objects()}
    right, lines = count_named_right(room, heard.point_ids(len(room.cloud)), names)
    scene = heard.scene(len(room.cloud))
    doubtful = {item.id for item in heard.objects() if item.score < UNSURE}
    labels = [names[int(one)] + '?' * (int(one) in doubtful) for one in scene.ids]
    draw_overview(room.cloud, scene, labels, out / 'overview.png', 'What folk found in the room')
    answers = {
        'objects': len(room.objects()),
        'named_right': right,
        'reported': len(names),
        'seconds': time.perf_counter() - start,
        'answers': by_text(found, room.questions),
        'truth': lines,
    }
    write_json(out / 'answers.json', answers)
    return answers


def show(
    room: DemoRoom, heard: Heard, found: list[Found], answers: dict[str, Any], out: Path
) -> None:
    """Print what a person wants to see."""
    print('\nEvery object, by its best name:\n')
    print(answers_table(sorted(heard.objects(), key=lambda item: item.text)))
    print('\nThree questions in free words:\n')
    print(answers_table(found, room.questions))
    print(
        f'\n{answers["named_right"]} of the {answers["objects"]} largest objects found and named '
        f'right ({answers["reported"]} reported), in {answers["seconds"]:.1f} s.\n'
        f'Picture: {out / "overview.png"}'
    )


def stay(peer: Peer) -> None:
    """Keep the node up until the user ends it."""
    domain = os.environ['ROS_DOMAIN_ID']
    prefix = f'ROS_DOMAIN_ID={domain} ' if domain != '0' else ''
    say(
        '\nThe node keeps running. In other terminals:\n'
        f'  {prefix}folk query "something to sit on"\n'
        f'  {prefix}folk play FILE.ply\n'
        'Ctrl-C ends it.'
    )
    with suppress(KeyboardInterrupt):
        while True:
            peer.rest(60.0)
