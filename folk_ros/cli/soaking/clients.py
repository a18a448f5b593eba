"""Fifty clients that ask at once while clouds come in: lost, mixed up or late answers, memory."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
import json
from pathlib import Path
import sys
import time
from typing import Any

from folk_ros.cli.node_process import NodeProcess
from folk_ros.cli.output import CommandFailed, Progress
from folk_ros.cli.soaking.cases import TOPIC
from folk_ros.cli.soaking.live import Live
from folk_ros.cli.soaking.tally import P99_MS, Tally

MODULE = 'folk_ros.cli.soaking'
PROCESSES = 2
CLOUD_HZ = 5.0
START_S, END_S = 120.0, 60.0
SAMPLE_S = 1.0
WARM_UP_S = 60.0  # until the node has taken what memory it needs for clouds of this size


@dataclass(frozen=True)
class Load:
    """What the node has to bear."""

    seconds: float
    clients: int = 50
    rate_hz: float = 2.0  # questions a second, each client
    points: int = 100_000  # of each cloud
    lost_s: float = 5.0  # an answer that takes longer is lost


def run(live: Live, load: Load) -> Tally:
    """Let the clients ask for so long; count what came back."""
    clients, seconds = load.clients, load.seconds
    tally = Tally(f'{clients} clients, clouds at {CLOUD_HZ:g} Hz', timed=True, steady=True)
    shares = [clients // PROCESSES + (n < clients % PROCESSES) for n in range(PROCESSES)]
    with ExitStack() as stack:
        stack.enter_context(player(live.folder, load.points))
        paths, first = [], 0
        for share in filter(None, shares):
            path = live.folder / f'clients_{first}.json'
            words = (first, share, seconds, load.rate_hz, load.lost_s, path)
            command = [sys.executable, '-m', f'{MODULE}.asking', *map(str, words)]
            stack.enter_context(NodeProcess(command, path.with_suffix('.log')))
            paths.append(path)
            first += share
        _wait(paths, '.ready', START_S)
        _sample(live, tally, seconds)
        _wait(paths, '', END_S)
    for path in paths:
        _count(tally, json.loads(path.read_text()))
    live.check(tally, 'afterwards')
    return tally


def player(folder: Path, points: int) -> NodeProcess:
    """Return the process that plays clouds."""
    command = [sys.executable, '-m', f'{MODULE}.playing', TOPIC, str(points), str(CLOUD_HZ)]
    return NodeProcess(command, folder / 'player.log')


def _wait(paths: list[Path], suffix: str, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not all(Path(f'{path}{suffix}').exists() for path in paths):
        if time.monotonic() > deadline:
            said = ' / '.join(path.with_suffix('.log').read_text()[-500:] for path in paths)
            raise CommandFailed(f'the clients did not come to an end: {said}')
        time.sleep(0.1)


def _sample(live: Live, tally: Tally, seconds: float) -> None:
    """Look at the memory of the node once a second, after its warm-up."""
    progress, begin = Progress('seconds', int(seconds)), time.monotonic()
    warm = begin + min(WARM_UP_S, seconds / 4)
    while time.monotonic() < begin + seconds:
        live.peer.rest(SAMPLE_S)
        if time.monotonic() >= warm:
            tally.memory_mb.append(live.resident_mb())
        progress.step()


def _count(tally: Tally, figures: dict[str, Any]) -> None:
    tally.cases += figures['asked']
    tally.lost += figures['lost']
    tally.wrong += len(figures['wrong']) + figures['strays']
    tally.milliseconds += figures['milliseconds']
    tally.late += sum(ms > P99_MS for ms in figures['milliseconds'])
    for said in figures['wrong']:
        tally.note(said)
    if figures['strays']:
        tally.note(f'{figures["strays"]} answers came twice, or after they were given up')
