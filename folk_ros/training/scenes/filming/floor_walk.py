"""Where a person can walk in a furnished room, and a walk that comes by everywhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Cell = tuple[int, int]

GRID_M = 0.1  # cells of the plan
HIGHEST_M = 1.8  # of the camera in the walker's hand
CLEARANCES = ((0.15, 0.3), (0.15, 0.2), (0.6, 0.2), (1.0, 0.25), (1.0, 0.15), (1.0, 0.08))
"""What the walker stays clear of: things higher than so much, by so much; first choice first."""
ENOUGH_M2 = 1.5  # of free floor
STOPS = 6  # corners of the walk
ROUNDING = 4  # cells before and after by which corners are rounded


def free_floor(size: tuple[float, float, float], low: Floats, high: Floats) -> Mask:
    """
    Return where on the floor, in cells [X, Y], the walker may stand: one connected place.

    Takes the room's size and the boxes [M, 3] of all things in it.
    """
    best, most = None, 0
    for clearance in CLEARANCES:
        place = _largest_place(_clear(size, low, high, clearance))
        if best is None or place.sum() > 1.5 * most:
            best, most = place, int(place.sum())
        if most * GRID_M**2 >= ENOUGH_M2:
            break
    assert best is not None
    if not best.any():  # a room as full as a box: its middle, over everything
        best[best.shape[0] // 2, best.shape[1] // 2] = True
    return best


def _clear(
    size: tuple[float, float, float], low: Floats, high: Floats, clearance: tuple[float, float]
) -> Mask:
    above, gap = clearance
    x, y = (np.arange(0.5 * GRID_M, length, GRID_M) for length in size[:2])
    wall = gap + 0.1
    clear = ((x > wall) & (x < size[0] - wall))[:, None] & (y > wall) & (y < size[1] - wall)
    blocks = (high[:, 2] > above) & (low[:, 2] < HIGHEST_M + 0.15)
    for first, last in zip(low[blocks] - gap, high[blocks] + gap, strict=True):
        rows = slice(*np.searchsorted(x, (first[0], last[0])))
        columns = slice(*np.searchsorted(y, (first[1], last[1])))
        clear[rows, columns] = False
    return clear


def _largest_place(free: Mask) -> Mask:
    """Keep the largest connected set of cells."""
    left, best = free.copy(), np.zeros_like(free)
    while left.sum() > best.sum():
        x, y = np.argwhere(left)[0]
        place = steps_from(left, (int(x), int(y))) >= 0
        left &= ~place
        if place.sum() > best.sum():
            best = place
    return best


def steps_from(free: Mask, start: Cell) -> Ints:
    """Return the number of steps [X, Y] to each free cell over free cells, -1 where none lead."""
    steps = np.full(free.shape, -1)
    steps[start] = 0
    queue = deque([start])
    while queue:
        x, y = queue.popleft()
        for i, j in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            inside = 0 <= i < free.shape[0] and 0 <= j < free.shape[1]
            if inside and free[i, j] and steps[i, j] < 0:
                steps[i, j] = steps[x, y] + 1
                queue.append((i, j))
    return steps


def tour(rng: np.random.Generator, floor: Mask) -> list[Cell]:
    """Walk cell by cell through corners of the free floor that lie far from each other."""
    cells = np.argwhere(floor)
    x, y = cells[rng.integers(len(cells))]
    corners: list[Cell] = []
    nearest = steps_from(floor, (int(x), int(y)))
    while len(corners) < STOPS and (nearest.max() > 4 or not corners):
        x, y = np.unravel_index(int(nearest.argmax()), nearest.shape)
        corners.append((int(x), int(y)))
        steps = steps_from(floor, corners[-1])
        nearest = np.minimum(nearest, steps) if len(corners) > 1 else steps
    path, left = corners[:1], set(corners[1:])
    while left:
        steps = steps_from(floor, path[-1])
        goal = min(sorted(left), key=lambda cell: steps[cell])
        left.discard(goal)
        path += _way(steps, goal)
    return path


def _way(steps: Ints, goal: Cell) -> list[Cell]:
    """Return the cells from where steps are counted to a goal, the first left out."""
    way = [goal]
    while steps[way[-1]] > 1:
        x, y = way[-1]
        turns = [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        if len(way) % 2:  # take turns: a zigzag is a straight line once it is rounded
            turns.reverse()
        inside = [c for c in turns if 0 <= c[0] < steps.shape[0] and 0 <= c[1] < steps.shape[1]]
        way.append(next(cell for cell in inside if steps[cell] == steps[x, y] - 1))
    return way[::-1]


def along(rng: np.random.Generator, path: Sequence[Cell], floor: Mask, count: int) -> Floats:
    """Return places [count, 2], metres, evenly spaced along a path with its corners rounded."""
    exact = (np.array(path) + 0.5) * GRID_M
    ends = exact[:1].repeat(ROUNDING, 0), exact[-1:].repeat(ROUNDING, 0)
    padded = np.concatenate([ends[0], exact, ends[1]])
    rounded = np.mean([padded[k : k + len(exact)] for k in range(2 * ROUNDING + 1)], axis=0)
    cell = (rounded / GRID_M).astype(int)
    rounded = np.where(floor[cell[:, 0], cell[:, 1]][:, None], rounded, exact)
    steps = np.linalg.norm(np.diff(rounded, axis=0), axis=1)
    run = np.concatenate([[0], np.cumsum(steps)])
    share = (np.arange(count) + rng.uniform(0.3, 0.7)) / count * run[-1]
    return np.stack([np.interp(share, run, rounded[:, k]) for k in range(2)], 1)
