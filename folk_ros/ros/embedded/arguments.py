"""What stands after --ros-args on the command line: parameters, remappings, log levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from folk_ros.ros.embedded import names
from folk_ros.ros.embedded.parameter_files import parse_value, read_parameter_file

ParameterRule = tuple[str, str, Any]  # pattern of full node names, parameter, value

_WITH_VALUE = {
    '-p': 'param',
    '--param': 'param',
    '-r': 'remap',
    '--remap': 'remap',
    '--params-file': 'file',
    '--log-level': 'level',
    '-e': 'ignored',
    '--enclave': 'ignored',
    '--log-config-file': 'ignored',
    '--log-file-name': 'ignored',
}
_FLAGS = (
    '--enable-',
    '--disable-',
)  # rosout, stdout, external log library: nothing to switch here
_OWN_NAMES = {'__node': '__node', '__name': '__node', '__ns': '__ns'}


@dataclass(frozen=True)
class Remap:
    """One rule: `source` becomes `target`, for one node name or for all."""

    node: str
    source: str
    target: str


@dataclass
class RosArguments:
    """Everything that was asked for, in its order: later parameters win, the first remap wins."""

    parameters: list[ParameterRule] = field(default_factory=list)
    remaps: list[Remap] = field(default_factory=list)
    log_levels: dict[str, str] = field(default_factory=dict)  # '' is for every logger

    def extended(self, other: RosArguments) -> RosArguments:
        """Return both, the arguments of a single node before those of the process."""
        return RosArguments(
            [*other.parameters, *self.parameters],
            [*self.remaps, *other.remaps],
            {**other.log_levels, **self.log_levels},
        )

    def own_name(self, which: str, node_name: str) -> str | None:
        """Return the new node name or namespace ('__node' or '__ns') of a node, if any."""
        for rule in self.remaps:
            if rule.source == which and rule.node in ('', node_name):
                return rule.target
        return None

    def remapped(self, absolute: str, node_name: str, namespace: str) -> str:
        """Apply the first rule that fits an absolute topic or service name."""
        for rule in self.remaps:
            if rule.node not in ('', node_name) or rule.source.startswith('__'):
                continue
            if names.expand(rule.source, node_name, namespace) == absolute:
                return names.expand(rule.target, node_name, namespace)
        return absolute


def parse(argv: Sequence[str]) -> RosArguments:
    """
    Read the ROS arguments among others.

    Raises ValueError for one that is malformed or unknown, FileNotFoundError for a missing file.
    """
    result = RosArguments()
    words = _ros_words(argv)
    for word in words:
        option, equals, attached = word.partition('=')
        if word.startswith(_FLAGS):
            continue
        kind = _WITH_VALUE.get(option if equals else word)
        if kind is None:
            raise ValueError(
                f'Unknown ROS argument {word!r}; known are -p, -r, --params-file, --log-level; '
                f'end the ROS arguments with -- before others'
            )
        value = attached if equals else next(words, None)
        if value is None:
            raise ValueError(f'ROS argument {word!r} has no value after it')
        _add(result, kind, value)
    return result


def _ros_words(argv: Sequence[str]) -> Iterator[str]:
    """Yield the words between each --ros-args and the next -- or the end."""
    inside = False
    for word in argv:
        if word == '--ros-args':
            inside = True
        elif word == '--':
            inside = False
        elif inside:
            yield word


def _add(result: RosArguments, kind: str, value: str) -> None:
    """Add one option with its value."""
    if kind == 'file':
        result.parameters += read_parameter_file(value)
    elif kind == 'level':
        logger, _, level = value.rpartition(':=')
        result.log_levels[logger] = level
    elif kind == 'param':
        node, source, target = _rule(value)
        result.parameters.append(
            (f'/**/{node.strip("/")}' if node else '/**', source, parse_value(target))
        )
    elif kind == 'remap':
        node, source, target = _rule(value)
        source = _OWN_NAMES.get(source, source)
        if source.startswith('__') and source not in _OWN_NAMES.values():
            raise ValueError(f'Remapping {value!r}: use __node, __ns or a topic or service name')
        result.remaps.append(Remap(node, source, target))


def _rule(text: str) -> tuple[str, str, str]:
    """Split 'node:name:=value'; the node is optional."""
    left, found, value = text.partition(':=')
    node, _, name = left.rpartition(':')
    if not found or not name:
        raise ValueError(f'ROS argument {text!r} is not of the form name:=value')
    return node, name, value
