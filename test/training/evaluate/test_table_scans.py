import numpy as np
import pytest

from folk_ros.training.evaluate.rivals.clusters import above_table, euclidean_clusters
from folk_ros.training.evaluate.rivals.convexity import absorb, convex, convex_segments
from folk_ros.training.evaluate.rivals.grid import Cells, components
from folk_ros.training.evaluate.table_scans import (
    as_masks,
    as_predictions,
    score_table_scans,
    TableScan,
)

EYE = np.array([-0.8, 0.0, 0.6])


def surface(low, high, step=0.003):
    """The faces of a box that are seen from before and above."""
    low, high = np.array(low, float), np.array(high, float)
    faces = []
    for axis, side in ((0, low), (2, high), (1, low), (1, high)):
        others = [k for k in range(3) if k != axis]
        grid = np.meshgrid(*(np.arange(low[k], high[k], step) for k in others))
        face = np.empty((grid[0].size, 3))
        face[:, axis] = side[axis]
        for k, values in zip(others, grid, strict=True):
            face[:, k] = values.ravel()
        faces.append(face)
    return np.concatenate(faces)


def scan(*boxes, noise=0.0007):
    """A table with boxes on it: points and the box of each, -1 for the table."""
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.arange(-0.4, 0.4, 0.004), np.arange(-0.4, 0.4, 0.004))
    table = np.c_[x.ravel(), y.ravel(), np.zeros(x.size)]
    parts = [table, *(surface(*box) for box in boxes)]
    owner = np.repeat(np.arange(-1, len(boxes)), [len(p) for p in parts]).astype(np.int32)
    xyz = np.concatenate(parts)
    hidden = np.zeros(len(xyz), bool)
    for low, high in boxes:
        inside = (xyz[:, :2] > np.array(low[:2])).all(1) & (xyz[:, :2] < np.array(high[:2])).all(1)
        hidden |= inside & (xyz[:, 2] <= low[2])
    xyz, owner = xyz[~hidden], owner[~hidden]
    return (xyz + rng.normal(0, noise, xyz.shape)).astype(np.float32), owner


def whole(owner):
    return np.ones(owner.max() + 1, np.int64)


APART = (((-0.2, -0.05, 0), (-0.1, 0.05, 0.1)), ((0.1, -0.05, 0), (0.2, 0.1, 0.15)))
STACKED = (((-0.1, -0.1, 0), (0.1, 0.1, 0.08)), ((-0.05, -0.05, 0.08), (0.05, 0.05, 0.18)))


def test_a_perfect_segmentation_scores_one():
    _, owner = scan(*APART)
    scores = score_table_scans([TableScan('s', as_masks(owner), owner, whole(owner))], 0.5)
    for key in ('ap50', 'ap', 'ap50_equal_scores', 'f1_75', 'recall_75_whole'):
        assert scores[key] == 1.0
    assert np.isnan(scores['recall_75_split'])


def test_recall_of_split_objects_stands_apart():
    _, owner = scan(*APART)
    half = np.where(owner == 1, -1, owner)
    scores = score_table_scans([TableScan('s', as_masks(half), owner, np.array([1, 2]))], 0.5)
    assert scores['recall_75_whole'] == 1.0
    assert scores['recall_75_split'] == 0.0
    assert scores['f1_75'] == pytest.approx(2 / 3)


def test_what_lies_on_the_table_alone_is_no_error():
    _, owner = scan(*APART)
    segment = owner.astype(np.int64)
    segment[np.flatnonzero(owner < 0)[:5000]] = 7
    scores = score_table_scans([TableScan('s', as_masks(segment), owner, whole(owner))], 0.5)
    assert scores['f1_75'] == 1.0


def test_weak_masks_count_for_the_curve_and_not_for_the_user():
    _, owner = scan(*APART)
    inside = [np.flatnonzero(owner == k) for k in range(2)]
    wrong = np.flatnonzero(owner == 1)[:300]
    points = np.concatenate([*inside, wrong]).astype(np.int32)
    starts = np.cumsum([0, len(inside[0]), len(inside[1]), len(wrong)])
    found = as_predictions(starts, points[::1], np.array([0.9, 0.8, 0.1]), len(owner))
    scores = score_table_scans([TableScan('s', found, owner, whole(owner))], 0.45)
    assert scores['f1_75'] == 1.0 and scores['ap50_equal_scores'] == 1.0
    assert scores['ap50'] == pytest.approx(1.0)
    strict = score_table_scans([TableScan('s', found, owner, whole(owner))], 0.05)
    assert strict['f1_75'] < 1.0


def test_components_are_those_of_a_search_by_hand():
    rng = np.random.default_rng(0)
    pairs = rng.integers(60, size=(45, 2))
    number = components(pairs, 60)
    neighbours = {k: set() for k in range(60)}
    for a, b in pairs:
        neighbours[int(a)].add(int(b))
        neighbours[int(b)].add(int(a))
    for start in range(60):
        reached, todo = {start}, [start]
        while todo:
            for other in neighbours[todo.pop()] - reached:
                reached.add(other)
                todo.append(other)
        assert set(np.flatnonzero(number == number[start])) == reached
    assert set(number) == set(range(number.max() + 1))


def test_touching_cells_are_those_one_step_apart():
    xyz = np.random.default_rng(1).uniform(-0.05, 0.05, (300, 3))
    cells = Cells.of(xyz, 0.01)
    pairs = {tuple(sorted(pair)) for pair in cells.touching.tolist()}
    slow = {
        (a, b)
        for a in range(len(cells))
        for b in range(a + 1, len(cells))
        if np.abs(cells.coords[a] - cells.coords[b]).max() == 1
    }
    assert pairs == slow
    assert len(cells.touching) == len(slow)
    grid = np.floor(xyz / 0.01)
    same = (grid[:, None] == grid[None]).all(2)
    assert ((cells.cell_of[:, None] == cells.cell_of[None]) == same).all()


def test_the_table_is_taken_away_even_where_it_leans_a_little():
    xyz, owner = scan(*APART)
    tilt = xyz.copy()
    tilt[:, 2] += 0.02 * xyz[:, 0] + 0.7
    left = above_table(tilt)
    assert (owner[left] >= 0).mean() > 0.999
    assert (owner[left] >= 0).sum() > 0.85 * (owner >= 0).sum()


def test_clusters_tell_apart_what_stands_apart_and_merge_what_touches():
    xyz, owner = scan(*APART)
    found = euclidean_clusters(xyz)
    assert len(np.unique(found[found >= 0])) == 2
    xyz, owner = scan(*STACKED)
    found = euclidean_clusters(xyz)
    assert len(np.unique(found[found >= 0])) == 1


def test_convexity_tells_stacked_boxes_apart():
    xyz, owner = scan(*STACKED)
    found = convex_segments(xyz, EYE)
    scores = score_table_scans([TableScan('s', as_masks(found), owner, whole(owner))], 0.0)
    assert scores['recall_75'] == 1.0
    assert scores['f1_75'] == 1.0


def test_an_edge_is_convex_and_a_corner_between_things_is_not():
    centre = np.array([[0.0, 0, 0.01], [0.01, 0, 0], [0.02, 0, 0.01]])
    up, right, left = [0, 0, 1.0], [1.0, 0, 0], [-1.0, 0, 0]
    pairs = np.array([[0, 1]])
    assert convex(centre[[0, 1]], np.array([up, right]), pairs).all()
    assert not convex(centre[[1, 2]], np.array([up, left]), pairs).any()


def test_small_pieces_join_the_neighbour_they_touch_most():
    segment = np.repeat([0, 1, 2], [100, 100, 5])
    touching = np.array([[203, 50], [202, 150], [203, 151], [204, 152]])
    assert absorb(segment, touching)[204] == absorb(segment, touching)[150]
    assert len(np.unique(absorb(segment, touching))) == 2


def test_an_empty_table_has_no_objects():
    xyz, _ = scan()
    for found in (euclidean_clusters(xyz), convex_segments(xyz, EYE)):
        assert (found == -1).all()
