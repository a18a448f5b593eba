"""The node in a process of its own, somebody who talks to it, and the check that it is well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import time
from typing import Any

from folk_ros.cli.node_process import NodeProcess
from folk_ros.cli.output import CommandFailed
from folk_ros.cli.peer import NODE, Peer
from folk_ros.cli.soaking.cases import QUERY, TOPIC
from folk_ros.cli.soaking.tally import HANG_S, Tally
from folk_ros.cli.soaking.truth import MIN_SCORE, TEXTS, Truth
from folk_ros.ros import runtime

START_S = 120.0
ANSWER_S = 5.0  # an answer that takes longer is lost
PROOF_S = 60.0  # for a good cloud to be segmented, on a busy machine
RESEND_S = 10.0
POLL_S = 0.05


class Live:
    """A running node; started again where it has died. Use as a context manager."""

    def __init__(self, command: Sequence[str], folder: Path, truth: Truth) -> None:
        self.command, self.folder, self.truth = list(command), folder, truth
        self.diagnostics: dict[str, str] = {}  # the newest values, of all parts
        self.peer = Peer('folk_soak')
        self._starts = 0
        self.node: NodeProcess = self._process()

    def _process(self) -> NodeProcess:
        self._starts += 1
        return NodeProcess(self.command, self.folder / f'node_{self._starts}.log')

    def __enter__(self) -> Live:
        self.peer.__enter__()
        self.clouds = self.peer.cloud_publisher(TOPIC, 'reliable')
        self.client = self.peer.node.create_client(runtime.service('folk_ros/srv/Query'), QUERY)
        kind = 'diagnostic_msgs/msg/DiagnosticArray'
        self.peer.listen('/diagnostics', kind, self._keep, 'reliable')
        self.node.__enter__()
        try:
            self._await_node()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.node.stop()
        self.peer.__exit__(*exception)

    def _keep(self, message: Any) -> None:
        for status in message.status:
            self.diagnostics |= {pair.key: pair.value for pair in status.values}

    def _await_node(self) -> None:
        """Wait until the node listens and answers rightly; CommandFailed if it never does."""
        deadline = time.monotonic() + START_S
        while not (self.client.service_is_ready() and self.clouds.get_subscription_count()):
            self.node.check()
            if time.monotonic() > deadline:
                raise CommandFailed(f'the node does not answer: {self.node.last_words()}')
            self.peer.rest(POLL_S)
        wrong = self.prove(START_S)
        if wrong:
            raise CommandFailed(f'the node is not well to begin with: {wrong}')

    def restart(self) -> None:
        """Start the node again, as it was started first."""
        self.node.stop()
        self.node = self._process()
        self.node.__enter__()
        self.peer.wait_until(lambda: not self.client.service_is_ready(), 1.0)
        self._await_node()

    def start_broken(self) -> str:
        """Start the node with a model that is broken; what is wrong with how it bears that."""
        self.node = self._process()
        self.node.__enter__()
        self.peer.wait_until(lambda: not self.client.service_is_ready(), 1.0)
        self.peer.wait_until(lambda: self.client.service_is_ready() or self.dead(), START_S)
        deadline, said = time.monotonic() + START_S, ''
        while time.monotonic() < deadline and not self.dead():
            response = self.ask(TEXTS)
            said = 'no answer came' if response is None else response.message
            if response is not None and response.success:
                return 'it answers as if nothing were'
            if 'was not loaded' in said:
                return ''
            self.peer.rest(POLL_S)
        return 'it has ended' if self.dead() else said

    def dead(self) -> bool:
        """Whether the node has ended by itself."""
        try:
            self.node.check()
        except CommandFailed:
            return True
        return False

    def ask(self, texts: Sequence[str], timeout_s: float = ANSWER_S) -> Any:
        """Ask; the response, or None if none came in time."""
        request = runtime.service('folk_ros/srv/Query').Request(texts=list(texts))
        request.min_score, request.max_results = MIN_SCORE, 1
        future = self.client.call_async(request)
        if not self.peer.wait_until(future.done, timeout_s):
            self.client.remove_pending_request(future)
            return None
        return future.result()

    def ping(self, tally: Tally, what: str) -> None:
        """Ask for one known text while the node is ill-treated, and count what is amiss."""
        begin = time.perf_counter()
        response = self.ask(TEXTS[:1])
        seconds = time.perf_counter() - begin
        tally.milliseconds.append(1e3 * seconds)
        if response is None:
            tally.lost += 1
            tally.note(f'{what}: no answer within {ANSWER_S:g} s')
            return
        if seconds > HANG_S:
            tally.hangs += 1
            tally.note(f'{what}: an answer took {seconds:.1f} s')
        if any(item.text != TEXTS[0] for item in response.instances):
            tally.wrong += 1
            tally.note(f'{what}: {TEXTS[0]!r} was asked, {response.instances[0].text!r} answered')
        if not (response.success or response.message):
            tally.unsaid += 1
            tally.note(f'{what}: a question was refused without a reason')

    def prove(self, timeout_s: float = PROOF_S, at_ns: int = 0) -> str:
        """
        Show a good cloud and ask until the answer is right; what is wrong with it at last.

        The cloud is of the time of now, or of `at_ns`.
        """
        deadline = time.monotonic() + timeout_s
        wrong, sent, stamp = 'nothing was asked', 0.0, (0, 0)
        while time.monotonic() < deadline and not self.dead():
            if time.monotonic() > sent + RESEND_S:
                payload, stamp = self.truth.payload(at_ns)
                self.clouds.publish(payload)
                sent = time.monotonic()
            wrong = self.truth.judge(self.ask(TEXTS), stamp)
            if not wrong:
                return ''
            self.peer.rest(POLL_S)
        return 'the node has ended' if self.dead() else wrong

    def check(self, tally: Tally, what: str) -> None:
        """Count whether the node is alive and right; start it again where it is not alive."""
        wrong = self.prove()
        if self.dead():
            tally.crashes += 1
            tally.note(f'{what}: {self.node.last_words()}')
            self.restart()
        elif wrong:
            tally.wrong += 1
            tally.note(f'{what}: {wrong}')
        tally.memory_mb.append(self.resident_mb())

    def resident_mb(self) -> float:
        """Return the resident memory of the node, MB; 0 where it is gone."""
        try:
            text = Path(f'/proc/{self.node.pid}/status').read_text()
        except OSError:
            return 0.0
        lines = (line.split() for line in text.splitlines())
        return next((int(words[1]) / 1024 for words in lines if words[:1] == ['VmRSS:']), 0.0)

    def call(self, kind: str, name: str, timeout_s: float = 30.0, **fields: Any) -> Any:
        """Call a service of the node by its short name; the response, or None."""
        service = runtime.service(kind)
        client = self.peer.node.create_client(service, f'{NODE}/{name}')
        try:
            if not self.peer.wait_until(client.service_is_ready, timeout_s):
                return None
            future = client.call_async(service.Request(**fields))
            return future.result() if self.peer.wait_until(future.done, timeout_s) else None
        finally:
            self.peer.node.destroy_client(client)

    def set(self, name: str, value: Any) -> str:
        """Set a parameter of the node; what is wrong, or ''."""
        parameter = runtime.Parameter(name, value=value).to_parameter_msg()
        kind = 'rcl_interfaces/srv/SetParameters'
        response = self.call(kind, 'set_parameters', parameters=[parameter])
        if response is None:
            return 'no answer came'
        result = response.results[0]
        return '' if result.successful else str(result.reason)

    def log_lines(self) -> list[str]:
        """Return the log of the node so far."""
        return self.node.log.read_text(encoding='utf-8', errors='replace').splitlines()
