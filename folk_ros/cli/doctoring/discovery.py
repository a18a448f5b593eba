"""DDS: how nodes find each other, and whether a message comes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import socket
import struct
import sys
from urllib.parse import unquote, urlparse
from xml.etree import ElementTree

from folk_ros.cli.doctoring.finding import Finding, note, ok, wrong

RANGES = ('', 'SUBNET', 'LOCALHOST', 'OFF', 'SYSTEM_DEFAULT')
LAST_DOMAIN = 232  # the ports of higher ones do not exist
UP, LOOPBACK, MULTICAST = 0x1, 0x8, 0x1000  # net/if.h


@dataclass(frozen=True)
class Interface:
    """A network interface with an IPv4 address."""

    name: str
    address: str
    flags: int


@dataclass(frozen=True)
class DiscoveryFacts:
    """The variables that steer discovery, and the interfaces that are up."""

    runtime: str
    environ: Mapping[str, str]
    interfaces: Sequence[Interface] = ()
    unknown_peers: Sequence[str] = ()  # of ROS_STATIC_PEERS, those without an address


def look_at_discovery() -> DiscoveryFacts:
    """Read the environment and the interfaces."""
    from folk_ros.ros import runtime

    names = (
        'ROS_DOMAIN_ID',
        'ROS_AUTOMATIC_DISCOVERY_RANGE',
        'ROS_LOCALHOST_ONLY',
        'ROS_STATIC_PEERS',
        'CYCLONEDDS_URI',
        'ROS_DISTRO',
    )
    environ = {name: os.environ[name] for name in names if os.environ.get(name)}
    named = (peer.strip() for peer in environ.get('ROS_STATIC_PEERS', '').split(';'))
    unknown = [peer for peer in named if peer and not _has_address(peer)]
    return DiscoveryFacts(runtime.chosen(), environ, interfaces(), unknown)


def _has_address(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return True


def interfaces() -> list[Interface]:
    """Return the interfaces that are up and have an IPv4 address (on Linux; elsewhere none)."""
    if not sys.platform.startswith('linux'):
        return []
    import fcntl

    get_flags, get_address = 0x8913, 0x8915  # linux/sockios.h
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            request = struct.pack('256s', name.encode()[:15])
            try:
                flags = struct.unpack_from('H', fcntl.ioctl(sock, get_flags, request), 16)[0]
                address = socket.inet_ntoa(fcntl.ioctl(sock, get_address, request)[20:24])
            except OSError:  # no IPv4 address, or just gone
                continue
            if flags & UP:
                found.append(Interface(name, address, flags))
    return found


def judge_discovery(facts: DiscoveryFacts) -> Finding:
    """Nodes can find each other."""
    trouble = _variables_trouble(facts.environ) or _cyclone_trouble(facts.environ)
    if trouble:
        return trouble
    if facts.unknown_peers:
        return wrong(
            f'ROS_STATIC_PEERS names {", ".join(facts.unknown_peers)}, which has no address: '
            'Cyclone DDS under ROS 2 ends a node for that',
            'unset ROS_STATIC_PEERS',
        )
    domain = f'domain {facts.environ.get("ROS_DOMAIN_ID", "0")}'
    local = (
        facts.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').upper() == 'LOCALHOST'
        or facts.environ.get('ROS_LOCALHOST_ONLY') == '1'
    )
    if local:
        return ok(f'{domain}, this machine alone, by ROS_AUTOMATIC_DISCOVERY_RANGE or the like')
    outside = [item for item in facts.interfaces if not item.flags & LOOPBACK]
    if facts.interfaces and not outside:
        return _judge_loopback(facts, domain)
    deaf = [item for item in outside if not item.flags & MULTICAST]
    told = ', '.join(f'{item.name} {item.address}' for item in outside)
    if deaf and len(deaf) == len(outside) and not facts.environ.get('ROS_STATIC_PEERS'):
        return note(
            f'{domain}: no multicast on {told}, so nodes on other machines are not found by '
            'themselves',
            "export ROS_STATIC_PEERS='address;of;each'",
        )
    return ok(f'{domain}, {told or "interfaces unknown"}')


def _variables_trouble(environ: Mapping[str, str]) -> Finding | None:
    domain = environ.get('ROS_DOMAIN_ID', '0')
    if not domain.isdecimal() or int(domain) > LAST_DOMAIN:
        return wrong(
            f'ROS_DOMAIN_ID must be a number from 0 to {LAST_DOMAIN}, got {domain!r}',
            'export ROS_DOMAIN_ID=0',
        )
    reach = environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').upper()
    if reach not in RANGES:
        return wrong(
            f'ROS_AUTOMATIC_DISCOVERY_RANGE={reach}: expected {", ".join(RANGES[1:])}',
            'unset ROS_AUTOMATIC_DISCOVERY_RANGE',
        )
    if reach == 'OFF':
        return wrong(
            'ROS_AUTOMATIC_DISCOVERY_RANGE=OFF: no ROS 2 node finds another, not even here',
            'unset ROS_AUTOMATIC_DISCOVERY_RANGE',
        )
    return None


def _cyclone_trouble(environ: Mapping[str, str]) -> Finding | None:
    for part in configurations(environ.get('CYCLONEDDS_URI', '')):
        try:
            ElementTree.fromstring(text_of(part))
        except OSError as error:
            return wrong(f'CYCLONEDDS_URI: {error}', 'unset CYCLONEDDS_URI')
        except ElementTree.ParseError as error:
            return wrong(f'CYCLONEDDS_URI is not XML ({error})', 'unset CYCLONEDDS_URI')
    return None


def configurations(uri: str) -> list[str]:
    """Split CYCLONEDDS_URI as Cyclone DDS does: files, or XML itself, parted by commas."""
    if uri.lstrip().startswith('<'):
        return [uri]
    return [part.strip() for part in uri.split(',') if part.strip()]


def text_of(part: str) -> str:
    """Return the XML of one of them; OSError if it is a file that cannot be read."""
    if part.lstrip().startswith('<'):
        return part
    path = unquote(urlparse(part).path) if part.startswith('file://') else part
    return Path(path).read_text(encoding='utf-8')


def _judge_loopback(facts: DiscoveryFacts, domain: str) -> Finding:
    text = f'{domain}, loopback only: nodes of this machine alone'
    able = any(item.flags & MULTICAST for item in facts.interfaces)
    if facts.runtime == 'embedded' or able or facts.environ.get('CYCLONEDDS_URI'):
        return ok(text)
    return note(
        f'{text}, and without multicast they find each other only if every one is started with',
        'export ROS_LOCALHOST_ONLY=1'
        if facts.environ.get('ROS_DISTRO') == 'humble'
        else 'export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST',
    )


@dataclass(frozen=True)
class TripFacts:
    """Whether a message came back, and who else was seen on the domain."""

    came_back: bool
    nodes: Sequence[str] = ()
    services: Sequence[str] = ()


def look_at_trip(timeout_s: float = 5.0) -> TripFacts:
    """Send a message through DDS and receive it; look who else is there meanwhile."""
    from folk_ros.cli.peer import Peer, qos
    from folk_ros.ros import runtime

    heard: list[str] = []
    with Peer('folk_doctor') as peer:
        text, topic = runtime.message('std_msgs/msg/String'), '/folk_doctor'
        peer.listen(topic, 'std_msgs/msg/String', lambda m: heard.append(m.data), 'latched')
        publisher = peer.node.create_publisher(text, topic, qos('latched'))
        publisher.publish(text(data='hello'))
        came_back = peer.wait_until(lambda: bool(heard), timeout_s)
        if came_back:
            peer.rest(1.0)
        nodes = sorted(set(peer.node.get_node_names()) - {'folk_doctor'})
        services = [name for name, _ in peer.node.get_service_names_and_types()]
    return TripFacts(came_back, nodes, services)


def judge_trip(facts: TripFacts) -> Finding:
    """A message through DDS comes back."""
    if not facts.came_back:
        return wrong(
            'a message did not come back within 5 s: a firewall, or CYCLONEDDS_URI, keeps DDS '
            'from the network',
            'unset CYCLONEDDS_URI; export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST; folk doctor',
        )
    text = 'a message went out and came back'
    if '/folk/query' in facts.services:
        return ok(f'{text}; a folk node is running')
    if 'folk' in facts.nodes:
        return note(f'{text}; a node folk is there, but its service /folk/query is not seen yet')
    others = f'{len(facts.nodes)} other nodes' if facts.nodes else 'no other node'
    return ok(f'{text}; {others} on the domain')
