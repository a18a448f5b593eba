"""Many synthetic rooms, in parallel, resumable, the same on any number of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
import multiprocessing
from pathlib import Path

import numpy as np

from folk_ros.training.scenes.scene import save_scene
from folk_ros.training.scenes.synthetic import make_scene, RoomConfig

SPLITS = ('train', 'val', 'test')
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Job:
    """One room to make."""

    out: Path
    scene_id: str
    seed: int
    config: RoomConfig


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

    Only rooms outside 'train' hold novel categories. `progress(done, total, scene_id)` is called
    after each room. Rooms depend on seed, split and number alone. Raises ValueError for a bad
    split, count or worker number.
    """
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    jobs = plan(Path(out), splits, seed, config or RoomConfig())
    todo = [job for job in jobs if not is_ready(job.out / job.scene_id)]
    done = len(jobs) - len(todo)
    with _mapper(workers) as run:
        for scene_id in run(todo):
            done += 1
            if progress is not None:
                progress(done, len(jobs), scene_id)
    return [job.out / job.scene_id for job in jobs]


def plan(out: Path, splits: Mapping[str, int], seed: int, config: RoomConfig) -> list[Job]:
    """List the rooms to make, with the seed of each."""
    jobs = []
    for split, count in splits.items():
        if split not in SPLITS:
            raise ValueError(f"no split '{split}'; take from {SPLITS}")
        if count < 0:
            raise ValueError(
                f"split '{split}': the number of rooms must be 0 or more, got {count}"
            )
        own = replace(config, novel=split != 'train')
        for i in range(count):
            entropy = np.random.SeedSequence([seed, SPLITS.index(split), i])
            jobs.append(Job(out, f'{split}_{i:05d}', int(entropy.generate_state(1)[0]), own))
    return jobs


def is_ready(folder: Path) -> bool:
    """Tell whether a scene folder is there; folders appear whole, so its being there is enough."""
    return (folder / 'cloud.npz').is_file()


def make_room(job: Job) -> str:
    """Make and save one room; return its id."""
    save_scene(make_scene(job.seed, job.config, job.scene_id), job.out)
    return job.scene_id


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[[list[Job]], Iterator[str]]]:
    if workers == 1:
        yield lambda jobs: map(make_room, jobs)
        return
    with multiprocessing.get_context('spawn').Pool(workers) as pool:
        yield lambda jobs: pool.imap_unordered(make_room, jobs)
