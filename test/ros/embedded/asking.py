"""Ask a service from three clients at once; print how many answers each got as its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import sys

from folk_ros.ros import runtime

QUESTIONS = 50


def ask(word: str) -> int:
    """Ask with one node; return how many answers were to its own questions."""
    node = runtime.Node(f'asking_{word}')
    executor = runtime.SingleThreadedExecutor()
    executor.add_node(node)
    query = runtime.service('folk_ros/srv/Query')
    client = node.create_client(query, sys.argv[1])
    client.wait_for_service(timeout_sec=20.0)
    right = 0
    for number in range(QUESTIONS):
        text = f'{word}{number}'
        future = client.call_async(query.Request(texts=[text]))
        executor.spin_until_future_complete(future, 10.0)
        right += future.done() and future.result().message == text
    executor.shutdown()
    node.destroy_node()
    return right


def main() -> int:
    runtime.init(args=[])
    with ThreadPoolExecutor(3) as pool:
        right = list(pool.map(ask, 'abc'))
    runtime.try_shutdown()
    sys.stdout.write(f'{" ".join(map(str, right))}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
