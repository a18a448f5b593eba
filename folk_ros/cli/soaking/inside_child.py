"""
The process in which a node is fed by hand: it tells its parent of each case, so that one can die.

    python -m folk_ros.cli.soaking.inside_child SEED FIRST LAST POINTS [MODEL]

On standard output stands a line of JSON before each case and one after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import json
from pathlib import Path
import sys
from typing import Any

from folk_ros.cli.soaking.cases import case, GRAPH
from folk_ros.cli.soaking.inside import Inside
from folk_ros.cli.soaking.tally import HANG_S
from folk_ros.cli.soaking.truth import TEXTS, Truth
from folk_ros.config import FolkConfig
from folk_ros.ros import runtime
from folk_ros.ros.model import load_folk

BATCH = 250  # cases from one check with a good cloud to the next
MAX_SAID = 300
AGAIN = 2


def main(arguments: Sequence[str], loader: Callable[[FolkConfig], Any] = load_folk) -> None:
    """Throw the cases and tell of each."""
    seed, first, last, points = map(int, arguments[:4])
    runtime.init(args=['--ros-args', '-p', f'model:={arguments[4]}'] if arguments[4:] else [])
    truth = Truth(points)
    with Inside(loader) as inside:
        _tell('check', first, wrong=check(inside, truth))
        for number in range(first, last):
            _throw(inside, seed, number)
            if number % BATCH == BATCH - 1 or number == last - 1:
                _tell('check', number, wrong=check(inside, truth))
    runtime.try_shutdown()


def _throw(inside: Inside, seed: int, number: int) -> None:
    thrown = case(seed, number)
    _tell('begin', number, kind=thrown.kind)
    if thrown.target == GRAPH:  # is not fed by hand
        _tell('end', number, what='left out', seconds=0.0, said='')
        return
    outcome = inside.run(thrown)
    seconds = outcome.seconds
    for _ in range(AGAIN):  # torch's threads may have waited for the processor, not this one
        if seconds > HANG_S:
            seconds = min(seconds, inside.run(thrown).seconds)
    said = outcome.said[:MAX_SAID]
    _tell('end', number, what=outcome.what, seconds=seconds, said=said)


def check(inside: Inside, truth: Truth) -> str:
    """Show a good cloud and ask; say what is wrong with the answer."""
    payload, stamp = truth.payload()
    inside.show(payload)
    return truth.judge(inside.ask(TEXTS), stamp)


def _tell(event: str, number: int, **told: Any) -> None:
    memory = _resident_mb() if event == 'check' else 0.0
    print(json.dumps({'event': event, 'number': number, 'mb': memory, **told}), flush=True)


def _resident_mb() -> float:
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == '__main__':
    main(sys.argv[1:])
