from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.places import cells_of
from folk_ros.sharing import HELD, LEFT, refitted, shared_out
from folk_ros.structures import Boxes, Instances, PointCloud

CELL = 0.05


def in_a_row(count):
    """A cloud with a point in each of some cells."""
    xyz = np.zeros((count, 3), np.float32)
    xyz[:, 0] = (np.arange(count) + 0.5) * CELL
    return PointCloud(xyz, frame_id='map')


def masks_of(cloud, masks, quality):
    """Instances with these points."""
    count = len(masks)
    return Instances(
        starts=np.concatenate([[0], np.cumsum([len(mask) for mask in masks])]).astype(np.int64),
        points=np.concatenate([np.empty(0), *map(sorted, masks)]).astype(np.int32),
        embeddings=np.ones((count, 1), np.float32),
        quality=np.array(quality, np.float32),
        boxes=Boxes(
            np.zeros((count, 3), np.float32),
            np.ones((count, 3), np.float32),
            np.zeros(count, np.float32),
        ),
        ids=np.arange(1, count + 1, dtype=np.uint32),
        num_points=len(cloud),
    )


def share(masks, quality, before=None):
    """The points of what is left, and its rows."""
    cloud = in_a_row(40)
    cells = {row: cells_of(cloud.xyz[sorted(had)], CELL) for row, had in (before or {}).items()}
    result, rows = shared_out(masks_of(cloud, masks, quality), cells, cloud, CELL)
    return [set(result.points_of(row).tolist()) for row in range(len(result))], rows.tolist()


LONG, OTHER = set(range(20)), set(range(14, 30))


def test_what_two_masks_claim_goes_to_the_better_one():
    assert share([LONG, OTHER], [0.5, 0.6]) == ([set(range(14)), OTHER], [0, 1])


def test_what_an_object_had_stays_with_it():
    left, _ = share([LONG, OTHER], [0.5, 0.6], {0: LONG, 1: set(range(20, 30))})
    assert left == [LONG, set(range(20, 30))]


def test_a_clearly_better_mask_takes_what_another_had():
    left, _ = share([LONG, OTHER], [0.5, 0.51 + HELD], {0: LONG})
    assert left == [set(range(14)), OTHER]


def test_what_both_had_goes_to_the_better_one():
    left, _ = share([LONG, OTHER], [0.5, 0.6], {0: LONG, 1: OTHER})
    assert left == [set(range(14)), OTHER]


def test_a_mask_of_which_little_is_left_is_none():
    assert share([LONG, set(range(10, 22))], [0.6, 0.5]) == ([LONG], [0])


def test_with_its_points_a_mask_loses_quality():
    cloud = in_a_row(40)
    result, _ = shared_out(masks_of(cloud, [LONG, OTHER], [0.5, 0.6]), {}, cloud, CELL)
    np.testing.assert_allclose(result.quality, [0.5 * 14 / 20, 0.6])


def test_masks_that_share_nothing_are_left_alone():
    cloud = in_a_row(40)
    given_masks = masks_of(cloud, [set(range(5)), set(range(5, 9)), set()], [0.5, 0.6, 0.7])
    result, rows = shared_out(given_masks, {0: cells_of(cloud.xyz, CELL)}, cloud, CELL)
    assert result is given_masks
    assert rows.tolist() == [0, 1, 2]


def test_a_box_shrinks_around_what_is_left_and_others_stay():
    cloud = in_a_row(40)
    result, _ = shared_out(masks_of(cloud, [LONG, OTHER], [0.5, 0.6]), {}, cloud, CELL)
    np.testing.assert_allclose(result.boxes.centre, [[7 * CELL, 0, 0], [0, 0, 0]], atol=0.01)
    np.testing.assert_allclose(result.boxes.size, [[13 * CELL, 0, 0], [1, 1, 1]], atol=0.02)


def a_beam(yaw, size):
    """A cloud that fills an upright box, and an instance of it, with another box turned so."""
    along = np.random.default_rng(0).uniform(-0.5, 0.5, (5000, 3)) * size
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    cloud = PointCloud((along @ turn.T + (1, 2, 3)).astype(np.float32))
    instances = masks_of(cloud, [range(5000)], [0.5])
    boxes = replace(instances.boxes, yaw=np.array([yaw], np.float32))
    return cloud, replace(instances, boxes=boxes)


@pytest.mark.parametrize('yaw', [-1.2, 0.0, 0.3, 1.5])
def test_a_box_made_anew_keeps_its_direction_and_holds_the_points(yaw):
    cloud, instances = a_beam(yaw, (2, 1, 0.5))
    box = refitted(instances, [0], cloud)
    np.testing.assert_allclose(box.centre, [[1, 2, 3]], atol=0.02)
    np.testing.assert_allclose(box.size, [[2, 1, 0.5]], rtol=0.04)
    np.testing.assert_allclose(box.yaw, [yaw], atol=1e-6)


@pytest.mark.parametrize('yaw', [-1.2, 0.0, 0.3, 1.5])
def test_the_long_side_of_a_box_leads(yaw):
    cloud, instances = a_beam(yaw, (1, 2, 0.5))
    box = refitted(instances, [0], cloud)
    np.testing.assert_allclose(box.size, [[2, 1, 0.5]], rtol=0.04)
    assert -np.pi / 2 < box.yaw[0] <= np.float32(np.pi / 2)
    np.testing.assert_allclose(np.cos(2 * box.yaw), np.cos(2 * yaw + np.pi), atol=1e-5)


def test_the_box_of_what_has_no_points_stays():
    cloud = in_a_row(40)
    boxes = refitted(masks_of(cloud, [set()], [0.5]), [0], cloud)
    assert boxes.size.tolist() == [[1, 1, 1]]


masks = st.sets(st.integers(0, 39), max_size=15)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(masks, st.integers(1, 99), st.none() | masks), max_size=6))
def test_every_point_goes_to_the_best_that_claims_it(rows):
    claims, had = [row[0] for row in rows], [row[2] for row in rows]
    quality = [row[1] / 100 for row in rows]
    before = {row: cells for row, cells in enumerate(had) if cells is not None}
    left: list[set[int]] = [set() for _ in rows]
    for point in range(40):
        worth = [
            (np.float64(np.float32(quality[row])) + HELD * (point in before.get(row, ())), -row)
            for row in range(len(rows))
            if point in claims[row]
        ]
        if worth:
            left[-max(worth)[1]].add(point)
    stay = [row for row in range(len(rows)) if len(left[row]) >= LEFT * len(claims[row])]
    assert share(claims, quality, before) == ([left[row] for row in stay], stay)


def test_the_masks_given_are_not_changed():
    cloud = in_a_row(40)
    given_masks = masks_of(cloud, [LONG, OTHER], [0.5, 0.6])
    copy = replace(given_masks, points=given_masks.points.copy())
    shared_out(given_masks, {}, cloud, CELL)
    assert given_masks.points.tolist() == copy.points.tolist()
    np.testing.assert_allclose(given_masks.quality, [0.5, 0.6])
