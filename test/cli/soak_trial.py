"""Parts of `folk soak` on a node of no network, which can be broken on purpose; prints JSON."""

import json
import os
from pathlib import Path
import sys
import tempfile
import time

from colour_folk import ColourFolk

from folk_ros.cli import soak
from folk_ros.cli.soaking import by_hand, clients, inside_child, machine, over_wire, peers
from folk_ros.cli.soaking.live import Live
from folk_ros.cli.soaking.truth import Truth
from folk_ros.ros import node
from folk_ros.ros.embedded import services

HERE = Path(__file__).resolve()
FAULT = os.environ.get('SOAK_FAULT', '')
POINTS = 5000


class BrokenFolk(ColourFolk):
    """Goes wrong at cases whose clouds are used; from some case on it sees half of each cloud."""

    number = -1  # of the case

    def segment(self, cloud):
        if FAULT and self.number == 37:
            raise KeyError('a bug')
        if FAULT and self.number == 98:
            os._exit(7)
        if FAULT and self.number == 151:
            time.sleep(60)
        if FAULT and self.number > 200:
            cloud = cloud.select(cloud.xyz[:, 0] < cloud.xyz[:, 0].mean())
        return super().segment(cloud)


def child(arguments):
    """Throw cases, and let the network know their numbers."""
    make = inside_child.case

    def case(seed, number):
        BrokenFolk.number = number
        return make(seed, number)

    inside_child.case = case
    inside_child.main(arguments, BrokenFolk)


def lose_or_mix():
    """Break the sending of replies: some are lost, some are those of the question before."""
    send, last, count = services.send, [], iter(range(10**9))

    def broken(writer, identity, response):
        turn = next(count)
        if turn % 7 == 6 and last:
            response = last[-1]
        last[:] = [response]
        return turn % 5 == 4 or send(writer, identity, response)

    services.send = broken


def live(part, folder):
    command = [sys.executable, str(HERE), 'node', '--ros-args', '-p', 'cloud_topics:=[/cloud]']
    scenes = folder / 'scenes'
    scenes.mkdir()
    command += ['-p', f'scene_folder:={scenes}']
    with Live(command, folder, Truth(POINTS)) as running:
        load = clients.Load(1.5, clients=10, rate_hz=4.0, points=POINTS, lost_s=1.0)
        if part == 'clients':
            return [clients.run(running, load)]
        return [
            clients.run(running, load),
            over_wire.run(running, 1, range(100)),
            peers.passing(running, 6),
            machine.full_disk(running, scenes),
        ]


def main(part, *arguments):
    if part == 'child':
        child(arguments)
    elif part == 'node':
        if FAULT:
            lose_or_mix()
        node.main(list(arguments), ColourFolk)
    else:
        with tempfile.TemporaryDirectory() as name, soak.settled_here():
            if part == 'hand':
                by_hand.DEAD_S = 4.0
                command = [sys.executable, str(HERE), 'child']
                numbers = range(int(arguments[0]))
                log = Path(name) / 'log'
                tallies = by_hand.run(command, ['1', str(POINTS)], numbers, log)
            else:
                tallies = live(part, Path(name))
        sys.stdout.write(json.dumps([tally.figures() for tally in tallies]))


if __name__ == '__main__':
    main(*sys.argv[1:])
