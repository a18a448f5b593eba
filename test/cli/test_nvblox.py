from types import SimpleNamespace

import numpy as np
import pytest

from folk_ros.cli import peer as peer_module
from folk_ros.cli.main import main
from folk_ros.cli.nvblox import republish
from folk_ros.cli.output import CommandFailed
from folk_ros.ros.nvblox_mesh import MeshCloud


def mesh(blocks, clear=False, stamp=7):
    """A nvblox_msgs/Mesh of {index: (vertices, colours)}, named as in its message files."""
    stamp = SimpleNamespace(sec=stamp, nanosec=5)
    made = [
        SimpleNamespace(
            vertices=[SimpleNamespace(x=x, y=y, z=z) for x, y, z in vertices],
            normals=[],
            colors=[SimpleNamespace(r=r, g=g, b=b, a=1.0) for r, g, b in colours],
            triangles=[],
        )
        for vertices, colours in blocks.values()
    ]
    return SimpleNamespace(
        header=SimpleNamespace(frame_id='odom', stamp=stamp),
        block_size_m=0.4,
        block_indices=[SimpleNamespace(x=x, y=y, z=z) for x, y, z in blocks],
        blocks=made,
        clear=clear,
    )


RED, GREY = (1.0, 0.0, 0.0), (0.5, 0.5, 0.5)
ONE = ([(0.0, 0.1, 0.2), (1.0, 1.1, 1.2)], [RED, GREY])
TWO = ([(5.0, 5.1, 5.2)], [GREY])


def test_vertices_of_all_blocks_become_points_with_their_colours():
    vertices = MeshCloud()
    vertices.update(mesh({(0, 0, 0): ONE, (1, 0, 0): TWO}))
    cloud = vertices.cloud()
    np.testing.assert_allclose(cloud.xyz, [*ONE[0], *TWO[0]], rtol=1e-6)
    assert cloud.rgb.tolist() == [[255, 0, 0], [128] * 3, [128] * 3]
    assert (cloud.frame_id, cloud.stamp_ns) == ('odom', 7_000_000_005)


def test_a_message_replaces_what_it_names_and_leaves_the_rest():
    vertices = MeshCloud()
    vertices.update(mesh({(0, 0, 0): ONE, (1, 0, 0): TWO}))
    vertices.update(mesh({(1, 0, 0): ([(9.0, 9.0, 9.0)], [RED])}))
    assert vertices.cloud().xyz[:, 0].tolist() == [0.0, 1.0, 9.0]
    vertices.update(mesh({(0, 0, 0): ([], [])}))
    assert vertices.cloud().xyz[:, 0].tolist() == [9.0]
    vertices.update(mesh({(2, 0, 0): TWO}, clear=True))
    assert vertices.cloud().xyz[:, 0].tolist() == [5.0]


def test_colour_is_stated_only_where_every_block_has_it():
    vertices = MeshCloud()
    vertices.update(mesh({(0, 0, 0): ONE, (1, 0, 0): (TWO[0], [])}))
    assert vertices.cloud().rgb is None
    vertices.update(mesh({(1, 0, 0): TWO}))
    assert vertices.cloud().rgb is not None


def test_a_vertex_that_is_not_finite_goes_with_its_colour():
    vertices = MeshCloud()
    vertices.update(mesh({(0, 0, 0): ([(np.nan, 0, 0), (1, 2, 3)], [GREY, RED])}))
    cloud = vertices.cloud()
    assert (cloud.xyz.tolist(), cloud.rgb.tolist()) == ([[1, 2, 3]], [[255, 0, 0]])


def test_an_empty_mesh_is_an_empty_cloud():
    vertices = MeshCloud()
    vertices.update(mesh({}))
    assert len(vertices.cloud()) == 0


def test_a_message_whose_parts_do_not_fit_changes_nothing():
    vertices = MeshCloud()
    vertices.update(mesh({(0, 0, 0): ONE}))
    wrong = mesh({(0, 0, 0): TWO}, clear=True)
    wrong.block_indices.append(SimpleNamespace(x=1, y=1, z=1))
    with pytest.raises(ValueError, match='a block for each of 2 indices, got 1'):
        vertices.update(wrong)
    with pytest.raises(ValueError, match='a colour for each of 1 vertices of a block, got 2'):
        vertices.update(mesh({(0, 0, 0): (TWO[0], [RED, RED])}, clear=True))
    assert len(vertices.cloud()) == 2


class FakePeer:
    """Hears one message at each rest, then Ctrl-C."""

    def __init__(self, *messages):
        self.messages, self.published, self.heard = list(messages), [], None

    def listen(self, topic, type_name, call, kind):
        self.heard = (topic, type_name, kind)
        self.call = call

    def cloud_publisher(self, topic, profile):
        self.offered = (topic, profile)
        return SimpleNamespace(publish=self.published.append)

    def rest(self, seconds):
        if not self.messages:
            raise KeyboardInterrupt
        message = self.messages.pop(0)
        if message is not None:
            self.call(message)


def test_a_cloud_goes_out_whenever_the_mesh_has_changed(monkeypatch, capsys):
    monkeypatch.setattr(peer_module, 'cloud_message', len)
    broken = mesh({(0, 0, 0): (TWO[0], [RED, RED])})
    peer = FakePeer(None, mesh({(0, 0, 0): ONE}), None, broken, mesh({(1, 0, 0): TWO}))
    with pytest.raises(KeyboardInterrupt):
        republish(peer, '/mesh', '/cloud', 1.0)
    assert peer.published == [2, 3]
    assert peer.heard == ('/mesh', 'nvblox_msgs/msg/Mesh', 'reliable')
    assert peer.offered == ('/cloud', 'latched')
    told = capsys.readouterr()
    assert 'this message is left out' in told.err + told.out


def test_without_the_messages_of_nvblox_it_says_what_to_install():
    def listen(*args):
        raise LookupError("Interface 'nvblox_msgs/msg/Mesh' is not installed")

    with pytest.raises(CommandFailed, match='comes with Isaac ROS nvblox'):
        republish(SimpleNamespace(listen=listen), '/mesh', '/cloud', 1.0)


def test_a_rate_that_makes_no_sense_is_refused(capsys):
    assert main(['nvblox', '--rate', '0']) == 2
    assert '--rate' in capsys.readouterr().err
