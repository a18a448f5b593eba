"""Who is on the domain: what this process tells about its nodes, and what others tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
import threading
from typing import Any, TYPE_CHECKING

import numpy as np
from rosbags.serde import SerdeError

from folk_ros.ros.embedded import cyclone, names
from folk_ros.ros.embedded.dds import Participant
from folk_ros.ros.embedded.discovery import Endpoint
from folk_ros.ros.embedded.logger import get_logger
from folk_ros.ros.embedded.messages import dds_type, interfaces, ros_type
from folk_ros.ros.embedded.qos import DurabilityPolicy, HistoryPolicy, QoSProfile
from folk_ros.ros.embedded.sizes import check_size
from folk_ros.ros.embedded.waiter import Waiter

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node

TOPIC = 'ros_discovery_info'
INFO = 'rmw_dds_common/msg/ParticipantEntitiesInfo'
UNKNOWN_NODE = '_NODE_NAME_UNKNOWN_'
TOPIC_PREFIX, REQUEST_PREFIX, REPLY_PREFIX = 'rt', 'rq', 'rr'


@dataclass(frozen=True)
class TopicEndpointInfo:
    """One publisher or subscription of a topic."""

    node_name: str
    node_namespace: str
    topic_type: str
    endpoint_gid: list[int]
    qos_profile: QoSProfile


@dataclass(frozen=True)
class _RemoteNode:
    name: str
    namespace: str
    endpoints: frozenset[bytes] = field(repr=False)


class Graph:
    """The nodes of every participant; the endpoints are those that DDS has discovered."""

    def __init__(self, participant: Participant, waiter: Waiter) -> None:
        self._participant = participant
        self._lock = threading.Lock()
        self._remote: dict[bytes, list[_RemoteNode]] = {}
        self._local: list[Node] = []
        self._warned: set[str] = set()
        latched = DurabilityPolicy.TRANSIENT_LOCAL
        user_data = f'typehash={interfaces().type_hash(INFO)};'
        self._writer = participant.create_writer(
            TOPIC, dds_type(INFO), QoSProfile(depth=1, durability=latched), user_data
        )
        self._reader = participant.create_reader(
            TOPIC,
            dds_type(INFO),
            QoSProfile(HistoryPolicy.KEEP_ALL, durability=latched),
            user_data,
        )
        waiter.attach(self._reader, cyclone.DATA_AVAILABLE, self._on_news)

    def add(self, node: Node) -> None:
        """Tell of a new node."""
        with self._lock:
            self._local.append(node)
        self._warn_of_twins()
        self.publish()

    def remove(self, node: Node) -> None:
        """Tell that a node is gone."""
        with self._lock:
            self._local.remove(node)
        self.publish()

    def publish(self) -> None:
        """Tell of the nodes of this process and their endpoints, after each change."""
        lookup = interfaces().message
        info_class: Any = lookup(INFO)
        gid_class: Any = lookup('rmw_dds_common/msg/Gid')
        node_class: Any = lookup('rmw_dds_common/msg/NodeEntitiesInfo')
        width = len(gid_class().data)  # 24 before Iron, 16 since

        def gid(guid: bytes) -> Any:
            return gid_class(data=np.frombuffer(guid.ljust(width, b'\0'), np.uint8))

        with self._lock:
            message = info_class(gid=gid(self._participant.guid))
            message.node_entities_info_seq = [
                node_class(
                    node_namespace=node.get_namespace(),
                    node_name=node.get_name(),
                    reader_gid_seq=[gid(guid) for guid in sorted(node.reader_guids)],
                    writer_gid_seq=[gid(guid) for guid in sorted(node.writer_guids)],
                )
                for node in self._local
            ]
            self._writer.write([interfaces().encode(message)])

    def _on_news(self, _statuses: int) -> None:
        """Take what others tell."""
        while sample := self._reader.take():
            try:
                check_size(sample.payload, INFO)
                info: Any = interfaces().decode(sample.payload, INFO)
            except (SerdeError, IndexError, MemoryError) as error:
                get_logger('folk_ros.graph').warning(
                    f'A peer sent {TOPIC} that is not readable ({error}); another ROS_DISTRO? '
                    f'Its node names stay unknown',
                    once=True,
                )
                continue
            self._remember(info)
        self._warn_of_twins()

    def _remember(self, info: Any) -> None:
        nodes = [
            _RemoteNode(
                item.node_name,
                item.node_namespace,
                frozenset(
                    bytes(gid.data)[:16] for gid in (*item.reader_gid_seq, *item.writer_gid_seq)
                ),
            )
            for item in info.node_entities_info_seq
        ]
        guid = bytes(info.gid.data)[:16]
        with self._lock:
            if guid != self._participant.guid:
                self._remote[guid] = nodes

    def _warn_of_twins(self) -> None:
        """Warn once of each name of ours that another node has too."""
        everyone = [names.join(namespace, name) for name, namespace in self.nodes()]
        with self._lock:
            ours = {node.get_fully_qualified_name() for node in self._local}
            twins = {name for name in ours if everyone.count(name) > 1} - self._warned
            self._warned |= twins
        for name in sorted(twins):
            get_logger(name.strip('/').replace('/', '.')).warning(
                f'There is another node named {name} on this domain; their topics and services '
                f'mix. Rename one with --ros-args -r __node:=other_name'
            )

    def nodes(self) -> list[tuple[str, str]]:
        """Return (name, namespace) of every node on the domain, this process first."""
        with self._lock:
            found = [(node.get_name(), node.get_namespace()) for node in self._local]
            found += [(node.name, node.namespace) for node in self._alive()]
        return found

    def _alive(self) -> list[_RemoteNode]:
        """Return the nodes of the participants that are still there, and forget the others."""
        alive = self._participant.discovery.participants()
        self._remote = {guid: nodes for guid, nodes in self._remote.items() if guid in alive}
        return [node for nodes in self._remote.values() for node in nodes]

    def _owner(self, guid: bytes) -> tuple[str, str]:
        """Return (name, namespace) of the node that an endpoint belongs to."""
        with self._lock:
            for node in self._local:
                if guid in node.reader_guids or guid in node.writer_guids:
                    return node.get_name(), node.get_namespace()
            for other in self._alive():
                if guid in other.endpoints:
                    return other.name, other.namespace
        return UNKNOWN_NODE, UNKNOWN_NODE

    def publications(self, topic: str) -> list[Endpoint]:
        """Return the publishers of an absolute topic name."""
        wanted = TOPIC_PREFIX + topic
        return [
            item for item in self._participant.discovery.publications() if item.topic == wanted
        ]

    def subscriptions(self, topic: str) -> list[Endpoint]:
        """Return the subscriptions of an absolute topic name."""
        wanted = TOPIC_PREFIX + topic
        found = self._participant.discovery.subscriptions()
        return [item for item in found if item.topic == wanted]

    def describe(self, endpoints: Iterable[Endpoint]) -> list[TopicEndpointInfo]:
        """Add node names to endpoints."""
        return [
            TopicEndpointInfo(
                *self._owner(item.guid), ros_type(item.type_name), list(item.guid), item.qos
            )
            for item in endpoints
        ]

    def topics(self) -> list[tuple[str, list[str]]]:
        """Return the name and types of every topic."""

        def name(dds_name: str) -> str | None:
            prefix, slash, rest = dds_name.partition('/')
            return slash + rest if prefix == TOPIC_PREFIX and slash else None

        return self._names_and_types(name, lambda text: text)

    def services(self) -> list[tuple[str, list[str]]]:
        """Return the name and types of every service."""

        def name(dds_name: str) -> str | None:
            for prefix, suffix in ((REQUEST_PREFIX, 'Request'), (REPLY_PREFIX, 'Reply')):
                if dds_name.startswith(f'{prefix}/') and dds_name.endswith(suffix):
                    return dds_name[len(prefix) : -len(suffix)]
            return None

        return self._names_and_types(
            name, lambda text: text.removesuffix('_Request').removesuffix('_Response')
        )

    def _names_and_types(
        self, name_of: Callable[[str], str | None], type_of: Callable[[str], str]
    ) -> list[tuple[str, list[str]]]:
        found: dict[str, set[str]] = {}
        discovery = self._participant.discovery
        for item in [*discovery.publications(), *discovery.subscriptions()]:
            name = name_of(item.topic)
            if name is not None:
                found.setdefault(name, set()).add(type_of(ros_type(item.type_name)))
        return [(name, sorted(types)) for name, types in sorted(found.items())]
