"""Services: requests in, replies out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TYPE_CHECKING

from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.callback_groups import CallbackGroup
from folk_ros.ros.embedded.dds import Reader, Writer
from folk_ros.ros.embedded.late_replies import LateReplies
from folk_ros.ros.embedded.messages import interfaces
from folk_ros.ros.embedded.qos import QoSProfile
from folk_ros.ros.embedded.service_wire import create_halves, PREFIX, send, split_identity
from folk_ros.ros.embedded.topics import THROTTLE_S, UNREADABLE

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

MAX_REQUEST_BYTES = 1 << 20  # larger ones are refused before many objects are made of them
CLIENTS_REMEMBERED = 1024


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
        self._late = LateReplies()
        self.reader: Reader
        self.writer: Writer
        self.reader, self.writer = create_halves(node, srv_type, name, qos, 'serviceid')
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
                identity, body = split_identity(sample)
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
            if self._heard(client):
                self._send(identity, response)
            else:
                self._late.put(lambda: self._heard(client), lambda: self._send(identity, response))

        return answer

    def _send(self, identity: tuple[int, int], response: Any) -> None:
        try:
            sent = send(self.writer, identity, response)
        except cyclone.DdsError:  # the service was closed meanwhile
            return
        if not sent:
            self._node.get_logger().warning(
                f'{self.srv_name}: a reply could not be sent', throttle_duration_sec=THROTTLE_S
            )

    def _heard(self, client: int) -> bool:
        """Whether a client would get a reply now: without its reader it misses the first one."""
        if client in self._ready_clients:
            return True
        asker = self.reader.matched_writer(client)
        if asker is None or 'clientid' not in asker.user_data:
            return True  # gone, or it does not say which reader is its own
        if not self._listens(asker.user_data['clientid']):
            return False
        if len(self._ready_clients) >= CLIENTS_REMEMBERED:
            self._ready_clients.clear()
        self._ready_clients.add(client)
        return True

    def _listens(self, client_id: str) -> bool:
        readers = (self.writer.matched_reader(handle) for handle in self.writer.matched())
        return any(item and item.user_data.get('clientid') == client_id for item in readers)

    def close(self) -> None:
        """Stop answering."""
        self._late.close()
        self._node.context.waiter.detach(self._key)
        self.reader.close()
        self.writer.close()
