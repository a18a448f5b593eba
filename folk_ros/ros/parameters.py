"""
The settings of FolkConfig as ROS parameters: `segment.*`, `query.*`, and those of the node bare.

Types, ranges, texts and defaults all come from config.py; a value that is not allowed is answered
with a sentence and the node goes on with the one it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
import difflib
from typing import Any

from folk_ros.config import FolkConfig, Meaning, with_values
from folk_ros.query import check_texts
from folk_ros.ros import runtime

ROS_OWN = ('use_sim_time', 'start_type_description_service', 'qos_overrides', 'diagnostic_updater')
BARE = 'node'  # the group whose settings have no prefix


def settings(config: FolkConfig) -> Iterator[tuple[str, Any, Meaning]]:
    """Go through all settings: parameter name, value, meaning."""
    for group in (BARE, *(item.name for item in fields(config) if item.name != BARE)):
        values = getattr(config, group)
        for item in fields(values):
            name = item.name if group == BARE else f'{group}.{item.name}'
            yield name, getattr(values, item.name), item.metadata['meaning']


def changed(config: FolkConfig, values: Mapping[str, Any]) -> FolkConfig:
    """Return the config with parameters changed; ValueError says what is not allowed."""
    known = {name for name, _, _ in settings(config)}
    for name, value in values.items():
        if name not in known:
            raise ValueError(unknown_name(name, config))
        group, _, setting = name.rpartition('.')
        part = getattr(config, group or BARE)
        try:
            part = with_values(part, {setting: from_ros(value)})
        except (TypeError, ValueError) as error:
            reason = str(error).removeprefix(f'{type(part).__name__}.{setting}: ')
            raise ValueError(f'{name}: {reason}') from error
        config = replace(config, **{group or BARE: part})
    if config.node.standing_query:
        texts = check_texts(list(config.node.standing_query), config.query)
        config = replace(config, node=replace(config.node, standing_query=tuple(texts)))
    return config


def from_ros(value: Any) -> Any:
    """Return a parameter's value as a setting's; ROS has no empty list of texts but ['']."""
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value
    return tuple(item for item in value if item != '')


def to_ros(value: Any) -> Any:
    """Return a setting's value as a parameter's."""
    return (list(value) or ['']) if isinstance(value, tuple) else value


def unknown_name(name: str, config: FolkConfig) -> str:
    """Say that there is no such parameter, and which one was probably meant."""
    names = [known for known, _, _ in settings(config)]
    last = name.rpartition('.')[2]
    close = [known for known in names if known.rpartition('.')[2] == last]
    close = close or difflib.get_close_matches(name, names, n=2)
    hint = f'did you mean {" or ".join(close)}?' if close else f'there are: {", ".join(names)}'
    return f'{name}: there is no such parameter; {hint}'


def is_setting(name: str) -> bool:
    """Whether a parameter is one of ours, and not one of ROS itself."""
    return name.partition('.')[0] not in ROS_OWN


def declare_parameters(node: Any, defaults: FolkConfig) -> tuple[FolkConfig, list[str]]:
    """
    Declare every setting; return the config in force and a sentence per override refused.

    The node must have declared its overrides (of command line and parameter files) by itself:
    here they are declared again, with type, range and text. A refused one leaves the default.
    """
    overrides = _take_overrides(node)
    config, problems = defaults, []
    known = {name: (value, meaning) for name, value, meaning in settings(defaults)}
    for name, override in overrides.items():
        if name not in known:
            problems.append(f'{unknown_name(name, defaults)} It is ignored')
            continue
        value = known[name][0]
        try:
            config = changed(config, {name: _adapted(override, value)})
        except ValueError as error:
            problems.append(f'{error}; the default {value!r} is used')
    for name, value, meaning in settings(config):
        node.declare_parameter(
            name, to_ros(value), _descriptor(value, meaning), ignore_override=True
        )
    return config, problems


def _take_overrides(node: Any) -> dict[str, Any]:
    """Return what was given from outside, and undeclare it."""
    given = node.get_parameters_by_prefix('')
    overrides = {name: parameter.value for name, parameter in given.items() if is_setting(name)}
    for name in overrides:
        node.undeclare_parameter(name)
    return overrides


def _adapted(value: Any, default: Any) -> Any:
    """Read one text as a list of one where a list is wanted."""
    return [value] if isinstance(default, tuple) and isinstance(value, str) else value


def _descriptor(value: Any, meaning: Meaning) -> Any:
    """Describe a parameter to `ros2 param describe` and to graphical tools."""
    descriptor = runtime.message('rcl_interfaces/msg/ParameterDescriptor')()
    descriptor.description = meaning.text
    descriptor.read_only = meaning.fixed
    descriptor.additional_constraints = constraints(meaning)
    if meaning.low is not None and meaning.high is not None:
        if isinstance(value, float):
            cls = runtime.message('rcl_interfaces/msg/FloatingPointRange')
            descriptor.floating_point_range = [
                cls(from_value=float(meaning.low), to_value=float(meaning.high))
            ]
        else:
            cls = runtime.message('rcl_interfaces/msg/IntegerRange')
            descriptor.integer_range = [
                cls(from_value=int(meaning.low), to_value=int(meaning.high))
            ]
    return descriptor


def constraints(meaning: Meaning) -> str:
    """Say in words what a range cannot."""
    parts = [f'One of {", ".join(meaning.choices)}.'] if meaning.choices else []
    parts += ['Read when the node starts.'] if meaning.fixed else []
    return ' '.join(parts)
