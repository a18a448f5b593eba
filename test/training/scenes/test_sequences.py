"""Sequences of one small room; and on them the scene memory, with true masks."""

from __future__ import annotations

import numpy as np
import pytest

from folk_ros.cli.benchmarks.identity import judge, truth_of
from folk_ros.training.scenes.sequences import looked_through, make_sequence, SequenceConfig
from folk_ros.training.scenes.synthetic import RoomConfig
from folk_ros.training.scenes.views import View

CONFIG = SequenceConfig(
    room=RoomConfig(width=96, height=72, cell_m=0.04, novel=True, kinds=('office',)),
    growing=(3, 6, 8),
    windows=((0, 3), (4, 7), (0, 3)),
    changed=(5, 8),
)


@pytest.fixture(scope='module')
def steps():
    return make_sequence(3, CONFIG)


def test_the_map_grows_the_camera_returns_the_room_changes(steps):
    assert [step.phase for step in steps] == ['growing'] * 3 + ['window'] * 3 + ['changed'] * 2
    sizes = [len(step.cloud) for step in steps]
    assert sizes[0] < sizes[1] < sizes[2]
    np.testing.assert_array_equal(steps[3].cloud.xyz, steps[5].cloud.xyz)
    assert {step.cloud.frame_id for step in steps} == {'map'}


def test_the_same_seed_gives_the_same_sequence(steps):
    again = make_sequence(3, CONFIG)
    for one, other in zip(steps, again, strict=True):
        np.testing.assert_array_equal(one.cloud.xyz, other.cloud.xyz)
        np.testing.assert_array_equal(one.instance, other.instance)
        assert one.change == other.change


def test_an_object_is_the_same_in_every_cloud(steps):
    before, after = steps[2], steps[-1]
    still = set(np.unique(before.instance)) & set(np.unique(after.instance)) - {-1}
    still -= after.change.moved
    assert len(still) > 3
    for one in still:
        places = [step.cloud.xyz[step.instance == one].mean(0) for step in (before, after)]
        assert np.linalg.norm(places[0] - places[1]) < 0.5


def test_what_was_removed_is_in_no_later_cloud_and_what_was_moved_is_elsewhere(steps):
    before, after = steps[2], steps[-1]
    change = after.change
    assert change.removed and not change.removed & change.moved
    assert not steps[2].change.removed
    assert not change.removed & set(np.unique(after.instance).tolist())
    assert after.seen_empty <= change.removed
    for one in change.moved & set(np.unique(after.instance).tolist()):
        places = [step.cloud.xyz[step.instance == one].mean(0) for step in (before, after)]
        assert np.linalg.norm((places[0] - places[1])[:2]) > 0.2


def view_of(depth):
    k = np.array([[50, 0, 19.5], [0, 50, 19.5], [0, 0, 1]], np.float32)
    rgb = np.zeros((40, 40, 3), np.uint8)
    return View(rgb, np.full((40, 40), depth, np.float32), k, np.eye(4, dtype=np.float32))


@pytest.mark.parametrize(
    ('depth', 'through'), [(3.0, True), (1.05, False), (0.5, False), (0, False)]
)
def test_a_place_is_seen_empty_by_what_lies_behind_it(depth, through):
    ball = np.random.default_rng(0).normal((0, 0, 1), 0.02, (50, 3)).astype(np.float32)
    assert looked_through(ball, [view_of(depth)]) == through


def test_true_masks_keep_their_ids(steps):
    counts = judge(steps, truth_of(0))
    assert counts.matched > 30
    assert counts.switched <= counts.moved_switched
    assert counts.lingered <= 2
