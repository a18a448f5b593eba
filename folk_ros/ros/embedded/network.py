"""Where DDS looks for peers: the ROS 2 environment variables, as Cyclone DDS configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import logging
import re
import socket
import struct
import sys
from xml.sax.saxutils import quoteattr

log = logging.getLogger(__name__)

MAX_DOMAIN_ID = 232
ASK_AGAIN_S = 2  # where nothing but the loopback is used; Cyclone's own default is 8
HOST = re.compile(r'[A-Za-z0-9_.:\-]+')


def domain_id(environ: Mapping[str, str]) -> int:
    """Return ROS_DOMAIN_ID, 0 if it is not set; raises ValueError for what is no domain."""
    text = environ.get('ROS_DOMAIN_ID') or '0'
    if not text.isdecimal() or int(text) > MAX_DOMAIN_ID:
        raise ValueError(f'ROS_DOMAIN_ID must be a number from 0 to {MAX_DOMAIN_ID}, got {text!r}')
    return int(text)


def has_address(host: str) -> bool:
    """Whether a peer has an address; Cyclone DDS ends the process at one that has none."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:
        log.warning('ROS_STATIC_PEERS: %s is left out, it has no address (%s)', host, error)
        return False
    return True


def cyclone_config(
    environ: Mapping[str, str], *, networked: bool, known: Callable[[str], bool] = has_address
) -> str | None:
    """
    Return the configuration of the domain; None where the user has one (CYCLONEDDS_URI).

    Peers on this host are always asked directly and over the loopback, so that a host with nothing
    else, and ROS 2 nodes that keep to it, are reached too; `networked` says if there is something
    else. They are asked again and again: ROS 2 nodes of the default range announce themselves by
    multicast alone, which the loopback does not have, so that they must hear of us.

    ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST, ROS_LOCALHOST_ONLY=1 and ROS_STATIC_PEERS mean what
    they mean under ROS 2.
    """
    if environ.get('CYCLONEDDS_URI'):
        return None
    local = (
        environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').upper() == 'LOCALHOST'
        or environ.get('ROS_LOCALHOST_ONLY', '0') == '1'
    )
    static = (peer.strip() for peer in environ.get('ROS_STATIC_PEERS', '').split(';'))
    peers = ['127.0.0.1', *(peer for peer in static if HOST.fullmatch(peer) and known(peer))]
    outside = '<NetworkInterface autodetermine="true"/>' if networked and not local else ''
    multicast = '<AllowMulticast>false</AllowMulticast>' if local else ''
    often = '' if outside else f'<SPDPInterval>{ASK_AGAIN_S} s</SPDPInterval>'
    return (
        f'<CycloneDDS><Domain><General><Interfaces>{outside}'
        f'<NetworkInterface address="127.0.0.1"/></Interfaces>{multicast}</General><Discovery>'
        f'<ParticipantIndex>auto</ParticipantIndex>'
        f'<MaxAutoParticipantIndex>32</MaxAutoParticipantIndex>'
        f'<InitialLocatorPruneDelay>inf</InitialLocatorPruneDelay>{often}'
        f'<Peers>{"".join(f"<Peer address={quoteattr(peer)}/>" for peer in peers)}</Peers>'
        f'</Discovery><Internal><SocketReceiveBufferSize min="default" max="8MB"/></Internal>'
        f'</Domain></CycloneDDS>'
    )


def has_network() -> bool:
    """Whether an interface other than the loopback is up and has an IPv4 address."""
    if not sys.platform.startswith('linux'):
        return True
    import fcntl

    get_flags, get_address, up, loopback = 0x8913, 0x8915, 0x1, 0x8  # linux/sockios.h, net/if.h
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            request = struct.pack('256s', name.encode()[:15])
            try:
                answer = fcntl.ioctl(sock, get_flags, request)
                flags = struct.unpack_from('H', answer, 16)[0]
                fcntl.ioctl(sock, get_address, request)
            except OSError:  # no IPv4 address, or just gone
                continue
            if flags & up and not flags & loopback:
                return True
    return False
