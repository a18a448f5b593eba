"""A DDS domain that nobody else on this machine uses, held for as long as it is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, ExitStack
import os
import socket

from folk_ros.cli.output import CommandFailed

DOMAINS = range(1, 101)  # above 101 the ports may meet those of outgoing connections
# A domain has 250 UDP ports (RTPS 2.5, 9.6.2): offsets 0 and 1 for multicast, then two for each
# participant. One that keeps to the loopback takes no port for multicast, only its own two.
FIRST_PORT, PORTS_OF_DOMAIN = 7400, 250
PORTS_IN_USE = (0, *range(10, PORTS_OF_DOMAIN, 2))
RESERVED = 2  # of no use to RTPS: bound by who has chosen the domain and not yet joined it


@contextmanager
def free_domain() -> Iterator[int]:
    """
    Hold a ROS_DOMAIN_ID that nobody on this machine uses or holds.

    Raises CommandFailed if there is none. The search begins at a place of this process's own.
    """
    first = os.getpid() % len(DOMAINS)
    for domain in [*DOMAINS[first:], *DOMAINS[:first]]:
        base = FIRST_PORT + PORTS_OF_DOMAIN * domain
        with ExitStack() as held:
            if not _bind(held, base + RESERVED):
                continue
            with ExitStack() as probes:
                if not all(_bind(probes, base + offset) for offset in PORTS_IN_USE):
                    continue
            yield domain
            return
    raise CommandFailed('all ROS_DOMAIN_IDs from 1 to 100 are in use; set ROS_DOMAIN_ID')


@contextmanager
def own_domain() -> Iterator[int]:
    """Make a free domain that of this process and of those it starts, until the block ends."""
    before = os.environ.get('ROS_DOMAIN_ID')
    with free_domain() as domain:
        os.environ['ROS_DOMAIN_ID'] = str(domain)
        try:
            yield domain
        finally:
            if before is None:
                os.environ.pop('ROS_DOMAIN_ID', None)
            else:
                os.environ['ROS_DOMAIN_ID'] = before


def _bind(stack: ExitStack, port: int) -> bool:
    """Take a UDP port until the stack is closed; false if somebody has it."""
    probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    try:
        probe.bind(('', port))
    except OSError:
        return False
    return True
