"""Bytes that are nearly a message: cut, flipped, with lengths that lie."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
Spoil = Callable[[Rng, bytearray], bytearray]

NUMBERS = (0, 1, 2, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)
ENCODINGS = (0x0000, 0x0001, 0x0002, 0x0003, 0x0006, 0x0007, 0x000A, 0x8001, 0xFFFF)
HEAD = 256  # where the lengths stand; what follows is mostly the data of points
MOST_ADDED = 4096


def spoilt(rng: Rng, good: bytes) -> bytes:
    """Return a message with one to three things wrong with its bytes."""
    data = bytearray(good)
    for _ in range(int(rng.integers(1, 4))):
        data = SPOILS[int(rng.integers(len(SPOILS)))](rng, data)
    return bytes(data)


def _place(rng: Rng, data: bytearray) -> int:
    """Choose a byte, mostly where the lengths stand."""
    end = len(data) if rng.random() < 0.2 else min(len(data), HEAD)
    return int(rng.integers(end)) if end else 0


def _cut(rng: Rng, data: bytearray) -> bytearray:
    return data[: _place(rng, data)]


def _flip(rng: Rng, data: bytearray) -> bytearray:
    for _ in range(int(rng.integers(1, 17)) if data else 0):
        data[_place(rng, data)] ^= 1 << int(rng.integers(8))
    return data


def _number(rng: Rng, data: bytearray) -> bytearray:
    """Write an extreme number where one may stand: on a multiple of four."""
    place = _place(rng, data) & ~3
    if place + 4 <= len(data):
        value = NUMBERS[int(rng.integers(len(NUMBERS)))]
        if rng.random() < 0.3:
            value = max(0, len(data) + int(rng.integers(-8, 9)))
        data[place : place + 4] = value.to_bytes(4, 'little' if rng.random() < 0.8 else 'big')
    return data


def _encoding(rng: Rng, data: bytearray) -> bytearray:
    if len(data) >= 4:
        data[:2] = ENCODINGS[int(rng.integers(len(ENCODINGS)))].to_bytes(2, 'big')
    return data


def _added(rng: Rng, data: bytearray) -> bytearray:
    more = int(rng.integers(1, MOST_ADDED))
    return data + (bytes(more) if rng.random() < 0.5 else rng.bytes(more))


def _doubled(rng: Rng, data: bytearray) -> bytearray:
    """Repeat a piece, so that all that follows stands somewhere else."""
    first, last = sorted((_place(rng, data), _place(rng, data)))
    return data[:last] + data[first:last] + data[last:]


def _missing(rng: Rng, data: bytearray) -> bytearray:
    first, last = sorted((_place(rng, data), _place(rng, data)))
    return data[:first] + data[last:]


def _noise(rng: Rng, data: bytearray) -> bytearray:
    """Keep the first bytes, which say what it is; the rest is noise."""
    kept = int(rng.integers(0, 33))
    return data[:kept] + rng.bytes(int(rng.integers(0, MOST_ADDED)))


def _not_text(rng: Rng, data: bytearray) -> bytearray:
    """Break UTF-8."""
    place = _place(rng, data)
    data[place : place + 3] = b'\xff\xfe\x80'
    return data


SPOILS: tuple[Spoil, ...] = (
    _cut,
    _flip,
    _number,
    _number,
    _encoding,
    _added,
    _doubled,
    _missing,
    _noise,
    _not_text,
)
