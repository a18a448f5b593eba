"""Who stands for whom at least cost, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def assign(cost: NDArray[np.floating]) -> NDArray[np.int64]:
    """
    Match rows and columns of [T, Q] one to one so that the sum of costs is least.

    Returns the column [T] of each row; of more rows than columns, the rest has -1. Shortest
    augmenting paths (Jonker and Volgenant, 1987), one row after another. Raises ValueError for
    costs that are not finite.
    """
    costs: NDArray[np.float64] = np.asarray(cost, np.float64)
    if not np.isfinite(costs).all():
        raise ValueError('assign: expected finite costs; a loss or the network has diverged')
    rows, columns = costs.shape
    if rows > columns:
        found = np.full(rows, -1, np.int64)
        found[assign(costs.T)] = np.arange(columns)
        return found
    owner = np.full(columns + 1, -1, np.int64)  # row of each column; the last is no real one
    above, beside = np.zeros(rows), np.zeros(columns + 1)  # prices of rows and columns
    for row in range(rows):
        _augment(row, costs, owner, above, beside)
    result = np.empty(rows, np.int64)
    taken = np.flatnonzero(owner[:-1] >= 0)
    result[owner[taken]] = taken
    return result


def _augment(
    row: int,
    cost: NDArray[np.float64],
    owner: NDArray[np.int64],
    above: NDArray[np.float64],
    beside: NDArray[np.float64],
) -> None:
    """Find a column for one more row, moving others where that is cheapest."""
    columns = cost.shape[1]
    owner[columns] = row
    best = np.full(columns, np.inf)  # least reduced cost of a path to each column
    came_from = np.full(columns, columns)
    seen = np.zeros(columns + 1, np.bool_)
    at = columns
    while owner[at] >= 0:
        seen[at] = True
        own = cost[owner[at]] - above[owner[at]] - beside[:-1]
        closer = (own < best) & ~seen[:-1]
        best[closer], came_from[closer] = own[closer], at
        reach = np.where(seen[:-1], np.inf, best)
        nearest = int(reach.argmin())
        step = reach[nearest]
        above[owner[seen]] += step
        beside[seen] -= step
        best[~seen[:-1]] -= step
        at = nearest
    while at != columns:
        owner[at] = owner[came_from[at]]
        at = int(came_from[at])
