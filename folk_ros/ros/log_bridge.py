"""What the core logs, in the log of the node: the core knows nothing of ROS."""

from __future__ import annotations

import logging
from typing import Any

CORE = 'folk_ros'


class _Bridge(logging.Handler):
    """Hands records on; one line per level, since rclpy ties a level to a place in the code."""

    def __init__(self, log: Any) -> None:
        super().__init__()
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.ERROR:
            self.log.error(text)
        elif record.levelno >= logging.WARNING:
            self.log.warning(text)
        elif record.levelno >= logging.INFO:
            self.log.info(text)
        else:
            self.log.debug(text)


def bridge_logs(log: Any) -> None:
    """Send the records of the core to a node's logger, in place of an earlier node's."""
    core = logging.getLogger(CORE)
    for handler in [handler for handler in core.handlers if isinstance(handler, _Bridge)]:
        core.removeHandler(handler)
    core.addHandler(_Bridge(log))
    core.setLevel(logging.DEBUG)  # the node's logger decides
    core.propagate = False
