"""DDS entities: a participant, its writers and readers of opaque bytes, and what it discovered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import ctypes as ct
import threading

from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.cyclone import check, library
from folk_ros.ros.embedded.discovery import describe, Discovery, Endpoint, matched
from folk_ros.ros.embedded.payload import Buffer, pack, receive, Sample
from folk_ros.ros.embedded.qos import QoSProfile

BLOCKING_NS = 100_000_000  # how long a reliable write waits for room


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
        check(
            lib.dds_get_entity_sertype(entity, ct.byref(self._type)), 'read the type of a writer'
        )
        check(lib.dds_get_instance_handle(entity, ct.byref(handle)), 'read the handle of a writer')
        self.handle = handle.value

    def write(self, parts: Sequence[Buffer]) -> bool:
        """
        Send the parts as one sample, padded to 4 bytes; the first begins with the CDR header.

        Returns false if no room was found in the queue within 100 ms. Raises DdsError otherwise.
        """
        with self._lock:
            if not self.entity:
                raise cyclone.DdsError('This publisher was destroyed; nothing was sent')
            code = library().dds_writecdr(self.entity, pack(self._type, parts))
        if code == cyclone.RETCODE_TIMEOUT:
            return False
        check(code, 'send a sample')
        return True

    def matched(self) -> list[int]:
        """Return the handles of the readers that listen."""
        return matched(library().dds_get_matched_subscriptions, self.entity)

    def matched_reader(self, handle: int) -> Endpoint | None:
        """Describe a reader that listens; None if it is gone."""
        return describe(library().dds_get_matched_subscription_data, self.entity, handle)

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
                return Sample(receive(serdata), info.publication_handle)
            lib.ddsi_serdata_unref(serdata)  # a writer left: nothing but news of that

    def matched(self) -> list[int]:
        """Return the handles of the writers that send."""
        return matched(library().dds_get_matched_publications, self.entity)

    def matched_writer(self, handle: int) -> Endpoint | None:
        """Describe a writer that sends; None if it is gone."""
        return describe(library().dds_get_matched_publication_data, self.entity, handle)


class Participant(Entity):
    """The place of a process on a DDS domain."""

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
        self.discovery = Discovery(self.entity)

    def create_writer(self, topic: str, type_name: str, qos: QoSProfile, data: str) -> Writer:
        """Announce a writer; `data` is its user data, 'key=value;' pairs."""
        with (
            self._topic(topic, type_name) as entity,
            _qos(qos, data.encode(), writer=True) as policy,
        ):
            writer = library().dds_create_writer(self.entity, entity, policy, None)
        return Writer(check(writer, f'create a writer on {topic}'))

    def create_reader(self, topic: str, type_name: str, qos: QoSProfile, data: str) -> Reader:
        """Announce a reader; `data` is its user data, 'key=value;' pairs."""
        with (
            self._topic(topic, type_name) as entity,
            _qos(qos, data.encode(), writer=False) as policy,
        ):
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
        entity = lib.dds_create_topic(self.entity, ct.byref(descriptor), name.encode(), None, None)
        check(entity, f'create topic {name} of type {type_name}')
        try:
            yield entity
        finally:
            lib.dds_delete(entity)

    def close(self) -> None:
        """Leave the domain, with everything that was created here."""
        super().close()
        domain, self._domain = self._domain, 0
        if domain:
            library().dds_delete(domain)
