"""
The settings of FolkConfig as ROS parameters: `segment.*`, `query.*`, and those of the node bare.

Types, ranges, texts and defaults all come from config.py; a value that is not allowed is answered
with a sentence and the node goes on with the one it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
import difflib
import re
from typing import Any

from folk_ros.config import FolkConfig, Meaning, SourceConfig, with_values
from folk_ros.query import check_texts
from folk_ros.ros import runtime
from folk_ros.ros.vocabulary import check_vocabulary

ROS_OWN = ('use_sim_time', 'start_type_description_service', 'qos_overrides', 'diagnostic_updater')
BARE = 'node'  # the group whose settings have no prefix
SOURCES = 'sources'  # the group whose second part is chosen by the user
SOURCE = re.compile(rf'{SOURCES}\.\w+\.\w+')


def settings(config: FolkConfig) -> Iterator[tuple[str, Any, Meaning]]:
    """Go through all settings: parameter name, value, meaning."""
    for group in (BARE, 'segment', 'query'):
        values = getattr(config, group)
        for item in fields(values):
            name = item.name if group == BARE else f'{group}.{item.name}'
            yield name, getattr(values, item.name), item.metadata['meaning']
    for source in config.sources:
        for item in fields(source):
            if item.name != 'name':
                name = f'{SOURCES}.{source.name}.{item.name}'
                yield name, getattr(source, item.name), item.metadata['meaning']


def changed(config: FolkConfig, values: Mapping[str, Any]) -> FolkConfig:
    """Return the config with parameters changed; ValueError says what is not allowed."""
    known = {name for name, _, _ in settings(config)}
    for name, value in values.items():
        if name not in known:
            raise ValueError(unknown_name(name, config))
        config = _changed_one(config, name, value)
    if config.node.standing_query:
        texts = check_texts(list(config.node.standing_query), config.query)
        config = replace(config, node=replace(config.node, standing_query=tuple(texts)))
    if config.node.vocabulary:
        names = check_vocabulary(config.node.vocabulary, config)
        config = replace(config, node=replace(config.node, vocabulary=names))
    return config


def _changed_one(config: FolkConfig, name: str, value: Any) -> FolkConfig:
    group, _, setting = name.rpartition('.')
    part: Any = next((s for s in config.sources if group == f'{SOURCES}.{s.name}'), None)
    old = part if part is not None else getattr(config, group or BARE)
    try:
        new = with_values(old, {setting: from_ros(value)})
    except (TypeError, ValueError) as error:
        reason = str(error).removeprefix(f'{type(old).__name__}.{setting}: ')
        raise ValueError(f'{name}: {reason}') from error
    if part is None:
        return replace(config, **{group or BARE: new})
    return replace(config, sources=tuple(new if s is old else s for s in config.sources))


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
    hint = f'did you mean {" or ".join(close)}?' if close else f'there are: {", ".join(names)}.'
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
    problems: list[str] = []
    named = dict.fromkeys(name.split('.')[1] for name in overrides if SOURCE.fullmatch(name))
    config = replace(defaults, sources=tuple(SourceConfig(name=name) for name in named))
    known = {name: (value, meaning) for name, value, meaning in settings(config)}
    for name, override in overrides.items():
        if name not in known:
            problems.append(f'{unknown_name(name, config)} It is ignored')
            continue
        value = known[name][0]
        try:
            config = changed(config, {name: _adapted(override, value)})
        except ValueError as error:
            problems.append(f'{error}; the default {value!r} is used')
    config = _with_topics(config, 'cloud_topics' in overrides, problems)
    for name, value, meaning in settings(config):
        node.declare_parameter(
            name, to_ros(value), _descriptor(value, meaning), ignore_override=True
        )
    return config, problems


def _with_topics(config: FolkConfig, named: bool, problems: list[str]) -> FolkConfig:
    """Add the topics of the sources to cloud_topics, in place of its default."""
    for source in config.sources:
        if not source.topic:
            problems.append(
                f"{SOURCES}.{source.name}.topic: expected the topic of its clouds, got ''; the "
                'source is ignored'
            )
    sources = tuple(source for source in config.sources if source.topic)
    topics = config.node.cloud_topics if named or not sources else ()
    together = tuple(dict.fromkeys([*topics, *(source.topic for source in sources)]))
    return replace(config, node=replace(config.node, cloud_topics=together), sources=sources)


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
    named = ', '.join(choice or "''" for choice in meaning.choices)
    parts = [f'One of {named}.'] if named else []
    parts += ['Read when the node starts.'] if meaning.fixed else []
    return ' '.join(parts)
