"""Run the node: `python -m folk_ros.ros`, `ros2 run folk_ros segment`, the launch file."""

from __future__ import annotations

import os
import signal

from folk_ros.process import end_with_ros2_run, leave_at

# Read when numpy and torch are loaded: threads that wait by spinning starve a busy robot.
CALM_THREADS = {'OMP_WAIT_POLICY': 'PASSIVE', 'OPENBLAS_NUM_THREADS': '1'}


def main() -> None:
    """Run the node until it is told to end; from the first moment on that is quiet."""
    leave_at([signal.SIGINT, signal.SIGTERM], 0)  # as in the node's later life
    end_with_ros2_run()
    for name, value in CALM_THREADS.items():
        os.environ.setdefault(name, value)
    from folk_ros.ros.node import main as run

    run()


if __name__ == '__main__':
    main()
