"""Bytes in and out of DDS: samples received without a copy, samples sent with one."""

from __future__ import annotations

from collections.abc import Sequence
import ctypes as ct
from typing import Any, NamedTuple

import numpy as np

from folk_ros.ros.embedded import cyclone
from folk_ros.ros.embedded.cyclone import IoVector, library

COPY_BYTES = 16_384  # samples up to here are copied, larger ones lent by DDS until released

Buffer = bytes | bytearray | memoryview


class Sample(NamedTuple):
    """One received sample: CDR with its 4-byte header, read-only."""

    payload: memoryview
    writer: int  # handle of the remote writer


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


def receive(serdata: ct.c_void_p) -> memoryview:
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
    return lent.data


_view_of_memory = ct.pythonapi.PyMemoryView_FromMemory
_view_of_memory.restype = ct.py_object
_view_of_memory.argtypes = [ct.c_void_p, ct.c_ssize_t, ct.c_int]


def pack(sertype: ct.c_void_p, parts: Sequence[Buffer]) -> int:
    """
    Hand the parts to DDS as one sample, padded to 4 bytes; the first begins with the CDR header.

    Returns a reference that dds_writecdr takes over.
    """
    size = sum(len(part) for part in parts)
    padded = [*parts, b'\0' * (-size % 4)] if size % 4 else parts
    arrays = [np.frombuffer(part, np.uint8) for part in padded]
    vectors = (IoVector * len(arrays))(*[IoVector(a.ctypes.data, a.nbytes) for a in arrays])
    total = sum(a.nbytes for a in arrays)
    serdata = library().ddsi_serdata_from_ser_iov(
        sertype, cyclone.SERDATA_KIND_DATA, len(arrays), vectors, total
    )
    if not serdata:
        raise cyclone.DdsError(f'DDS refused a sample of {size} bytes')
    return int(serdata)
