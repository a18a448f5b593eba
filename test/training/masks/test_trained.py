from dataclasses import replace

import pytest
import torch

from folk_ros.cli.main import main
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.weights import load_masks, save_student, STUDENT_FILE
from folk_ros.training.masks.trained import average_students, load_trained

SMALL = StudentConfig(encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), embedding_dim=4)


def written(folder, seed, config=SMALL):
    torch.manual_seed(seed)
    student = Student(config)
    save_student(folder / STUDENT_FILE, student, None, half=False)
    return student


def test_a_student_is_read_from_its_file_and_from_its_folder(tmp_path):
    student = written(tmp_path, 0)
    for path in (tmp_path, tmp_path / STUDENT_FILE):
        read = load_trained(path).state_dict()
        assert all(torch.equal(read[name], value) for name, value in student.state_dict().items())


def test_a_folder_without_a_student_says_what_it_lacks(tmp_path):
    with pytest.raises(FileNotFoundError, match='neither'):
        load_trained(tmp_path)


def test_the_average_lies_in_the_middle_of_its_runs(tmp_path):
    runs = [written(tmp_path / name, seed) for seed, name in enumerate('abc')]
    names = [str(tmp_path / name) for name in 'abc']
    assert main(['weights', 'average', *names, '--out', str(tmp_path / 'mean')]) == 0
    mean = load_masks(tmp_path / 'mean' / STUDENT_FILE).state_dict()
    for name, value in mean.items():
        if value.dtype.is_floating_point and not name.startswith('adapter.'):
            wanted = sum(run.state_dict()[name] for run in runs) / 3
            assert torch.allclose(value, wanted, atol=1e-6)


def test_runs_whose_adapters_read_different_things_are_averaged_without_them(tmp_path):
    written(tmp_path / 'a', 0)
    last = written(tmp_path / 'b', 1, replace(SMALL, pooling='moments')).state_dict()
    mean = average_students([tmp_path / 'a', tmp_path / 'b']).state_dict()
    assert torch.equal(mean['adapter.mlp.0.weight'], last['adapter.mlp.0.weight'])
    assert not torch.equal(mean['backbone.stem.weight'], last['backbone.stem.weight'])


def test_networks_of_different_sizes_are_not_averaged(tmp_path):
    written(tmp_path / 'a', 0)
    other = StudentConfig(encoder=(8, 8, 12), decoder=(8, 8), decoder_reads=(1,), embedding_dim=4)
    written(tmp_path / 'b', 0, other)
    with pytest.raises(ValueError, match='shapes'):
        average_students([tmp_path / 'a', tmp_path / 'b'])
    assert main(['weights', 'average', str(tmp_path / 'a'), '--out', str(tmp_path / 'c')]) == 2
