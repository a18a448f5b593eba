"""How long a message may be that is decoded to objects one by one, told before they are made."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError

from folk_ros.ros.embedded.messages import interfaces

MAX_OBJECT_BYTES = 1 << 22  # decoding takes up to 0.2 s per MB then; arrays of numbers take none


def check_size(payload: memoryview, name: str) -> None:
    """Refuse a message that may hold too many objects to be decoded soon; raises SerdeError."""
    if len(payload) > MAX_OBJECT_BYTES and holds_objects(name):
        raise SerdeError(f'such messages may have {MAX_OBJECT_BYTES} bytes at most')


@lru_cache(maxsize=256)
def holds_objects(name: str) -> bool:
    """Whether a message of this type may hold any number of messages or texts."""
    return any(_repeats(desc) for _, desc in interfaces().store.fielddefs[name][1])


def _repeats(desc: Any) -> bool:
    kind, detail = desc
    if kind == Nodetype.NAME:
        return holds_objects(detail)
    if kind == Nodetype.BASE:
        return False
    item, _ = detail
    if kind == Nodetype.ARRAY:
        return _repeats(item)
    return bool(item[0] == Nodetype.NAME or item[1][0] == 'string')
