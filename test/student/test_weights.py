from dataclasses import asdict, replace
import hashlib
import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file
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


def rewritten(path, **changes):
    with safe_open(path, 'pt') as file:
        metadata = file.metadata() | changes
    save_file(load_file(path), path, metadata)


def test_another_architecture_is_refused_with_both_sides(tmp_path):
    _, path = saved(tmp_path)
    rewritten(path, architecture='transformer')
    with pytest.raises(ValueError, match="'transformer', this version knows .*'mask3d', 'seeds'"):
        load_student(path)


def test_a_setting_of_another_version_is_refused_by_name(tmp_path):
    student, path = saved(tmp_path)
    rewritten(path, config=json.dumps(asdict(student.config) | {'sparkle': 1}))
    with pytest.raises(ValueError, match="settings .'sparkle'. that this version does not know"):
        load_student(path)


def test_weights_of_another_size_are_refused(tmp_path):
    student, path = saved(tmp_path)
    wider = replace(student.config, encoder=(8, 8, 16))
    rewritten(path, config=json.dumps(asdict(wider)))
    with pytest.raises(ValueError, match='weights and their configuration disagree'):
        load_student(path)


def test_files_of_the_first_release_name_no_architecture_and_are_read(tmp_path):
    student, path = saved(tmp_path)
    old = asdict(student.config)
    del old['pooling']
    with safe_open(path, 'pt') as file:
        metadata = file.metadata() | {'config': json.dumps(old)}
    del metadata['architecture']
    save_file(load_file(path), path, metadata)
    assert load_student(path)[0].config == student.config


def test_an_empty_voxel_grid_is_never_needed_but_one_voxel_works(tmp_path):
    student, _ = saved(tmp_path)
    voxels = voxelize(PointCloud(np.zeros((1, 3), np.float32)), 0.04)
    assert len(student.predict(voxels, 0.9, 0.5).quality) == 0
