"""Measure whether ids stay with objects while a map grows, a camera returns, a room changes."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import TYPE_CHECKING
import zlib

import numpy as np
from numpy.typing import NDArray

from folk_ros.cli.output import Progress

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk
    from folk_ros.structures import Instances
    from folk_ros.training.evaluate.identities import IdentityCounts
    from folk_ros.training.scenes.sequences import Step

ROOMS, SEED = 8, 10_000
LOOK = 64  # numbers of the embeddings made for true masks
UNLIKE = 0.3  # how far those of one kind of thing are from each other, over that of two kinds
VISIBLE = 30  # points

Segment = Callable[['Step'], 'Instances']


def run(model: str) -> dict[str, float]:
    """
    Return the share of ids that switched and how long removed objects stayed, in clouds.

    Twice on the same clouds: with the masks of a student, and with the true ones.
    """
    from folk_ros.pipeline import Folk
    from folk_ros.training.evaluate.identities import IdentityCounts
    from folk_ros.training.scenes.sequences import make_sequence

    folk = Folk.load(model)
    counts = {'student': IdentityCounts(), 'truth': IdentityCounts()}
    seconds = 0.0
    progress = Progress('rooms', ROOMS)
    for number in range(ROOMS):
        steps = make_sequence(SEED + number)
        start = time.perf_counter()
        for name, segment in (('student', student_of(folk)), ('truth', truth_of(number))):
            counts[name] = counts[name].plus(judge(steps, segment))
        seconds += time.perf_counter() - start
        progress.step()
    figures = {'identity_rooms': float(ROOMS), 'identity_judged_s': seconds}
    for name, found in counts.items():
        figures |= {f'identity_{name}_{key}': value for key, value in figures_of(found).items()}
    return figures


def judge(steps: list[Step], segment: Segment) -> IdentityCounts:
    """Segment the clouds of a sequence one after another and watch the ids."""
    from folk_ros.training.evaluate.identities import IdentityJudge

    watcher = IdentityJudge()
    for step in steps:
        scene = segment(step)
        watcher.see(scene, step.instance, step.phase, step.change.moved, step.seen_empty)
    return watcher.counts


def figures_of(counts: IdentityCounts) -> dict[str, float]:
    """Return what is printed of the counts of some sequences."""
    figures = {
        'switch_percent': 100 * counts.switch_share,
        'lingered_clouds': float(counts.lingered),
        'removed': float(counts.removed),
        'matched': float(counts.matched),
        'switched_of_moved': float(counts.moved_switched),
        'moved': float(counts.moved_matched),
        'dropout_percent': 100 * counts.dropout_share,
    }
    for phase, (matched, switched) in counts.by_phase.items():
        figures[f'switch_percent_{phase}'] = 100 * switched / max(matched, 1)
    return figures


def student_of(folk: Folk) -> Segment:
    """Return what segments steps with a student, from a fresh scene on."""
    folk.reset()
    return lambda step: folk.segment(step.cloud)


def truth_of(seed: int) -> Segment:
    """Return what gives the true masks of steps, in any order, ids by the scene memory."""
    from folk_ros.scene_memory import SceneMemory

    memory, rng = SceneMemory(), np.random.default_rng(seed)
    return lambda step: memory.update(true_instances(step, rng), step.cloud)


def true_instances(step: Step, rng: np.random.Generator) -> Instances:
    """Return the objects of a step in a random order; things of one name look nearly alike."""
    from folk_ros.instances import assemble
    from folk_ros.voxels import voxelize

    sizes = np.bincount(step.instance[step.instance >= 0], minlength=len(step.names))
    shown = rng.permutation(np.flatnonzero(sizes >= VISIBLE))
    voxels = voxelize(step.cloud, 0.04)
    owner_of = np.full(len(voxels), -1)
    owner_of[voxels.point_to_voxel] = step.instance
    rows = [np.flatnonzero(owner_of == one) for one in shown]
    looks = np.array([_look(step.names[one], rng) for one in shown], np.float32)
    return assemble(
        np.repeat(np.arange(len(rows)), [len(part) for part in rows]),
        np.concatenate([np.empty(0, np.int64), *rows]),
        np.ones(len(rows), np.float32),
        looks.reshape(len(rows), LOOK),
        step.cloud,
        voxels,
    )


def _look(name: str, rng: np.random.Generator) -> NDArray[np.float64]:
    kind = np.random.default_rng(zlib.crc32(name.encode())).normal(size=LOOK)
    own = kind + UNLIKE * rng.normal(size=LOOK)
    return np.asarray(own / np.linalg.norm(own))
