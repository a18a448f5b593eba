"""
The program on one screen: a cloud becomes instances, a text becomes answers.

    folk = Folk.load()
    cloud = read_cloud('room.ply')
    folk.segment(cloud)
    print(folk.query(['something to sit on']))
"""

from __future__ import annotations

from dataclasses import replace
import logging
import math
from pathlib import Path
import threading

import numpy as np
from numpy.typing import NDArray
import torch

from folk_ros.cloud_doubts import doubts_about
from folk_ros.config import FolkConfig, SegmentConfig
from folk_ros.growing_map import GrowingMap, Turn
from folk_ros.instances import assemble
from folk_ros.notices import Notice, NoticeLog
from folk_ros.query import answer, best_names, check_limits, check_texts, Vocabulary
from folk_ros.resources import model_folder, text_tower_place
from folk_ros.scene_memory import SceneMemory
from folk_ros.structures import Instances, Match, PointCloud
from folk_ros.student.face import MaskStudent
from folk_ros.student.runner import Runner
from folk_ros.student.weights import load_student, STUDENT_FILE
from folk_ros.text import load_text_tower, TextTower
from folk_ros.text_dictionary import embed_questions
from folk_ros.upright import turned
from folk_ros.voxels import voxelize

log = logging.getLogger(__name__)

CELL_VOXELS = 1.25  # width of the cells in which objects are known again, in voxels


class Folk:
    """A student, its text tower, and the scene it saw last."""

    def __init__(
        self, student: MaskStudent, vocabulary: Vocabulary, text: TextTower, config: FolkConfig
    ) -> None:
        if text.name != student.config.clip:
            raise ValueError(
                f'the student lives in CLIP space {student.config.clip!r}, the text tower in '
                f'{text.name!r}; load the text tower that the student was distilled for'
            )
        check_voxel_size(student, config.segment)
        self.config = config
        self.device = choose_device(config.segment.device)
        if config.segment.threads and self.device.type == 'cpu':
            torch.set_num_threads(config.segment.threads)
        self.student = student
        self.vocabulary = vocabulary
        self.text = text
        self.memory = SceneMemory(CELL_VOXELS * student.config.voxel_size_m)
        self._map = GrowingMap(student.config.voxel_size_m)
        self.scene: Instances | None = None  # replaced as a whole, never changed
        self.warnings: tuple[str, ...] = ()  # about the last cloud: what is odd, what it took
        self._runner = Runner(student, self.device, config.segment.engine)
        self._notices = NoticeLog(log)
        self._count = 0
        self._segmenting = threading.Lock()

    @classmethod
    def load(cls, model: str | Path = '', config: FolkConfig | None = None) -> Folk:
        """
        Load weights from a model folder; the shipped ones if none is named.

        Raises FileNotFoundError or ValueError, with a sentence, if they are missing or damaged.
        """
        config = config or FolkConfig()
        student, vocabulary = load_student(model_folder(model) / STUDENT_FILE)
        text = load_text_tower(text_tower_place(student.config.text_tower))
        return cls(student, vocabulary, text, config)

    def segment(self, cloud: PointCloud) -> Instances:
        """
        Find the instances of a cloud, keep them as the scene, and return them.

        `warnings` says afterwards what is odd about the cloud. Raises ValueError, with a sentence,
        for a cloud that cannot be segmented: too large, not in metres, no memory for it.
        """
        with self._segmenting:
            notices: list[Notice] = []
            looked = False

            def find(part: PointCloud, turn: Turn) -> Instances:
                nonlocal looked
                looked = True
                found, said = self._find(part, turn, self.config.segment)
                notices.extend(said)
                return found

            found = self._map.segment(cloud, find, self.config.segment)
            if looked:  # else the cloud is the last one again, and what was said of it holds
                self.warnings = tuple(notice.text for notice in notices)
                self._notices.tell(notices)
            self._count += 1
            self.memory.max_unseen = self.config.segment.max_unseen
            scene = self.memory.update(found, cloud, self._map.part)
            self._map.call(self.memory.ids)
            self.scene = replace(scene, scene_id=self._count)
            return self.scene

    def take_up(self, scene: Instances, cloud: PointCloud, last_id: int = 0) -> Instances:
        """
        Keep a scene that was saved as if its cloud had just been segmented, and return it.

        Its objects keep their ids; new ones count on from `last_id`. Raises ValueError if its
        embeddings are of another width than the student's.
        """
        dim = self.student.config.embedding_dim
        if scene.embeddings.shape[1] != dim:
            raise ValueError(
                f'the scene has embeddings of {scene.embeddings.shape[1]} numbers, the student '
                f'gives {dim}; load the model that the scene was made with'
            )
        with self._segmenting:
            self._map.forget()
            self.memory.resume(scene, cloud, last_id)
            self._count += 1
            self.scene = replace(scene, scene_id=self._count)
            return self.scene

    def query(
        self,
        texts: list[str],
        min_score: float = 0.0,
        max_results: int = 0,
        scene: Instances | None = None,
    ) -> list[Match]:
        """
        Say which instances of the scene answer the texts, best first within each text.

        Limits of 0 mean the configured defaults. Never runs the student. Raises ValueError for
        texts or limits that make no sense, RuntimeError before the first cloud.
        """
        texts = check_texts(texts, self.config.query)
        limits = check_limits(min_score, max_results, self.config.query)
        scene = scene if scene is not None else self.scene
        if scene is None:
            raise RuntimeError('no cloud was segmented yet')
        return answer(texts, self.embed_questions(texts), scene, self.vocabulary, limits)

    def name(self, scene: Instances) -> list[Match]:
        """Name every instance of a scene by its best vocabulary entry."""
        return best_names(scene, self.vocabulary)

    def embed_texts(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed texts [Q, D], unit length."""
        return self.text.encode(texts)

    def embed_questions(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed texts [Q, D] as `query` does: unknown words beside their definitions."""
        return embed_questions(texts, self.text, self.vocabulary)

    def reset(self) -> None:
        """Forget the scene and the identities of its objects, and give their memory back."""
        with self._segmenting:
            self.memory.reset()
            self._map.forget()
            self.scene = None
            self._runner.release()

    def cancel(self) -> None:
        """Let `segment` end soon, now and ever after, with Cancelled: the program ends."""
        self._runner.cancel()

    def warm_up(self) -> None:
        """Run student and text tower once, so that the first answer is as fast as the tenth."""
        rng = np.random.default_rng(0)
        points = rng.uniform(0, 2, (20_000, 3)).astype(np.float32)
        self._find(PointCloud(points), None, self.config.segment)
        self.embed_questions(['warm up'])

    def _find(
        self, cloud: PointCloud, turn: Turn, config: SegmentConfig
    ) -> tuple[Instances, tuple[Notice, ...]]:
        """Find instances, best first, of a cloud turned upright, and what to know about them."""
        if len(cloud) > config.max_points:
            raise ValueError(
                f'the cloud has {len(cloud)} points, expected at most {config.max_points}; thin '
                'it out, or raise segment.max_points'
            )
        if len(cloud) == 0:
            return Instances.empty(self.student.config.embedding_dim, cloud), ()
        level = turned(cloud, turn)
        voxels = voxelize(level, self.student.config.voxel_size_m)
        found = self._runner.predict(voxels, config)
        self._runner.check()
        doubts = doubts_about(level, voxels, turned=turn is not None)
        if turn is not None:  # boxes are wanted where the cloud is
            voxels = replace(voxels, centres=(voxels.centres @ turn).astype(np.float32))
        instances = assemble(
            found.owner.cpu().numpy(),
            found.rows.cpu().numpy(),
            found.quality.float().cpu().numpy(),
            found.embeddings.float().cpu().numpy(),
            cloud,
            voxels,
        )
        enough = np.flatnonzero(instances.point_counts >= config.min_points)
        instances = instances.select(enough[: config.max_instances])
        return instances, (*doubts, *self._runner.notices, *left_out(len(enough), config))


def left_out(count: int, config: SegmentConfig) -> tuple[Notice, ...]:
    """Say so where more instances were found than are wanted."""
    if count <= config.max_instances:
        return ()
    text = (
        f'{count} instances were found, the {config.max_instances} best are kept; raise '
        'segment.max_instances for all'
    )
    return (Notice('instances', text),)


def check_voxel_size(student: MaskStudent, config: SegmentConfig) -> None:
    """Compare the voxel size asked for, if any, with the student's; ValueError if it differs."""
    size = student.config.voxel_size_m
    if config.voxel_size and not math.isclose(config.voxel_size, size, rel_tol=1e-6):
        raise ValueError(
            f'segment.voxel_size: expected a student for voxels of {config.voxel_size:g} m, got '
            f'one for {size:g} m; name another model, or 0 to take any'
        )


def choose_device(name: str) -> torch.device:
    """Return the device named, 'auto' being CUDA where it works; ValueError if it is not there."""
    if name == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device: expected 'auto', 'cpu' or 'cuda', got {name!r}") from error
    if device.type == 'cuda' and not torch.cuda.is_available():
        raise ValueError(f"device: {name!r} was asked for, but torch sees no CUDA; use 'cpu'")
    return device
