"""A second program on the domain, as the commands need it: ask the node, play, listen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import threading
import time
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import CommandFailed
from folk_ros.ros import runtime

if TYPE_CHECKING:
    from folk_ros.structures import PointCloud

NODE = '/folk'
SPIN_S = 0.05


def qos(profile: str, depth: int = 5) -> Any:
    """Return a quality of service by its name: reliable, sensor_data or latched."""
    reliability, durability = runtime.ReliabilityPolicy, runtime.DurabilityPolicy
    return runtime.QoSProfile(
        depth=1 if profile == 'latched' else depth,
        reliability=reliability.BEST_EFFORT if profile == 'sensor_data' else reliability.RELIABLE,
        durability=durability.TRANSIENT_LOCAL if profile == 'latched' else durability.VOLATILE,
    )


class Peer:
    """
    A ROS node of the command line's own; everything happens in the thread that waits.

    Use as a context manager. `alive` is called while waiting and raises where waiting is in vain.
    """

    def __init__(self, name: str, alive: Callable[[], None] = lambda: None) -> None:
        self._name, self._alive = name, alive
        self.node: Any = None
        self._executor: Any = None
        self._query: Any = None
        self._failure = ''  # why the node will never segment, once it has said so

    def __enter__(self) -> Peer:
        runtime.init(args=[])
        self.node = runtime.Node(self._name)
        self._executor = runtime.SingleThreadedExecutor()
        self._executor.add_node(self.node)
        return self

    def __exit__(self, *exception: object) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        runtime.try_shutdown()

    def wait_until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """
        Let messages come in until `done()`; false if time ran out.

        Raises KeyboardInterrupt when a signal has ended the runtime, and what `alive` raises.
        """
        deadline = time.monotonic() + timeout_s
        while not done():
            self._alive()
            if self._failure:
                raise CommandFailed(self._failure)
            if time.monotonic() > deadline:
                return False
            try:
                self._executor.spin_once(timeout_sec=SPIN_S)
            except runtime.ExternalShutdownException:
                raise KeyboardInterrupt from None
        return True

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Let messages come in on a thread of their own for as long as the block runs."""
        ended = threading.Event()

        def spin() -> None:
            while not ended.is_set():
                try:
                    self._executor.spin_once(timeout_sec=SPIN_S)
                except runtime.ExternalShutdownException:
                    return

        thread = threading.Thread(target=spin, name='peer', daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(2 * SPIN_S)

    def rest(self, seconds: float) -> None:
        """Let messages come in for so long."""
        self.wait_until(lambda: False, seconds)

    def listen(self, topic: str, type_name: str, call: Callable[[Any], None], kind: str) -> None:
        """Subscribe with the quality of service of that name."""
        self.node.create_subscription(runtime.message(type_name), topic, call, qos(kind))

    def heed_failures(self) -> None:
        """From now on waiting ends with CommandFailed when the node tells that it cannot work."""
        kind = runtime.message('diagnostic_msgs/msg/DiagnosticStatus')

        def keep(message: Any) -> None:
            for status in message.status:
                if status.level == kind.ERROR and status.name.startswith(f'{NODE[1:]}: '):
                    self._failure = f'the node says: {status.message}'

        self.listen('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', keep, 'reliable')

    def wait_for_node(self, timeout_s: float) -> None:
        """Wait for the query service of a running node; CommandFailed says what to do."""
        if self._query is None:
            service = runtime.service('folk_ros/srv/Query')
            self._query = self.node.create_client(service, f'{NODE}/query')
        if not self.wait_until(self._query.service_is_ready, timeout_s):
            raise CommandFailed(
                f'no node answers on {NODE}/query within {timeout_s:g} s; start one (folk demo '
                '--stay, or ros2 launch folk_ros segment.launch.py) under the same ROS_DOMAIN_ID'
            )

    def query(
        self,
        texts: Sequence[str],
        min_score: float = 0.0,
        max_results: int = 0,
        remember: bool = False,
        timeout_s: float = 10.0,
    ) -> Any:
        """Ask the node; CommandFailed if no answer comes or it refuses."""
        request = runtime.service('folk_ros/srv/Query').Request()
        request.texts = list(texts)
        request.min_score, request.max_results = float(min_score), int(max_results)
        request.remember = remember
        future = self._query.call_async(request)
        if not self.wait_until(future.done, timeout_s):
            raise CommandFailed(f'{NODE}/query did not answer within {timeout_s:g} s')
        response = future.result()
        if not response.success:
            raise CommandFailed(f'{NODE}/query: {response.message}')
        return response

    def cloud_publisher(self, topic: str, profile: str) -> Any:
        """Return a publisher of sensor_msgs/PointCloud2."""
        return self.node.create_publisher(
            runtime.message('sensor_msgs/msg/PointCloud2'), topic, qos(profile)
        )

    def now_ns(self) -> int:
        """Return the node's clock, nanoseconds."""
        return int(self.node.get_clock().now().nanoseconds)


def cloud_message(cloud: PointCloud) -> Any:
    """Return sensor_msgs/PointCloud2 of a cloud."""
    from folk_ros.ros.conversions import to_point_cloud2

    return to_point_cloud2(cloud)
