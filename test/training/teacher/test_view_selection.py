from __future__ import annotations

import numpy as np
import pytest

from folk_ros.training.teacher.view_selection import rotation_angle, select_views

FIVE = np.radians(5)


def turned(*degrees):
    """Rotations about z."""
    angles = np.radians(degrees)
    rotations = np.zeros((len(angles), 3, 3), np.float32)
    rotations[:, 0, 0] = rotations[:, 1, 1] = np.cos(angles)
    rotations[:, 1, 0] = np.sin(angles)
    rotations[:, 0, 1] = -np.sin(angles)
    rotations[:, 2, 2] = 1
    return rotations


@pytest.mark.parametrize('degrees', [0, 4, 90, 180])
def test_the_angle_between_rotations_is_the_turn(degrees):
    a, b = turned(30, 30 + degrees)
    assert rotation_angle(a, b) == pytest.approx(np.radians(degrees), abs=1e-3)


def test_the_most_visible_views_come_first():
    assert select_views(np.array([5, 9, 7]), turned(0, 60, 120), 6, FIVE) == [1, 2, 0]


def test_a_view_like_a_better_one_is_dropped():
    assert select_views(np.array([5, 9, 7]), turned(0, 60, 63), 6, FIVE) == [1, 0]


def test_a_chain_of_near_views_keeps_those_far_from_what_was_kept():
    # 3 degrees apart each: 0 is kept, 3 is near it, 6 is near 3 but 3 is gone
    assert select_views(np.array([9, 8, 7]), turned(0, 3, 6), 6, FIVE) == [0, 2]


def test_views_beyond_the_count_do_not_fill_the_place_of_dropped_ones():
    assert select_views(np.array([9, 8, 7]), turned(0, 3, 90), 2, FIVE) == [0]


def test_a_view_that_sees_nothing_is_never_chosen():
    assert select_views(np.array([0, 3, 0]), turned(0, 60, 120), 6, FIVE) == [1]
    assert select_views(np.array([0]), turned(0), 6, FIVE) == []
