"""The part of a node that looks at the others."""

from __future__ import annotations

from folk_ros.ros.embedded.graph import Graph, TopicEndpointInfo


class NodeGraph:
    """Who is there, as on rclpy's Node."""

    @property
    def _graph(self) -> Graph:
        raise NotImplementedError

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        """Make a topic name absolute and remap it."""
        raise NotImplementedError

    def count_publishers(self, topic_name: str) -> int:
        """Return how many publishers a topic has on the domain."""
        return len(self._graph.publications(self.resolve_topic_name(topic_name)))

    def count_subscribers(self, topic_name: str) -> int:
        """Return how many subscriptions a topic has on the domain."""
        return len(self._graph.subscriptions(self.resolve_topic_name(topic_name)))

    def get_publishers_info_by_topic(
        self, topic_name: str, no_mangle: bool = False
    ) -> list[TopicEndpointInfo]:
        """Return node, type and QoS of every publisher of a topic."""
        graph = self._graph
        return graph.describe(graph.publications(self.resolve_topic_name(topic_name)))

    def get_subscriptions_info_by_topic(
        self, topic_name: str, no_mangle: bool = False
    ) -> list[TopicEndpointInfo]:
        """Return node, type and QoS of every subscription of a topic."""
        graph = self._graph
        return graph.describe(graph.subscriptions(self.resolve_topic_name(topic_name)))

    def get_topic_names_and_types(self, no_demangle: bool = False) -> list[tuple[str, list[str]]]:
        """Return every topic on the domain with its types."""
        return self._graph.topics()

    def get_service_names_and_types(self) -> list[tuple[str, list[str]]]:
        """Return every service on the domain with its types."""
        return self._graph.services()

    def get_node_names(self) -> list[str]:
        """Return the name of every node on the domain."""
        return [name for name, _ in self._graph.nodes()]

    def get_node_names_and_namespaces(self) -> list[tuple[str, str]]:
        """Return the name and namespace of every node on the domain."""
        return self._graph.nodes()
