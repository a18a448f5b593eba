"""A hand-held camera: where it looks."""

import numpy as np
import pytest

from folk_ros.training.scenes.filming.camera_path import LONGEST_TURN, pose_of, Surroundings, walk
from folk_ros.training.scenes.rendering import primitives as p
from folk_ros.training.scenes.rendering.raycast import pack
from folk_ros.training.scenes.rooms.shell import shell

GREY = p.Material((0.5, 0.5, 0.5))
SIZE = (4.0, 3.5, 2.5)
TANGENTS = (0.7, 0.525)


@pytest.fixture(scope='module')
def around():
    things = [
        p.slab(GREY, (1.6, 1.4, 0), (2.4, 2.1, 0.7)),
        p.slab(GREY, (3.6, 0.2, 0), (3.95, 1.2, 1.9)),
        p.slab(GREY, (1.9, 1.7, 0.7), (1.98, 1.78, 0.8)),
        p.slab(GREY, (0.3, 3.47, 1.5), (0.9, 3.5, 2.0)),
    ]
    parts = [*shell(SIZE, [GREY] * 4, GREY, GREY)]
    owner = np.array([-1] * len(parts) + list(range(len(things))), np.int32)
    corners = np.stack([thing.corners() for thing in things])
    solids = pack([*parts, *things])
    interest = np.array([1.0, 1.0, 6.0, 1.3])
    return Surroundings(SIZE, corners.min(1), corners.max(1), solids, owner, interest)


def walked(around, seed, views=14):
    return np.stack(walk(np.random.default_rng(seed), around, views, TANGENTS))


def test_a_pose_looks_along_its_yaw_and_down_with_the_picture_upright():
    pose = pose_of(np.array([1.0, 2, 1.5]), np.pi / 2, 0.3)
    assert np.allclose(pose[:3, 2], (0, np.cos(0.3), -np.sin(0.3)))
    assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
    assert np.isclose(np.linalg.det(pose[:3, :3]), 1)
    assert pose[2, 1] < 0 and np.isclose(pose[2, 0], 0)  # image y down in the world, x level


@pytest.mark.parametrize('seed', range(3))
def test_the_camera_stays_at_the_height_of_a_hand_and_out_of_all_things(around, seed):
    eyes = walked(around, seed)[:, :3, 3]
    assert (eyes[:, 2] > 1.05).all() and (eyes[:, 2] < 1.85).all()
    assert (eyes[:, :2] > 0.2).all() and (eyes[:, :2] < np.array(SIZE[:2]) - 0.2).all()
    gap = np.maximum(np.maximum(around.low[None] - eyes[:, None], eyes[:, None] - around.high), 0)
    assert np.linalg.norm(gap, axis=2).min() > 0.1


def test_neighbouring_views_are_near_each_other_and_turned_by_no_more_than_a_person_turns(around):
    poses = walked(around, 0, 20)
    assert np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).max() < 1.0
    yaw = np.arctan2(poses[:, 1, 2], poses[:, 0, 2])
    turn = np.abs((np.diff(yaw) + np.pi) % (2 * np.pi) - np.pi)
    assert turn.max() < LONGEST_TURN + 0.2


def test_everything_comes_into_view_small_things_too(around):
    poses = walked(around, 1)
    for low, high in zip(around.low, around.high, strict=True):
        own = np.einsum('kji,kj->ki', poses[:, :3, :3], (low + high) / 2 - poses[:, :3, 3])
        tan = np.abs(own[:, :2]) / own[:, 2:]
        assert ((own[:, 2] > 0) & (tan[:, 0] < TANGENTS[0]) & (tan[:, 1] < TANGENTS[1])).any()


def test_another_walk_goes_another_way_and_the_same_one_the_same(around):
    assert np.array_equal(walked(around, 3, 4), walked(around, 3, 4))
    assert not np.allclose(walked(around, 3, 4), walked(around, 4, 4))


def test_a_single_view_is_a_walk(around):
    assert walked(around, 0, 1).shape == (1, 4, 4)
