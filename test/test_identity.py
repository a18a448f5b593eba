from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.identity import assign, best_pairs, greedy, knots, overlap_of, shares
from folk_ros.places import STEPS

sizes = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10_000))


def weights(rows, columns, seed, filled=0.6):
    rng = np.random.default_rng(seed)
    return rng.random((rows, columns)) * (rng.random((rows, columns)) < filled)


def best_total(weight):
    """The slow twin: every way to pair."""
    if weight.shape[0] > weight.shape[1]:
        weight = weight.T
    rows, columns = weight.shape
    ways = itertools.permutations(range(columns), rows)
    return max(sum(weight[row, way[row]] for row in range(rows)) for way in ways)


@settings(max_examples=150, deadline=None)
@given(sizes)
def test_no_other_choice_of_pairs_weighs_more(size):
    weight = weights(*size)
    pairs = best_pairs(weight)
    assert sum(weight[pair] for pair in pairs) == pytest.approx(best_total(weight))
    for side in zip(*pairs, strict=True) if pairs else ():
        assert len(set(side)) == len(side)
    assert all(weight[pair] > 0 for pair in pairs)


def test_two_good_pairs_are_better_than_the_best_one():
    weight = np.array([[1.0, 0.9], [0.9, 0.0]])
    assert best_pairs(weight) == [(0, 1), (1, 0)]
    assert greedy(weight) == [(0, 0)]


@settings(max_examples=50, deadline=None)
@given(sizes, st.randoms())
def test_the_order_of_rows_and_columns_changes_no_pair(size, random):
    weight = weights(*size)
    rows, columns = (random.sample(range(n), n) for n in weight.shape)
    mixed = best_pairs(weight[np.ix_(rows, columns)])
    assert sorted((rows[r], columns[c]) for r, c in mixed) == best_pairs(weight)


def test_knots_are_what_hangs_together():
    allowed = np.zeros((5, 5), bool)
    allowed[[0, 0, 1, 3], [0, 1, 1, 4]] = True  # row 2 and 4, columns 2 and 3 claim nothing
    groups = [(rows.tolist(), columns.tolist()) for rows, columns in knots(allowed)]
    assert groups == [([0, 1], [0, 1]), ([3], [4])]


def test_a_chain_of_claims_is_one_knot():
    allowed = np.eye(30, dtype=bool) | np.eye(30, k=1, dtype=bool)
    assert len(knots(allowed)) == 1
    assert len(best_pairs(allowed.astype(float))) == 30


def test_nothing_to_pair_is_no_error():
    assert best_pairs(np.zeros((0, 3))) == best_pairs(np.zeros((3, 0))) == []
    assert assign(np.zeros((0, 2))) == []


def some_sets(rng, count):
    start = 1 << 60
    return [np.unique(rng.integers(0, 40, rng.integers(0, 30))) + start for _ in range(count)]


def test_shares_are_those_of_sets():
    rng = np.random.default_rng(0)
    these, those = some_sets(rng, 6), some_sets(rng, 5)
    here, near = shares(these, those)
    for (i, one), (j, other) in itertools.product(enumerate(these), enumerate(those)):
        grown = {int(cell) + int(step) for cell in other for step in STEPS}
        size = max(len(one), 1)
        assert here[i, j] == pytest.approx(len(set(one) & set(other)) / size)
        assert near[i, j] == pytest.approx(len(set(one.tolist()) & grown) / size)


def test_overlap_of_whole_sets_is_intersection_over_union():
    rng = np.random.default_rng(1)
    these, those = some_sets(rng, 6), some_sets(rng, 5)
    iou = overlap_of(these, those).iou
    for (i, one), (j, other) in itertools.product(enumerate(these), enumerate(those)):
        union = len(set(one) | set(other))
        slow = len(set(one) & set(other)) / union if union else 0.0
        assert iou[i, j] == pytest.approx(slow)


def test_of_large_sets_a_sample_is_enough():
    old = np.arange(1 << 50, (1 << 50) + 40_000)
    new = old + 10_000
    found = overlap_of([old], [new])
    assert found.iou[0, 0] == pytest.approx(30_000 / 50_000, abs=0.02)
    assert found.known_inside[0, 0] == pytest.approx(0.75, abs=0.02)
