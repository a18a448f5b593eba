import pytest

from folk_ros.cli.doctoring.discovery import (
    configurations,
    DiscoveryFacts,
    Interface,
    interfaces,
    judge_discovery,
    judge_trip,
    look_at_discovery,
    LOOPBACK,
    MULTICAST,
    TripFacts,
    UP,
)

LO = Interface('lo', '127.0.0.1', UP | LOOPBACK)
ETH = Interface('eth0', '192.168.1.7', UP | MULTICAST)
TUN = Interface('tun0', '10.0.0.2', UP)


def judged(environ=None, seen=(LO, ETH), runtime='rclpy'):
    return judge_discovery(DiscoveryFacts(runtime, environ or {}, seen))


def test_an_ordinary_machine_is_fine_and_its_address_is_told():
    assert judged().state == 'ok'
    assert 'eth0 192.168.1.7' in judged().found
    assert 'domain 42' in judged({'ROS_DOMAIN_ID': '42'}).found


@pytest.mark.parametrize('domain', ['-1', '233', 'kitchen'])
def test_a_domain_that_is_none_is_wrong(domain):
    finding = judged({'ROS_DOMAIN_ID': domain})
    assert (finding.state, finding.mend) == ('wrong', 'export ROS_DOMAIN_ID=0')


@pytest.mark.parametrize('reach', ['OFF', 'off', 'EVERYWHERE'])
def test_discovery_that_is_off_or_misspelt_is_wrong(reach):
    finding = judged({'ROS_AUTOMATIC_DISCOVERY_RANGE': reach})
    assert finding.state == 'wrong'
    assert finding.mend == 'unset ROS_AUTOMATIC_DISCOVERY_RANGE'


def test_this_machine_alone_is_what_was_asked_for():
    assert 'this machine alone' in judged({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'localhost'}).found
    assert judged({'ROS_LOCALHOST_ONLY': '1'}, seen=(LO,)).state == 'ok'


def test_a_loopback_without_multicast_keeps_ros_nodes_apart():
    finding = judged(seen=(LO,))
    assert finding.state == 'note'
    assert finding.mend == 'export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST'
    assert judged({'ROS_DISTRO': 'humble'}, seen=(LO,)).mend == 'export ROS_LOCALHOST_ONLY=1'


def test_the_embedded_runtime_asks_this_machine_directly():
    assert judged(seen=(LO,), runtime='embedded').state == 'ok'


def test_a_loopback_with_multicast_is_fine():
    assert judged(seen=(Interface('lo', '127.0.0.1', UP | LOOPBACK | MULTICAST),)).state == 'ok'


def test_without_multicast_peers_must_be_named():
    finding = judged(seen=(LO, TUN))
    assert finding.state == 'note'
    assert 'ROS_STATIC_PEERS' in finding.mend
    assert judged({'ROS_STATIC_PEERS': '10.0.0.3'}, seen=(LO, TUN)).state == 'ok'
    assert judged(seen=(LO, TUN, ETH)).state == 'ok'


def test_a_configuration_that_is_not_there_or_no_xml_is_wrong(tmp_path):
    missing = judged({'CYCLONEDDS_URI': f'file://{tmp_path}/a.xml'})
    assert (missing.state, 'a.xml' in missing.found) == ('wrong', True)
    (tmp_path / 'a.xml').write_text('<CycloneDDS><Domain></CycloneDDS>')
    broken = judged({'CYCLONEDDS_URI': f'file://{tmp_path}/a.xml'})
    assert (broken.state, 'not XML' in broken.found) == ('wrong', True)
    assert broken.mend == 'unset CYCLONEDDS_URI'
    (tmp_path / 'a.xml').write_text('<CycloneDDS><Domain/></CycloneDDS>')
    assert judged({'CYCLONEDDS_URI': f'file://{tmp_path}/a.xml'}).state == 'ok'
    assert judged({'CYCLONEDDS_URI': '<CycloneDDS/>'}).state == 'ok'


def test_a_peer_without_an_address_is_wrong(monkeypatch):
    monkeypatch.setenv('ROS_STATIC_PEERS', '127.0.0.1;nobody.invalid')
    finding = judge_discovery(look_at_discovery())
    assert (finding.state, finding.mend) == ('wrong', 'unset ROS_STATIC_PEERS')
    assert 'names nobody.invalid,' in finding.found


def test_several_configurations_are_parted_by_commas():
    assert configurations('file:///a, file:///b') == ['file:///a', 'file:///b']
    assert configurations('<A x="1,2"/>') == ['<A x="1,2"/>']


def test_the_loopback_of_this_machine_is_seen():
    assert any(item.flags & LOOPBACK and item.address == '127.0.0.1' for item in interfaces())


def test_a_message_that_does_not_come_back_is_wrong():
    finding = judge_trip(TripFacts(came_back=False))
    assert finding.state == 'wrong'
    assert 'CYCLONEDDS_URI' in finding.mend


def test_who_else_is_there_is_told():
    assert 'no other node' in judge_trip(TripFacts(True)).found
    assert '2 other nodes' in judge_trip(TripFacts(True, ('a', 'b'))).found
    assert 'is running' in judge_trip(TripFacts(True, ('folk',), ('/folk/query',))).found
    assert judge_trip(TripFacts(True, ('folk',))).state == 'note'
