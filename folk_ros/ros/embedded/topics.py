"""Publishers and subscriptions."""

from __future__ import annotations

from collections.abc import Callable
import struct
from typing import Any, TYPE_CHECKING

from rosbags.serde import SerdeError

from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.callback_groups import CallbackGroup
from folk_ros.ros.embedded.cloud_peek import check_fields, CLOUD
from folk_ros.ros.embedded.dds import Reader, Writer
from folk_ros.ros.embedded.discovery import Endpoint
from folk_ros.ros.embedded.graph import TOPIC_PREFIX
from folk_ros.ros.embedded.messages import dds_type, interfaces
from folk_ros.ros.embedded.qos import QoSProfile
from folk_ros.ros.embedded.sizes import check_size

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

THROTTLE_S = 5.0
UNREADABLE = (SerdeError, IndexError, MemoryError, struct.error)  # what malformed bytes raise


class Publisher:
    """Sends messages of one type to one topic."""

    def __init__(self, node: Node, msg_type: Any, topic: str, qos: QoSProfile) -> None:
        self.msg_type, self.topic_name, self.qos_profile = msg_type, topic, qos
        self._node = node
        self.warned: set[str] = set()
        name = msg_type.ros_type
        self.writer: Writer = node.context.participant.create_writer(
            TOPIC_PREFIX + topic,
            dds_type(name),
            qos,
            f'typehash={interfaces().type_hash(name)};',
        )
        self._key = node.context.waiter.attach(
            self.writer, cyclone.OFFERED_INCOMPATIBLE, self._on_status
        )

    @property
    def topic(self) -> str:
        """The absolute topic name."""
        return self.topic_name

    def publish(self, msg: Any) -> None:
        """
        Send a message, or bytes that are one already (CDR with its header).

        Raises TypeError for another type, ValueError for a value that does not fit its field.
        """
        if isinstance(msg, bytes | bytearray | memoryview):
            data: Any = msg
        elif isinstance(msg, self.msg_type):
            data = interfaces().encode(msg)
        else:
            raise TypeError(
                f'{self.topic_name}: expected {self.msg_type.ros_type}, got {type(msg).__name__}'
            )
        if not self.writer.write([data]):
            self._node.get_logger().warning(
                f'{self.topic_name}: subscriptions are too slow, a message of {len(data)} bytes '
                f'was dropped',
                throttle_duration_sec=THROTTLE_S,
            )

    def get_subscription_count(self) -> int:
        """Return how many subscriptions listen."""
        return len(self.writer.matched())

    def wait_for_all_acked(self, timeout: Any = None) -> bool:
        """Wait until reliable subscriptions have everything; `timeout` is a Duration."""
        return self.writer.wait_for_acks(
            cyclone.FOREVER_NS if timeout is None else timeout.nanoseconds
        )

    def _on_status(self, _statuses: int) -> None:
        graph = self._node.context.graph
        warn_of_qos(self._node, self, graph.subscriptions(self.topic_name), offers=True)

    def close(self) -> None:
        """Leave the topic."""
        self._node.context.waiter.detach(self._key)
        self.writer.close()


class Subscription:
    """Receives messages of one type from one topic."""

    def __init__(  # noqa: PLR0913  called by Node.create_subscription alone
        self,
        node: Node,
        msg_type: Any,
        topic: str,
        callback: Callable[[Any], None],
        qos: QoSProfile,
        callback_group: CallbackGroup,
        raw: bool,
    ) -> None:
        self.msg_type, self.topic_name, self.qos_profile = msg_type, topic, qos
        self.callback, self.callback_group, self.raw = callback, callback_group, raw
        self._node = node
        self.warned: set[str] = set()
        name = msg_type.ros_type
        self.reader: Reader = node.context.participant.create_reader(
            TOPIC_PREFIX + topic,
            dds_type(name),
            qos,
            f'typehash={interfaces().type_hash(name)};',
        )
        statuses = cyclone.DATA_AVAILABLE | cyclone.REQUESTED_INCOMPATIBLE
        self._key = node.context.waiter.attach(self.reader, statuses, self._on_status)

    @property
    def topic(self) -> str:
        """The absolute topic name."""
        return self.topic_name

    def get_publisher_count(self) -> int:
        """Return how many publishers send."""
        return len(self.reader.matched())

    def take(self) -> Callable[[], None] | None:
        """Take one message that is readable, with the callback to call."""
        while sample := self.reader.take():
            if self.raw:
                data = bytes(sample.payload)
                return lambda: self.callback(data)
            try:
                message = self._decoded(sample.payload)
            except UNREADABLE as error:
                self._node.get_logger().warning(
                    f'{self.topic_name}: a message of {len(sample.payload)} bytes is no '
                    f'{self.msg_type.ros_type} and was dropped: {error}',
                    throttle_duration_sec=THROTTLE_S,
                )
                continue
            return lambda: self.callback(message)
        return None

    def _decoded(self, payload: memoryview) -> Any:
        """
        Decode a message, also one whose bytes are in the other order than is said.

        Cyclone hands on big-endian samples of opaque topics untouched but marked little-endian.
        Only types with a length in them show it: there what makes no sense is read the other way.
        """
        name = self.msg_type.ros_type
        if name == CLOUD:
            check_fields(payload)
        else:
            check_size(payload, name)
        try:
            return interfaces().decode(payload, name)
        except UNREADABLE:
            message = interfaces().decode(_other_order(payload), name)
        self._node.get_logger().warning(
            f'{self.topic_name}: a publisher sends big-endian bytes; they are read, but types of '
            'plain numbers alone cannot be told apart and come out wrong: run under ROS 2 there',
            once=True,
        )
        return message

    def _on_status(self, statuses: int) -> None:
        if statuses & cyclone.DATA_AVAILABLE:
            self._node.wake(self)
        if statuses & cyclone.REQUESTED_INCOMPATIBLE:
            graph = self._node.context.graph
            warn_of_qos(self._node, self, graph.publications(self.topic_name), offers=False)

    def close(self) -> None:
        """Leave the topic."""
        self._node.context.waiter.detach(self._key)
        self.reader.close()


def _other_order(payload: memoryview) -> memoryview:
    """Return the sample marked as the other byte order; IndexError where it is too short."""
    swapped = bytearray(payload)
    swapped[1] ^= 1
    return memoryview(swapped)


def warn_of_qos(
    node: Node, own: Publisher | Subscription, peers: list[Endpoint], *, offers: bool
) -> None:
    """Warn of peers that cannot be reached, once per profile of theirs, with both profiles."""
    mine = own.qos_profile
    for peer in peers:
        offered, wanted = (mine, peer.qos) if offers else (peer.qos, mine)
        missing = [
            word
            for word, has, needs in (
                ('reliability', offered.reliable, wanted.reliable),
                ('durability', offered.latched, wanted.latched),
            )
            if needs and not has
        ]
        if missing and str(peer.qos) not in own.warned:
            own.warned.add(str(peer.qos))
            kind = 'subscription' if offers else 'publisher'
            node.get_logger().warning(
                f'{own.topic_name}: a {kind} does not match by {" and ".join(missing)}, nothing '
                f'passes: offered {offered}, wanted {wanted}'
            )
