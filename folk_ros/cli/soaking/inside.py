"""
The node in this process, fed with messages by hand: thousands of cases a minute.

Everything is the node's own from the bytes that DDS would hand over to the answer: the endpoints
with their decoding, the callbacks, the worker's step. What a callback raises, which would end the
node, is counted as a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import re
import threading
import time
from typing import Any

from folk_ros.cli.soaking.cases import Case, QUERY, SERVICES, SETTINGS, TOPIC
from folk_ros.cli.soaking.truth import MIN_SCORE
from folk_ros.config import FolkConfig
from folk_ros.ros import runtime
from folk_ros.ros.embedded import logger, services, topics
from folk_ros.ros.embedded.messages import interfaces
from folk_ros.ros.embedded.payload import Sample
from folk_ros.ros.embedded.service_wire import IDENTITY, PREFIX
from folk_ros.ros.mailbox import Mailbox
from folk_ros.ros.node import FolkNode

CDR_HEADER = 4
ASKER = 0x1234567890ABCDEF  # the writer that all questions seem to come from
LOAD_S = 120.0
WORKER = 'folk-segment'
MIN_WORDS, MAX_REASON = 3, 2000
EXCEPTION = re.compile(r'\w*(Error|Exception)\b')
PATIENCE_S = 1.0  # for clouds that wait for transforms
WAITED = Path('/proc/thread-self/schedstat')


@dataclass(frozen=True)
class Outcome:
    """What came of one case."""

    what: str  # 'used', 'refused', 'unsaid', 'crash' or 'lost'
    seconds: float  # on the wall's clock, without those in which others had the processor
    said: str = ''  # the reason, or what was raised


class Hand:
    """Stands in for a DDS reader: hands out what it was given."""

    def __init__(self, payload: bytes) -> None:
        self.samples = [Sample(memoryview(payload), ASKER)]

    def take(self) -> Sample | None:
        """Return the next sample."""
        return self.samples.pop(0) if self.samples else None

    def matched_writer(self, _handle: int) -> None:
        """Know nobody."""
        return

    def close(self) -> None:
        """Hold nothing."""


class Ear:
    """Stands in for the DDS writer of replies: keeps what it is to send."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, parts: Any) -> bool:
        """Keep a sample."""
        self.sent.append(b''.join(parts))
        return True

    def close(self) -> None:
        """Hold nothing."""


class Inside:
    """A node that nobody spins; use as a context manager, after runtime.init()."""

    def __init__(self, loader: Callable[[FolkConfig], Any]) -> None:
        self.node = FolkNode(loader)
        self._said: list[str] = []
        self._ears: dict[str, Ear] = {}
        self._number = 0

    def __enter__(self) -> Inside:
        segmenter = self.node.segmenter
        deadline = time.monotonic() + LOAD_S
        while segmenter.model.state == 'loading' and time.monotonic() < deadline:
            time.sleep(0.05)
        if segmenter.folk is None:
            raise RuntimeError(str(segmenter.model))
        segmenter.mailbox.close()  # ends the worker: from here on this class does its steps
        while any(thread.name == WORKER for thread in threading.enumerate()):
            time.sleep(0.01)
        segmenter.mailbox = Mailbox()
        self.node.frames.listen()
        topics.THROTTLE_S = services.THROTTLE_S = 0.0  # each refusal shall be heard
        logger.add_sink('folk', lambda line: self._said.append(line.text))
        self._places = {
            getattr(item, 'topic_name', getattr(item, 'srv_name', '')): item
            for item in self.node.waitables()
        }
        return self

    def __exit__(self, *exception: object) -> None:
        self.node.stop()
        self.node.destroy_node()

    def run(self, case: Case) -> Outcome:
        """Throw one case."""
        begin, waited = time.perf_counter(), _waited_s()
        self._said.clear()
        try:
            what = self._thrown(case)
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            what = f'crash {type(error).__name__}: {error}'
        seconds = time.perf_counter() - begin - (_waited_s() - waited)
        kind, _, said = what.partition(' ')
        return Outcome(kind, seconds, said)

    def ask(self, texts: list[str]) -> Any:
        """Ask, and return the response; None if there is none."""
        request = runtime.service('folk_ros/srv/Query').Request(texts=texts)
        request.min_score, request.max_results = MIN_SCORE, 1
        reply = self._reply(QUERY, bytes(runtime.serialize_message(request)))
        return None if reply is None else self._decoded(QUERY, reply)

    def show(self, payload: bytes) -> None:
        """Hand the node a good cloud and let it work."""
        self._deliver(TOPIC, payload)
        self._settle()

    def _thrown(self, case: Case) -> str:
        if case.target == TOPIC:
            return self._cloud(case.payload)
        if case.target not in SERVICES:
            delivered = self._deliver(case.target, case.payload)
            return self._judged('used' if delivered else 'unsaid')
        reply = self._reply(case.target, case.payload)
        if reply is None:
            return self._judged('lost')
        if case.target == SETTINGS:
            results = self._decoded(case.target, reply).results
            reasons = [result.reason for result in results if not result.successful]
            return judged(reasons[0]) if reasons else 'used'
        if case.target != QUERY:
            return 'used'
        response = self._decoded(case.target, reply)
        return 'used' if response.success else judged(response.message)

    def _cloud(self, payload: bytes) -> str:
        segmenter = self.node.segmenter
        count, refusals = segmenter.count, sum(r.count for r in segmenter.refusals.values())
        segmenter.failure = ''
        if not self._deliver(TOPIC, payload):
            return self._judged('unsaid')
        self._settle()
        if segmenter.failure:
            return f'unsaid {segmenter.failure}'
        if segmenter.count > count:
            return 'used'
        if sum(r.count for r in segmenter.refusals.values()) > refusals:
            return judged(segmenter.refusals[TOPIC].reason)
        return 'unsaid the cloud is gone without a word'

    def _judged(self, otherwise: str) -> str:
        """Judge what the log said, if it said something."""
        return judged(self._said[-1]) if self._said else otherwise

    def _settle(self) -> None:
        """Do the worker's steps until nothing waits for a transform."""
        deadline = time.monotonic() + PATIENCE_S
        self.node.segmenter.step(0.0)
        while self.node.segmenter.waits and time.monotonic() < deadline:
            self.node.segmenter.step(0.01)

    def _deliver(self, place: str, payload: bytes) -> bool:
        """Hand over the bytes of a message; whether they were one."""
        item = self._places[place]
        item.reader = Hand(payload)
        work = item.take()
        if work is not None:
            work()
        return work is not None

    def _reply(self, place: str, payload: bytes) -> bytes | None:
        """Hand over a request; return the bytes of the reply, without who asked."""
        ear = self._places[place].writer = Ear()
        self._number += 1
        identity = IDENTITY.pack(ASKER, self._number)
        whole = payload[:CDR_HEADER] + identity + payload[CDR_HEADER:]
        self._deliver(place, whole if len(payload) >= CDR_HEADER else payload)
        if not ear.sent:
            return None
        sent = ear.sent[-1]
        if len(payload) >= CDR_HEADER and sent[CDR_HEADER:PREFIX] != identity:
            raise ValueError('the reply names another asker than the request')
        return sent[:CDR_HEADER] + sent[PREFIX:]

    def _decoded(self, place: str, reply: bytes) -> Any:
        kind = self._places[place].srv_type.ros_type
        return interfaces().decode(memoryview(reply), f'{kind}_Response')


def _waited_s() -> float:
    """Return how long this thread could have worked so far, but others had the processor."""
    try:
        return int(WAITED.read_text().split()[1]) * 1e-9
    except (OSError, ValueError, IndexError):  # not on every system
        return 0.0


def judged(reason: str) -> str:
    """Say 'refused', or 'unsaid' where the reason is none, with the reason."""
    return f'{"refused" if is_sentence(reason) else "unsaid"} {reason}'


def is_sentence(reason: str) -> bool:
    """Whether a reason tells a person something: printable words, no exception's name, short."""
    fair = reason.isprintable() and len(reason) <= MAX_REASON
    return fair and len(reason.split()) >= MIN_WORDS and not EXCEPTION.match(reason)
