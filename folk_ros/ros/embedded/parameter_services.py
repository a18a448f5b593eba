"""The six services through which `ros2 param` and others read and set a node's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TYPE_CHECKING

from folk_ros.ros.embedded.callback_groups import MutuallyExclusiveCallbackGroup
from folk_ros.ros.embedded.exceptions import ParameterException
from folk_ros.ros.embedded.messages import interfaces
from folk_ros.ros.embedded.parameters import Parameter, ParameterStore, result
from folk_ros.ros.embedded.qos import parameters_default

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

SEPARATOR = '.'
MAX_NAMES = 256  # in one request; more would hold up all others


class ParameterServices:
    """Answers for one node, in a callback group of its own: never behind the node's work."""

    def __init__(self, node: Node, store: ParameterStore) -> None:
        self._store = store
        group = MutuallyExclusiveCallbackGroup()
        handlers = {
            ('GetParameters', 'get_parameters'): self._get,
            ('GetParameterTypes', 'get_parameter_types'): self._types,
            ('SetParameters', 'set_parameters'): self._set,
            ('SetParametersAtomically', 'set_parameters_atomically'): self._set_together,
            ('DescribeParameters', 'describe_parameters'): self._describe,
            ('ListParameters', 'list_parameters'): self._list,
        }
        for (kind, name), handler in handlers.items():
            node.create_service(
                interfaces().service(f'rcl_interfaces/srv/{kind}'),
                f'~/{name}',
                handler,
                qos_profile=parameters_default(),
                callback_group=group,
            )

    def _get(self, request: Any, response: Any) -> Any:
        store = self._store
        if known(store, request.names):
            response.values = [
                store.get(name, initialized=False).get_parameter_value() for name in request.names
            ]
        return response

    def _types(self, request: Any, response: Any) -> Any:
        store = self._store
        if known(store, request.names):
            response.types = [
                int(store.get(name, initialized=False).type_) for name in request.names
            ]
        return response

    def _set(self, request: Any, response: Any) -> Any:
        if len(request.parameters) > MAX_NAMES:
            refused = _too_many(request.parameters)
            response.results = [refused for _ in request.parameters]
            return response
        response.results = [self._apply([item]) for item in request.parameters]
        return response

    def _set_together(self, request: Any, response: Any) -> Any:
        response.result = self._apply(request.parameters)
        return response

    def _apply(self, messages: list[Any]) -> Any:
        """Set parameters; what is wrong with them becomes the reason of the result."""
        if len(messages) > MAX_NAMES:
            return _too_many(messages)
        try:
            return self._store.set_together([Parameter.from_parameter_msg(m) for m in messages])
        except (ParameterException, ValueError) as error:
            return result(str(error))

    def _describe(self, request: Any, response: Any) -> Any:
        descriptors = self._store.descriptors
        if known(self._store, request.names):
            response.descriptors = [descriptors[name] for name in request.names]
        return response

    def _list(self, request: Any, response: Any) -> Any:
        if len(request.prefixes) <= MAX_NAMES:
            response.result = list_parameters(self._store, request.prefixes, request.depth)
        return response


def known(store: ParameterStore, names: Sequence[str]) -> bool:
    """Whether all of these were declared, and are not so many that the answer takes long."""
    return len(names) <= MAX_NAMES and all(store.has(name) for name in names)


def _too_many(messages: Sequence[Any]) -> Any:
    return result(f'expected at most {MAX_NAMES} parameters at once, got {len(messages)}')


def list_parameters(store: ParameterStore, prefixes: list[str], depth: int) -> Any:
    """Return rcl_interfaces/ListParametersResult; depth 0 is any depth, no prefixes are all."""

    def wanted(name: str) -> bool:
        if not prefixes:
            return not depth or name.count(SEPARATOR) < depth
        for prefix in prefixes:
            rest = name[len(prefix) :]
            inside = name.startswith(prefix + SEPARATOR)
            if name == prefix or (inside and (not depth or rest.count(SEPARATOR) <= depth)):
                return True
        return False

    found = [name for name in store.names() if wanted(name)]
    groups = {name.rpartition(SEPARATOR)[0] for name in found if SEPARATOR in name}
    cls = interfaces().message('rcl_interfaces/msg/ListParametersResult')
    return cls(names=found, prefixes=sorted(groups))
