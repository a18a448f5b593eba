"""What DDS has discovered: the readers, writers and participants of the domain."""

from __future__ import annotations

import ctypes as ct
from dataclasses import dataclass
import threading
from typing import Any

from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.cyclone import check, library
from folk_ros.ros.embedded.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

MAX_MATCHED = 4096  # peers looked at per endpoint
MAX_DISCOVERED = 16_384  # entities looked at per question


@dataclass(frozen=True)
class Endpoint:
    """A reader or writer somewhere on the domain."""

    guid: bytes
    participant: bytes
    topic: str
    type_name: str
    user_data: dict[str, str]
    qos: QoSProfile


def _read_user_data(qos: int) -> dict[str, str]:
    """Split user data of the form 'key=value;key=value;'."""
    lib, value, size = library(), ct.c_void_p(), ct.c_size_t()
    if not lib.dds_qget_userdata(qos, ct.byref(value), ct.byref(size)) or not value.value:
        return {}
    text = ct.string_at(value.value, size.value).decode('utf-8', 'replace')
    lib.dds_free(value)
    pairs = (item.partition('=') for item in text.split(';') if '=' in item)
    return {key: content for key, _, content in pairs}


def _read_qos(qos: int) -> QoSProfile:
    """Translate what a peer announces."""
    lib, kind, blocking = library(), ct.c_int(), ct.c_int64()
    lib.dds_qget_reliability(qos, ct.byref(kind), ct.byref(blocking))
    reliable = bool(kind.value)
    lib.dds_qget_durability(qos, ct.byref(kind))
    latched = bool(kind.value)
    depth = ct.c_int32()
    told = lib.dds_qget_history(qos, ct.byref(kind), ct.byref(depth))  # Cyclone peers alone
    return QoSProfile(
        HistoryPolicy(kind.value + 1) if told else HistoryPolicy.UNKNOWN,
        max(depth.value, 0) if told else 0,
        ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def _endpoint(data: cyclone.EndpointData) -> Endpoint:
    return Endpoint(
        bytes(data.key.bytes),
        bytes(data.participant_key.bytes),
        (data.topic_name or b'').decode('utf-8', 'replace'),
        (data.type_name or b'').decode('utf-8', 'replace'),
        _read_user_data(data.qos) if data.qos else {},
        _read_qos(data.qos) if data.qos else QoSProfile(),
    )


def matched(call: Any, entity: int) -> list[int]:
    """Return the handles of the peers of an endpoint."""
    handles = (ct.c_uint64 * MAX_MATCHED)()
    count = call(entity, handles, MAX_MATCHED)
    return list(handles[: max(0, min(count, MAX_MATCHED))])


def describe(call: Any, entity: int, handle: int) -> Endpoint | None:
    """Describe one matched peer; None if it is gone."""
    data = call(entity, handle)
    if not data:
        return None
    endpoint = _endpoint(data.contents)
    library().dds_builtintopic_free_endpoint(data)
    return endpoint


class Discovery:
    """The built-in topics of a participant: everything alive on the domain, this process too."""

    def __init__(self, participant: int) -> None:
        self._lock = threading.Lock()  # for the two buffers
        self._samples = (ct.c_void_p * MAX_DISCOVERED)()
        self._infos = (cyclone.SampleInfo * MAX_DISCOVERED)()
        self._readers = {
            topic: check(
                library().dds_create_reader(participant, topic, None, None), 'watch the graph'
            )
            for topic in (cyclone.PARTICIPANTS, cyclone.PUBLICATIONS, cyclone.SUBSCRIPTIONS)
        }

    def publications(self) -> list[Endpoint]:
        """Return every writer."""
        return self._read(cyclone.PUBLICATIONS, cyclone.EndpointData, _endpoint)

    def subscriptions(self) -> list[Endpoint]:
        """Return every reader."""
        return self._read(cyclone.SUBSCRIPTIONS, cyclone.EndpointData, _endpoint)

    def participants(self) -> set[bytes]:
        """Return the GUID of every participant."""
        guids = self._read(
            cyclone.PARTICIPANTS, cyclone.ParticipantData, lambda data: bytes(data.key.bytes)
        )
        return set(guids)

    def _read(self, topic: int, structure: Any, convert: Any) -> list[Any]:
        """Convert what is alive on a built-in topic while DDS lends it."""
        lib, reader = library(), self._readers[topic]
        samples, infos = self._samples, self._infos
        with self._lock:
            samples[0] = None  # DDS lends memory where the first is empty
            count = lib.dds_read_mask(
                reader, samples, infos, MAX_DISCOVERED, MAX_DISCOVERED, cyclone.ALIVE
            )
            if count <= 0:
                return []
            try:
                return [
                    convert(structure.from_address(samples[i]))
                    for i in range(count)
                    if infos[i].valid_data
                ]
            finally:
                lib.dds_return_loan(reader, samples, count)
