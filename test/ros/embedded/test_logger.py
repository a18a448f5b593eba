"""The log of the embedded runtime, where it cannot be written."""

import errno
import io
import sys

from folk_ros.ros.embedded.logger import add_sink, get_logger, remove_sink


class FullDisk(io.StringIO):
    """Takes lines, but has no room for them."""

    def flush(self):
        raise OSError(errno.ENOSPC, 'No space left on device')


def test_a_log_without_room_costs_its_lines_and_not_the_node(monkeypatch):
    heard = []
    add_sink('full', heard.append)
    closed = io.StringIO()
    closed.close()
    try:
        for stream in (FullDisk(), closed):
            monkeypatch.setattr(sys, 'stderr', stream)
            assert get_logger('full').warning('a line')
    finally:
        remove_sink('full', heard.append)
    assert [line.text for line in heard] == ['a line'] * 2
