"""The one thread that waits for DDS: it tells who has something to take, and takes nothing."""

from __future__ import annotations

from collections.abc import Callable
import ctypes as ct
from itertools import count
import threading

from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.cyclone import check, library
from folk_ros.ros.embedded.dds import Entity, Participant
from folk_ros.ros.embedded.logger import get_logger

OnStatus = Callable[[int], None]  # gets the DDS status bits that changed
MAX_TRIGGERED = 64


class Waiter:
    """A waitset and its thread. Callbacks run on it, and must be short."""

    def __init__(self, participant: Participant) -> None:
        lib = library()
        self._keys = count(1)
        self._attached: dict[int, tuple[Entity, OnStatus]] = {}
        self._stopped = False
        self._waitset = check(lib.dds_create_waitset(participant.entity), 'create a waitset')
        self._guard = check(lib.dds_create_guardcondition(participant.entity), 'create a guard')
        check(lib.dds_waitset_attach(self._waitset, self._guard, 0), 'attach a guard')
        self._thread = threading.Thread(target=self._run, name='dds-waiter', daemon=True)
        self._thread.start()

    def attach(self, entity: Entity, statuses: int, callback: OnStatus) -> int:
        """Call back whenever one of the statuses changes; returns the key for detach()."""
        key = next(self._keys)
        entity.watch(statuses)
        self._attached[key] = (entity, callback)
        check(library().dds_waitset_attach(self._waitset, entity.entity, key), 'attach an entity')
        return key

    def detach(self, key: int) -> None:
        """Stop calling back; before the entity is closed."""
        entity, _ = self._attached.pop(key, (None, None))
        if entity is not None:
            library().dds_waitset_detach(self._waitset, entity.entity)

    def close(self) -> None:
        """End the thread."""
        self._stopped = True
        library().dds_set_guardcondition(self._guard, True)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        triggered = (ct.c_ssize_t * MAX_TRIGGERED)()
        lib = library()
        while not self._stopped:
            found = lib.dds_waitset_wait(
                self._waitset, triggered, MAX_TRIGGERED, cyclone.FOREVER_NS
            )
            if found < 0:
                return  # the participant is gone
            for key in triggered[: min(found, MAX_TRIGGERED)]:
                self._report(key)

    def _report(self, key: int) -> None:
        """Clear what woke the waitset, then tell its owner."""
        entity, callback = self._attached.get(key, (None, None))
        if entity is None or callback is None:
            return
        statuses = entity.take_statuses()
        if not statuses:
            return
        try:
            callback(statuses)
        except Exception as error:  # noqa: BLE001  this thread serves every other endpoint too
            get_logger('folk_ros.dds').error(f'Handling news of an endpoint failed: {error!r}')
