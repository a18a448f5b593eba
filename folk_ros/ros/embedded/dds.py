"""DDS entities: a participant, its writers and readers of opaque bytes, and what it discovered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import ctypes as ct
from dataclasses import dataclass
import threading
from typing import Any, NamedTuple

from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.cyclone import check, IoVector, library
from folk_ros.ros.embedded.qos import DurabilityPolicy, HistoryPolicy, QoSProfile
from folk_ros.ros.embedded.qos import ReliabilityPolicy
import numpy as np

BLOCKING_NS = 100_000_000  # how long a reliable write waits for room
COPY_BYTES = 16_384  # samples up to here are copied, larger ones lent by DDS until released
MAX_MATCHED = 4096  # peers looked at per endpoint
MAX_DISCOVERED = 65_536  # endpoints looked at per graph question

Buffer = bytes | bytearray | memoryview


class Sample(NamedTuple):
    """One received sample: CDR with its 4-byte header, read-only."""

    payload: memoryview
    writer: int  # handle of the remote writer


@dataclass(frozen=True)
class Endpoint:
    """A reader or writer somewhere on the domain."""

    guid: bytes
    participant: bytes
    topic: str
    type_name: str
    user_data: dict[str, str]
    qos: QoSProfile


class _Loan:
    """Memory that DDS lends; given back when the last view of it is gone."""

    def __init__(self, serdata: int, vector: IoVector) -> None:
        self._serdata, self._vector = serdata, vector
        self._release = library().ddsi_serdata_to_ser_unref

    def __del__(self) -> None:
        self._release(self._serdata, ct.byref(self._vector))


class _LentArray(np.ndarray[Any, Any]):
    """An array over lent memory: every view of it keeps the loan."""

    loan: _Loan


@contextmanager
def _qos(profile: QoSProfile, user_data: bytes, *, writer: bool) -> Iterator[int]:
    """Translate a profile for the length of one create call."""
    lib = library()
    qos = lib.dds_create_qos()
    depth = max(profile.depth, 1)
    history = (1, -1) if profile.keep_all else (0, depth)
    lib.dds_qset_reliability(qos, int(profile.reliable), BLOCKING_NS)
    lib.dds_qset_durability(qos, int(profile.latched))
    lib.dds_qset_history(qos, *history)
    lib.dds_qset_data_representation(qos, 1, (ct.c_int16 * 1)(cyclone.XCDR1))
    if user_data:
        lib.dds_qset_userdata(qos, user_data, len(user_data))
    if writer:
        lib.dds_qset_writer_data_lifecycle(qos, False)
        if profile.latched:  # Cyclone takes the number of retained samples from here
            lib.dds_qset_durability_service(qos, 0, *history, -1, -1, -1)
    try:
        yield qos
    finally:
        lib.dds_delete_qos(qos)


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
    """Translate what a peer announces; the queue of a peer is not announced."""
    lib, kind, blocking = library(), ct.c_int(), ct.c_int64()
    lib.dds_qget_reliability(qos, ct.byref(kind), ct.byref(blocking))
    reliable = bool(kind.value)
    lib.dds_qget_durability(qos, ct.byref(kind))
    return QoSProfile(
        HistoryPolicy.UNKNOWN,
        0,
        ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        DurabilityPolicy.TRANSIENT_LOCAL if kind.value else DurabilityPolicy.VOLATILE,
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


class Entity:
    """One DDS entity with a place on the network."""

    def __init__(self, entity: int) -> None:
        self.entity = entity
        guid = cyclone.Guid()
        check(library().dds_get_guid(entity, ct.byref(guid)), 'read the GUID of an entity')
        self.guid = bytes(guid.bytes)

    def close(self) -> None:
        """Delete the entity; a second time does nothing."""
        entity, self.entity = self.entity, 0
        if entity:
            library().dds_delete(entity)

    def watch(self, statuses: int) -> None:
        """Choose the statuses that wake a waitset."""
        check(library().dds_set_status_mask(self.entity, statuses), 'set a status mask')

    def take_statuses(self) -> int:
        """Return and clear the statuses that have changed; 0 for a closed entity."""
        status = ct.c_uint32()
        mask = cyclone.DATA_AVAILABLE if isinstance(self, Reader) else 0
        mask |= cyclone.REQUESTED_INCOMPATIBLE if mask else cyclone.OFFERED_INCOMPATIBLE
        if library().dds_take_status(self.entity, ct.byref(status), mask) < 0:
            return 0
        return status.value


class Writer(Entity):
    """Sends CDR bytes to one topic."""

    def __init__(self, entity: int) -> None:
        super().__init__(entity)
        self._lock = threading.Lock()  # the type below must not vanish during a write
        self._type = ct.c_void_p()
        handle = ct.c_uint64()
        lib = library()
        check(lib.dds_get_entity_sertype(entity, ct.byref(self._type)), 'read the type of a writer')
        check(lib.dds_get_instance_handle(entity, ct.byref(handle)), 'read the handle of a writer')
        self.handle = handle.value

    def write(self, parts: Sequence[Buffer]) -> bool:
        """
        Send the parts as one sample, padded to 4 bytes; the first begins with the CDR header.

        Returns false if no room was found in the queue within 100 ms. Raises DdsError otherwise.
        """
        size = sum(len(part) for part in parts)
        padded = [*parts, b'\0' * (-size % 4)] if size % 4 else parts
        arrays = [np.frombuffer(part, np.uint8) for part in padded]
        vectors = (IoVector * len(arrays))(*((a.ctypes.data, a.nbytes) for a in arrays))
        lib = library()
        with self._lock:
            if not self.entity:
                raise cyclone.DdsError('This publisher was destroyed; nothing was sent')
            serdata = lib.ddsi_serdata_from_ser_iov(
                self._type,
                cyclone.SERDATA_KIND_DATA,
                len(arrays),
                vectors,
                sum(a.nbytes for a in arrays),
            )
            if not serdata:
                raise cyclone.DdsError(f'DDS refused a sample of {size} bytes')
            code = lib.dds_writecdr(self.entity, serdata)
        if code == cyclone.RETCODE_TIMEOUT:
            return False
        check(code, f'send a sample of {size} bytes')
        return True

    def matched(self) -> list[int]:
        """Return the handles of the readers that listen."""
        return _matched(library().dds_get_matched_subscriptions, self.entity)

    def matched_reader(self, handle: int) -> Endpoint | None:
        """Describe a reader that listens; None if it is gone."""
        return _describe(library().dds_get_matched_subscription_data, self.entity, handle)

    def wait_for_acks(self, timeout_ns: int) -> bool:
        """Wait until every reliable reader has everything; false if time ran out."""
        return library().dds_wait_for_acks(self.entity, timeout_ns) >= 0

    def close(self) -> None:
        """Delete the writer, after a write in progress."""
        with self._lock:
            super().close()


class Reader(Entity):
    """Receives CDR bytes from one topic."""

    def take(self) -> Sample | None:
        """Take the oldest sample; None if there is none (or the reader was closed)."""
        lib, serdata, info = library(), ct.c_void_p(), cyclone.SampleInfo()
        while True:
            count = lib.dds_takecdr(
                self.entity, ct.byref(serdata), 1, ct.byref(info), cyclone.ANY_STATE
            )
            if count <= 0:
                return None
            if info.valid_data:
                return Sample(_payload(serdata), info.publication_handle)
            lib.ddsi_serdata_unref(serdata)  # a writer left: nothing but news of that

    def matched(self) -> list[int]:
        """Return the handles of the writers that send."""
        return _matched(library().dds_get_matched_publications, self.entity)

    def matched_writer(self, handle: int) -> Endpoint | None:
        """Describe a writer that sends; None if it is gone."""
        return _describe(library().dds_get_matched_publication_data, self.entity, handle)


def _payload(serdata: ct.c_void_p) -> memoryview:
    """Make the bytes of a sample readable: a copy of small ones, a loan of large ones."""
    lib, vector = library(), IoVector()
    held = lib.ddsi_serdata_to_ser_ref(
        serdata, 0, lib.ddsi_serdata_size(serdata), ct.byref(vector)
    )
    lib.ddsi_serdata_unref(serdata)
    if vector.size <= COPY_BYTES:
        copy = ct.string_at(vector.base, vector.size)
        lib.ddsi_serdata_to_ser_unref(held, ct.byref(vector))
        return memoryview(copy)
    view = _view_of_memory(vector.base, vector.size, 0x100)  # PyBUF_READ
    lent = np.frombuffer(view, np.uint8).view(_LentArray)
    lent.loan = _Loan(held, vector)
    return memoryview(lent)


_view_of_memory = ct.pythonapi.PyMemoryView_FromMemory
_view_of_memory.restype = ct.py_object
_view_of_memory.argtypes = [ct.c_void_p, ct.c_ssize_t, ct.c_int]


def _matched(call: Any, entity: int) -> list[int]:
    handles = (ct.c_uint64 * MAX_MATCHED)()
    count = call(entity, handles, MAX_MATCHED)
    return list(handles[: max(0, min(count, MAX_MATCHED))])


def _describe(call: Any, entity: int, handle: int) -> Endpoint | None:
    data = call(entity, handle)
    if not data:
        return None
    endpoint = _endpoint(data.contents)
    library().dds_builtintopic_free_endpoint(data)
    return endpoint


class Participant(Entity):
    """This process on a DDS domain."""

    def __init__(self, domain_id: int, config: str | None, user_data: bytes) -> None:
        lib = library()
        self._domain = 0
        if config is not None:
            self._domain = check(
                lib.dds_create_domain(domain_id, config.encode()), f'open domain {domain_id}'
            )
        with _qos(QoSProfile(), user_data, writer=False) as qos:
            entity = lib.dds_create_participant(domain_id, qos, None)
        super().__init__(check(entity, f'join domain {domain_id}'))
        self._discovered = {
            topic: check(
                lib.dds_create_reader(self.entity, topic, None, None), 'watch the graph'
            )
            for topic in (cyclone.PARTICIPANTS, cyclone.PUBLICATIONS, cyclone.SUBSCRIPTIONS)
        }

    def create_writer(self, topic: str, type_name: str, qos: QoSProfile, data: str) -> Writer:
        """Announce a writer; `data` is its user data, 'key=value;' pairs."""
        with self._topic(topic, type_name) as entity, _qos(qos, data.encode(), writer=True) as policy:
            writer = library().dds_create_writer(self.entity, entity, policy, None)
        return Writer(check(writer, f'create a writer on {topic}'))

    def create_reader(self, topic: str, type_name: str, qos: QoSProfile, data: str) -> Reader:
        """Announce a reader; `data` is its user data, 'key=value;' pairs."""
        with self._topic(topic, type_name) as entity, _qos(qos, data.encode(), writer=False) as policy:
            reader = library().dds_create_reader(self.entity, entity, policy, None)
        return Reader(check(reader, f'create a reader on {topic}'))

    @contextmanager
    def _topic(self, name: str, type_name: str) -> Iterator[int]:
        """Hold an opaque topic while an endpoint is made on it."""
        descriptor = cyclone.TopicDescriptor(
            size=1,
            align=1,
            flagset=cyclone.RESTRICT_DATA_REPRESENTATION,
            typename=type_name.encode(),
            nops=2,
            ops=cyclone.OCTET_PROGRAM,
            meta=b'',
            restrict_data_representation=1 << cyclone.XCDR1,
        )
        lib = library()
        entity = lib.dds_create_topic(
            self.entity, ct.byref(descriptor), name.encode(), None, None
        )
        check(entity, f'create topic {name} of type {type_name}')
        try:
            yield entity
        finally:
            lib.dds_delete(entity)

    def publications(self) -> list[Endpoint]:
        """Return every writer known on the domain, those of this process too."""
        return self._endpoints(cyclone.PUBLICATIONS)

    def subscriptions(self) -> list[Endpoint]:
        """Return every reader known on the domain, those of this process too."""
        return self._endpoints(cyclone.SUBSCRIPTIONS)

    def participants(self) -> set[bytes]:
        """Return the GUIDs of the participants that are alive."""
        structure = cyclone.ParticipantData
        return {
            bytes(data.key.bytes) for data in self._read(cyclone.PARTICIPANTS, structure)
        }

    def _endpoints(self, topic: int) -> list[Endpoint]:
        return [_endpoint(data) for data in self._read(topic, cyclone.EndpointData)]

    def _read(self, topic: int, structure: Any) -> Iterator[Any]:
        """Yield what is alive on a built-in topic; valid until the next one is asked for."""
        lib, reader = library(), self._discovered[topic]
        samples, infos = (ct.c_void_p * 256)(), (cyclone.SampleInfo * 256)()
        raise NotImplementedError

    def close(self) -> None:
        """Leave the domain, with everything that was created here."""
        super().close()
        domain, self._domain = self._domain, 0
        if domain:
            library().dds_delete(domain)
