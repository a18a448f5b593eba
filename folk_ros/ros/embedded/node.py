"""The node: rclpy's, as far as this package goes, with the same names and signatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TYPE_CHECKING

from folk_ros.ros.embedded import arguments, names
from folk_ros.ros.embedded.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from folk_ros.ros.embedded.clients import Client
from folk_ros.ros.embedded.clock import Clock, NS_PER_S
from folk_ros.ros.embedded.context import Context, get_default_context
from folk_ros.ros.embedded.graph import Graph
from folk_ros.ros.embedded.logger import get_logger, Logger
from folk_ros.ros.embedded.node_graph import NodeGraph
from folk_ros.ros.embedded.node_parameters import NodeParameters
from folk_ros.ros.embedded.parameter_files import matches
from folk_ros.ros.embedded.parameter_services import ParameterServices
from folk_ros.ros.embedded.parameters import Parameter, ParameterStore
from folk_ros.ros.embedded.qos import as_profile, QoSProfile, services_default
from folk_ros.ros.embedded.rosout import Rosout
from folk_ros.ros.embedded.services import Service
from folk_ros.ros.embedded.simulated_time import SimulatedTime
from folk_ros.ros.embedded.timer import Timer
from folk_ros.ros.embedded.topics import Publisher, Subscription

if TYPE_CHECKING:
    from folk_ros.ros.embedded.executors import Executor, Waitable


class Node(NodeParameters, NodeGraph):
    """A name on the domain, with the endpoints and parameters that belong to it."""

    def __init__(  # noqa: PLR0913  rclpy's signature
        self,
        node_name: str,
        *,
        context: Context | None = None,
        cli_args: Sequence[str] | None = None,
        namespace: str | None = None,
        use_global_arguments: bool = True,
        start_parameter_services: bool = True,
        parameter_overrides: Sequence[Parameter] | None = None,
        automatically_declare_parameters_from_overrides: bool = False,
    ) -> None:
        self.context = context or get_default_context()
        self.executor: Executor | None = None
        own = arguments.parse(['--ros-args', *cli_args] if cli_args else [])
        general = self.context.arguments if use_global_arguments else arguments.RosArguments()
        self._arguments = own.extended(general)
        self._name = names.check_node_name(
            self._arguments.own_name('__node', node_name) or node_name
        )
        self._namespace = names.check_namespace(
            self._arguments.own_name('__ns', node_name) or namespace or '/'
        )
        self._logger = get_logger(self.get_fully_qualified_name().strip('/').replace('/', '.'))
        self._clock = Clock()
        self._publishers: list[Publisher] = []
        self._subscriptions: list[Subscription] = []
        self._services: list[Service] = []
        self._clients: list[Client] = []
        self._timers: list[Timer] = []
        self._default_group = MutuallyExclusiveCallbackGroup()
        self._parameters = ParameterStore(self._overrides(parameter_overrides or ()))
        self.context.graph.add(self)
        self.context.nodes.append(self)
        if automatically_declare_parameters_from_overrides:
            for name, value in self._parameters.overrides.items():
                self.declare_parameter(name, value)
        self._rosout = Rosout(self)
        self._simulated_time = SimulatedTime(self, self._clock)
        if start_parameter_services:
            ParameterServices(self, self._parameters)

    def _overrides(self, own: Sequence[Parameter]) -> dict[str, Any]:
        """Collect the values for this node from files and command line, then those given here."""
        full_name = self.get_fully_qualified_name()
        found = {
            name: value
            for pattern, name, value in self._arguments.parameters
            if matches(pattern, full_name)
        }
        return {**found, **{parameter.name: parameter.value for parameter in own}}

    @property
    def _graph(self) -> Graph:
        return self.context.graph

    @property
    def default_callback_group(self) -> CallbackGroup:
        """The group of everything that names none: one callback at a time."""
        return self._default_group

    @property
    def timers(self) -> list[Timer]:
        """The timers of this node."""
        return list(self._timers)

    @property
    def reader_guids(self) -> set[bytes]:
        """What this node receives with."""
        endpoints: list[Any] = [*self._subscriptions, *self._services, *self._clients]
        return {item.reader.guid for item in endpoints}

    @property
    def writer_guids(self) -> set[bytes]:
        """What this node sends with."""
        endpoints: list[Any] = [*self._publishers, *self._services, *self._clients]
        return {item.writer.guid for item in endpoints}

    def waitables(self) -> list[Waitable]:
        """Return everything that an executor can run."""
        return [*self._subscriptions, *self._services, *self._clients, *self._timers]

    def wake(self, waitable: Waitable) -> None:
        """Tell the executor, if there is one, that something may have work."""
        executor = self.executor
        if executor is not None:
            executor.wake(waitable)

    def get_name(self) -> str:
        """Return the name of the node, after remapping."""
        return self._name

    def get_namespace(self) -> str:
        """Return the namespace of the node, '/' or '/a/b'."""
        return self._namespace

    def get_fully_qualified_name(self) -> str:
        """Return namespace and name."""
        return names.join(self._namespace, self._name)

    def get_logger(self) -> Logger:
        """Return the logger of the node."""
        return self._logger

    def get_clock(self) -> Clock:
        """Return the clock of the node, which follows use_sim_time."""
        return self._clock

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        """Make a topic name absolute and remap it."""
        absolute = names.expand(topic, self._name, self._namespace)
        if only_expand:
            return absolute
        return self._arguments.remapped(absolute, self._name, self._namespace)

    def resolve_service_name(self, service: str, *, only_expand: bool = False) -> str:
        """Make a service name absolute and remap it."""
        return self.resolve_topic_name(service, only_expand=only_expand)

    def create_publisher(
        self, msg_type: Any, topic: str, qos_profile: QoSProfile | int
    ) -> Publisher:
        """Announce a publisher."""
        publisher = Publisher(
            self, msg_type, self.resolve_topic_name(topic), as_profile(qos_profile)
        )
        self._publishers.append(publisher)
        self.context.graph.publish()
        return publisher

    def create_subscription(  # noqa: PLR0913  rclpy's signature
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[[Any], None],
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        raw: bool = False,
    ) -> Subscription:
        """Receive a topic; with `raw` the callback gets the bytes (CDR with its header)."""
        subscription = Subscription(
            self,
            msg_type,
            self.resolve_topic_name(topic),
            callback,
            as_profile(qos_profile),
            callback_group or self._default_group,
            raw,
        )
        return self._added(self._subscriptions, subscription)

    def create_service(  # noqa: PLR0913  rclpy's signature
        self,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        qos_profile: QoSProfile | None = None,
        callback_group: CallbackGroup | None = None,
    ) -> Service:
        """Answer requests: the callback gets request and response, and returns the response."""
        service = Service(
            self,
            srv_type,
            self.resolve_service_name(srv_name),
            callback,
            qos_profile or services_default(),
            callback_group or self._default_group,
        )
        return self._added(self._services, service)

    def create_client(
        self,
        srv_type: Any,
        srv_name: str,
        *,
        qos_profile: QoSProfile | None = None,
        callback_group: CallbackGroup | None = None,
    ) -> Client:
        """Ask a service."""
        client = Client(
            self,
            srv_type,
            self.resolve_service_name(srv_name),
            qos_profile or services_default(),
            callback_group or self._default_group,
        )
        return self._added(self._clients, client)

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], None],
        callback_group: CallbackGroup | None = None,
        clock: Clock | None = None,
    ) -> Timer:
        """Call back once per period, of ROS time unless a clock is given."""
        period_ns = int(float(timer_period_sec) * NS_PER_S)
        group = callback_group or self._default_group
        timer = Timer(period_ns, callback, group, clock or self._clock)
        self._timers.append(timer)
        self.wake(timer)
        return timer

    def _added(self, where: list[Any], item: Any) -> Any:
        """Keep a new endpoint, tell of it, and let the executor look at it."""
        where.append(item)
        self.context.graph.publish()
        self.wake(item)
        return item

    def _removed(self, where: list[Any], item: Any) -> bool:
        """Close an endpoint of this node; false if it is none."""
        if item not in where:
            return False
        where.remove(item)
        item.close()
        if self in self.context.nodes:
            self.context.graph.publish()
        return True

    def destroy_publisher(self, publisher: Publisher) -> bool:
        """Take back a publisher."""
        return self._removed(self._publishers, publisher)

    def destroy_subscription(self, subscription: Subscription) -> bool:
        """Take back a subscription."""
        return self._removed(self._subscriptions, subscription)

    def destroy_service(self, service: Service) -> bool:
        """Take back a service."""
        return self._removed(self._services, service)

    def destroy_client(self, client: Client) -> bool:
        """Take back a client."""
        return self._removed(self._clients, client)

    def destroy_timer(self, timer: Timer) -> bool:
        """Take back a timer."""
        timer.cancel()
        if timer not in self._timers:
            return False
        self._timers.remove(timer)
        return True

    def destroy_node(self) -> None:
        """Take back the node with everything that belongs to it; a second time does nothing."""
        self.close()

    def close(self) -> None:
        """Take back the node, as destroy_node() and the end of the context do."""
        if self not in self.context.nodes:
            return
        if self.executor is not None:
            self.executor.remove_node(self)
        self.context.nodes.remove(self)
        self._rosout.close()
        for timer in self.timers:
            self.destroy_timer(timer)
        for where in (self._subscriptions, self._services, self._clients, self._publishers):
            for item in list(where):
                self._removed(where, item)
        self.context.graph.remove(self)
