"""Domains that nobody else uses, chosen by many at the same time."""

import os
import socket
import subprocess
import sys

import pytest

from folk_ros.cli import domain as domains
from folk_ros.cli.domain import free_domain, own_domain
from folk_ros.cli.output import CommandFailed

JOINED = """
import sys
from folk_ros.ros import embedded
embedded.init(args=[], domain_id=int(sys.argv[1]))
print('joined', flush=True)
sys.stdin.read()
embedded.shutdown()
"""


def test_two_who_have_not_joined_yet_do_not_get_the_same_domain():
    with free_domain() as one, free_domain() as other:
        assert one != other
    with free_domain() as again:  # what was given back is free
        assert again == one


@pytest.mark.parametrize('port', [0, 10, 12, 74])  # multicast, the participants 0, 1 and 32
def test_a_domain_with_a_port_in_use_is_not_taken(port):
    with free_domain() as taken:
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(('', 7400 + 250 * taken + port))
        with free_domain() as chosen:
            assert chosen != taken


@pytest.mark.dds
@pytest.mark.parametrize('reach', ['SUBNET', 'LOCALHOST'])
def test_a_domain_that_somebody_has_joined_is_not_taken(reach):
    pytest.importorskip('rosbags')
    with free_domain() as taken:
        pass
    environment = {**os.environ, 'ROS_AUTOMATIC_DISCOVERY_RANGE': reach}
    environment.pop('CYCLONEDDS_URI', None)
    command = [sys.executable, '-c', JOINED, str(taken)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout.readline() == 'joined\n'
        with free_domain() as chosen:
            other.stdin.close()
            assert chosen != taken


def test_where_every_domain_is_in_use_that_is_said(monkeypatch):
    monkeypatch.setattr(domains, 'DOMAINS', range(50, 51))
    with free_domain(), pytest.raises(CommandFailed, match='set ROS_DOMAIN_ID'), free_domain():
        pass


@pytest.mark.parametrize('before', ['7', None])
def test_a_domain_of_ones_own_is_that_of_the_process_until_the_end(monkeypatch, before):
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    if before:
        monkeypatch.setenv('ROS_DOMAIN_ID', before)
    with own_domain() as domain:
        assert os.environ['ROS_DOMAIN_ID'] == str(domain)
    assert os.environ.get('ROS_DOMAIN_ID') == before
