"""The settings as a commented parameter file: config/folk.yaml is written by this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from folk_ros.config import FolkConfig, Meaning, SourceConfig
from folk_ros.ros.parameters import constraints, settings, to_ros


def parameters_yaml(config: FolkConfig) -> str:
    """Write all settings with their meaning as a parameter file."""
    lines = [
        '# Every parameter of the node, with its default. Copy this file, keep the lines to be',
        '# changed, and start with: ros2 launch folk_ros segment.launch.py params_file:=FILE',
        '/**:',
        '  ros__parameters:',
    ]
    group = ''
    for name, value, meaning in settings(config):
        prefix, _, setting = name.rpartition('.')
        if prefix != group:
            group = prefix
            lines += ['', f'    {group}:']
        indent = '      ' if group else '    '
        lines += [f'{indent}# {text}' for text in _comment(meaning, 96 - len(indent))]
        lines.append(f'{indent}{setting}: {_yaml_value(to_ros(value))}')
    return '\n'.join([*lines, *_sources_example()]) + '\n'


def _sources_example() -> list[str]:
    """Show a block of a source, commented out: there is none by default."""
    lines = [
        '',
        '    # Topics with settings of their own, under any name. A topic that stands here need',
        '    # not stand in cloud_topics; settings left out are those below.',
        '    # sources:',
        '    #   front_camera:',
    ]
    example = SourceConfig(topic='/front/points')
    for item in fields(example):
        if item.name != 'name':
            meaning = item.metadata['meaning']
            lines += [f'    #     # {text}' for text in _comment(meaning, 85)]
            lines.append(f'    #     {item.name}: {_yaml_value(getattr(example, item.name))}')
    return lines


def _comment(meaning: Meaning, width: int) -> list[str]:
    """Wrap the meaning of a setting and its limits."""
    limits = '' if meaning.low is None else f'From {meaning.low} to {meaning.high}.'
    words = ' '.join([meaning.text, limits, constraints(meaning)]).split()
    lines = ['']
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append('')
        lines[-1] += f' {word}' if lines[-1] else word
    return lines


def _yaml_value(value: Any) -> str:
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f'[{", ".join(_yaml_value(item) for item in value)}]'
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
