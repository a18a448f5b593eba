"""A node over DDS, for one test or for those of a file."""

from colour_folk import room
from node_support import node_process, own_domain, Peer, publish_until
import pytest

from folk_ros.ros.conversions import to_point_cloud2


@pytest.fixture(scope='module')
def context():
    """The domain of this process, joined."""
    with own_domain():
        yield


@pytest.fixture
def peer(context):
    """Another program on the domain; the test starts its own node."""
    peer = Peer().watch()
    yield peer
    peer.close()


@pytest.fixture(scope='module')
def node(tmp_path_factory, context):
    """One node for many tests, by a peer that talks to it; clouds go to /cloud."""
    with node_process(tmp_path_factory.mktemp('node')) as (process, log):
        peer = Peer().watch()
        peer.log = log
        first = to_point_cloud2(room())
        publish_until(peer.clouds, first, lambda: peer.instances, 'the first scene')
        yield peer
        peer.close()
        assert process.poll() is None, 'the node died'
