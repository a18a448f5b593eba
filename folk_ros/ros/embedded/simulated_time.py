"""use_sim_time: a node's clock follows the topic /clock."""

from __future__ import annotations

from typing import Any, TYPE_CHECKING

from folk_ros.ros.embedded.callback_groups import MutuallyExclusiveCallbackGroup
from folk_ros.ros.embedded.clock import Clock, NS_PER_S
from folk_ros.ros.embedded.messages import interfaces
from folk_ros.ros.embedded.parameters import ParameterType, result
from folk_ros.ros.embedded.qos import QoSProfile, ReliabilityPolicy

if TYPE_CHECKING:
    from folk_ros.ros.embedded.node import Node
    from folk_ros.ros.embedded.topics import Subscription

NAME = 'use_sim_time'


class SimulatedTime:
    """Switches a clock between the system's time and /clock."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self._node, self._clock = node, clock
        self._group = MutuallyExclusiveCallbackGroup()  # time goes on while callbacks run
        self._subscription: Subscription | None = None
        if not node.has_parameter(NAME):
            node.declare_parameter(NAME, False)
        self._switch(bool(node.get_parameter(NAME).value))
        node.add_on_set_parameters_callback(self._on_set)

    def _on_set(self, parameters: list[Any]) -> Any:
        for parameter in parameters:
            if parameter.name == NAME:
                if parameter.type_ != ParameterType.BOOL:
                    return result(f'{NAME} must be true or false, got {parameter.value!r}')
                self._switch(parameter.value)
        return result()

    def _switch(self, on: bool) -> None:
        """Begin or end following /clock; until its first message it is 0."""
        if on and self._subscription is None:
            self._clock.set_simulated_ns(0)
            self._subscription = self._node.create_subscription(
                interfaces().message('rosgraph_msgs/msg/Clock'),
                '/clock',
                self._on_clock,
                QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT),
                callback_group=self._group,
            )
        elif not on and self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
            self._clock.set_simulated_ns(None)

    def _on_clock(self, msg: Any) -> None:
        self._clock.set_simulated_ns(msg.clock.sec * NS_PER_S + msg.clock.nanosec)
        if self._node.executor is not None:
            self._node.executor.kick()
