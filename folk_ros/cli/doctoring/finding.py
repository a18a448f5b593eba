"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it stands, and the line to type that mends it."""

    state: Literal['ok', 'note', 'wrong']  # a note works, but not as well as it could
    found: str
    mend: str = ''


def ok(found: str) -> Finding:
    """Return that all is well."""
    return Finding('ok', found)


def note(found: str, mend: str = '') -> Finding:
    """Return what works, but may surprise."""
    return Finding('note', found, mend)


def wrong(found: str, mend: str = '') -> Finding:
    """Return what keeps something from working."""
    return Finding('wrong', found, mend)


def size(count: float) -> str:
    """Return a number of bytes for people: '208 KiB'."""
    for unit in ('B', 'KiB', 'MiB', 'GiB'):
        if count < 1024 or unit == 'GiB':
            return f'{count:.1f} {unit}' if count < 10 and unit != 'B' else f'{count:.0f} {unit}'
        count /= 1024
    raise AssertionError('the last unit takes all')
