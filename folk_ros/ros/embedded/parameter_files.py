"""Parameter values in YAML: as text on the command line, and in files of node names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import yaml

_INTEGER = re.compile(r'[-+]?(0x[0-9a-fA-F]+|[0-9]+)')
_FLOAT = re.compile(
    r'[-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF)|\.(nan|NaN|NAN))'
)
_TRUE = {'y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'}
_FALSE = {'n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'}
PARAMETERS_KEY = 'ros__parameters'


def parse_value(text: str) -> Any:
    """Read one value as ROS does: quotes make strings, the rest goes by its looks."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f'Parameter value {text!r} is not YAML: {error}') from None
    return '' if node is None else _convert(node, text)


def read_parameter_file(path: str | Path) -> list[tuple[str, str, Any]]:
    """
    Read a parameter file into (node pattern, parameter, value), in the order of the file.

    Raises FileNotFoundError, or ValueError that names file and line.
    """
    try:
        text = Path(path).read_text(encoding='utf-8')
    except FileNotFoundError:
        raise FileNotFoundError(f'There is no parameter file {str(path)!r}') from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f'Parameter file {path} is not YAML: {error}') from None
    if root is None:
        return []
    rules = list(_walk(root, '', str(path)))
    if not rules and f'{PARAMETERS_KEY}:' not in text:
        raise ValueError(
            f'Parameter file {path}: expected node names over {PARAMETERS_KEY!r}, as in '
            f'"/**: {{{PARAMETERS_KEY}: {{name: value}}}}"'
        )
    return rules


def _walk(node: yaml.Node, pattern: str, path: str) -> Iterator[tuple[str, str, Any]]:
    """Go down through namespaces and node names to the parameters."""
    for key, value in _pairs(node, path):
        if key == PARAMETERS_KEY:
            for name, parameter in _leaves(value, '', path):
                yield pattern or '/**', name, parameter
        else:
            yield from _walk(value, f'{pattern}/{key.strip("/")}', path)


def _leaves(node: yaml.Node, prefix: str, path: str) -> Iterator[tuple[str, Any]]:
    """Join the keys of nested parameters with dots."""
    for key, value in _pairs(node, path):
        name = f'{prefix}.{key}' if prefix else key
        if isinstance(value, yaml.MappingNode):
            yield from _leaves(value, name, path)
        else:
            yield name, _convert(value, f'{path}, line {value.start_mark.line + 1}: {name}')


def _pairs(node: yaml.Node, path: str) -> list[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1
        raise ValueError(f'{path}, line {line}: expected "name: value" pairs, got {node.value!r}')
    return [(str(key.value), value) for key, value in node.value]


def _convert(node: yaml.Node, where: str) -> Any:
    """Turn a scalar or a list of one type into its value."""
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        values = [_convert(item, where) for item in node.value]
        kinds = {type(value) for value in values}
        if len(kinds) > 1 or list in kinds:
            found = ', '.join(sorted(kind.__name__ for kind in kinds))
            raise ValueError(f'{where}: a list must hold values of one type, got {found}')
        return values
    raise ValueError(f'{where}: expected a value or a list, got nested names')


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    if node.style is not None:  # quoted, or a block
        return text
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text, 16 if 'x' in text else 10)
    if _FLOAT.fullmatch(text):
        return float(re.sub(r'\.(?=[iInN])', '', text))
    return text


def matches(pattern: str, full_name: str) -> bool:
    """Whether a node pattern with * (one part) and ** (any parts) fits a full node name."""
    parts = []
    for part in pattern.strip('/').split('/'):
        parts.append(
            '(/[^/]+)*' if part == '**' else '/' + re.escape(part).replace(r'\*', '[^/]*')
        )
    return re.fullmatch(''.join(parts), full_name) is not None
