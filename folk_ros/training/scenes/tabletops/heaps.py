"""Which things lie on a synthetic table, and who stands on, beside, before or against whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.objects.blueprint import Blueprint, Category, Rng
from folk_ros.training.scenes.rendering.primitives import turn
from folk_ros.training.scenes.tabletops.piles import Body, make_body, Pile, Placed
from folk_ros.training.scenes.tabletops.things import choose, Kind

Floats = NDArray[np.float64]

HIGHEST_M = 0.42
TRIES = 6  # places tried for one thing
FAR_M = 0.45  # from where things are pushed into the heap


@dataclass(frozen=True)
class Thing:
    """One thing on the table."""

    category: Category
    made: Blueprint
    placed: Placed


@dataclass(frozen=True)
class Habit:
    """How one heap grows: how wide, and how often things come to lie in which way."""

    spread_m: float
    ways: tuple[float, ...]  # shares of alone, beside, on, leaning, before

    @classmethod
    def draw(cls, rng: Rng) -> Habit:
        """Draw a heap's habit: some are all stacks, some all rows."""
        shares = rng.dirichlet(np.array([1.2, 1.8, 1.8, 0.7, 1.5]))
        return cls(float(rng.uniform(0.05, 0.16)), tuple(float(s) for s in shares))


def heap_up(rng: Rng, camera: Floats, most: int, novel: bool) -> list[Thing]:
    """Put 1 to `most` things around the origin; `camera` [2] is where the camera stands."""
    pile, habit = Pile(), Habit.draw(rng)
    count = _how_many(rng, most)
    ways: tuple[Callable[..., Placed | None], ...] = (_alone, _beside, _on, _leaning, _before)
    things: list[Thing] = []
    for _ in range(count):
        kind = choose(rng, novel)
        made = kind.category.make(rng)
        for _ in range(TRIES):
            way = ways[int(rng.choice(len(ways), p=habit.ways))] if pile.placed else _alone
            placed = way(rng, pile, habit, kind, made, camera)
            if placed is not None:
                things.append(Thing(kind.category, made, placed))
                break
    return things


def _how_many(rng: Rng, most: int) -> int:
    """Draw how many things are put down: any number, a few, or a crowd."""
    few, many = min(2, most), max(most // 2, 1)
    ranges = ((1, most), (few, min(6, most)), (many, most))
    low, high = ranges[int(rng.choice(3, p=(0.4, 0.2, 0.4)))]
    return int(rng.integers(low, high + 1))


def _lying(rng: Rng, kind: Kind, made: Blueprint) -> Body:
    """Turn a thing onto one of the sides it may lie on, any way round."""
    rest = kind.rests[int(rng.integers(len(kind.rests)))]
    if rest == 'any':
        rest = ('up', 'side', 'end')[int(rng.integers(3))]
    tip = {
        'up': np.eye(3),
        'down': turn('x', np.pi),
        'side': turn('x', np.pi / 2),
        'end': turn('y', np.pi / 2),
    }[rest]
    return make_body(made.parts, turn('z', rng.uniform(0, 2 * np.pi)) @ tip)


def _alone(
    rng: Rng, pile: Pile, habit: Habit, kind: Kind, made: Blueprint, camera: Floats
) -> Placed | None:
    """Stand a thing anywhere on the table."""
    before = pile.heights.copy()
    placed = pile.let_down(_lying(rng, kind, made), rng.normal(0, habit.spread_m, 2))
    if placed is not None and placed.place[2] > 0.002:
        pile.take_back(placed, before)
        return None
    return placed


def _on(
    rng: Rng, pile: Pile, habit: Habit, kind: Kind, made: Blueprint, camera: Floats
) -> Placed | None:
    """Let a thing down on top of another one, or of several."""
    below = _any(rng, pile)
    body = _lying(rng, kind, made)
    before = pile.heights.copy()
    spot = below.place[:2] + rng.normal(0, 0.3 * below.body.reach_m, 2)
    placed = pile.let_down(body, spot)
    if placed is None:
        return None
    if placed.place[2] < 0.005 or placed.place[2] + body.height_m > HIGHEST_M:
        pile.take_back(placed, before)
        return None
    return placed


def _beside(
    rng: Rng, pile: Pile, habit: Habit, kind: Kind, made: Blueprint, camera: Floats
) -> Placed | None:
    """Push a thing against another one: they touch, or nearly so."""
    goal = _any(rng, pile).place[:2]
    angle = rng.uniform(0, 2 * np.pi)
    start = goal + FAR_M * np.array([np.cos(angle), np.sin(angle)])
    gap = 0.0 if rng.random() < 0.7 else rng.uniform(0, 0.03)
    return pile.push(_lying(rng, kind, made), start, goal, gap)


def _before(
    rng: Rng, pile: Pile, habit: Habit, kind: Kind, made: Blueprint, camera: Floats
) -> Placed | None:
    """Stand a thing in the camera's way to another one, so that it hides the middle of it."""
    goal = _any(rng, pile).place[:2]
    towards = camera - goal
    sideways = np.array([-towards[1], towards[0]]) / np.linalg.norm(towards)
    start = goal + towards / np.linalg.norm(towards) * FAR_M + sideways * rng.normal(0, 0.03)
    body = _lying(rng, kind, made)
    narrow = min(body.under.shape) < 0.12 / 0.004
    if not narrow and rng.random() < 0.7:
        return None
    return pile.push(body, start, goal + sideways * rng.normal(0, 0.03), rng.uniform(0, 0.12))


def _leaning(
    rng: Rng, pile: Pile, habit: Habit, kind: Kind, made: Blueprint, camera: Floats
) -> Placed | None:
    """Lean a flat thing against another one."""
    if not kind.leans:
        return None
    size = made.parts[0].half * 2
    thin = int(size.argmin())
    if size[thin] > 0.5 * np.sort(size)[1]:
        return None
    flat = {0: turn('y', np.pi / 2), 1: turn('x', np.pi / 2), 2: np.eye(3)}[thin]
    if rng.random() < 0.5:
        flat = turn('z', np.pi / 2) @ flat
    towards = float(rng.uniform(0, 2 * np.pi))
    tilt = np.deg2rad(rng.uniform(25, 80))
    body = make_body(made.parts, turn('z', towards) @ turn('y', -tilt) @ flat)
    way = np.array([np.cos(towards), np.sin(towards)])  # its upper end points there
    goal = _any(rng, pile).place[:2]
    before = pile.heights.copy()
    placed = pile.push(body, goal - FAR_M * way, goal)
    if placed is None:
        return None
    pile_with, pile.heights = pile.heights, before
    hit = pile.touched(body, placed.place[:2], goal)
    pile.heights = pile_with
    centre = placed.place[:2] + body.centre[:2]
    if hit is None or (hit - centre) @ way < 0.0:
        pile.take_back(placed, before)
        return None
    return placed


def _any(rng: Rng, pile: Pile) -> Placed:
    return pile.placed[int(rng.integers(len(pile.placed)))]
