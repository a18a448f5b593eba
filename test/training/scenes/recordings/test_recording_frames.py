from bag_support import frames, pose_of, SECOND, START, transform
import numpy as np

from folk_ros.training.scenes.recordings.frames import FrameTree


def tree_of(*links, static=()):
    """A tree from (stamp, parent, child, pose); children in `static` never move."""
    tree = FrameTree()
    for ns, parent, child, pose in links:
        tree.add(frames(transform(ns, parent, child, pose)), child in static)
    return tree


def test_poses_of_hours_are_kept_and_found_again():
    links = [
        (START + i * 60 * SECOND, 'odom', 'base', pose_of([i, 0, 0], i * 0.01)) for i in range(200)
    ]
    tree = tree_of(*links, (START, '/base', '/camera', pose_of([0, 1, 0])), static={'/camera'})
    buffer = tree.buffer(['camera'])
    for i in (0, 57, 199):
        wanted = pose_of([i, 0, 0], i * 0.01) @ pose_of([0, 1, 0])
        got = buffer.lookup('odom', 'camera', START + i * 60 * SECOND)
        np.testing.assert_allclose(got, wanted, atol=1e-9)


def test_only_the_frames_above_those_asked_for_are_unpacked():
    hand = (START, 'base', 'hand', pose_of([0, 0, 1]))
    tree = tree_of((START, 'odom', 'base', pose_of([1, 0, 0])), hand)
    assert tree.ancestors('hand') == ['hand', 'base', 'odom']
    assert sorted(tree.buffer(['base'])._links) == ['base']
    assert sorted(tree.buffer(['hand'])._links) == ['base', 'hand']


def test_frames_of_two_trees_are_not_connected():
    far = (START, 'earth', 'moon', pose_of([0, 0, 1]))
    tree = tree_of((START, 'odom', 'base', pose_of([1, 0, 0])), far)
    assert tree.connected('base', 'odom')
    assert not tree.connected('base', 'moon')
    assert tree.listed() == 'frames in TF: base, earth, moon, odom'


def test_a_frame_that_changes_its_parent_hangs_on_the_new_one():
    taken = (START + SECOND, 'hand', 'cup', pose_of([0, 0, 2]))
    tree = tree_of((START, 'table', 'cup', pose_of([0, 0, 1])), taken)
    assert tree.ancestors('cup') == ['cup', 'hand']
    got = tree.buffer(['cup']).lookup('hand', 'cup', START + SECOND)
    np.testing.assert_allclose(got, pose_of([0, 0, 2]))


def test_a_loop_of_frames_ends():
    tree = tree_of((START, 'a', 'b', pose_of([0, 0, 0])), (START, 'b', 'a', pose_of([0, 0, 0])))
    assert len(tree.ancestors('a')) <= 100
