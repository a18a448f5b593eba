"""The DDS domain of this test process: nobody else's, and the same for all of its tests."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import lru_cache

from folk_ros.cli.domain import free_domain


@lru_cache(maxsize=1)
def process_domain() -> int:
    """Return a domain that is held until the process ends."""
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(free_domain())
