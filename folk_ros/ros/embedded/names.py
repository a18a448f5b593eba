"""Names of nodes, topics and services: what is allowed, and how they are made absolute."""

from __future__ import annotations

import re

_TOKEN = r'[A-Za-z_][A-Za-z0-9_]*'
_NODE = re.compile(_TOKEN)
_NAMESPACE = re.compile(rf'/|(/{_TOKEN})+')
_NAME = re.compile(rf'~|(~/|/)?{_TOKEN}(/{_TOKEN})*')


def check_node_name(name: str) -> str:
    """Return a valid node name; raises ValueError for others."""
    if not _NODE.fullmatch(name):
        raise ValueError(
            f'Node name {name!r} is not valid: use letters, digits and _, no digit in front'
        )
    return name


def check_namespace(namespace: str) -> str:
    """Return a valid namespace with its leading slash; raises ValueError for others."""
    absolute = namespace if namespace.startswith('/') else f'/{namespace}'
    if not _NAMESPACE.fullmatch(absolute):
        raise ValueError(
            f'Namespace {namespace!r} is not valid: write it as /a/b, each part letters, digits '
            f'and _, not beginning with a digit'
        )
    return absolute


def join(namespace: str, name: str) -> str:
    """Put a name into a namespace."""
    return f'{namespace.rstrip("/")}/{name}'


def expand(name: str, node_name: str, namespace: str) -> str:
    """
    Make a topic or service name absolute: '~' is the node's own name, others its namespace.

    Raises ValueError for a name that ROS does not allow.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f'Topic or service name {name!r} is not valid: parts of letters, digits and _, joined '
            f'by /, with / or ~/ in front where it is absolute or private'
        )
    if name.startswith('/'):
        return name
    if name.startswith('~'):
        return join(namespace, node_name) + name[1:]
    return join(namespace, name)


def split(full_name: str) -> tuple[str, str]:
    """Split '/a/b/node' into namespace and node name."""
    namespace, _, name = full_name.rpartition('/')
    return namespace or '/', name
