"""What commands print and write: tables, progress lines and JSON files."""

from __future__ import annotations

from collections.abc import Sequence
import json
import math
import os
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

DIGITS = 4
SECONDS_BETWEEN_LINES = 5.0  # progress in a log file; on a terminal the line is rewritten


class CommandFailed(RuntimeError):
    """A command could not do what was asked; the message is all that the user sees."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out under a header; columns of numbers are aligned to the right."""
    if not rows:
        return ''
    columns = list(zip(header, *rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    right = [all(_is_number(cell) for cell in column[1:]) for column in columns]
    lines = [
        '  '.join(
            cell.rjust(width) if align else cell.ljust(width)
            for cell, width, align in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in [header, ['-' * width for width in widths], *rows]
    ]
    return '\n'.join(lines)


def _is_number(cell: str) -> bool:
    return bool(cell) and all(char in '0123456789.-+ ()x%,' for char in cell)


def write_json(path: str | Path, value: Any, digits: int | None = DIGITS) -> None:
    """
    Write a JSON file, at once or not at all; what is no number becomes null.

    Floats are rounded to what measured figures are good for, or kept whole where `digits` is None.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            file.write(as_json(value, digits) + '\n')
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def as_json(value: Any, digits: int | None = DIGITS) -> str:
    """Return readable JSON."""
    return json.dumps(_plain(value, digits), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any, digits: int | None) -> Any:
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else round(value, digits)
    if isinstance(value, dict):
        return {key: _plain(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, digits) for item in value]
    return value


def say(text: str) -> None:
    """Tell the user how far a command is, on stderr: stdout is for results."""
    print(text, file=sys.stderr, flush=True)


class Progress:
    """One line on stderr that says how many of a known number of things are done."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self._start = self._shown = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def step(self, count: int = 1) -> None:
        """Count things done and show the line when it is time."""
        self.reach(self.done + count)

    def reach(self, done: int, note: str = '') -> None:
        """Say how many are done in all, and show the line when it is time."""
        self.done = done
        now = time.monotonic()
        last = self.done >= self.total
        if not last and now - self._shown < (0.1 if self._terminal else SECONDS_BETWEEN_LINES):
            return
        self._shown = now
        spent = now - self._start
        left = spent / max(self.done, 1) * (self.total - self.done)
        line = f'{self.what}: {self.done}/{self.total}, {spent:.0f} s, {left:.0f} s left {note}'
        end = '\n' if last or not self._terminal else ''
        print(f'\r\033[K{line}' if self._terminal else line, end=end, file=sys.stderr, flush=True)
