"""Peers that come and go, are killed in the middle, or bear the node's own name."""

from __future__ import annotations

import os
import signal
import sys
import time

from folk_ros.cli.node_process import NodeProcess
from folk_ros.cli.peer import qos
from folk_ros.cli.soaking import clients
from folk_ros.cli.soaking.asking import words
from folk_ros.cli.soaking.cases import CLOUD_TYPE, QUERY, TOPIC
from folk_ros.cli.soaking.live import Live
from folk_ros.cli.soaking.tally import Tally
from folk_ros.cli.soaking.truth import TEXTS
from folk_ros.ros import runtime

CLIENTS_EACH = 5
SHORT_RATE_HZ = 20.0
SMALL_CLOUD = 2000  # points
PINGS = 20
QUALITIES = ('reliable', 'sensor_data', 'latched')
STAYS_EACH, STAYS_S = 18, 2.5


def passing(live: Live, rounds: int) -> Tally:
    """Let publishers of every quality and clients come, say one thing and go, most at once."""
    tally = Tally('peers that come and go')
    node, service = live.peer.node, runtime.service('folk_ros/srv/Query')
    for number in range(rounds):
        quality = qos(QUALITIES[number % len(QUALITIES)])
        publisher = node.create_publisher(runtime.message(CLOUD_TYPE), TOPIC, quality)
        client = node.create_client(service, QUERY)
        live.peer.rest(0.0 if number % 2 else 0.05)
        payload, _ = live.truth.payload()
        publisher.publish(payload[: 400 if number % 4 else None])
        client.call_async(service.Request(texts=[words(number)]))
        if number % STAYS_EACH == 1:  # so long that the node subscribes as suits it, too
            live.peer.rest(STAYS_S)
        node.destroy_publisher(publisher)
        node.destroy_client(client)
        tally.cases += 1
        live.ping(tally, f'round {number}')
    live.check(tally, 'at the end')
    return tally


def killed(live: Live, rounds: int) -> Tally:
    """Kill publishers and clients in the middle of what they do."""
    tally = Tally('peers that are killed')
    for number in range(rounds):
        path = live.folder / f'killed_{number}.json'
        arguments = (str(CLIENTS_EACH * number), str(CLIENTS_EACH), '600', str(SHORT_RATE_HZ), '5')
        module = f'{clients.MODULE}.asking'
        asking = NodeProcess(
            [sys.executable, '-m', module, *arguments, str(path)], path.with_suffix('.log')
        )
        with asking, clients.player(live.folder, SMALL_CLOUD) as playing:
            deadline = time.monotonic() + clients.START_S
            while not path.with_suffix('.json.ready').exists() and time.monotonic() < deadline:
                live.ping(tally, f'round {number}, before')
            for process in (playing, asking):
                live.ping(tally, f'round {number}, with them')
                os.kill(process.pid, signal.SIGKILL)
                tally.cases += 1
            for _ in range(PINGS):  # DDS holds the dead for alive until their lease is over
                live.ping(tally, f'round {number}, after')
                live.peer.rest(0.05)
        live.check(tally, f'after round {number}')
    return tally


def twins(live: Live) -> Tally:
    """Start a second node of the same name, ask both at once, and kill it."""
    tally = Tally('two nodes of one name')
    twin = NodeProcess(live.command, live.folder / 'twin.log')
    answered = live.peer.node.count_publishers('/folk/instances')
    with twin:
        live.peer.wait_until(
            lambda: live.peer.node.count_publishers('/folk/instances') > answered, 60.0
        )
        for number in range(PINGS):
            response = live.ask([words(number)])
            tally.cases += 1
            tally.lost += response is None
            if response is not None and {item.text for item in response.instances} - {
                words(number)
            }:
                tally.wrong += 1
                tally.note(f'{words(number)!r} was asked: {response.message}')
            live.peer.rest(0.05)
        os.kill(twin.pid, signal.SIGKILL)
    said = any('another node named' in line for line in live.log_lines())
    tally.refused += said
    if not said:
        tally.unsaid += 1
        tally.note('the node does not say that there is another of its name')
    live.ping(tally, f'{TEXTS[0]!r} after the other was killed')
    live.check(tally, 'at the end')
    return tally
