"""The other process, and a node of this one to talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import subprocess
import sys
import time

import pytest

pytest.importorskip('rosbags')

from domain_support import process_domain

from folk_ros.ros import embedded
from folk_ros.ros.embedded.context import get_default_context

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]


class Tester:
    """A node of this process, spun by the test."""

    def __init__(self) -> None:
        embedded.init(args=[], domain_id=process_domain())
        self.node = embedded.Node('tester')
        self.executor = embedded.SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.participant = get_default_context().participant

    def until(self, condition: Callable[[], object], timeout_s: float = 20.0) -> bool:
        """Spin until the condition holds; false if time runs out."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.executor.spin_once(0.02)
        return True

    def client(self, kind: str, name: str):
        client = self.node.create_client(embedded.service(kind), name)
        assert client.wait_for_service(timeout_sec=20.0), f'{name} is not served'
        return client

    def call(self, client, timeout_s: float = 10.0, **fields):
        future = client.call_async(client.srv_type.Request(**fields))
        self.executor.spin_until_future_complete(future, timeout_s)
        assert future.done(), f'{client.srv_name} did not answer'
        return future.result()

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        embedded.try_shutdown()


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a script beside this file on the domain of this test run."""
    environment = {
        **os.environ,
        'ROS_DOMAIN_ID': str(process_domain()),
        'FOLK_ROS_RUNTIME': 'embedded',
        'PYTHONPATH': os.pathsep.join([str(REPOSITORY), os.environ.get('PYTHONPATH', '')]),
    }
    return subprocess.Popen(
        [sys.executable, str(HERE / script), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def stop(process: subprocess.Popen[str]) -> str:
    """End a process; returns what it wrote."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.communicate(timeout=10)[0]
    finally:
        process.kill()


@pytest.fixture(scope='session')
def tester() -> Iterator[Tester]:
    made = Tester()
    yield made
    made.close()


@pytest.fixture(scope='session')
def launch() -> Callable[..., subprocess.Popen[str]]:
    return start


@pytest.fixture(scope='session')
def peer(tester: Tester, tmp_path_factory: pytest.TempPathFactory):
    """The peer node with parameters from a file and the command line, renamed and remapped."""
    path = tmp_path_factory.mktemp('params') / 'peer.yaml'
    path.write_text(
        '/**:\n  ros__parameters:\n    word: from the wildcard\n    numbers: [9]\n'
        '/lab/other:\n  ros__parameters:\n    numbers: [0]\n'
        '/lab/robot:\n  ros__parameters:\n    numbers: [5, 6]\n',
        encoding='utf-8',
    )
    process = start(
        'peer_node.py', '--ros-args', '--params-file', str(path), '-p', 'busy_s:=1.5',
        '-r', '__ns:=/lab', '-r', '__node:=robot', '-r', 'cloud:=/fused/cloud',
    )  # fmt: skip
    yield process
    written = stop(process)
    assert process.returncode == 0, written
    assert 'Traceback' not in written, written
