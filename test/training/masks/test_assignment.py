from itertools import permutations

from hypothesis import given, settings, strategies
import numpy as np
import pytest

from folk_ros.training.masks.assignment import assign


def cheapest(cost):
    """Least sum over all ways to give each row a column of its own."""
    rows, columns = cost.shape
    if rows > columns:
        return cheapest(cost.T)
    return min(
        sum(cost[row, column] for row, column in enumerate(way))
        for way in permutations(range(columns), rows)
    )


@settings(max_examples=150, deadline=None)
@given(
    strategies.integers(1, 5),
    strategies.integers(1, 6),
    strategies.integers(0, 10**6),
    strategies.sampled_from([2, 5, 1000]),
)
def test_no_other_matching_costs_less(rows, columns, seed, kinds):
    """Few kinds of costs make ties."""
    cost = np.random.default_rng(seed).integers(-kinds, kinds, (rows, columns)) / 2
    found = assign(cost)
    met = np.flatnonzero(found >= 0)
    assert len(met) == min(rows, columns)
    assert len(set(found[met])) == len(met)
    assert cost[met, found[met]].sum() == pytest.approx(cheapest(cost), abs=1e-9)


def test_large_ones_are_no_worse_than_any_swap_or_move():
    cost = np.random.default_rng(0).normal(size=(40, 100))
    found = assign(cost)
    own = cost[np.arange(40), found]
    swapped = cost[:, found] + cost[:, found].T  # of rows a and b, each with the other's column
    assert (swapped >= own[:, None] + own - 1e-9).all()
    free = np.setdiff1d(np.arange(100), found)
    assert (cost[:, free].min(1) >= own - 1e-9).all()


def test_nobody_is_matched_with_nobody():
    assert assign(np.zeros((0, 4))).tolist() == []
    assert assign(np.zeros((3, 0))).tolist() == [-1, -1, -1]


def test_costs_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match='finite'):
        assign(np.array([[1.0, np.nan]]))
