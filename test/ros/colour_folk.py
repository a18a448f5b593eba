"""A program without a network for the node's tests, and the rooms that it understands."""

from __future__ import annotations

from dataclasses import replace
import os
import time
from types import SimpleNamespace
import zlib

import numpy as np

from folk_ros.config import FolkConfig
from folk_ros.instances import assemble
from folk_ros.query import answer, best_names, check_limits, check_texts, Vocabulary
from folk_ros.scene_memory import SceneMemory
from folk_ros.structures import Instances, PointCloud
from folk_ros.voxels import voxelize

DIM = 16
NAMES = ('red thing', 'green thing', 'blue thing')
LOADER = 'FOLK_TEST_LOADER'  # environment: how the node's process loads its model
DELAY = 'FOLK_TEST_DELAY_S'  # environment: how long the network takes for a cloud


def hash_vectors(texts):
    """Unit vectors [Q, D] that depend on the texts alone."""
    rows = [np.random.default_rng(zlib.crc32(t.encode())).normal(size=DIM) for t in texts]
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class ColourFolk:
    """The program without its network: a thing is what is red, green or blue. Needs no torch."""

    def __init__(self, config):
        self.config = config
        self.device = 'cpu'
        self.student = SimpleNamespace(config=SimpleNamespace(clip='test'), engine_name='none')
        self.vocabulary = Vocabulary(NAMES, hash_vectors(NAMES), scale=20.0, floor=0.0)
        self.memory = SceneMemory()
        self.scene = None
        self.warnings = ()
        self._count = 0

    def warm_up(self):
        """Nothing is cold."""

    def segment(self, cloud):
        how = os.environ.get(LOADER)
        if how == 'fragile' and cloud.frame_id == 'crash':
            raise KeyError('a bug')
        if how == 'fragile' and cloud.frame_id == 'memory':
            raise MemoryError('tried to allocate 80 GiB')
        time.sleep(float(os.environ.get(DELAY, '0')))
        found = self._find(cloud)
        self._count += 1
        self.scene = replace(self.memory.update(found, cloud), scene_id=self._count)
        return self.scene

    def _find(self, cloud):
        if not len(cloud):
            return Instances.empty(DIM, cloud)
        voxels = voxelize(cloud, 0.04)
        colour = np.where(voxels.rgb.max(1) > 0.6, voxels.rgb.argmax(1), -1)  # [V]
        kinds = [kind for kind in range(3) if voxels.has_colour and (colour == kind).any()]
        parts = [np.flatnonzero(colour == kind) for kind in kinds]
        empty = np.empty(0, np.int64)
        owner = np.concatenate([empty, *(np.full(len(p), n) for n, p in enumerate(parts))])
        quality = np.full(len(kinds), 0.9, np.float32)
        embeddings = hash_vectors(NAMES)[kinds]
        rows = np.concatenate([empty, *parts])
        return assemble(owner.astype(np.int64), rows, quality, embeddings, cloud, voxels)

    def query(self, texts, min_score=0.0, max_results=0, scene=None):
        texts = check_texts(texts, self.config.query)
        limits = check_limits(min_score, max_results, self.config.query)
        return answer(texts, hash_vectors(texts), scene, self.vocabulary, limits)

    def name(self, scene):
        return best_names(scene, self.vocabulary)

    def embed_texts(self, texts):
        return hash_vectors(texts)

    def cancel(self):
        """Nothing can be called off here: the node must be able to end all the same."""

    def take_up(self, scene, cloud, last_id=0):
        self.memory.resume(scene, cloud, last_id)
        self._count += 1
        self.scene = replace(scene, scene_id=self._count)
        return self.scene

    def reset(self):
        self.memory.reset()
        self.scene = None


def load_for_test(config):
    """Load as the environment says: at once, late, not at all, or a real network untrained."""
    how = os.environ.get(LOADER, 'colours')
    if how == 'late':
        time.sleep(3.0)
    if how == 'missing':
        raise FileNotFoundError('student.safetensors: there is no such file; install again')
    return untrained_folk(config) if how == 'untrained' else ColourFolk(config)


def untrained_folk(config=None):
    """Build the real program around a small network of random weights."""
    import torch

    from folk_ros.pipeline import Folk
    from folk_ros.student.student import Student, StudentConfig
    from folk_ros.text import TextTower

    torch.set_num_threads(1)
    torch.manual_seed(0)
    student = Student(StudentConfig(clip='test', embedding_dim=DIM))
    vocabulary = Vocabulary(NAMES, hash_vectors(NAMES), scale=20.0, floor=0.0)
    return Folk(student, vocabulary, TextTower('test', DIM, hash_vectors), config or FolkConfig())


def room(colours=(0, 1, 2), frame_id='map', stamp_ns=1_000_000_000, per_thing=400):
    """Return cubes of 0.4 m side, one per colour, a metre apart."""
    rng = np.random.default_rng(0)
    xyz = [rng.uniform(0, 0.4, (per_thing, 3)) + [kind, 0, 0] for kind in colours]
    rgb = [np.tile(np.eye(3)[kind] * 250, (per_thing, 1)) for kind in colours]
    empty = np.zeros((0, 3))
    return PointCloud(
        np.concatenate([empty, *xyz]).astype(np.float32),
        np.concatenate([empty, *rgb]).astype(np.uint8),
        frame_id,
        stamp_ns,
    )
