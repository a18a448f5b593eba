"""Malformed messages over DDS to a live node, with a question after each."""

from __future__ import annotations

import re
import time
from typing import Any

from folk_ros.cli.output import Progress
from folk_ros.cli.soaking import cases
from folk_ros.cli.soaking.cases import Case, CDR_HEADER
from folk_ros.cli.soaking.live import Live
from folk_ros.cli.soaking.tally import Tally
from folk_ros.ros import runtime
from folk_ros.ros.embedded.cyclone import DdsError
from folk_ros.ros.embedded.messages import dds_type
from folk_ros.ros.embedded.qos import DurabilityPolicy, QoSProfile
from folk_ros.ros.embedded.service_wire import IDENTITY

BATCH = 50  # cases from one check with a good cloud to the next
LINES_A_SECOND = 6.0  # of the log: what is refused is said, but not each time
LINES_AT_ONCE = 60
SILENT_S = 2.0  # after the last case, for the diagnostics to come


class Wire:
    """Sends bytes to the topics and services of the node, as they are."""

    def __init__(self, node: Any) -> None:
        self._number = 0
        self._writers: dict[str, Any] = {}
        for topic, kind in cases.TOPICS.items():
            publisher = node.create_publisher(runtime.message(kind), topic, 10)
            self._writers[topic] = publisher.writer
        for name, kind in cases.SERVICES.items():
            self._writers[name] = node.create_client(runtime.service(kind), name).writer
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._writers[cases.GRAPH] = node.context.participant.create_writer(
            cases.GRAPH, dds_type(cases.INFO_TYPE), latched, ''
        )

    def send(self, case: Case) -> bool:
        """Send a case; false where DDS itself refuses to."""
        payload, writer = case.payload, self._writers[case.target]
        parts = [payload]
        if case.target in cases.SERVICES and case.number % 8:  # else it does not say who asks
            self._number += 1
            identity = IDENTITY.pack(writer.handle, self._number)
            parts = [payload[:CDR_HEADER], identity, payload[CDR_HEADER:]]
        if len(payload) < CDR_HEADER:
            return False
        try:
            return bool(writer.write(parts))
        except DdsError:
            return False


def run(live: Live, seed: int, numbers: range) -> Tally:
    """Throw the cases of these numbers at a node; count what came of it."""
    tally, wire = Tally('malformed, over DDS'), Wire(live.peer.node)
    progress, begin = Progress('cases over DDS', len(numbers)), time.monotonic()
    lines, log = len(live.log_lines()), live.node.log
    refused = _refused(live)
    for number in numbers:
        case = cases.case(seed, number)
        tally.cases += wire.send(case)
        live.ping(tally, f'case {number}, {case.kind}')
        if number % BATCH == BATCH - 1 or number == numbers[-1]:
            live.check(tally, f'after case {number}')
            progress.step(BATCH)
    live.peer.rest(SILENT_S)
    tally.refused = _refused(live) - refused
    if live.node.log == log:
        _judge_log(tally, live.log_lines()[lines:], time.monotonic() - begin)
    return tally


def _refused(live: Live) -> int:
    return int(live.diagnostics.get('clouds refused', 0))


def _judge_log(tally: Tally, lines: list[str], seconds: float) -> None:
    """Count what was logged without a reason, or without end."""
    faults = [line for line in lines if re.match(r'Traceback|\w*(Error|Exception)\b', line)]
    tally.unsaid += len(faults)
    for line in faults:
        tally.note(f'in the log: {line[:200]}')
    if len(lines) > LINES_AT_ONCE + LINES_A_SECOND * seconds:
        tally.unsaid += 1
        tally.note(f'{len(lines)} lines of log in {seconds:.0f} s')
