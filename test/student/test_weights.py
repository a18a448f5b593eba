import hashlib

import numpy as np
import pytest
from safetensors.torch import save_file
import torch

from folk_ros.query import Vocabulary
from folk_ros.structures import PointCloud
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.weights import load_student, save_student
from folk_ros.voxels import voxelize

SMALL = StudentConfig(
    encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), embedding_dim=4, clip='toy'
)


def saved(tmp_path, seed=0):
    torch.manual_seed(seed)
    student = Student(SMALL).eval()
    path = tmp_path / 'student.safetensors'
    save_student(
        path,
        student,
        Vocabulary(('a', 'b'), np.eye(2, 4, dtype=np.float32), 20.0, 0.4),
        half=False,
    )
    return student, path


def test_a_saved_student_predicts_the_same(tmp_path):
    student, path = saved(tmp_path)
    loaded, vocabulary = load_student(path)
    points = np.random.default_rng(0).uniform(0, 1, (2000, 3)).astype(np.float32)
    voxels = voxelize(PointCloud(points), 0.04)
    before, after = student.predict(voxels, 0.0, 0.5), loaded.predict(voxels, 0.0, 0.5)
    assert torch.equal(before.rows, after.rows)
    assert torch.allclose(before.embeddings, after.embeddings)
    assert vocabulary.names == ('a', 'b')
    assert loaded.config == SMALL


def test_missing_weights_say_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match='leave the model setting empty'):
        load_student(tmp_path / 'student.safetensors')


def test_an_altered_file_is_refused_by_its_sum(tmp_path):
    _, path = saved(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / 'SHA256SUMS').write_text(f'{digest}  student.safetensors\n')
    load_student(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match='SHA-256 is .* was altered'):
        load_student(path)


def test_a_truncated_file_is_refused(tmp_path):
    _, path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match='not a whole safetensors file'):
        load_student(path)


def test_a_file_of_another_kind_is_refused_with_both_formats(tmp_path):
    path = tmp_path / 'student.safetensors'
    save_file({'x': torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="expected format 'folk_ros student 1', got 'none'"):
        load_student(path)


def test_an_empty_voxel_grid_is_never_needed_but_one_voxel_works(tmp_path):
    student, _ = saved(tmp_path)
    voxels = voxelize(PointCloud(np.zeros((1, 3), np.float32)), 0.04)
    assert len(student.predict(voxels, 0.9, 0.5).quality) == 0
