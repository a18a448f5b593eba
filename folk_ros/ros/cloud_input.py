"""One cloud topic: a subscription that fits its publishers, and what was seen of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import re
import time
from typing import Any

from folk_ros.ros import runtime
from folk_ros.ros.qos_matching import Choice, choose, CLOUD_TYPE, obstacle, Offer
from folk_ros.ros.timekeeping import Arrival

TOPIC_NAME = re.compile(r'(~/|/)?[a-z_{][\w{}]*(/[a-z_{][\w{}]*)*', re.ASCII | re.IGNORECASE)
REPEAT_S = 3.0  # after subscribing anew, latched clouds that came before come once more
OnMessage = Callable[['CloudInput', Any], None]


class CloudInput:
    """Subscribes to one topic and hands every message on; matched anew by `check`."""

    def __init__(
        self, node: Any, topic: str, profile: str, on_cloud: OnMessage, kind: str = CLOUD_TYPE
    ) -> None:
        self.topic = node.resolve_topic_name(_checked(topic))
        self.offers: tuple[Offer, ...] = ()
        self.received = 0
        self.last_at: float | None = None  # monotonic seconds of the last message
        self.arrival: Arrival | None = None  # of the last message, noted by the node
        self._node, self._profile, self._on_cloud = node, profile, on_cloud
        self._kind = kind
        self._group = runtime.MutuallyExclusiveCallbackGroup()
        self._subscription: Any = None
        self._stamps: deque[tuple[int, int]] = deque(maxlen=16)  # of the newest messages
        self._known: set[tuple[int, int]] = set()  # came before we subscribed anew
        self._known_until = 0.0
        self.choice: Choice | None = None
        self.check()

    def check(self) -> None:
        """Look who publishes; subscribe again if another quality of service is needed."""
        infos = self._node.get_publishers_info_by_topic(self.topic)
        self.offers = tuple(sorted((_offer(info) for info in infos), key=str))
        choice = choose(self._profile, self.offers, self._kind)
        if choice == self.choice or (self.choice and self._profile == 'auto' and not self.offers):
            return
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._known, self._known_until = set(self._stamps), time.monotonic() + REPEAT_S
        self.choice = choice
        self._subscription = self._node.create_subscription(
            runtime.message(self._kind),
            self.topic,
            self._keep,
            to_profile(choice),
            callback_group=self._group,
        )
        self._node.get_logger().info(f'{self.topic}: {self.state()}')

    def state(self) -> str:
        """Say who publishes and how we listen."""
        offers = ', '.join(sorted({f'{o.node}: {o}' for o in self.offers}))
        count = len(self.offers)
        who = f'{count} publisher{"s" * (count != 1)}' + (f' ({offers})' if offers else '')
        return f'{who}; subscribed {self.choice} (qos: {self._profile})'

    def obstacle(self) -> str:
        """Say why the publishers there cannot be heard; '' if they can."""
        if self.choice is None:
            return ''
        return obstacle(self.choice, self._profile, self.offers, self._kind)

    def age(self) -> float | None:
        """Return the seconds since the last message; None if there was none."""
        return None if self.last_at is None else time.monotonic() - self.last_at

    @property
    def may_rest(self) -> bool:
        """Whether silence is normal: the map came, and its publisher sends it when it changes."""
        return bool(self.received and self.choice and self.choice.latched and self.offers)

    def _keep(self, message: Any) -> None:
        stamp = (message.header.stamp.sec, message.header.stamp.nanosec)
        if stamp in self._known and time.monotonic() < self._known_until:
            return  # a latched cloud sent once more is no news, and no jump back in time
        if stamp != (0, 0):
            self._stamps.append(stamp)
        self.received += 1
        self.last_at = time.monotonic()
        self._on_cloud(self, message)


def _checked(topic: str) -> str:
    """Return a name that may be a topic; ValueError says what is wrong with another."""
    if not TOPIC_NAME.fullmatch(topic):
        raise ValueError(
            f'{topic!r} is no topic name: expected letters, digits and _ between slashes, no part '
            'beginning with a digit, as in /rtabmap/cloud_map'
        )
    return topic


def to_profile(choice: Choice) -> Any:
    """Return rclpy's QoSProfile."""
    reliability, durability = runtime.ReliabilityPolicy, runtime.DurabilityPolicy
    return runtime.QoSProfile(
        depth=choice.depth,
        reliability=reliability.RELIABLE if choice.reliable else reliability.BEST_EFFORT,
        durability=durability.TRANSIENT_LOCAL if choice.latched else durability.VOLATILE,
    )


def _offer(info: Any) -> Offer:
    """Read rclpy's TopicEndpointInfo."""
    qos = info.qos_profile
    return Offer(
        node=f'{info.node_namespace.rstrip("/")}/{info.node_name}',
        reliable=qos.reliability == runtime.ReliabilityPolicy.RELIABLE,
        latched=qos.durability == runtime.DurabilityPolicy.TRANSIENT_LOCAL,
        type_name=info.topic_type,
    )
