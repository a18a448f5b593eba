import json
import os
from pathlib import Path
import socket
import subprocess
import sys

import numpy as np
import pytest
from safetensors.torch import load_file
import torch

from folk_ros.query import Vocabulary
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.weights import save_student
from folk_ros.training.checkpoint import NAME, read_settings
from folk_ros.training.masks.presets import Preset, PRESETS
from folk_ros.training.masks.run import Run, starting_weights, tensorboard_writer, train_masks
from folk_ros.training.masks.samples import CropConfig
from folk_ros.training.masks.sources import Source
from folk_ros.training.masks.trainer import MaskTrainer, MaskTraining

TINY = Preset(
    StudentConfig(encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), embedding_dim=4),
    CropConfig(voxels=800),
)


def write_scene(folder, seed=0):
    """A floor with three boxes on it."""
    rng = np.random.default_rng(seed)
    floor = np.c_[rng.uniform(0, 2, (6000, 2)), np.zeros(6000)]
    boxes = [rng.uniform(0, 0.4, (1500, 3)) + [0.2 + 0.6 * k, 0.5, 0.05] for k in range(3)]
    owner = np.repeat([-1, 0, 1, 2], [6000, 1500, 1500, 1500]).astype(np.int32)
    folder.mkdir(parents=True)
    xyz = np.concatenate([floor, *boxes]).astype(np.float32)
    np.savez(folder / 'cloud.npz', xyz=xyz, rgb=np.full(xyz.shape, 99, np.uint8), instance=owner)
    (folder / 'truth.json').write_text(json.dumps({'names': ['box', 'box', 'object']}))


@pytest.fixture
def rooms(tmp_path):
    for number in range(2):
        write_scene(tmp_path / 'rooms' / f'train_{number}', number)
    return tmp_path / 'rooms'


def trainer(rooms, out, **config):
    settings = {'steps': 4, 'crops': 1, 'save_every': 2, 'bfloat16': False} | config
    return MaskTrainer([Source(rooms)], out, MaskTraining(**settings), TINY)


class Interrupted(Exception):
    pass


def test_training_goes_on_from_its_checkpoint_as_if_never_stopped(rooms, tmp_path, monkeypatch):
    whole = trainer(rooms, tmp_path / 'whole')
    whole.run()
    first = trainer(rooms, tmp_path / 'parts')
    save = first._save

    def save_and_die():
        save()
        raise Interrupted

    monkeypatch.setattr(first, '_save', save_and_die)
    with pytest.raises(Interrupted):
        first.run()
    write_scene(rooms / 'train_2')  # its names are known
    (rooms / 'train_2').rename(tmp_path / 'gone')
    second = trainer(rooms, tmp_path / 'parts')
    second.run()
    ours, theirs = second.student.state_dict(), whole.student.state_dict()
    assert all(torch.allclose(ours[k].float(), theirs[k].float(), atol=1e-5) for k in theirs)


def test_what_has_no_name_teaches_no_name(rooms, tmp_path):
    assert list(trainer(rooms, tmp_path / 'out').names) == ['box']


def test_gradients_of_several_runs_make_one_step_like_their_mean(rooms, tmp_path, monkeypatch):
    """Two runs of one crop against the mean of the two gradients, by hand."""
    both = trainer(rooms, tmp_path / 'a', accumulate=2, clip=1e9)
    hand = trainer(rooms, tmp_path / 'b', clip=1e9)
    for one in (both, hand):  # what is normalised over a run must not differ
        one.student.eval()
        monkeypatch.setattr(one.student, 'train', lambda: None)
    kept = []
    draw = both._draw
    monkeypatch.setattr(both, '_draw', lambda rng: kept.append(draw(rng)) or kept[-1])
    monkeypatch.setattr(both.optimizer, 'step', lambda: None)
    torch.manual_seed(0)
    monkeypatch.setattr(torch, 'manual_seed', lambda seed: None)  # the same random seeds in both
    state = torch.get_rng_state()
    both._learn()
    torch.set_rng_state(state)
    for sample in kept:
        (torch.stack(list(hand._losses([sample]).values())).sum() / 2).backward()
    for ours, theirs in zip(both.parameters, hand.parameters, strict=True):
        assert (ours.grad is None) == (theirs.grad is None)
        if ours.grad is not None:
            assert torch.allclose(ours.grad, theirs.grad, atol=1e-6)


def test_a_student_file_is_where_training_begins(rooms, tmp_path):
    torch.manual_seed(5)
    student = Student(TINY.student)
    nothing = Vocabulary((), np.zeros((0, 4), np.float32), scale=1.0, floor=0.0)
    save_student(tmp_path / 'student.safetensors', student, nothing, half=False)
    start = starting_weights(tmp_path / 'student.safetensors')
    assert not any(name.startswith('adapter.') for name in start)
    config = MaskTraining(steps=1)
    begun = MaskTrainer([Source(rooms)], tmp_path / 'out', config, TINY, start)
    weights = begun.student.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in start.items())
    assert all(torch.equal(begun.average.state_dict()[name], start[name]) for name in start)


@pytest.mark.slow
def test_two_processes_of_torchrun_take_the_same_steps(rooms, tmp_path):
    """Each has crops of its own, so one alone would end elsewhere."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        port = sock.getsockname()[1]
    code = (
        'import sys; from pathlib import Path\n'
        'sys.path.insert(0, sys.argv[4])\n'
        'from test_mask_training import TINY, Run, Source, MaskTraining, train_masks\n'
        'import torch, os; torch.set_num_threads(1)\n'
        'from folk_ros.training.masks.trainer import MaskTrainer\n'
        'save = MaskTrainer._save\n'
        'def both(self):\n'
        '    self.out = Path(sys.argv[2]) / str(self.rank); self.rank = 0; save(self)\n'
        'MaskTrainer._save = both\n'
        'config = MaskTraining(steps=2, crops=1, bfloat16=False, warm_up=1)\n'
        'train_masks(Run((Source(Path(sys.argv[1])),), Path(sys.argv[2]), config, TINY), 1)\n'
    )
    words = [sys.executable, '-c', code, str(rooms), str(tmp_path / 'out'), '-']
    words.append(str(Path(__file__).parent))
    common = {'WORLD_SIZE': '2', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port)}
    running = [
        subprocess.Popen(words, env=os.environ | common | {'RANK': str(rank)}) for rank in range(2)
    ]
    assert [process.wait(120) for process in running] == [0, 0]
    one, two = (load_file(tmp_path / 'out' / str(rank) / NAME) for rank in range(2))
    counted = ('running', 'num_batches')  # each process sees its own crops
    weights = [k for k in one if k.startswith('student.') and not any(c in k for c in counted)]
    assert all(torch.allclose(one[k], two[k], atol=1e-7) for k in weights)
    alone = trainer(rooms, tmp_path / 'alone', steps=2, warm_up=1)
    alone.run()
    theirs = alone.student.state_dict()
    assert any(not torch.allclose(one[k], theirs[k[8:]].float(), atol=1e-4) for k in weights)


def test_presets_differ_in_the_grid_and_agree_on_the_network():
    assert PRESETS['tabletop'].student.voxel_size_m == 0.01
    assert PRESETS['rooms'].student.voxel_size_m == 0.04
    for preset in PRESETS.values():
        assert preset.crop.voxel_size_m == preset.student.voxel_size_m
    assert PRESETS['tabletop'].student.encoder == PRESETS['rooms'].student.encoder


def test_tensorboard_is_asked_for_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'torch.utils.tensorboard', None)
    with pytest.raises(ValueError, match='pip install tensorboard'):
        tensorboard_writer(tmp_path)


def test_the_command_trains_on_two_folders(rooms, tmp_path):
    from folk_ros.cli.main import main

    words = ['--data', f'{rooms}:2', '--data', str(rooms), '--steps', '1', '--crops', '1']
    assert main(['train-masks', *words, '--out', str(tmp_path / 'out')]) == 0
    assert read_settings(tmp_path / 'out')['crop']['voxel_size_m'] == 0.04
    assert main(['train-masks', '--data', str(rooms), '--steps', '0', '--out', 'x']) == 2


__all__ = ['MaskTraining', 'Run', 'Source', 'train_masks']  # read by the other process
