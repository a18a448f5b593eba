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
from pathlib import Path
import threading

import numpy as np
from numpy.typing import NDArray
import torch

from folk_ros.config import FolkConfig, SegmentConfig
from folk_ros.instances import assemble
from folk_ros.query import answer, best_names, check_limits, check_texts, Vocabulary
from folk_ros.resources import model_folder, text_tower_place
from folk_ros.scene_memory import SceneMemory
from folk_ros.structures import Instances, Match, PointCloud, Voxels
from folk_ros.student.engines.choose import choose_engine
from folk_ros.student.face import MaskStudent, PooledStudent
from folk_ros.student.weights import load_student, STUDENT_FILE
from folk_ros.text import load_text_tower, TextTower
from folk_ros.voxels import voxelize

log = logging.getLogger(__name__)


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
        self.config = config
        self.device = choose_device(config.segment.device)
        self.student: MaskStudent = student.to(self.device).eval()
        self.vocabulary = vocabulary
        self.text = text
        self.memory = SceneMemory()
        self.scene: Instances | None = None  # replaced as a whole, never changed
        self._count = 0
        self._segmenting = threading.Lock()
        if config.segment.threads and self.device.type == 'cpu':
            torch.set_num_threads(config.segment.threads)
        if isinstance(self.student, PooledStudent):
            choice = choose_engine(config.segment.engine, self.device, self.student.compute)
            self.student.engine = choice.engine

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
        """Find the instances of a cloud, keep them as the scene, and return them."""
        with self._segmenting:
            found = self._find(cloud, self.config.segment)
            self._count += 1
            self.scene = replace(self.memory.update(found, cloud), scene_id=self._count)
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
        return answer(texts, self.embed_texts(texts), scene, self.vocabulary, limits)

    def name(self, scene: Instances) -> list[Match]:
        """Name every instance of a scene by its best vocabulary entry."""
        return best_names(scene, self.vocabulary)

    def embed_texts(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed texts [Q, D], unit length."""
        return self.text.encode(texts)

    def reset(self) -> None:
        """Forget the scene and the identities of its objects."""
        with self._segmenting:
            self.memory.reset()
            self.scene = None

    def warm_up(self) -> None:
        """Run student and text tower once, so that the first answer is as fast as the tenth."""
        rng = np.random.default_rng(0)
        points = rng.uniform(0, 2, (20_000, 3)).astype(np.float32)
        self._find(PointCloud(points), self.config.segment)
        self.text.encode(['warm up'])

    def _find(self, cloud: PointCloud, config: SegmentConfig) -> Instances:
        if len(cloud) > config.max_points:
            raise ValueError(
                f'the cloud has {len(cloud)} points, expected at most {config.max_points}; thin '
                'it out, or raise segment.max_points'
            )
        if len(cloud) == 0:
            return Instances.empty(self.student.config.embedding_dim, cloud)
        voxels = self._on_grid(cloud, config)
        found = self.student.predict(voxels, config.min_quality, config.nms_iou)
        instances = assemble(
            found.owner.cpu().numpy(),
            found.rows.cpu().numpy(),
            found.quality.float().cpu().numpy(),
            found.embeddings.float().cpu().numpy(),
            cloud,
            voxels,
        )
        enough = np.flatnonzero(instances.point_counts >= config.min_points)
        return instances.select(enough[: config.max_instances])

    def _on_grid(self, cloud: PointCloud, config: SegmentConfig) -> Voxels:
        size = self.student.config.voxel_size_m
        voxels = voxelize(cloud, size)
        while len(voxels) > config.max_voxels:
            size *= 1.5
            log.warning('%d voxels are too many; segmenting at %.3f m', len(voxels), size)
            voxels = voxelize(cloud, size)
        return voxels


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
