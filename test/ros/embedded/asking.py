"""Ask a service 50 times from a process of its own; print how many answers were its own."""

from __future__ import annotations

import sys

from folk_ros.ros import runtime


def main() -> int:
    name, word = sys.argv[1:3]
    runtime.init(args=[])
    node = runtime.Node(f'asking_{word}')
    executor = runtime.SingleThreadedExecutor()
    executor.add_node(node)
    query = runtime.service('folk_ros/srv/Query')
    client = node.create_client(query, name)
    if not client.wait_for_service(timeout_sec=20.0):
        return 1
    right = 0
    for number in range(50):
        text = f'{word}{number}'
        future = client.call_async(query.Request(texts=[text]))
        executor.spin_until_future_complete(future, 10.0)
        right += future.done() and future.result().message == text
    executor.shutdown()
    node.destroy_node()
    runtime.try_shutdown()
    sys.stdout.write(f'{right}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
