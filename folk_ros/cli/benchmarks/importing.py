"""Measure how long `import folk_ros` takes in a fresh interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys

REPEATS = 11
CODE = (
    'import time; start = time.perf_counter(); import {module}; '
    'print((time.perf_counter() - start) * 1e3)'
)


def run() -> dict[str, float]:
    """Return the medians of eleven fresh interpreters, milliseconds."""
    return {'import_folk_ros_ms': _median_ms('folk_ros')}


def _median_ms(module: str) -> float:
    command = [sys.executable, '-c', CODE.format(module=module)]
    return statistics.median(
        float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        for _ in range(REPEATS)
    )
