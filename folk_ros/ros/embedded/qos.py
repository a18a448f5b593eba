"""Quality of service: the policies of rclpy.qos that this package uses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class HistoryPolicy(IntEnum):
    """How many samples a queue keeps."""

    SYSTEM_DEFAULT = 0
    KEEP_LAST = 1
    KEEP_ALL = 2
    UNKNOWN = 3


class ReliabilityPolicy(IntEnum):
    """Whether lost samples are sent again."""

    SYSTEM_DEFAULT = 0
    RELIABLE = 1
    BEST_EFFORT = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


class DurabilityPolicy(IntEnum):
    """Whether those who come late get the last samples."""

    SYSTEM_DEFAULT = 0
    TRANSIENT_LOCAL = 1
    VOLATILE = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


@dataclass
class QoSProfile:
    """How a topic is carried. Defaults are rclpy's: reliable, volatile, the last `depth` kept."""

    history: HistoryPolicy = HistoryPolicy.KEEP_LAST
    depth: int = 0
    reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE
    durability: DurabilityPolicy = DurabilityPolicy.VOLATILE

    def __post_init__(self) -> None:
        self.history = HistoryPolicy(self.history)
        self.reliability = ReliabilityPolicy(self.reliability)
        self.durability = DurabilityPolicy(self.durability)
        if not isinstance(self.depth, int) or self.depth < 0:
            raise ValueError(
                f'QoSProfile.depth must be an integer of 0 or more, got {self.depth!r}'
            )

    @property
    def reliable(self) -> bool:
        """Lost samples are sent again (the default, where nothing else is asked for)."""
        return self.reliability != ReliabilityPolicy.BEST_EFFORT

    @property
    def latched(self) -> bool:
        """Subscriptions that come late get the last samples."""
        return self.durability == DurabilityPolicy.TRANSIENT_LOCAL

    @property
    def keep_all(self) -> bool:
        """Nothing is dropped from the queue."""
        return self.history == HistoryPolicy.KEEP_ALL

    def __str__(self) -> str:
        return f'{self.reliability.name}, {self.durability.name}'.lower()


def as_profile(qos: QoSProfile | int) -> QoSProfile:
    """Read a number as the depth of the default profile, as rclpy does."""
    if isinstance(qos, QoSProfile):
        return qos
    if isinstance(qos, int) and not isinstance(qos, bool):
        return QoSProfile(depth=qos)
    raise TypeError(f'qos must be a QoSProfile or a queue depth, got {type(qos).__name__}')


def services_default() -> QoSProfile:
    """Return the profile of services and clients."""
    return QoSProfile(depth=10)


def parameters_default() -> QoSProfile:
    """Return the profile of the parameter services."""
    return QoSProfile(depth=1000)
