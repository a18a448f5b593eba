"""
Several clients of /folk/query in one process, each with endpoints and an identity of its own.

    python -m folk_ros.cli.soaking.asking FIRST COUNT SECONDS RATE_HZ LOST_S FILE

Every client has its own writer, reader and client id, as a client in a process of its own has, and
asks for its own words, two texts in turn, at its own times. The process is light, so that it does
not measure itself: requests are laid out beforehand, arrivals are timed where DDS hands them over,
and answers are read when the time is over. A question that is due while another one is open is not
sent, but shares its fate: a node that stands still for long is late with all that it kept waiting.
FILE gets the figures; FILE.ready is made before the first question.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import sys
import threading
import time
from typing import Any, NamedTuple

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
SECOND = ('chair', 'table', 'lamp', 'door', 'box', 'shelf', 'bed', 'window', 'plant', 'screen')
TEXTS_EACH = 2  # in turn, so that the answer to the question before is known for what it is
STALE_S = 15.0  # after 10 s the node says that a cloud is old (max_age); answers take 5 s at most


def words(number: int) -> str:
    """Return a text that no other one of a hundred numbers has."""
    return f'{FIRST[number % len(FIRST)]} {SECOND[number // len(FIRST) % len(SECOND)]}'


class Reply(NamedTuple):
    """What came back, not read yet."""

    text: str  # that was asked
    at: float  # seconds since 1970
    payload: memoryview


class Asker:
    """One client: asks, and keeps what comes back."""

    def __init__(self, node: Any, number: int, lost_s: float) -> None:
        self._lost_s = lost_s
        self._texts = [words(TEXTS_EACH * number + turn) for turn in range(TEXTS_EACH)]
        kind = runtime.service('folk_ros/srv/Query')
        self._requests = [
            kind.Request(texts=[text], min_score=MIN_SCORE, max_results=1) for text in self._texts
        ]
        self.writer, self.reader = create_halves(node, kind, QUERY, services_default(), 'clientid')
        self.number = self.asked = self.lost = self.strays = 0
        self.milliseconds: list[float] = []
        self.replies: list[Reply] = []
        self._begin: float | None = None  # of the question that is open
        self._kept_waiting: list[float] = []  # when others were due meanwhile
        self._lock = threading.Lock()  # answers come in a thread of DDS
        node.context.waiter.attach(self.reader, cyclone.DATA_AVAILABLE, self._on_reply)

    @property
    def waits(self) -> bool:
        """Whether a question is open."""
        return self._begin is not None

    def ready(self) -> bool:
        """Whether the node is there."""
        return bool(self.writer.matched() and self.reader.matched())

    def knows_all(self) -> bool:
        """Whether each of the texts was answered."""
        return len(self.replies) >= TEXTS_EACH

    def ask(self) -> None:
        """Ask, unless a question is still open; give that up when it is lost."""
        self.asked += 1
        with self._lock:
            now = time.perf_counter()
            if self._begin is not None and now - self._begin < self._lost_s:
                self._kept_waiting.append(now)
                return
        self.finish()
        self.number += 1
        self._begin = time.perf_counter()
        request = self._requests[self.number % TEXTS_EACH]
        send(self.writer, (self.writer.handle, self.number), request)

    def forget(self) -> None:
        """Begin to count anew; the numbers of questions go on."""
        self.asked = self.lost = self.strays = 0
        self.milliseconds.clear()
        self.replies.clear()
        self._kept_waiting.clear()

    def finish(self) -> None:
        """Count an open question as lost, and those that it kept waiting."""
        with self._lock:
            self.lost += (self._begin is not None) + len(self._kept_waiting)
            self._begin = None
            self._kept_waiting.clear()

    def _on_reply(self, _statuses: int) -> None:
        now = time.perf_counter()
        while sample := self.reader.take():
            if len(sample.payload) <= PREFIX:
                continue
            writer, number = IDENTITY.unpack_from(sample.payload, 4)
            if writer != self.writer.handle:
                continue  # to another client: every reply passes by every reader
            with self._lock:
                if number != self.number or self._begin is None:
                    self.strays += 1  # twice, or long after it was given up
                    continue
                waits = [self._begin, *self._kept_waiting]
                self.milliseconds += [1e3 * (now - begin) for begin in waits]
                self._begin = None
                self._kept_waiting.clear()
            text = self._texts[number % TEXTS_EACH]
            self.replies.append(Reply(text, time.time(), split_identity(sample)[1]))

    def wrong(self) -> list[str]:
        """Read the answers; say what is wrong with each that is."""
        found, scene_id = [], 0
        for reply in self.replies:
            response: Any = interfaces().decode(reply.payload, 'folk_ros/srv/Query_Response')
            said = fault(reply, response, scene_id)
            if said:
                found.append(f'{reply.text!r}: {said}')
            scene_id = response.scene_id
        return found


def fault(reply: Reply, response: Any, scene_before: int) -> str:
    """Say what is wrong with an answer, the one before being of another scene; '' if nothing."""
    texts = {item.text for item in response.instances}
    if not response.success:
        return f'refused: {response.message}'
    if texts - {reply.text} or (not texts and repr(reply.text) not in response.message):
        return f'the answer is to another question: {response.message} {sorted(texts)}'
    if response.scene_id < scene_before:
        return f'the answer is of scene {response.scene_id}, the one before of {scene_before}'
    age = reply.at - response.header.stamp.sec - 1e-9 * response.header.stamp.nanosec
    unsaid = age > STALE_S and 'max_age' not in response.message
    return f'the answer is of a cloud {age:.1f} s old, and does not say so' if unsaid else ''


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
        'asked': sum(asker.asked for asker in askers),
        'lost': sum(asker.lost for asker in askers),
        'strays': sum(asker.strays for asker in askers),
        'wrong': wrong,
        'milliseconds': [ms for asker in askers for ms in asker.milliseconds],
    }
    write_json(path, figures)
    node.destroy_node()
    runtime.try_shutdown()


def _warm_up(askers: Sequence[Asker]) -> None:
    """Ask each text, so that it is known; these answers are not counted."""
    deadline = time.monotonic() + START_S
    while not all(asker.ready() for asker in askers) and time.monotonic() < deadline:
        time.sleep(0.05)
    while not all(asker.knows_all() for asker in askers) and time.monotonic() < deadline:
        for asker in askers:
            if not asker.knows_all():
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
