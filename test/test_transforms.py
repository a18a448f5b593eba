import threading
import time

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.transforms import HISTORY_NS, Pose, slerp, TransformBuffer, TransformError

SECOND = 1_000_000_000


def turned(stamp_ns=0, xyz=(0.0, 0.0, 0.0), yaw=0.0):
    rotation = np.array([0, 0, np.sin(yaw / 2), np.cos(yaw / 2)])
    return Pose(stamp_ns, np.array(xyz, float), rotation)


def arm():
    """map <- odom (static) <- base (moving) <- camera (static)."""
    buffer = TransformBuffer()
    buffer.insert('map', 'odom', turned(xyz=(10, 0, 0)), static=True)
    buffer.insert('odom', 'base', turned(1 * SECOND, (0, 0, 0)))
    buffer.insert('odom', 'base', turned(2 * SECOND, (2, 0, 0), np.pi / 2))
    buffer.insert('base', 'camera', turned(xyz=(1, 0, 0)), static=True)
    return buffer


def test_a_chain_of_frames_is_followed_to_its_end():
    matrix = arm().lookup('map', 'camera', 2 * SECOND)
    assert np.allclose(matrix @ [0, 0, 0, 1], [12, 1, 0, 1])


def test_the_way_back_undoes_the_way_there():
    buffer = arm()
    there = buffer.lookup('map', 'camera', 2 * SECOND)
    back = buffer.lookup('camera', 'map', 2 * SECOND)
    assert np.allclose(there @ back, np.eye(4))


def test_two_branches_meet_in_the_frame_they_share():
    buffer = arm()
    buffer.insert('base', 'lidar', turned(xyz=(0, 0, 3)), static=True)
    assert np.allclose(buffer.lookup('lidar', 'camera', SECOND) @ [0, 0, 0, 1], [1, 0, -3, 1])


def test_between_two_poses_the_motion_is_even():
    matrix = arm().lookup('odom', 'base', SECOND + SECOND // 2)
    assert np.allclose(matrix[:3, 3], [1, 0, 0])
    assert np.isclose(np.arctan2(matrix[1, 0], matrix[0, 0]), np.pi / 4)


def test_time_zero_is_the_newest():
    assert np.allclose(arm().lookup('odom', 'base', 0)[:3, 3], [2, 0, 0])


@pytest.mark.parametrize('stamp_ns, word', [(3 * SECOND, 'newest'), (SECOND // 2, 'oldest')])
def test_a_moving_frame_is_not_guessed_beyond_what_is_known(stamp_ns, word):
    with pytest.raises(TransformError, match=f'base -> odom.*{word}'):
        arm().lookup('map', 'base', stamp_ns)


def test_an_unknown_frame_is_named_with_the_known_ones():
    with pytest.raises(TransformError, match="'gripper' is not in TF.*base, camera, map, odom"):
        arm().lookup('map', 'gripper', SECOND)
    with pytest.raises(TransformError, match='nothing was received'):
        TransformBuffer().lookup('map', 'camera', SECOND)


def test_two_trees_are_said_to_be_apart():
    buffer = arm()
    buffer.insert('earth', 'moon', turned(), static=True)
    with pytest.raises(TransformError, match='not connected'):
        buffer.lookup('moon', 'camera', SECOND)


def test_a_loop_of_frames_ends_in_an_error_not_in_a_hang():
    buffer = TransformBuffer()
    buffer.insert('a', 'b', turned(), static=True)
    buffer.insert('b', 'a', turned(), static=True)
    with pytest.raises(TransformError):
        buffer.lookup('c', 'a', 0)


def test_time_set_back_drops_the_future_that_never_was():
    buffer = arm()
    buffer.insert('odom', 'base', turned(SECOND // 10, (5, 0, 0)))
    assert np.allclose(buffer.lookup('odom', 'base', SECOND // 10)[:3, 3], [5, 0, 0])
    with pytest.raises(TransformError):
        buffer.lookup('odom', 'base', 2 * SECOND)


def test_poses_out_of_order_are_sorted_in():
    buffer = arm()
    buffer.insert('odom', 'base', turned(SECOND + SECOND // 2, (7, 0, 0)))
    assert np.allclose(buffer.lookup('odom', 'base', SECOND + SECOND // 2)[:3, 3], [7, 0, 0])
    assert np.allclose(buffer.lookup('odom', 'base', 2 * SECOND)[:3, 3], [2, 0, 0])


def test_history_does_not_grow_without_end():
    buffer = TransformBuffer()
    for step in range(2000):
        buffer.insert('odom', 'base', turned(step * SECOND // 10))
    assert len(buffer._links['base'].poses) == HISTORY_NS * 10 // SECOND + 1


def test_a_history_without_end_keeps_all_poses_in_any_order():
    buffer = TransformBuffer(history_ns=None)
    for second in (100, 0, 50):
        buffer.insert('odom', 'base', turned(second * SECOND, (second, 0, 0)))
    for second in (1, 25, 75, 100):
        matrix = buffer.lookup('odom', 'base', second * SECOND)
        assert np.allclose(matrix[:3, 3], [second, 0, 0])


@pytest.mark.parametrize(
    'pose',
    [
        Pose(0, np.array([np.nan, 0, 0]), np.array([0, 0, 0, 1.0])),
        Pose(0, np.zeros(3), np.zeros(4)),
        Pose(0, np.zeros(3), np.full(4, np.nan)),
    ],
)
def test_a_pose_that_is_no_motion_is_left_out(pose):
    buffer = TransformBuffer()
    buffer.insert('a', 'b', pose)
    with pytest.raises(TransformError):
        buffer.lookup('a', 'b', 0)


def test_waiting_ends_when_the_transform_comes():
    buffer = TransformBuffer()
    add = threading.Timer(0.1, lambda: buffer.insert('a', 'b', turned(), static=True))
    add.start()
    begin = time.monotonic()
    assert np.allclose(buffer.wait_for('a', 'b', 0, timeout_s=20.0), np.eye(4))
    assert time.monotonic() - begin < 15


def test_waiting_in_vain_ends_with_the_reason():
    with pytest.raises(TransformError, match='b -> a'):
        TransformBuffer().wait_for('a', 'b', 0, timeout_s=0.05)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8), st.floats(0, 1))
def test_turning_is_even_and_takes_the_short_way(numbers, share):
    a, b = np.array(numbers[:4]), np.array(numbers[4:])
    if min(np.linalg.norm(a), np.linalg.norm(b)) < 0.1:
        return
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    mixed = slerp(a, b, share)
    whole = np.arccos(np.clip(abs(a @ b), 0, 1))
    assert np.isclose(np.linalg.norm(mixed), 1)
    assert np.isclose(np.arccos(np.clip(abs(a @ mixed), 0, 1)), share * whole, atol=2e-3)
