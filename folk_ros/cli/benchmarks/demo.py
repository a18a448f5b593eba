"""Measure `folk demo` as a user runs it: as a command of its own."""

from __future__ import annotations

import json
from pathlib import Path
import subprocess
import sys
import tempfile
import time

from folk_ros.cli.output import CommandFailed

LIMIT_S = 300


def run(model: str) -> dict[str, float]:
    """Return seconds from the command to its prompt, and how many objects were named right."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, '-m', 'folk_ros.cli', 'demo', '--out', out]
        command += ['--model', model] if model else []
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise CommandFailed(f'folk demo failed: {done.stderr.strip()[-500:]}')
        answers = json.loads((Path(out) / 'answers.json').read_text(encoding='utf-8'))
    return {
        'demo_s': seconds,
        'demo_objects': answers['objects'],
        'demo_named_right': answers['named_right'],
        'demo_named_right_share': answers['named_right'] / max(answers['objects'], 1),
    }
