"""Measure whether a node that was just started answers as fast as one that runs for a while."""

from __future__ import annotations

from collections.abc import Sequence
import statistics
import time

from folk_ros.cli.benchmarks.query import milliseconds
from folk_ros.cli.benchmarks.setting import room_of, running_node, Setting
from folk_ros.cli.output import CommandFailed, Progress
from folk_ros.cli.peer import cloud_message, NODE

STARTS, UNCOUNTED = 4, 1  # in the first one this process, which asks, is itself cold
TURNS, LATER = 10, 5  # a cloud and a question each; the last ones, of which the median is taken
NUM_POINTS = 100_000
PATIENCE_S = 120.0
THINGS = ('cup', 'lamp', 'shoe', 'door', 'plant', 'bottle', 'picture', 'clock', 'towel', 'fork')

Turns = Sequence[tuple[float, float]]  # milliseconds of each cloud and each question


def run(model: str) -> dict[str, float]:
    """Return milliseconds of first and later clouds and questions, medians over fresh nodes."""
    progress, starts = Progress('starts', STARTS), []
    for _ in range(STARTS):
        starts.append(_turns_of_a_new_node(model))
        progress.step()
    return figures_of(starts[UNCOUNTED:])


def figures_of(starts: Sequence[Turns]) -> dict[str, float]:
    """Compare the first turn with the last ones, in the median over starts."""
    figures: dict[str, float] = {}
    for place, name in enumerate(('cloud', 'question')):
        first = [turns[0][place] for turns in starts]
        later = [statistics.median(turn[place] for turn in turns[-LATER:]) for turns in starts]
        ratios = [a / b for a, b in zip(first, later, strict=True)]
        figures[f'warmup_first_{name}_ms'] = statistics.median(first)
        figures[f'warmup_tenth_{name}_ms'] = statistics.median(later)
        figures[f'warmup_{name}_ratio'] = statistics.median(ratios)
    return figures


def _turns_of_a_new_node(model: str) -> Turns:
    """Start a node, wait until it says that it is ready, then give it cloud after cloud."""
    ready: list[bool] = []
    with running_node(model) as setting:
        setting.peer.listen(
            f'{NODE}/ready', 'std_msgs/msg/Bool', lambda m: ready.append(m.data), 'latched'
        )
        if not setting.peer.wait_until(lambda: True in ready, PATIENCE_S):
            raise CommandFailed(f'the node is not ready: {setting.node.last_words()}')
        return [_turn(setting, number) for number in range(TURNS)]


def _turn(setting: Setting, number: int) -> tuple[float, float]:
    """Send a cloud and ask for what was never asked before; milliseconds of both."""
    message = cloud_message(room_of(NUM_POINTS))
    start = time.perf_counter()
    setting.send(message)
    setting.wait_for_scene(number + 1)
    seen = (time.perf_counter() - start) * 1e3
    return seen, milliseconds(setting, f'a {THINGS[number]} of another kind')
