"""Message and service classes, built from their definitions at run time; they are as rclpy's."""

from __future__ import annotations

from copy import copy
from functools import lru_cache, partial
import os
from pathlib import Path
import threading
from typing import Any, ClassVar

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.typesys import get_types_from_msg, get_typestore, Stores

from folk_ros.resources import find_file
from folk_ros.ros.embedded import definitions
from folk_ros.ros.embedded.fields import Byte, Check, field_rules

OWN_PACKAGE = 'folk_ros'
PLACEHOLDER = 'structure_needs_at_least_one_member'  # what an empty definition sends
DEFAULT_DISTRO = 'jazzy'


class Message:
    """What every message class has: defaults, keyword constructor, checked fields."""

    __slots__ = ()
    ros_type: ClassVar[str]
    _makers: ClassVar[dict[str, Any]]
    _checks: ClassVar[dict[str, Check]]
    _bytes: ClassVar[tuple[str, ...]]

    def __init__(self, *values: Any, **fields: Any) -> None:
        if values:  # the deserializer: every field in order, each of the right type
            self._fill(values)
            return
        for name, value in fields.items():
            setattr(self, name, value)
        for name, make in self._makers.items():
            if name not in fields:
                object.__setattr__(self, name, make())

    def _fill(self, values: tuple[Any, ...]) -> None:
        for name, value in zip(self._makers, values, strict=True):
            object.__setattr__(self, name, value)
        for name in self._bytes:
            object.__setattr__(self, name, Byte((getattr(self, name) & 0xFF,)))

    def __setattr__(self, name: str, value: Any) -> None:
        check = self._checks.get(name)
        if check is None:
            known = ', '.join(self.get_fields_and_field_types())
            raise AttributeError(f'{self.ros_type} has no field {name!r}; it has: {known}')
        try:
            object.__setattr__(self, name, check(value))
        except (TypeError, ValueError) as error:
            raise type(error)(f'{self.ros_type}.{name}: {error}') from None

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return False
        pairs = ((getattr(self, name), getattr(other, name)) for name in self._makers)
        return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        package, _, name = self.ros_type.partition('/')
        shown = (
            f'{field}={getattr(self, field)!r}' for field in self.get_fields_and_field_types()
        )
        return f'{package}.{name.replace("/", ".")}({", ".join(shown)})'

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        """Return the name and type of every field."""
        fields = interfaces().store.fielddefs[cls.ros_type][1]
        return {name: _type_text(desc) for name, desc in fields if name != PLACEHOLDER}


def _type_text(desc: Any) -> str:
    kind, detail = desc
    if kind == Nodetype.NAME:
        return str(detail).replace('/msg/', '/')
    if kind == Nodetype.BASE:
        spelt = {'float64': 'double', 'float32': 'float', 'bool': 'boolean', 'byte': 'octet'}
        return spelt.get(detail[0], detail[0])
    item, size = detail
    if kind == Nodetype.ARRAY:
        return f'{_type_text(item)}[{size}]'
    return f'sequence<{_type_text(item)}{f", {size}" if size else ""}>'


class Interfaces:
    """Every interface of one ROS 2 distribution, with its classes, bytes and hash."""

    def __init__(self, distro: str) -> None:
        self.store = get_typestore(_store_of(distro))
        self._classes: dict[str, type[Message]] = {}
        self._building = threading.RLock()  # two threads must not make one class twice
        self._services: dict[str, type] = {}
        self._hashes: dict[str, str] = dict(definitions.TYPE_HASHES)
        for name, text in definitions.MESSAGES.items():
            self._define(name, text)
        for name, text in definitions.SERVICES.items():
            self._define_service(name, text)
        for path in _own_files('msg'):
            self._define(f'{OWN_PACKAGE}/msg/{path.stem}', path.read_text(encoding='utf-8'))
        for path in _own_files('srv'):
            self._define_service(f'{OWN_PACKAGE}/srv/{path.stem}', path.read_text('utf-8'))

    def _define(self, name: str, text: str) -> None:
        """Add one message or half a service to the store."""
        parsed = get_types_from_msg(text, name.replace('/srv/', '/msg/'))
        constants, fields = parsed[name.replace('/srv/', '/msg/')]
        fields = fields or [(PLACEHOLDER, (Nodetype.BASE, ('uint8', 0)))]
        self.store.fielddefs.setdefault(name, (constants, fields))

    def _define_service(self, name: str, text: str) -> None:
        lines = text.splitlines()
        cut = lines.index('---')
        self._define(f'{name}_Request', '\n'.join(lines[:cut]))
        self._define(f'{name}_Response', '\n'.join(lines[cut + 1 :]))

    def message(self, name: str) -> type[Message]:
        """Return the class of 'package/msg/Name'; raises LookupError where there is none."""
        with self._building:
            if name not in self._classes:
                if name not in self.store.fielddefs:
                    raise LookupError(
                        f'There is no message type {name!r} (written as package/msg/Name) in the '
                        f'embedded runtime; run under ROS 2 for others'
                    )
                self._classes[name] = self._build(name)
                self.store.types[name] = self._classes[name]  # type: ignore[assignment]
                self.store.get_msgdef(name)
            return self._classes[name]

    def service(self, name: str) -> type:
        """Return the class of 'package/srv/Name'; raises LookupError where there is none."""
        if name not in self._services:
            if f'{name}_Request' not in self.store.fielddefs:
                raise LookupError(
                    f'There is no service type {name!r} (written as package/srv/Name) in the '
                    f'embedded runtime; run under ROS 2 for others'
                )
            halves = {half: self.message(f'{name}_{half}') for half in ('Request', 'Response')}
            short = name.rpartition('/')[2]
            self._services[name] = type(short, (), {**halves, 'ros_type': name})
        return self._services[name]

    def _build(self, name: str) -> type[Message]:
        """Make the class of a definition, with its constants as class attributes."""
        constants, fields = self.store.fielddefs[name]
        rules = {field: field_rules(desc, self.message) for field, desc in fields}
        makers = {field: make for field, (make, _) in rules.items()}
        for field, value in definitions.DEFAULTS.get(name, {}).items():
            makers[field] = partial(copy, value)
        members: dict[str, Any] = {
            '__slots__': tuple(makers),
            '__module__': name.rpartition('/')[0].replace('/', '.'),
            'ros_type': name,
            '_makers': makers,
            '_checks': {field: check for field, (_, check) in rules.items()},
            '_bytes': tuple(f for f, desc in fields if desc == (Nodetype.BASE, ('byte', 0))),
        }
        for constant, kind, value in constants:
            members[constant] = Byte((int(value) & 0xFF,)) if kind == 'byte' else value
        return type(name.rpartition('/')[2], (Message,), members)

    def encode(self, message: Message) -> memoryview:
        """Serialize a message to CDR with its 4-byte header."""
        return self.store.serialize_cdr(message, message.ros_type)

    def decode(self, data: memoryview, name: str) -> Message:
        """Deserialize CDR; arrays are read-only views of `data`. Bad bytes raise SerdeError."""
        self.message(name)
        return self.store.deserialize_cdr(data, name)  # type: ignore[return-value]

    def type_hash(self, name: str) -> str:
        """Return the hash by which peers name the definition."""
        if name not in self._hashes:
            self._hashes[name] = self.store.hash_rihs01(name)
        return self._hashes[name]


def dds_type(name: str) -> str:
    """Return the DDS name of 'package/msg/Name'."""
    package, kind, short = name.split('/')
    return f'{package}::{kind}::dds_::{short}_'


def ros_type(name: str) -> str:
    """Return the ROS name of a DDS type; any other name as it is."""
    parts = name.split('::')
    if len(parts) != 4 or parts[2] != 'dds_' or not parts[3].endswith('_'):
        return name
    return f'{parts[0]}/{parts[1]}/{parts[3][:-1]}'


def _store_of(distro: str) -> Stores:
    """Choose the definitions of a distribution; those of jazzy where it is unknown."""
    if distro == 'rolling':
        return Stores.LATEST
    try:
        return Stores[f'ROS2_{distro.upper()}']
    except KeyError:
        return Stores[f'ROS2_{DEFAULT_DISTRO.upper()}']


def _own_files(kind: str) -> list[Path]:
    """Find this package's definitions, wherever it is installed."""
    return sorted(find_file(kind).glob(f'*.{kind}'))


@lru_cache(maxsize=1)
def interfaces() -> Interfaces:
    """Return the interfaces of the distribution that ROS_DISTRO names (jazzy by default)."""
    return Interfaces(os.environ.get('ROS_DISTRO') or DEFAULT_DISTRO)
