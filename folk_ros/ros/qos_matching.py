"""
Which quality of service a cloud subscription needs to hear the publishers there are.

A reliable subscription never hears a best-effort publisher; one that wants latched messages never
hears a publisher that keeps none; and one that does not want them misses a map published before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CLOUD_TYPE = 'sensor_msgs/msg/PointCloud2'


@dataclass(frozen=True)
class Offer:
    """What one publisher offers."""

    node: str  # full name of the publisher's node
    reliable: bool
    latched: bool  # keeps its last messages for those who come late
    type_name: str = CLOUD_TYPE

    def __str__(self) -> str:
        return describe(self.reliable, self.latched)


@dataclass(frozen=True)
class Choice:
    """How to subscribe."""

    reliable: bool
    latched: bool
    depth: int  # length of the queue

    def __str__(self) -> str:
        return describe(self.reliable, self.latched)


SHORT = 5  # queue of what is processed newest first anyway
NAMED = {
    'sensor_data': Choice(reliable=False, latched=False, depth=SHORT),
    'reliable': Choice(reliable=True, latched=False, depth=SHORT),
    'latched': Choice(reliable=True, latched=True, depth=1),
}


def describe(reliable: bool, latched: bool) -> str:
    """Name a quality of service as ROS does."""
    return f'{"reliable" if reliable else "best effort"}, {"latched" if latched else "volatile"}'


def choose(profile: str, offers: Sequence[Offer], kind: str = CLOUD_TYPE) -> Choice:
    """
    Choose for a profile by name; 'auto' is what every publisher there is can serve.

    Nobody there yet: reliable and volatile. A single cloud sent as soon as we are seen comes
    through whole, and for sensors the choice is made again when they appear.
    """
    if profile in NAMED:
        return NAMED[profile]
    clouds = [offer for offer in offers if offer.type_name == kind]
    if not clouds:
        return NAMED['reliable']
    reliable = all(offer.reliable for offer in clouds)
    latched = all(offer.latched for offer in clouds)
    return Choice(reliable, latched, depth=1 if latched else SHORT)


def obstacle(choice: Choice, profile: str, offers: Sequence[Offer], kind: str = CLOUD_TYPE) -> str:
    """Say which publishers this choice cannot hear, and what to do; '' if it hears all."""
    for offer in offers:
        if offer.type_name != kind:
            return f'{offer.node} publishes {offer.type_name} there, expected {kind}'
        if (choice.reliable and not offer.reliable) or (choice.latched and not offer.latched):
            return (
                f'{offer.node} offers {offer}, the subscription wants {choice} '
                f"(qos: {profile}), so DDS connects them not; set qos to 'auto'"
            )
    return ''
