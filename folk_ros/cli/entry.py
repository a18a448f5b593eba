"""Where the program `folk` begins: Ctrl-C is quiet before anything large is imported."""

from __future__ import annotations

import signal

from folk_ros.process import end_with_ros2_run, leave_at, raise_at_interrupt

INTERRUPTED, LINE = 130, 'folk: interrupted'


def main() -> int:
    """Run `folk` with the arguments of the process; return the exit code."""
    leave_at([signal.SIGINT], INTERRUPTED, LINE)
    end_with_ros2_run()
    from folk_ros.cli.main import main as run

    raise_at_interrupt(INTERRUPTED, LINE)
    code = INTERRUPTED
    try:
        code = run()
        return code
    finally:
        leave_at([signal.SIGINT], code)  # while Python takes itself apart
