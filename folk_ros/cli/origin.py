"""Where figures come from: command, commit, day and machine."""

from __future__ import annotations

from collections.abc import Sequence
import datetime
import os
from pathlib import Path
import platform
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folk_ros.training.evaluate.results import Origin


def origin_of(config: str, seed: str) -> Origin:
    """Say where the figures of this command come from."""
    from folk_ros.training.evaluate.results import Origin

    return Origin(
        command=command_line(sys.argv[1:]),
        config=config,
        seed=seed,
        commit=commit(),
        date=datetime.date.today().isoformat(),
        machine=machine(),
    )


def machine() -> str:
    """Name the processor and count its cores."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
        name = next(li.partition(':')[2].strip() for li in lines if li.startswith('model name'))
    except (OSError, StopIteration):
        pass  # not Linux, or a processor without a name: what platform says will do
    return f'{name}, {os.cpu_count()} cores'


def command_line(arguments: Sequence[str]) -> str:
    """Return a command as it can be given elsewhere: absolute paths by their last part."""
    short = [Path(a).name if Path(a).is_absolute() else a for a in arguments]
    return 'folk ' + shlex.join(short)


def commit() -> str:
    """Return the commit of the program, with a '+' if files differ from it; '' if not known."""
    here = Path(__file__).resolve().parents[2]
    git = ['git', '-C', str(here)]
    try:
        name = subprocess.run([*git, 'rev-parse', '--short', 'HEAD'], capture_output=True)
        changed = subprocess.run([*git, 'status', '--porcelain', '-uno'], capture_output=True)
    except OSError:
        return ''
    if name.returncode:
        return ''
    return name.stdout.decode().strip() + ('+' if changed.stdout.strip() else '')
