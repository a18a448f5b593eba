"""Where DDS looks for peers: the ROS 2 environment variables, as Cyclone DDS configuration."""

from __future__ import annotations

from collections.abc import Mapping
import re
from xml.sax.saxutils import quoteattr

MAX_DOMAIN_ID = 232
HOST = re.compile(r'[A-Za-z0-9_.:\-]+')


def domain_id(environ: Mapping[str, str]) -> int:
    """Return ROS_DOMAIN_ID, 0 if it is not set; raises ValueError for what is no domain."""
    text = environ.get('ROS_DOMAIN_ID') or '0'
    if not text.isdecimal() or int(text) > MAX_DOMAIN_ID:
        raise ValueError(f'ROS_DOMAIN_ID must be a number from 0 to {MAX_DOMAIN_ID}, got {text!r}')
    return int(text)


def cyclone_config(environ: Mapping[str, str]) -> str | None:
    """
    Return the configuration of the domain; None where the user has one (CYCLONEDDS_URI).

    Peers on this host are always asked directly, so that a host with nothing but a loopback
    works too. ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST, ROS_LOCALHOST_ONLY=1 and ROS_STATIC_PEERS
    mean what they mean under ROS 2.
    """
    if environ.get('CYCLONEDDS_URI'):
        return None
    local = (
        environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').upper() == 'LOCALHOST'
        or environ.get('ROS_LOCALHOST_ONLY', '0') == '1'
    )
    static = (peer.strip() for peer in environ.get('ROS_STATIC_PEERS', '').split(';'))
    peers = ['localhost', *(peer for peer in static if HOST.fullmatch(peer))]
    general = (
        '<General><Interfaces><NetworkInterface address="127.0.0.1"/></Interfaces>'
        '<AllowMulticast>false</AllowMulticast></General>'
    )
    return (
        f'<CycloneDDS><Domain>{general if local else ""}<Discovery>'
        f'<ParticipantIndex>auto</ParticipantIndex>'
        f'<MaxAutoParticipantIndex>32</MaxAutoParticipantIndex>'
        f'<Peers>{"".join(f"<Peer address={quoteattr(peer)}/>" for peer in peers)}</Peers>'
        f'</Discovery><Internal><SocketReceiveBufferSize min="default" max="8MB"/></Internal>'
        f'</Domain></CycloneDDS>'
    )
