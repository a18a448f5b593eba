"""Many synthetic scenes, in parallel, resumable, the same on any number of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass, replace
import hashlib
import json
import os
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from folk_ros.training.scenes.scene import save_scene
from folk_ros.training.scenes.synthetic import as_brought_home, make_scene, RoomConfig
from folk_ros.training.workers import worker_pool

SPLITS = ('train', 'val', 'test')
UNLABELLED = 'unlabelled'
"""Rooms as a robot brings them home: all categories may stand in them, the truth is not told."""
THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
Progress = Callable[[int, int, str], None]
Config = TypeVar('Config')  # a dataclass with a field `novel`


@dataclass(frozen=True)
class Job(Generic[Config]):
    """One scene to make."""

    out: Path
    scene_id: str
    seed: int
    config: Config


def generate_rooms(
    out: Path | str,
    splits: Mapping[str, int],
    seed: int = 0,
    workers: int = 1,
    config: RoomConfig | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """
    Make rooms `<out>/<split>_<number>/` and return all their folders; ready ones are kept.

    Only rooms outside 'train' hold novel categories; those of 'unlabelled' are stored without any
    truth. `progress(done, total, scene_id)` is called after each room. Rooms depend on seed,
    split and number alone. Raises ValueError for a bad split, count or worker number.
    """
    jobs = plan(Path(out), splits, seed, config or RoomConfig(), (*SPLITS, UNLABELLED))
    return run_jobs(jobs, make_room, workers, progress)


def run_jobs(
    jobs: list[Job[Config]],
    make: Callable[[Job[Config]], str],
    workers: int,
    progress: Progress | None,
) -> list[Path]:
    """Call `make`, a function of a module, for what is not there yet; return all folders."""
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    todo = [job for job in jobs if not is_ready(job)]
    done = len(jobs) - len(todo)
    with _mapper(workers) as run:
        for scene_id in run(make, todo):
            done += 1
            if progress is not None:
                progress(done, len(jobs), scene_id)
    return [job.out / job.scene_id for job in jobs]


def plan(
    out: Path,
    splits: Mapping[str, int],
    seed: int,
    config: Config,
    known: Sequence[str] = SPLITS,
) -> list[Job[Config]]:
    """List the scenes to make, with the seed of each; the place of a split in `known` counts."""
    jobs = []
    for split, count in splits.items():
        if split not in known:
            raise ValueError(f"no split '{split}'; take from {tuple(known)}")
        if count < 0:
            raise ValueError(
                f"split '{split}': the number of rooms must be 0 or more, got {count}"
            )
        own: Config = replace(config, novel=split != 'train')  # type: ignore[type-var]
        for i in range(count):
            entropy = np.random.SeedSequence([seed, known.index(split), i])
            jobs.append(Job(out, f'{split}_{i:05d}', int(entropy.generate_state(1)[0]), own))
    return jobs


def is_ready(job: Job[Config]) -> bool:
    """
    Tell whether a scene is there; folders appear whole, so its being there is enough.

    Raises ValueError if it was made from another seed or with other settings.
    """
    folder = job.out / job.scene_id
    if not (folder / 'cloud.npz').is_file():
        return False
    facts = read_facts(folder)
    ours = {'seed': job.seed, 'settings': digest(job.config), 'made': made_from(job)}
    if any(facts.get(key, value) != value for key, value in ours.items()):
        raise ValueError(
            f'{folder}: is there already, made from another seed or with other settings; '
            'write to another folder, or remove that one'
        )
    return True


def read_facts(folder: Path) -> dict[str, Any]:
    """Return the facts stored with a scene, with its truth or alone."""
    facts: Any = {}
    if (folder / 'truth.json').is_file():
        facts = json.loads((folder / 'truth.json').read_text(encoding='utf-8')).get('facts', {})
    elif (folder / 'facts.json').is_file():
        facts = json.loads((folder / 'facts.json').read_text(encoding='utf-8'))
    return facts if isinstance(facts, dict) else {}


def digest(config: Any) -> str:
    """Return some letters that differ between configs that differ in anything."""
    return hashlib.sha256(repr(config).encode()).hexdigest()[:12]


def made_from(job: Job[Any]) -> str:
    """Return some letters that differ between jobs of other seeds or settings."""
    return digest((job.seed, job.config))


def make_room(job: Job[RoomConfig]) -> str:
    """Make and save one room; return its id."""
    scene = make_scene(job.seed, job.config, job.scene_id)
    if job.scene_id.startswith(UNLABELLED):
        # neither seed nor settings: with them the truth could be made again
        scene = as_brought_home(scene, {'made': made_from(job)})
    else:
        scene = replace(scene, facts={**scene.facts, 'settings': digest(job.config)})
    save_scene(scene, job.out)
    return job.scene_id


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterator[str]]]:
    if workers == 1:
        yield map
        return
    with ExitStack() as stack:
        with one_thread_each():
            pool = stack.enter_context(worker_pool(workers))
        yield lambda make, jobs: (
            done.result() for done in as_completed([pool.submit(make, job) for job in jobs])
        )


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let processes that start meanwhile compute in one thread: more would wait for each other."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, '1'))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
