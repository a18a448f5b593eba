"""What the node's tests share: a node in a process of its own, and a peer that talks to it."""

from __future__ import annotations

from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

from colour_folk import load_for_test
from domain_support import process_domain

from folk_ros.ros import conversions, runtime

SECOND = 1_000_000_000
INSTANCES = 'folk_ros/msg/InstanceArray'
MARKERS = 'visualization_msgs/msg/MarkerArray'
CLOUD = 'sensor_msgs/msg/PointCloud2'


@contextmanager
def own_domain():
    """Join a domain of this process's own; the node's process gets it with the environment."""
    before = os.environ.get('ROS_DOMAIN_ID')
    os.environ['ROS_DOMAIN_ID'] = str(process_domain())
    first = not runtime.ok()  # they may have joined, and stay to the end of the session
    if first:
        runtime.init(args=[])
    try:
        yield
    finally:
        if first:
            runtime.try_shutdown()
        if before is None:
            del os.environ['ROS_DOMAIN_ID']
        else:
            os.environ['ROS_DOMAIN_ID'] = before


@contextmanager
def node_process(tmp_path, parameters=None, environment=None, arguments=()):
    """Run the node in a process of its own; yields the process and its log file."""
    command = [sys.executable, str(Path(__file__).resolve()), '--ros-args']
    for name, value in (parameters or {}).items():
        command += ['-p', f'{name}:={value}']
    Path(tmp_path).mkdir(exist_ok=True)
    log = Path(tmp_path) / 'node.log'
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get('PYTHONPATH')])])
    settings = {**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1', **(environment or {})}
    with log.open('wb') as sink:
        process = subprocess.Popen(
            [*command, *arguments], stdout=sink, stderr=subprocess.STDOUT, env=settings
        )
    try:
        yield process, log
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Peer:
    """Another program on the domain: publishes clouds, asks, and keeps what it hears."""

    def __init__(self, node_name='/folk'):
        self.node = runtime.Node('test_peer')
        self.name = node_name
        self.diagnostics = self.instances = None  # what `listen` keeps, see watch
        self._executor = runtime.SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()
        query = runtime.service('folk_ros/srv/Query')
        self.client = self.node.create_client(query, f'{node_name}/query')
        self._request = query.Request

    def _spin(self):
        try:
            self._executor.spin()
        except Exception:  # noqa: BLE001 - the end of the context, in either runtime
            return

    def listen(self, topic, type_name, latched=True):
        """Keep the messages of a topic; returns the list they go to."""
        full = topic.replace('~', self.name)
        kept = []
        kind = runtime.message(type_name)
        self.node.create_subscription(kind, full, kept.append, profile(latched=latched))
        return kept

    def watch(self):
        """Keep scenes and diagnostics, publish clouds."""
        self.instances = self.listen('~/instances', INSTANCES)
        self.diagnostics = self.listen(
            '/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', latched=False
        )
        self.clouds = self.publisher('/cloud')
        return self

    def publisher(self, topic, type_name='sensor_msgs/msg/PointCloud2', **qos):
        """Return a publisher."""
        kind = runtime.message(type_name)
        return self.node.create_publisher(kind, topic.replace('~', self.name), profile(**qos))

    def ask(self, texts, timeout_s=30.0, **fields):
        """Ask ~/query and wait for the answer."""
        assert self.client.wait_for_service(timeout_sec=timeout_s), 'no service'
        request = self._request(texts=list(texts))
        for name, value in fields.items():
            setattr(request, name, value)
        future = self.client.call_async(request)
        wait_for(future.done, timeout_s, 'an answer')
        return future.result()

    def close(self):
        """Leave."""
        self._executor.shutdown()
        self.node.destroy_node()


def profile(reliable=True, latched=False):
    reliability, durability = runtime.ReliabilityPolicy, runtime.DurabilityPolicy
    return runtime.QoSProfile(
        depth=10,
        reliability=reliability.RELIABLE if reliable else reliability.BEST_EFFORT,
        durability=durability.TRANSIENT_LOCAL if latched else durability.VOLATILE,
    )


def wait_for(condition, timeout_s=30.0, what='it'):
    """Wait until a condition holds and return its value."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f'waited {timeout_s} s for {what} in vain'
        time.sleep(0.02)
    return value


def publish_until(publisher, message, condition, what, timeout_s=30.0, period_s=0.2):
    """Publish again and again until a condition holds."""

    def step():
        publisher.publish(message)
        deadline = time.monotonic() + period_s
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.02)
        return None

    return wait_for(step, timeout_s, what)


def show(peer, cloud):
    """Publish one cloud and return the scene that the node makes of it."""
    before = len(peer.instances)
    return publish_until(
        peer.clouds,
        conversions.to_point_cloud2(cloud),
        lambda: [
            m
            for m in peer.instances[before:]
            if m.scene_id and m.header.stamp.sec == cloud.stamp_ns // SECOND
        ],
        'a scene',
        period_s=2.0,
    )[-1]


def status(peer, name, after=None):
    """Return the newest diagnostic of the node's part as (level, message, values)."""
    begin = len(peer.diagnostics) if after is None else after

    def newest():
        for array in reversed(peer.diagnostics[begin:]):
            for item in array.status:
                if item.name == f'folk: {name}':
                    level = item.level[0] if isinstance(item.level, bytes) else item.level
                    return level, item.message, {v.key: v.value for v in item.values}
        return None

    return wait_for(newest, what=f'the diagnostic {name}')


def call(peer, type_name, name, **fields):
    service = runtime.service(type_name)
    client = peer.node.create_client(service, name)
    assert client.wait_for_service(timeout_sec=30.0)
    future = client.call_async(service.Request(**fields))
    wait_for(future.done, what=name)
    return future.result()


def get_parameters(peer, *names):
    service = 'rcl_interfaces/srv/GetParameters'
    return call(peer, service, '/folk/get_parameters', names=list(names)).values


def set_parameter(peer, name, value):
    parameter = runtime.Parameter(name, value=value).to_parameter_msg()
    service = 'rcl_interfaces/srv/SetParameters'
    return call(peer, service, '/folk/set_parameters', parameters=[parameter]).results[0]


if __name__ == '__main__':
    from folk_ros.ros.node import main

    main(folk_loader=load_for_test)
