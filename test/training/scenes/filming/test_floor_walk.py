"""Where a walker may stand, and the walk that comes by everywhere."""

import numpy as np
import pytest

from folk_ros.training.scenes.filming.floor_walk import along, free_floor, GRID_M, steps_from, tour

SIZE = (4.0, 3.0, 2.5)
NONE = np.zeros((0, 3))


def boxes(*ends):
    low, high = zip(*ends, strict=True)
    return np.array(low, float), np.array(high, float)


def middles(floor):
    return (np.argwhere(floor) + 0.5) * GRID_M


def test_the_walker_keeps_clear_of_walls_and_things():
    table = boxes(((1.5, 1.0, 0.0), (2.5, 2.0, 0.75)))
    floor = free_floor(SIZE, *table)
    place = middles(floor)
    assert (place > 0.35).all() and (place < np.array(SIZE[:2]) - 0.35).all()
    gap = np.maximum(np.maximum(table[0][:, :2] - place, place - table[1][:, :2]), 0)
    assert np.hypot(*gap.T).min() > 0.2
    assert len(place) > 300


def test_a_mat_and_a_lamp_under_the_ceiling_are_in_nobodys_way():
    open_floor = free_floor(SIZE, NONE, NONE)
    hung = boxes(((0, 0, 0), (4, 3, 0.02)), ((1, 1, 2.1), (2, 2, 2.4)))
    assert np.array_equal(free_floor(SIZE, *hung), open_floor)


def test_only_one_side_of_a_wall_of_shelves_is_walked_on():
    floor = free_floor(SIZE, *boxes(((1.2, 0, 0), (1.5, 3, 2.0))))
    assert (middles(floor)[:, 0] > 1.5).all()


def test_over_a_room_full_of_tables_the_camera_is_held_but_never_inside_a_thing():
    tables = boxes(((0, 0, 0), (4, 3, 0.75)), ((1, 1, 0), (2, 2, 1.4)))
    place = middles(free_floor(SIZE, *tables))
    assert len(place) > 100
    assert not ((place > 1.0) & (place < 2.0)).all(1).any()


def test_a_room_without_any_place_has_still_one():
    floor = free_floor(SIZE, *boxes(((0, 0, 0), (4, 3, 2.4))))
    assert floor.sum() == 1


def test_steps_equal_the_shortest_way_found_by_spreading_row_by_row():
    rng = np.random.default_rng(0)
    free = rng.random((12, 14)) < 0.7
    free[3, 4] = True
    slow = np.where(free, np.inf, np.nan)
    slow[3, 4] = 0
    for _ in range(free.size):
        for x, y in np.argwhere(free):
            for i, j in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
                if 0 <= i < 12 and 0 <= j < 14 and free[i, j]:
                    slow[x, y] = min(slow[x, y], slow[i, j] + 1)
        if _ > 60:
            break
    assert np.array_equal(steps_from(free, (3, 4)), np.where(np.isfinite(slow), slow, -1))


@pytest.mark.parametrize('seed', range(4))
def test_a_walk_is_evenly_spaced_over_free_floor_and_comes_by_every_part(seed):
    rng = np.random.default_rng(seed)
    floor = free_floor(SIZE, *boxes(((1.5, 1.0, 0.0), (2.5, 2.0, 0.75))))
    path = tour(rng, floor)
    assert (np.abs(np.diff(path, axis=0)).sum(1) == 1).all()
    places = along(rng, path, floor, 30)
    cells = (places / GRID_M).astype(int)
    near = np.pad(floor, 1)
    grown = sum(np.roll(near, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)) > 0
    assert grown[cells[:, 0] + 1, cells[:, 1] + 1].all()
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert steps.max() < 1.3 * np.median(steps) + 0.05
    far = np.linalg.norm(middles(floor)[:, None] - places[None], axis=2).min(1)
    assert far.max() < 1.2
