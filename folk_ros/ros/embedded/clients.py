"""Clients: requests out, replies in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
import threading
import time
from typing import Any, TYPE_CHECKING

from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.callback_groups import CallbackGroup
from folk_ros.ros.embedded.dds import Reader, Writer
from folk_ros.ros.embedded.future import Future
from folk_ros.ros.embedded.messages import interfaces
from folk_ros.ros.embedded.qos import QoSProfile
from folk_ros.ros.embedded.service_wire import create_halves, PREFIX, send, split_identity
from folk_ros.ros.embedded.topics import UNREADABLE

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

POLL_S = 0.01


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
        self.writer, self.reader = create_halves(node, srv_type, name, qos, 'clientid')
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
        if not send(self.writer, (self.writer.handle, number), request):
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
        """Sort out the replies to this client at once: others push them from the queue."""
        while sample := self.reader.take():
            if len(sample.payload) <= PREFIX:
                continue
            (writer, number), body = split_identity(sample)
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
