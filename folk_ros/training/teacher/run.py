"""The teacher over many scenes: on this machine, or on a Ray cluster; resumable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass, field, replace
import hashlib
import json
from pathlib import Path
import time
from typing import Any

import numpy as np
import torch

from folk_ros.config import FolkConfig, SegmentConfig
from folk_ros.pipeline import Folk
from folk_ros.resources import model_folder
from folk_ros.structures import Instances
from folk_ros.text import load_text_tower
from folk_ros.training.evaluate.rivals.room_clusters import room_clusters
from folk_ros.training.scenes.scene import load_scene, Scene
from folk_ros.training.teacher.image_tower import load_tower
from folk_ros.training.teacher.teacher import (
    Predicted,
    teach_scene,
    TeacherConfig,
    Texts,
)
from folk_ros.training.teacher.teacher_file import is_taught, save_teacher_file, teacher_path
from folk_ros.training.workers import worker_pool

WEAKEST = 0.05  # quality of masks taught: who reads the files may want to score weak ones, too
CLUSTERS = 'clusters'  # masks that no student found


@dataclass(frozen=True)
class TeachJob:
    """What is done to every scene; plain values, so that it can be sent to other machines."""

    out: Path
    clip: str | Path = 'demo_clip'
    """A shipped model, a model folder, or open_clip's 'ARCHITECTURE/WEIGHTS'."""
    names: tuple[str, ...] = ()
    """What the views are asked to choose from; without any, no logits are stored."""
    masks: str = ''
    """A student whose instances are taught, or 'clusters'; without, the true ones are."""
    device: str = 'cpu'
    mixed: bool = True
    """Half precision where the device is faster with it."""
    config: TeacherConfig = field(default_factory=TeacherConfig)

    def settings(self) -> str:
        """Return what a teacher file depends on besides scene and CLIP, as JSON."""
        facts = asdict(self.config) | {'masks': self.masks, 'names': len(self.names)}
        del facts['batch']
        return json.dumps(facts, sort_keys=True)

    def digest(self) -> str:
        """Return letters that differ between jobs of other settings or another CLIP."""
        return hashlib.sha256(f'{self.clip} {self.settings()}'.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Outcome:
    """What became of one scene."""

    scene_id: str
    instances: int = 0
    unseen: int = 0  # instances that no view sees
    views_missing: int = 0  # images that could not be read
    kept: bool = False  # was there already
    error: str = ''  # why there is no teacher file


class SceneTeacher:
    """The models of a job, loaded once, and scenes taught one by one."""

    def __init__(self, job: TeachJob) -> None:
        place = clip_place(job.clip)
        self.job = job
        self.tower = load_tower(place, job.device, job.mixed, job.config.pooling == 'mask')
        self.texts = Texts()
        if job.names:
            text = load_text_tower(place, job.device)
            if text.name != self.tower.name:
                raise ValueError(
                    f'{place}: its image tower lives in {self.tower.name!r}, its text tower in '
                    f'{text.name!r}; they must be of one CLIP'
                )
            self.texts = Texts(job.names, text.encode(job.names))
        weak_too = FolkConfig(segment=SegmentConfig(min_quality=WEAKEST))
        found = job.masks and job.masks != CLUSTERS
        self.student = Folk.load(job.masks, weak_too) if found else None

    def teach(self, folder: Path) -> Outcome:
        """Teach one scene folder, unless its file is there; errors of the scene are told."""
        try:
            path = teacher_path(self.job.out, folder.name)
            if is_taught(path, self.tower.name, self.job.settings()):
                return Outcome(folder.name, kept=True)
            scene = load_scene(folder)
            # of this process alone where that is all: what else runs beside is left out
            clock = time.process_time if self.job.device == 'cpu' else time.perf_counter
            begin = clock()
            predicted = self.find(scene)
            found = clock()
            taught = teach_scene(scene, self.tower, self.job.config, predicted, self.texts)
            done = clock()
        except (ValueError, OSError) as error:
            return Outcome(folder.name, error=str(error))
        taught = replace(
            taught,
            settings=self.job.settings(),
            seconds=done - found,
            mask_seconds=found - begin if predicted else 0.0,
        )
        save_teacher_file(taught, self.job.out)
        count = len(taught.view_ids)
        return Outcome(folder.name, count, taught.unseen, taught.views_missing)

    def find(self, scene: Scene) -> Predicted | None:
        """Find the instances of a scene as the job says; none: its true ones are to be taught."""
        if self.student is not None:
            self.student.reset()  # scenes are strangers to each other
            return as_predicted(self.student.segment(scene.cloud))
        if self.job.masks == CLUSTERS:
            owner = room_clusters(scene.cloud.xyz)
            return Predicted(owner, np.ones(owner.max(initial=-1) + 1, np.float32))
        return None


def clip_place(clip: str | Path) -> str | Path:
    """Return the folder of a shipped or own model, or open_clip's name as it is."""
    path = Path(clip)
    if path.is_dir() or len(path.parts) > 1:
        return path if path.is_dir() else str(clip)
    return model_folder(path)


def as_predicted(found: Instances) -> Predicted:
    """Give each point to an instance; where several claim it, the better one has it."""
    owner = np.full(found.num_points, -1, np.int32)
    for row in np.argsort(found.quality, kind='stable'):
        owner[found.points_of(int(row))] = row
    return Predicted(owner, found.quality)


def teach_here(job: TeachJob, folders: Sequence[Path], workers: int) -> Iterator[Outcome]:
    """Teach scenes in processes of one thread each, or in this one if `workers` is 1."""
    if workers == 1:
        teacher = SceneTeacher(job)
        yield from map(teacher.teach, folders)
        return
    with worker_pool(workers, _begin, (job,)) as pool:
        for done in as_completed([pool.submit(_teach, folder) for folder in folders]):
            yield done.result()


TEACHER: list[SceneTeacher | Exception] = []  # of a worker process


def _begin(job: TeachJob) -> None:
    torch.set_num_threads(1)
    try:
        TEACHER.append(SceneTeacher(job))
    except (ValueError, OSError) as error:
        TEACHER.append(error)  # raised here, it would only be told as a broken pool


def _teach(folder: Path) -> Outcome:
    teacher = TEACHER[0]
    if isinstance(teacher, Exception):
        raise teacher
    return teacher.teach(folder)


def teach_on_ray(job: TeachJob, folders: Sequence[Path], address: str) -> Iterator[Outcome]:
    """
    Teach scenes on a Ray cluster, one actor for each CPU (or GPU, if the device is one).

    The folders must be reachable under the same paths on all its machines. `address` is Ray's
    own: 'auto', 'local' or 'ray://host:port'. Raises ValueError if Ray is not installed or the
    cluster does not answer.
    """
    try:
        import ray
    except ImportError as error:
        raise ValueError(
            "--ray: the package ray is not installed; install it (pip install 'ray[default]'), "
            'or teach on this machine with --workers'
        ) from error
    try:
        ray.init(address=address, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ValueError(f'--ray {address}: no cluster answers there ({error})') from error
    try:
        yield from _with_actors(ray, job, folders)
    finally:
        ray.shutdown()


def _with_actors(ray: Any, job: TeachJob, folders: Sequence[Path]) -> Iterator[Outcome]:
    kind = 'GPU' if job.device.startswith('cuda') else 'CPU'
    places = int(ray.cluster_resources().get(kind, 0))
    if not places:
        raise ValueError(f'--ray: the cluster has no {kind} to teach on')
    needs = {'num_gpus': 1} if kind == 'GPU' else {'num_cpus': 1}
    actor = ray.remote(**needs)(SceneTeacher)
    idle = [actor.remote(job) for _ in range(min(places, len(folders)))]
    waiting = list(reversed(folders))
    running: dict[Any, Any] = {}  # Ray's promise -> the actor that will keep it
    while waiting or running:
        while waiting and idle:
            worker = idle.pop()
            running[worker.teach.remote(waiting.pop())] = worker
        ready, _ = ray.wait(list(running), num_returns=1)
        for done in ready:
            idle.append(running.pop(done))
            yield ray.get(done)
