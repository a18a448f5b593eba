"""The part of a node that deals with parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from folk_ros.ros.embedded.exceptions import ParameterNotDeclaredException
from folk_ros.ros.embedded.parameter_services import list_parameters
from folk_ros.ros.embedded.parameters import OnSet, Parameter, ParameterStore


class NodeParameters:
    """Declare, get and set, as on rclpy's Node."""

    _parameters: ParameterStore

    def declare_parameter(
        self, name: str, value: Any = None, descriptor: Any = None, ignore_override: bool = False
    ) -> Parameter:
        """
        Declare a parameter; a value of command line or file wins over `value`.

        `value` may be a Parameter.Type: no default then. Raises a ParameterException that says
        what is wrong with the value that was given.
        """
        return self._parameters.declare(name, value, descriptor, ignore_override)

    def declare_parameters(
        self, namespace: str, parameters: Sequence[tuple[Any, ...]], ignore_override: bool = False
    ) -> list[Parameter]:
        """Declare several, each (name,), (name, value) or (name, value, descriptor)."""
        prefix = f'{namespace}.' if namespace else ''
        return [
            self._parameters.declare(prefix + name, *_value_and_descriptor(rest), ignore_override)
            for name, *rest in parameters
        ]

    def undeclare_parameter(self, name: str) -> None:
        """Forget a parameter."""
        self._parameters.undeclare(name)

    def has_parameter(self, name: str) -> bool:
        """Whether a parameter was declared."""
        return self._parameters.has(name)

    def get_parameter(self, name: str) -> Parameter:
        """Return a parameter; raises ParameterNotDeclaredException."""
        return self._parameters.get(name)

    def get_parameters(self, names: Sequence[str]) -> list[Parameter]:
        """Return several parameters."""
        return [self._parameters.get(name) for name in names]

    def get_parameter_or(self, name: str, alternative: Parameter | None = None) -> Parameter:
        """Return a parameter, or the alternative where it was not declared."""
        if self.has_parameter(name):
            return self.get_parameter(name)
        return alternative or Parameter(name)

    def get_parameters_by_prefix(self, prefix: str) -> dict[str, Parameter]:
        """Return the parameters under a prefix, which is cut from their names."""
        start = f'{prefix}.' if prefix else ''
        names = (name for name in self._parameters.names() if name.startswith(start))
        return {name[len(start) :]: self._parameters.get(name) for name in names}

    def list_parameters(self, prefixes: Sequence[str], depth: int) -> Any:
        """Return rcl_interfaces/ListParametersResult."""
        return list_parameters(self._parameters, list(prefixes), depth)

    def set_parameters(self, parameter_list: Sequence[Parameter]) -> list[Any]:
        """Set each on its own; returns a rcl_interfaces/SetParametersResult for each."""
        return [self._parameters.set_together([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: Sequence[Parameter]) -> Any:
        """Set all or none; returns rcl_interfaces/SetParametersResult."""
        return self._parameters.set_together(parameter_list)

    def add_on_set_parameters_callback(self, callback: OnSet) -> None:
        """Let a callback refuse changes: it returns rcl_interfaces/SetParametersResult."""
        self._parameters.callbacks.insert(0, callback)

    def remove_on_set_parameters_callback(self, callback: OnSet) -> None:
        """Ask a callback no longer."""
        self._parameters.callbacks.remove(callback)

    def describe_parameter(self, name: str) -> Any:
        """Return the rcl_interfaces/ParameterDescriptor of a parameter."""
        if not self.has_parameter(name):
            raise ParameterNotDeclaredException(f'There is no parameter {name!r}')
        return self._parameters.descriptors[name]

    def describe_parameters(self, names: Sequence[str]) -> list[Any]:
        """Return the descriptors of several parameters."""
        return [self.describe_parameter(name) for name in names]


def _value_and_descriptor(rest: list[Any]) -> tuple[Any, Any]:
    """Fill up what may be left out."""
    value, descriptor = [*rest, None, None][:2]
    return value, descriptor
