"""How much of a large cloud the kernel holds until it is read."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import re
from xml.etree import ElementTree

from folk_ros.cli.doctoring.discovery import configurations, text_of
from folk_ros.cli.doctoring.finding import Finding, note, ok, size, wrong

WANTED = 8 * 10**6  # bytes, what the embedded runtime asks for
ENOUGH = 3_500_000  # bytes, a cloud of 100,000 points with what DDS adds
POINT_BYTES = 32  # x, y, z, rgb as most drivers pad them
UNITS = {'': 1, 'B': 1, 'KB': 10**3, 'KIB': 2**10, 'MB': 10**6, 'MIB': 2**20, 'GB': 10**9}
KEEP = '| sudo tee /etc/sysctl.d/60-folk.conf && sudo sysctl --system'


@dataclass(frozen=True)
class BufferFacts:
    """How much the kernel lets a socket hold, bytes; None where nobody says."""

    rmem_max: int | None
    runtime: str = 'embedded'
    cyclone_uri: str = ''


def look_at_buffers() -> BufferFacts:
    """Read what Linux allows."""
    from folk_ros.ros import runtime

    try:
        most = int(Path('/proc/sys/net/core/rmem_max').read_text(encoding='ascii'))
    except (OSError, ValueError):
        return BufferFacts(None)
    return BufferFacts(most, runtime.chosen(), os.environ.get('CYCLONEDDS_URI', ''))


def judge_buffers(facts: BufferFacts) -> Finding:
    """A cloud fits into the receive buffer of a socket, or is resent."""
    if facts.rmem_max is None:
        return ok('unknown on this system')
    raise_it = f"echo 'net.core.rmem_max={WANTED}' {KEEP}"
    least = smallest_wanted(facts.cyclone_uri)
    if least > facts.rmem_max:
        return wrong(
            f'CYCLONEDDS_URI wants receive buffers of at least {size(least)}, Linux grants '
            f'{size(facts.rmem_max)}: no node will start',
            f"echo 'net.core.rmem_max={least}' {KEEP}",
        )
    points = facts.rmem_max // POINT_BYTES // 1000 * 1000
    text = f'net.core.rmem_max is {size(facts.rmem_max)}'
    if facts.rmem_max < ENOUGH:
        return note(
            f'{text}: best-effort clouds of more than about {points:,} points may get lost, '
            'reliable ones are slowed',
            raise_it,
        )
    return ok(f'{text}: clouds of {points:,} points at once')


def smallest_wanted(uri: str) -> int:
    """Return the least receive buffer that a CYCLONEDDS_URI insists on, bytes; 0 if none."""
    least = 0
    for part in configurations(uri):
        try:
            tree = ElementTree.fromstring(text_of(part))
        except (OSError, ElementTree.ParseError):
            continue  # judge_discovery says so
        for item in tree.iter():
            if item.tag.rpartition('}')[2] == 'SocketReceiveBufferSize':
                least = max(least, _bytes_of(item.get('min', '')))
    return least


def _bytes_of(text: str) -> int:
    found = re.fullmatch(r'\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*', text)
    unit = UNITS.get(found.group(2).upper()) if found else None
    return int(float(found.group(1)) * unit) if found and unit else 0
