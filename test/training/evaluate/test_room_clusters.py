import numpy as np
import pytest

from folk_ros.training.evaluate.rivals.room_clusters import room_clusters, shell


def sheet(origin, across, along, step=0.02):
    a, b = np.meshgrid(np.arange(0, 1, step), np.arange(0, 1, step))
    flat = np.stack([a.ravel(), b.ravel()], 1)
    return np.asarray(origin) + flat @ np.array([across, along], float)


def box(low, size):
    x, y, z = np.eye(3) * size
    low = np.asarray(low, float)
    sides = [(low, x, y), (low, x, z), (low, y, z)]
    return np.concatenate([sheet(at + off, a, b, 0.03) for at, a, b in sides
                           for off in (np.zeros(3), sum(np.eye(3) * size) - a - b)])  # fmt: skip


@pytest.fixture(scope='module')
def room():
    """Floor, two walls, a table in the middle and a chest against a wall."""
    floor = sheet((0, 0, 0), (4, 0, 0), (0, 5, 0), 0.01)
    walls = [sheet((0, 0, 0), (0, 5, 0), (0, 0, 2.5), 0.01)]
    walls.append(sheet((0, 0, 0), (4, 0, 0), (0, 0, 2.5), 0.01))
    table, chest = box((1.4, 2, 0.1), (1.2, 0.8, 0.6)), box((0.06, 3.5, 0.1), (0.5, 0.9, 0.8))
    parts = [floor, *walls, table, chest]
    owner = np.repeat([-1, -1, -1, 0, 1], [len(p) for p in parts])
    return np.concatenate(parts).astype(np.float32), owner


def test_floor_and_walls_are_taken_away_and_two_things_apart_are_two(room):
    xyz, truth = room
    found = room_clusters(xyz)
    assert found.max() == 1
    for thing in range(2):
        inside = truth == thing
        best = np.bincount(found[inside][found[inside] >= 0]).argmax()
        assert ((found == best) & inside).sum() / ((found == best) | inside).sum() > 0.8
    assert (found[truth < 0] >= 0).mean() < 0.01


def test_a_plane_in_the_middle_of_the_room_is_no_shell(room):
    xyz, truth = room
    taken = shell(xyz.astype(np.float64), np.random.default_rng(0))
    assert taken[truth < 0].mean() > 0.98
    assert taken[truth == 0].mean() < 0.1


def test_the_same_cloud_gives_the_same_clusters(room):
    assert np.array_equal(room_clusters(room[0]), room_clusters(room[0]))


def test_specks_and_empty_rooms_have_no_objects():
    assert room_clusters(np.zeros((0, 3), np.float32)).tolist() == []
    speck = np.random.default_rng(0).normal(0, 0.01, (99, 3))
    assert (room_clusters(speck) == -1).all()
