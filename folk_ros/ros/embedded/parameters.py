"""Parameters of a node: values with types, ranges and read-only ones, as in rclpy."""

from __future__ import annotations

import array
from collections.abc import Callable, Sequence
from enum import IntEnum
import math
import threading
from typing import Any

import numpy as np

from folk_ros.ros.embedded.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from folk_ros.ros.embedded.messages import interfaces

NAME_SHOWN = 80  # characters of a name in a message
OnSet = Callable[[list['Parameter']], Any]  # returns rcl_interfaces/SetParametersResult


class ParameterType(IntEnum):
    """The types of rcl_interfaces/ParameterType."""

    NOT_SET = 0
    BOOL = 1
    INTEGER = 2
    DOUBLE = 3
    STRING = 4
    BYTE_ARRAY = 5
    BOOL_ARRAY = 6
    INTEGER_ARRAY = 7
    DOUBLE_ARRAY = 8
    STRING_ARRAY = 9

    @property
    def field(self) -> str:
        """Name the field of rcl_interfaces/ParameterValue that holds such a value."""
        return f'{self.name.lower()}_value'


_SCALARS = {bool: ParameterType.BOOL, int: ParameterType.INTEGER, float: ParameterType.DOUBLE}
_SCALARS[str] = ParameterType.STRING


def infer_type(value: Any) -> ParameterType:
    """Return the type of a Python value; raises InvalidParameterTypeException if it has none."""
    if value is None:
        return ParameterType.NOT_SET
    if type(value) in _SCALARS:
        return _SCALARS[type(value)]
    if isinstance(value, list | tuple | array.array | np.ndarray):
        items = value.tolist() if hasattr(value, 'tolist') else list(value)
        kinds = {type(item) for item in items}
        if not items or kinds == {bytes}:
            return ParameterType.BYTE_ARRAY  # what rclpy makes of an empty list
        if len(kinds) == 1 and (kind := kinds.pop()) in _SCALARS:
            return ParameterType(_SCALARS[kind] + 5)
    raise InvalidParameterTypeException(
        f'{value!r} is no parameter value: use bool, int, float, str or a list of one of them'
    )


class Parameter:
    """A name and a value."""

    Type = ParameterType

    def __init__(self, name: str, type_: ParameterType | None = None, value: Any = None) -> None:
        inferred = infer_type(value)
        type_ = inferred if type_ is None else type_
        if inferred not in (type_, ParameterType.NOT_SET) and not _empty_list(value, type_):
            raise InvalidParameterTypeException(
                f'Parameter {name!r} is of type {type_.name}, got {value!r}'
            )
        self.name, self.type_, self.value = name, type_, value

    def __repr__(self) -> str:
        return f'Parameter(name={self.name!r}, type_={self.type_.name}, value={self.value!r})'

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Parameter)
            and (self.name, self.type_) == (other.name, other.type_)
            and self.get_parameter_value() == other.get_parameter_value()
        )

    __hash__ = None  # type: ignore[assignment]

    def get_parameter_value(self) -> Any:
        """Return rcl_interfaces/ParameterValue."""
        message = interfaces().message('rcl_interfaces/msg/ParameterValue')(type=int(self.type_))
        if self.type_ != ParameterType.NOT_SET:
            joined = self.type_ == ParameterType.BYTE_ARRAY
            value = b''.join(self.value) if joined else self.value
            setattr(message, self.type_.field, value)
        return message

    def to_parameter_msg(self) -> Any:
        """Return rcl_interfaces/Parameter."""
        cls = interfaces().message('rcl_interfaces/msg/Parameter')
        return cls(name=self.name, value=self.get_parameter_value())

    @classmethod
    def from_parameter_msg(cls, msg: Any) -> Parameter:
        """Read rcl_interfaces/Parameter; raises ValueError for an unknown type."""
        type_ = ParameterType(msg.value.type)
        if type_ == ParameterType.NOT_SET:
            return cls(msg.name)
        value = getattr(msg.value, type_.field)
        if type_ == ParameterType.BYTE_ARRAY:
            value = [bytes((item,)) for item in value]
        return cls(msg.name, type_, value.tolist() if isinstance(value, np.ndarray) else value)


def _empty_list(value: Any, type_: ParameterType) -> bool:
    """Whether the value is an empty list, which fits every list type."""
    return type_ >= ParameterType.BYTE_ARRAY and value is not None and len(value) == 0


def result(reason: str = '') -> Any:
    """Return rcl_interfaces/SetParametersResult; a reason means no."""
    cls = interfaces().message('rcl_interfaces/msg/SetParametersResult')
    return cls(successful=not reason, reason=reason)


class ParameterStore:
    """The parameters of one node, and who may refuse a change."""

    def __init__(self, overrides: dict[str, Any]) -> None:
        self.overrides = overrides
        self.descriptors: dict[str, Any] = {}
        self.callbacks: list[OnSet] = []
        self._values: dict[str, Parameter] = {}
        self._lock = threading.RLock()

    def declare(
        self, name: str, default: Any, descriptor: Any, ignore_override: bool
    ) -> Parameter:
        """Add a parameter; the override of command line or file wins over the default."""
        if name in self._values:
            raise ParameterAlreadyDeclaredException(f'Parameter {name!r} is declared already')
        if not name:
            raise ValueError('A parameter needs a name')
        descriptor = descriptor or interfaces().message('rcl_interfaces/msg/ParameterDescriptor')()
        descriptor.name = name
        wanted = default if isinstance(default, ParameterType) else infer_type(default)
        if not descriptor.dynamic_typing:
            descriptor.type = int(wanted)
        value = None if isinstance(default, ParameterType) else default
        if name in self.overrides and not ignore_override:
            value = self.overrides[name]
        parameter = self._typed(name, value, descriptor)
        reason = self._refusal([parameter], {name: descriptor})
        if reason:
            raise InvalidParameterValueException(f'Parameter {name!r} = {value!r}: {reason}')
        with self._lock:
            self.descriptors[name] = descriptor
            self._values[name] = parameter
        return parameter

    def _typed(self, name: str, value: Any, descriptor: Any) -> Parameter:
        """Make a parameter of the declared type; raises InvalidParameterTypeException."""
        declared = ParameterType(descriptor.type)
        if value is None or descriptor.dynamic_typing or declared == ParameterType.NOT_SET:
            return Parameter(name, None, value)
        return Parameter(name, declared, value)

    def undeclare(self, name: str) -> None:
        """Forget a parameter."""
        self.get(name, initialized=False)
        with self._lock:
            del self._values[name], self.descriptors[name]

    def has(self, name: str) -> bool:
        """Whether it was declared."""
        return name in self._values

    def names(self) -> list[str]:
        """Return the declared names, sorted."""
        return sorted(self._values)

    def get(self, name: str, *, initialized: bool = True) -> Parameter:
        """Return a parameter; raises if it was not declared or has no value yet."""
        parameter = self._values.get(name)
        if parameter is None:
            known = ', '.join(self.names())
            raise ParameterNotDeclaredException(
                f'There is no parameter {name[:NAME_SHOWN]!r}; there are: {known}'
            )
        if initialized and parameter.type_ == ParameterType.NOT_SET:
            wanted = ParameterType(self.descriptors[name].type)
            if wanted != ParameterType.NOT_SET:
                raise ParameterUninitializedException(f'Parameter {name!r} has no value yet')
        return parameter

    def set_together(self, parameters: Sequence[Parameter]) -> Any:
        """Set all of them or none; returns rcl_interfaces/SetParametersResult."""
        with self._lock:
            for parameter in parameters:
                self.get(parameter.name, initialized=False)
                if self.descriptors[parameter.name].read_only:
                    return result(f'Parameter {parameter.name!r} is read-only')
            reason = self._refusal(parameters, self.descriptors)
            if not reason:
                for parameter in parameters:
                    self._values[parameter.name] = parameter
            return result(reason)

    def _refusal(self, parameters: Sequence[Parameter], descriptors: dict[str, Any]) -> str:
        """Say why a change is not allowed; '' if it is."""
        for parameter in parameters:
            reason = check(parameter, descriptors[parameter.name])
            if reason:
                return reason
        for callback in list(self.callbacks):
            answer = callback(list(parameters))
            if not answer.successful:
                return str(answer.reason) or 'refused by the node'
        return ''


def check(parameter: Parameter, descriptor: Any) -> str:
    """Compare a value with the type and range of its descriptor; '' if it fits."""
    declared = ParameterType(descriptor.type)
    if not descriptor.dynamic_typing and declared not in (ParameterType.NOT_SET, parameter.type_):
        if parameter.type_ == ParameterType.NOT_SET and parameter.value is None:
            return ''
        return (
            f'Wrong type for {parameter.name!r}: expected {declared.name}, '
            f'got {parameter.type_.name} {parameter.value!r}'
        )
    ranges = {
        ParameterType.INTEGER: descriptor.integer_range,
        ParameterType.DOUBLE: descriptor.floating_point_range,
    }.get(parameter.type_)
    if not ranges:
        return ''
    low, high, step = ranges[0].from_value, ranges[0].to_value, ranges[0].step
    value = parameter.value
    where = f'{parameter.name!r} must be {low} to {high}'
    if not (low <= value <= high):
        return f'{where}, got {value}'
    if step and not (math.isclose(value, high) or _on_step(value - low, step)):
        return f'{where} in steps of {step}, got {value}'
    return ''


def _on_step(distance: float, step: float) -> bool:
    count = round(distance / step)
    return math.isclose(distance, count * step, rel_tol=1e-9, abs_tol=1e-12)
