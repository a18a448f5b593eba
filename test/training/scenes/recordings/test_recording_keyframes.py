from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.training.scenes.recordings.keyframes import (
    choose_keyframes,
    KeyframeConfig,
    pair_nearest,
    turn_deg,
)

MS = 1_000_000


def pair_slowly(depth, rgb, bound):
    """The twin: every photograph looks for the depth images whose nearest it is."""
    nearest = [min(range(len(rgb)), key=lambda r: (abs(rgb[r] - d), rgb[r])) for d in depth]
    pairs = []
    for r in range(len(rgb)):
        asking = [k for k in range(len(depth)) if nearest[k] == r]
        if asking:
            best = min(asking, key=lambda k: (abs(depth[k] - rgb[r]), depth[k]))
            if abs(depth[best] - rgb[r]) <= bound:
                pairs.append((best, r))
    return sorted(pairs, key=lambda pair: depth[pair[0]])


stamps = st.lists(st.integers(0, 200), max_size=12, unique=True)


@settings(max_examples=200, deadline=None)
@given(stamps, stamps, st.integers(0, 30))
def test_pairs_are_those_of_the_slow_way(depth, rgb, bound):
    pairs = pair_nearest(np.array(depth, np.int64), np.array(rgb, np.int64), bound)
    wanted = pair_slowly(depth, rgb, bound) if rgb else []
    assert [tuple(pair) for pair in pairs.tolist()] == wanted


def test_a_photograph_serves_one_depth_image_alone():
    pairs = pair_nearest(np.array([0, 10, 100]), np.array([8]), 50)
    assert pairs.tolist() == [[1, 0]]


def test_partners_too_far_apart_are_left_out():
    depth, rgb = np.array([0, 100, 200]) * MS, np.array([4, 151, 203]) * MS
    assert pair_nearest(depth, rgb, 10 * MS).tolist() == [[0, 0], [2, 2]]


def test_images_recorded_out_of_order_come_back_in_order():
    pairs = pair_nearest(np.array([30, 10, 20]), np.array([21, 31, 11]), 5)
    assert pairs.tolist() == [[1, 2], [2, 0], [0, 1]]


def path(distances, yaws_deg=None, seconds=1.0):
    poses = np.tile(np.eye(4), (len(distances), 1, 1))
    poses[:, 0, 3] = distances
    yaws = np.radians(np.zeros(len(distances)) if yaws_deg is None else yaws_deg)
    poses[:, 0, 0], poses[:, 0, 1] = np.cos(yaws), -np.sin(yaws)
    poses[:, 1, 0], poses[:, 1, 1] = np.sin(yaws), np.cos(yaws)
    return poses, (np.arange(len(distances)) * seconds * 1e9).astype(np.int64) + 1


CONFIG = KeyframeConfig()


def test_a_camera_that_stands_gives_one_keyframe():
    assert choose_keyframes(*path(np.zeros(500)), CONFIG).tolist() == [0]


def test_moving_and_turning_each_make_a_keyframe():
    assert choose_keyframes(*path([0, 0.2, 0.3, 0.5, 0.6]), CONFIG).tolist() == [0, 2, 4]
    turning = path(np.zeros(5), [0, 10, 16, 30, 33])
    assert choose_keyframes(*turning, CONFIG).tolist() == [0, 2, 4]


def test_walking_there_and_back_is_two_motions():
    assert choose_keyframes(*path([0, 0.3, 0.0]), CONFIG).tolist() == [0, 1, 2]


def test_a_fast_turn_is_waited_for_but_not_for_ever():
    jerk = path(np.zeros(6), [0, 0, 20, 25, 25, 25], seconds=0.1)
    assert choose_keyframes(*jerk, CONFIG).tolist() == [0, 3]  # when it has turned
    spin = path(np.zeros(10), np.arange(10) * 11.0, seconds=0.1)
    assert choose_keyframes(*spin, CONFIG).tolist() == [0, 3, 6, 9]  # at twice the angle


def test_the_motion_that_counts_can_be_chosen():
    config = KeyframeConfig(distance_m=1.0)
    assert choose_keyframes(*path([0, 0.4, 0.9, 1.2]), config).tolist() == [0, 3]
    with pytest.raises(ValueError, match='angle_deg: expected more than 0, got 0'):
        KeyframeConfig(angle_deg=0)


def test_nothing_comes_of_nothing():
    assert len(choose_keyframes(np.zeros((0, 4, 4)), np.zeros(0, np.int64), CONFIG)) == 0


def test_the_angle_between_poses_is_that_of_the_turn():
    poses, _ = path(np.zeros(3), [0, 100, 270])
    assert turn_deg(poses[0], poses[1]) == pytest.approx(100)
    assert turn_deg(poses[0], poses[2]) == pytest.approx(90)
