"""
Services and clients, in the byte layout of rmw_cyclonedds.

A request is the CDR header, 16 bytes that say who asks (the client's writer, a counter), then the
fields. The answer carries the same 16 bytes back, to every client; each picks its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import count
import struct
import threading
import time
from typing import Any, TYPE_CHECKING

from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.callback_groups import CallbackGroup
from folk_ros.ros.embedded.dds import Reader, Writer
from folk_ros.ros.embedded.future import Future
from folk_ros.ros.embedded.graph import REPLY_PREFIX, REQUEST_PREFIX
from folk_ros.ros.embedded.messages import dds_type, interfaces
from folk_ros.ros.embedded.payload import Sample
from folk_ros.ros.embedded.qos import QoSProfile
from folk_ros.ros.embedded.topics import THROTTLE_S, UNREADABLE

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

IDENTITY = struct.Struct('<Qq')  # client's writer, number of the request
CDR_HEADER = 4
PREFIX = CDR_HEADER + IDENTITY.size
MAX_REQUEST_BYTES = 1 << 24  # larger ones are refused before they are decoded
POLL_S = 0.01
REPLY_READER_S = 0.5  # how long a new client's reply reader is waited for; mostly some ms
CLIENTS_REMEMBERED = 1024
QUEUE = 1000  # samples a reader keeps: replies to every client pass through that of each

_numbers = count(1)  # makes the names of services and clients unique within a participant


def _halves(node: Node, srv_type: Any, name: str, qos: QoSProfile, key: str) -> tuple[Any, Any]:
    """Create the endpoints of requests and replies; returns (request side, reply side)."""
    participant = node.context.participant
    identity = participant.guid[:12] + next(_numbers).to_bytes(4, 'big')
    tag = f'{key}={".".join(f"{byte:x}" for byte in identity)};'
    made = []
    for prefix, suffix, half, reads in (
        (REQUEST_PREFIX, 'Request', 'Request', key == 'serviceid'),
        (REPLY_PREFIX, 'Reply', 'Response', key == 'clientid'),
    ):
        type_name = f'{srv_type.ros_type}_{half}'
        create = participant.create_reader if reads else participant.create_writer
        user_data = f'{tag}typehash={interfaces().type_hash(type_name)};'
        policies = replace(qos, depth=max(qos.depth, QUEUE)) if reads else qos
        made.append(create(f'{prefix}{name}{suffix}', dds_type(type_name), policies, user_data))
    return made[0], made[1]


def _split(sample: Sample) -> tuple[tuple[int, int], memoryview]:
    """Split a request or reply into identity and plain CDR."""
    payload = sample.payload
    body = memoryview(b''.join((payload[:CDR_HEADER], payload[PREFIX:])))
    return IDENTITY.unpack_from(payload, CDR_HEADER), body


def _send(writer: Writer, identity: tuple[int, int], message: Any) -> bool:
    """Send a request or reply with its identity."""
    data = interfaces().encode(message)
    return writer.write([data[:CDR_HEADER], IDENTITY.pack(*identity), data[CDR_HEADER:]])


class Service:
    """Answers requests."""

    def __init__(
        self,
        node: Node,
        srv_type: Any,
        name: str,
        callback: Callable[[Any, Any], Any],
        qos: QoSProfile,
        callback_group: CallbackGroup,
    ) -> None:
        self.srv_type, self.srv_name, self.callback = srv_type, name, callback
        self.callback_group = callback_group
        self._node = node
        self._ready_clients: set[int] = set()
        self.reader: Reader
        self.writer: Writer
        self.reader, self.writer = _halves(node, srv_type, name, qos, 'serviceid')
        self._key = node.context.waiter.attach(
            self.reader, cyclone.DATA_AVAILABLE, lambda _: node.wake(self)
        )

    @property
    def service_name(self) -> str:
        """The absolute service name."""
        return self.srv_name

    def take(self) -> Callable[[], None] | None:
        """Take one request that is readable, with the work of answering it."""
        while sample := self.reader.take():
            reason = ''
            if len(sample.payload) <= PREFIX:
                reason = (
                    'it does not say who asks, as from a client on another middleware; run both '
                    'sides with RMW_IMPLEMENTATION=rmw_cyclonedds_cpp'
                )
            elif len(sample.payload) > MAX_REQUEST_BYTES:
                reason = f'it is larger than {MAX_REQUEST_BYTES} bytes'
            else:
                identity, body = _split(sample)
                try:
                    request = interfaces().decode(body, f'{self.srv_type.ros_type}_Request')
                except UNREADABLE as error:
                    reason = f'it is no {self.srv_type.ros_type}: {error}'
            if not reason:
                return self._answering(request, identity, sample.writer)
            self._node.get_logger().warning(
                f'{self.srv_name}: a request of {len(sample.payload)} bytes was dropped: {reason}',
                throttle_duration_sec=THROTTLE_S,
            )
        return None

    def _answering(
        self, request: Any, identity: tuple[int, int], client: int
    ) -> Callable[[], None]:
        def answer() -> None:
            response = self.callback(request, self.srv_type.Response())
            if not isinstance(response, self.srv_type.Response):
                raise TypeError(
                    f'{self.srv_name}: the callback returned {type(response).__name__}, expected '
                    f'{self.srv_type.ros_type}_Response'
                )
            self._await_reply_reader(client)
            if not _send(self.writer, identity, response):
                self._node.get_logger().warning(f'{self.srv_name}: a reply could not be sent')

        return answer

    def _await_reply_reader(self, client: int) -> None:
        """Wait until the reader for replies of a new client is there: else it misses the first."""
        if client in self._ready_clients:
            return
        deadline = time.monotonic() + REPLY_READER_S
        while time.monotonic() < deadline:
            asker = self.reader.matched_writer(client)
            if asker is None or 'clientid' not in asker.user_data:
                return  # gone, or it does not say which reader is its own
            if self._listens(asker.user_data['clientid']):
                if len(self._ready_clients) >= CLIENTS_REMEMBERED:
                    self._ready_clients.clear()
                self._ready_clients.add(client)
                return
            time.sleep(POLL_S)

    def _listens(self, client_id: str) -> bool:
        readers = (self.writer.matched_reader(handle) for handle in self.writer.matched())
        return any(item and item.user_data.get('clientid') == client_id for item in readers)

    def close(self) -> None:
        """Stop answering."""
        self._node.context.waiter.detach(self._key)
        self.reader.close()
        self.writer.close()


class Client:
    """Asks a service."""

    def __init__(
        self,
        node: Node,
        srv_type: Any,
        name: str,
        qos: QoSProfile,
        callback_group: CallbackGroup,
    ) -> None:
        self.srv_type, self.srv_name, self.callback_group = srv_type, name, callback_group
        self._node = node
        self._pending: dict[int, Future] = {}
        self._replies: deque[tuple[Future, memoryview]] = deque()
        self._counter = count(1)
        self._lock = threading.Lock()
        self.reader: Reader
        self.writer: Writer
        self.writer, self.reader = _halves(node, srv_type, name, qos, 'clientid')
        self._key = node.context.waiter.attach(
            self.reader, cyclone.DATA_AVAILABLE, self._on_status
        )

    @property
    def service_name(self) -> str:
        """The absolute service name."""
        return self.srv_name

    def service_is_ready(self) -> bool:
        """Whether a server is there, with both of its endpoints."""
        servers = {
            endpoint.user_data.get('serviceid')
            for endpoint in map(self.writer.matched_reader, self.writer.matched())
            if endpoint is not None
        }
        senders = {
            endpoint.user_data.get('serviceid')
            for endpoint in map(self.reader.matched_writer, self.reader.matched())
            if endpoint is not None
        }
        return bool(servers & senders)

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        """Wait for a server; false if time runs out or the context ends."""
        deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
        while not self.service_is_ready():
            if not self._node.context.ok():
                return False
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        return True

    def call_async(self, request: Any) -> Future:
        """Ask; the future is done when an executor that spins this node has the answer."""
        if not isinstance(request, self.srv_type.Request):
            raise TypeError(
                f'{self.srv_name}: expected {self.srv_type.ros_type}_Request, '
                f'got {type(request).__name__}'
            )
        future = Future()
        with self._lock:
            number = next(self._counter)
            self._pending[number] = future
        if not _send(self.writer, (self.writer.handle, number), request):
            self.remove_pending_request(future)
            future.set_exception(TimeoutError(f'{self.srv_name}: the request could not be sent'))
        return future

    def call(self, request: Any, timeout_sec: float | None = None) -> Any:
        """
        Ask and wait, while another thread spins this node.

        Raises TimeoutError if there is no answer in time.
        """
        future = self.call_async(request)
        if not future.wait(timeout_sec):
            self.remove_pending_request(future)
            raise TimeoutError(f'{self.srv_name}: no answer within {timeout_sec} s')
        return future.result()

    def remove_pending_request(self, future: Future) -> None:
        """Forget a request whose answer is no longer wanted."""
        with self._lock:
            self._pending = {n: f for n, f in self._pending.items() if f is not future}

    def _on_status(self, _statuses: int) -> None:
        """Sort out the replies to this client at once: those to others push them from the queue."""
        while sample := self.reader.take():
            if len(sample.payload) <= PREFIX:
                continue
            (writer, number), body = _split(sample)
            if writer != self.writer.handle:
                continue
            with self._lock:
                future = self._pending.pop(number, None)
            if future is not None:
                self._replies.append((future, body))
        self._node.wake(self)

    def take(self) -> Callable[[], None] | None:
        """Take one reply, with the work of handing it over."""
        try:
            future, body = self._replies.popleft()
        except IndexError:
            return None
        return self._handing_over(future, body)

    def _handing_over(self, future: Future, body: memoryview) -> Callable[[], None]:
        def hand_over() -> None:
            try:
                response = interfaces().decode(body, f'{self.srv_type.ros_type}_Response')
            except UNREADABLE as error:
                future.set_exception(
                    ValueError(
                        f'{self.srv_name}: the reply is no {self.srv_type.ros_type}: {error}'
                    )
                )
                return
            future.set_result(response)

        return hand_over

    def close(self) -> None:
        """Stop asking; open requests are cancelled."""
        self._node.context.waiter.detach(self._key)
        self.reader.close()
        self.writer.close()
        for future in self._pending.values():
            future.cancel()
