"""
The byte layout of services in rmw_cyclonedds.

A request is the CDR header, 16 bytes that say who asks (the client's writer, a counter), then the
fields. The answer carries the same 16 bytes back, to every client; each picks its own.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
import struct
from typing import Any, TYPE_CHECKING

from folk_ros.ros.embedded.dds import Writer
from folk_ros.ros.embedded.graph import REPLY_PREFIX, REQUEST_PREFIX
from folk_ros.ros.embedded.messages import dds_type, interfaces
from folk_ros.ros.embedded.payload import Sample
from folk_ros.ros.embedded.qos import QoSProfile

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

IDENTITY = struct.Struct('<Qq')  # client's writer, number of the request
CDR_HEADER = 4
PREFIX = CDR_HEADER + IDENTITY.size
# Samples that each side keeps. A reader: replies to every client pass through that of each. A
# writer: what it sends before a new peer has heard its first heartbeat is dropped there and asked
# for again; with ROS's depth of 10 others had overwritten it by then, and the reply was lost.
QUEUE = 1000

_numbers = count(1)  # makes the names of services and clients unique within a participant


def create_halves(
    node: Node, srv_type: Any, name: str, qos: QoSProfile, key: str
) -> tuple[Any, Any]:
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
        policies = replace(qos, depth=max(qos.depth, QUEUE))
        made.append(create(f'{prefix}{name}{suffix}', dds_type(type_name), policies, user_data))
    return made[0], made[1]


def split_identity(sample: Sample) -> tuple[tuple[int, int], memoryview]:
    """Split a request or reply into identity and plain CDR."""
    payload = sample.payload
    body = memoryview(b''.join((payload[:CDR_HEADER], payload[PREFIX:])))
    return IDENTITY.unpack_from(payload, CDR_HEADER), body


def send(writer: Writer, identity: tuple[int, int], message: Any) -> bool:
    """Send a request or reply with its identity."""
    data = interfaces().encode(message)
    return writer.write([data[:CDR_HEADER], IDENTITY.pack(*identity), data[CDR_HEADER:]])
