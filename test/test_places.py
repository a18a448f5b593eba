from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.places import (
    beside,
    CellIndex,
    cells_of,
    centres,
    contains,
    in_view,
    Occupancy,
    place_of,
    points_within,
    sampled,
)
from folk_ros.structures import PointCloud

CELL = 0.05


def block(low, high, count=4000, seed=0):
    """Points spread evenly in a box."""
    return np.random.default_rng(seed).uniform(low, high, (count, 3)).astype(np.float32)


def on_a_floor():
    """A box of 0.4 m on a floor; the box's points come first."""
    floor = block((-2, -2, -0.01), (2, 2, 0), 60_000, 1)
    return PointCloud(np.concatenate([block((0, 0, 0), (0.4, 0.4, 0.4)), floor]), frame_id='map')


def test_cells_know_their_middle():
    xyz = block((-3, -3, -3), (3, 3, 3))
    middle = centres(cells_of(xyz, CELL), CELL)
    assert np.abs(middle - xyz).max() <= CELL / 2 + 1e-5


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=20), st.lists(st.integers(0, 30), max_size=20))
def test_a_set_contains_what_is_in_it(cells, wanted):
    there = contains(np.unique(np.array(cells, np.int64)), np.array(wanted, np.int64))
    assert there.tolist() == [one in cells for one in wanted]


def test_beside_means_six_neighbours():
    here = cells_of(np.array([[0.02, 0.02, 0.02]], np.float32), CELL)
    steps = np.array([[1, 0, 0], [0, -1, 0], [0, 0, 1], [1, 1, 0], [2, 0, 0], [0, 0, 0]])
    near = cells_of((steps * CELL + 0.02).astype(np.float32), CELL)
    assert beside(here, near).tolist() == [True, True, True, False, False, True]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(0, 60), min_size=1, max_size=12), max_size=4), st.data())
def test_in_view_is_what_lies_in_or_beside_something(these, data):
    occupied = data.draw(st.sets(st.integers(0, 60), max_size=20))
    sets = [np.array(sorted(one), np.int64) for one in these]
    shown = in_view(sets, np.array(sorted(occupied), np.int64))
    slow = [[c for c in sorted(one) if {c - 1, c, c + 1} & occupied] for one in these]
    slow = [b if len(b) >= 3 else sorted(one) for b, one in zip(slow, these, strict=True)]
    assert [cells.tolist() for cells in shown] == slow


def test_points_are_found_by_their_cells():
    cloud = on_a_floor()
    index = CellIndex(cells_of(cloud.xyz, CELL))
    wanted = np.unique(index.point_cells[:300])
    slow = np.flatnonzero(np.isin(index.point_cells, wanted))
    assert index.points_in(wanted).tolist() == slow.tolist()
    assert points_within(cloud, wanted, CELL).tolist() == slow.tolist()
    assert index.counts.sum() == len(cloud) and len(index.counts) == len(index.cells)


def test_cells_that_nobody_fills_have_no_points():
    index = CellIndex(cells_of(block((0, 0, 0), (1, 1, 1), 100), CELL))
    assert len(index.points_in(cells_of(np.full((1, 3), 5, np.float32), CELL))) == 0
    assert len(CellIndex(np.empty(0, np.int64)).points_in(index.cells)) == 0


def test_a_cell_belongs_to_who_has_at_least_half_of_its_points():
    index = CellIndex(np.array([7, 7, 7, 8, 8, 9]))
    assert index.cells_of(np.array([0, 3, 4, 5])).tolist() == [8, 9]
    assert index.cells_of(np.array([0, 1])).tolist() == [7]


def test_the_core_of_an_object_is_clear_of_the_floor():
    cloud = on_a_floor()
    place = place_of(Occupancy.of(cloud, CELL), np.arange(4000, dtype=np.int32))
    assert not place.flat
    assert centres(place.core, CELL)[:, 2].min() > 0.05
    around = centres(place.ring, CELL)
    assert (np.abs(around[:, 2]) < 0.1).all()  # the floor, and nothing of its own
    assert ((around[:, :2] > -0.3) & (around[:, :2] < 0.7)).all()


def test_what_lies_on_the_floor_is_flat():
    floor = block((-2, -2, -0.01), (2, 2, 0), 60_000)
    rows = np.flatnonzero((np.abs(floor[:, :2]) < 0.5).all(1)).astype(np.int32)
    assert place_of(Occupancy.of(PointCloud(floor), CELL), rows).flat


def test_a_sample_is_never_larger_than_asked_for():
    for count in (1, 255, 256, 257, 511, 513, 5000):
        assert 128 <= len(sampled(np.arange(count))) + 128 * (count < 128) <= 384


@pytest.mark.parametrize('far', [1e7, 1e30])
def test_points_at_the_end_of_the_world_do_no_harm(far):
    xyz = np.array([[far, -far, far], [0, 0, 0]], np.float32)
    place = place_of(Occupancy.of(PointCloud(xyz), CELL), np.array([0, 1], np.int32))
    assert len(place.cells) == 2
