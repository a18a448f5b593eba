"""
Several clients of /folk/query in one process, each with endpoints and an identity of its own.

    python -m folk_ros.cli.soaking.asking FIRST COUNT SECONDS RATE_HZ LOST_S FILE

Every client has its own writer, reader and client id, as a client in a process of its own has, and
asks for its own words at its own times. The process is light, so that it does not measure itself:
requests are laid out beforehand, arrivals are timed where DDS hands them over, and answers are
read when the time is over. FILE gets the figures; FILE.ready is made before the first question.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import sys
import time
from typing import Any

import numpy as np

from folk_ros.cli.output import write_json
from folk_ros.cli.soaking.cases import QUERY
from folk_ros.cli.soaking.truth import MIN_SCORE
from folk_ros.ros import runtime
from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.messages import interfaces
from folk_ros.ros.embedded.qos import services_default
from folk_ros.ros.embedded.service_wire import (
    create_halves,
    IDENTITY,
    PREFIX,
    send,
    split_identity,
)

START_S = 60.0
FIRST = ('red', 'blue', 'old', 'wooden', 'small', 'large', 'white', 'open', 'broken', 'soft')
SECOND = ('chair', 'table', 'lamp', 'door', 'box')


def words(number: int) -> str:
    """Return the text of a client: no other one of fifty has it."""
    return f'{FIRST[number % len(FIRST)]} {SECOND[number // len(FIRST) % len(SECOND)]}'


class Asker:
    """One client: asks, and keeps what comes back."""

    def __init__(self, node: Any, number: int, lost_s: float) -> None:
        self.text, self._lost_s = words(number), lost_s
        kind = runtime.service('folk_ros/srv/Query')
        self._request = kind.Request(texts=[self.text], min_score=MIN_SCORE, max_results=1)
        self.writer, self.reader = create_halves(node, kind, QUERY, services_default(), 'clientid')
        self.number = self.uncounted = self.lost = self.strays = 0
        self.milliseconds: list[float] = []
        self.replies: list[memoryview] = []
        self._begin: float | None = None  # of the question that is open
        node.context.waiter.attach(self.reader, cyclone.DATA_AVAILABLE, self._on_reply)

    @property
    def waits(self) -> bool:
        """Whether a question is open."""
        return self._begin is not None

    def ready(self) -> bool:
        """Whether the node is there."""
        return bool(self.writer.matched() and self.reader.matched())

    def ask(self) -> None:
        """Ask, unless a question is still open; give that up when it is lost."""
        if self._begin is not None and time.perf_counter() - self._begin < self._lost_s:
            return
        self.lost += self._begin is not None
        self.number += 1
        self._begin = time.perf_counter()
        send(self.writer, (self.writer.handle, self.number), self._request)

    def forget(self) -> None:
        """Begin to count anew; the numbers of questions go on."""
        self.uncounted = self.number
        self.lost = self.strays = 0
        self.milliseconds.clear()
        self.replies.clear()

    def finish(self) -> None:
        """Count an open question as lost."""
        self.lost += self._begin is not None
        self._begin = None

    def _on_reply(self, _statuses: int) -> None:
        now = time.perf_counter()
        while sample := self.reader.take():
            if len(sample.payload) <= PREFIX:
                continue
            writer, number = IDENTITY.unpack_from(sample.payload, 4)
            if writer != self.writer.handle:
                continue  # to another client: every reply passes by every reader
            if number != self.number or self._begin is None:
                self.strays += 1  # twice, or long after it was given up
                continue
            self.milliseconds.append(1e3 * (now - self._begin))
            self._begin = None
            self.replies.append(split_identity(sample)[1])

    def wrong(self) -> list[str]:
        """Read the answers; say what is wrong with each that is."""
        found = []
        for reply in self.replies:
            response: Any = interfaces().decode(reply, 'folk_ros/srv/Query_Response')
            texts = {item.text for item in response.instances}
            if not response.success or texts - {self.text}:
                found.append(f'{self.text!r}: {response.message} {sorted(texts)}')
            elif not texts and repr(self.text) not in response.message:
                found.append(f'{self.text!r}: {response.message}')
        return found


def main(arguments: Sequence[str]) -> None:
    """Ask for so long, then write what came of it."""
    first, count = int(arguments[0]), int(arguments[1])
    seconds, rate, lost_s = map(float, arguments[2:5])
    path = Path(arguments[5])
    runtime.init(args=[])
    node = runtime.Node(f'soak_clients_{first}', start_parameter_services=False)
    askers = [Asker(node, first + number, lost_s) for number in range(count)]
    _warm_up(askers)
    Path(f'{path}.ready').touch()
    _ask_by_timetable(askers, seconds, rate, first)
    _await(askers, lost_s)
    wrong = [said for asker in askers for said in asker.wrong()]
    figures = {
        'asked': sum(asker.number - asker.uncounted for asker in askers),
        'lost': sum(asker.lost for asker in askers),
        'strays': sum(asker.strays for asker in askers),
        'wrong': wrong,
        'milliseconds': [ms for asker in askers for ms in asker.milliseconds],
    }
    write_json(path, figures)
    node.destroy_node()
    runtime.try_shutdown()


def _warm_up(askers: Sequence[Asker]) -> None:
    """Ask each text once, so that it is known; these answers are not counted."""
    deadline = time.monotonic() + START_S
    while not all(asker.ready() for asker in askers) and time.monotonic() < deadline:
        time.sleep(0.05)
    while not all(asker.milliseconds for asker in askers) and time.monotonic() < deadline:
        for asker in askers:
            if not asker.milliseconds:
                asker.ask()
        time.sleep(0.05)
    for asker in askers:
        asker.forget()


def _ask_by_timetable(askers: Sequence[Asker], seconds: float, rate: float, seed: int) -> None:
    """Let each client ask about `rate` times a second, at times of its own."""
    rng = np.random.default_rng(seed)
    begin = time.perf_counter()
    turns = max(1, round(seconds * rate))
    due = (np.arange(turns) + rng.random((len(askers), turns))) / rate  # [clients, turns], s
    for index in np.argsort(due, axis=None):
        who, turn = divmod(int(index), turns)
        left = begin + float(due[who, turn]) - time.perf_counter()
        if left > 0:
            time.sleep(left)
        askers[who].ask()


def _await(askers: Sequence[Asker], lost_s: float) -> None:
    """Wait for the last answers."""
    deadline = time.perf_counter() + lost_s
    while any(asker.waits for asker in askers) and time.perf_counter() < deadline:
        time.sleep(0.02)
    for asker in askers:
        asker.finish()


if __name__ == '__main__':
    main(sys.argv[1:])
