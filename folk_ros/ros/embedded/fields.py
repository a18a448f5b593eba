"""What the fields of a message may hold: defaults and checks, as strict as rclpy's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype

Check = Callable[[Any], Any]  # returns the value as it is stored; raises TypeError, ValueError
Lookup = Callable[[str], type]

INTEGERS = {
    **{f'int{n}': (-(1 << (n - 1)), (1 << (n - 1)) - 1) for n in (8, 16, 32, 64)},
    **{f'uint{n}': (0, (1 << n) - 1) for n in (8, 16, 32, 64)},
    'char': (0, 255),
}
DTYPES: dict[str, type[np.generic] | str] = {'bool': np.bool_, 'byte': np.uint8, 'char': np.uint8}


class Byte(bytes):
    """A field of type byte: one byte as in rclpy, and a number to the serializer."""

    __slots__ = ()

    def __index__(self) -> int:
        return self[0] - 256 if self[0] > 127 else self[0]  # the serializer takes it as signed


def _check_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f'expected a bool, got {type(value).__name__}; write bool(...)')
    return value


def _check_byte(value: Any) -> Byte:
    if not isinstance(value, bytes) or len(value) != 1:
        raise TypeError(f"expected one byte as in b'\\x01', got {value!r}")
    return Byte(value)


def _check_float(value: Any) -> float:
    if not isinstance(value, float):
        raise TypeError(f'expected a float, got {type(value).__name__}; write float(...)')
    return value


def _integer_check(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if not isinstance(value, int):
            raise TypeError(f'expected an int, got {type(value).__name__}; write int(...)')
        if not low <= value <= high:
            raise ValueError(f'expected {low} to {high}, got {value}')
        return value

    return check


def _string_check(limit: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f'expected a str, got {type(value).__name__}; write str(...)')
        if limit and len(value) > limit:
            raise ValueError(f'expected at most {limit} characters, got {len(value)}')
        return value

    return check


def _scalar(kind: str, limit: int) -> tuple[Callable[[], Any], Check]:
    """Return default and check of one value of a basic type."""
    if kind == 'string':
        return str, _string_check(limit)
    if kind == 'bool':
        return bool, _check_bool
    if kind == 'byte':
        return (lambda: Byte(b'\0')), _check_byte
    if kind in INTEGERS:
        return int, _integer_check(*INTEGERS[kind])
    return float, _check_float


def _check_count(count: int, exact: int | None, limit: int) -> None:
    if exact is not None and count != exact:
        raise ValueError(f'expected {exact} values, got {count}')
    if limit and count > limit:
        raise ValueError(f'expected at most {limit} values, got {count}')


def _numbers(kind: str, exact: int | None, limit: int) -> tuple[Callable[[], Any], Check]:
    """Return default and check of an array of numbers: an ndarray, not copied if it fits."""
    dtype = np.dtype(DTYPES.get(kind, kind))

    def check(value: Any) -> Any:
        if isinstance(value, str):
            raise TypeError('expected a sequence of numbers, got str')
        if isinstance(value, bytes | bytearray | memoryview):
            array = np.frombuffer(value, np.uint8)
        else:
            array = np.asarray(value)
        if array.ndim != 1:
            raise ValueError(f'expected one dimension, got shape {list(array.shape)}')
        if array.dtype != dtype:
            array = _convert(array, dtype)
        _check_count(len(array), exact, limit)
        return np.ascontiguousarray(array)

    return (lambda: np.zeros(exact or 0, dtype)), check


def _convert(array: Any, dtype: np.dtype[Any]) -> Any:
    """Change the type of plain numbers where no value is lost."""
    if not len(array):
        return np.zeros(0, dtype)
    if array.dtype.kind not in 'biuf' or (array.dtype.kind == 'f' and dtype.kind != 'f'):
        raise TypeError(f'expected {dtype} values, got {array.dtype}')
    converted = array.astype(dtype)
    if dtype.kind in 'iu' and not np.array_equal(converted, array):
        raise ValueError(f'expected {dtype} values, got {array.min()} to {array.max()}')
    return converted


def _objects(make: Callable[[], Any], check_one: Check, exact: int | None, limit: int) -> Any:
    """Return default and check of a list of strings or messages."""

    def check(value: Any) -> list[Any]:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence | set | np.ndarray):
            raise TypeError(f'expected a sequence, got {type(value).__name__}')
        _check_count(len(value), exact, limit)
        for item in value:
            check_one(item)
        return value if isinstance(value, list) else list(value)

    return (lambda: [make() for _ in range(exact or 0)]), check


def _nested(cls: type) -> tuple[Callable[[], Any], Check]:
    def check(value: Any) -> Any:
        if not isinstance(value, cls):
            raise TypeError(f'expected a {cls.__name__}, got {type(value).__name__}')
        return value

    return cls, check


def field_rules(desc: Any, lookup: Lookup) -> tuple[Callable[[], Any], Check]:
    """Return what makes the default of a field, and what checks a value for it."""
    kind, detail = desc
    if kind == Nodetype.BASE:
        return _scalar(*detail)
    if kind == Nodetype.NAME:
        return _nested(lookup(detail))
    (item_kind, item), size = detail
    exact, limit = (size, 0) if kind == Nodetype.ARRAY else (None, size)
    if item_kind == Nodetype.BASE and item[0] != 'string':
        return _numbers(item[0], exact, limit)
    return _objects(*field_rules((item_kind, item), lookup), exact, limit)
