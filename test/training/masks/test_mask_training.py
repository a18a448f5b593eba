from dataclasses import replace
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
from folk_ros.structures import PointCloud
from folk_ros.student.mask3d import Mask3D, Mask3DConfig
from folk_ros.student.mask_decoder import DecoderConfig
from folk_ros.student.query_student import INPUT
from folk_ros.student.res16unet import Res16UNetConfig
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.weights import save_student
from folk_ros.training.checkpoint import NAME, read_settings
from folk_ros.training.masks.loading import Loader
from folk_ros.training.masks.networks import begun_with, make_network
from folk_ros.training.masks.presets import Preset, PRESETS, with_switches
from folk_ros.training.masks.run import Run, starting_weights, tensorboard_writer, train_masks
from folk_ros.training.masks.samples import CropConfig, read_labelled
from folk_ros.training.masks.sources import Source
from folk_ros.training.masks.trained import load_trained
from folk_ros.training.masks.trainer import MaskTrainer, MaskTraining
from folk_ros.voxels import voxelize

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
    monkeypatch.setattr(both.optimizer, 'step', lambda: None)
    both._learn(Loader(both.draw, 0))
    for part in range(2):
        chance, samples = hand.draw.run(0, part)
        torch.manual_seed(chance)
        (torch.stack(list(hand._losses(samples).values())).sum() / 2).backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in hand.parameters)
    for ours, theirs in zip(both.parameters, hand.parameters, strict=True):
        expected = torch.zeros_like(ours) if theirs.grad is None else theirs.grad
        assert torch.allclose(ours.grad, expected, atol=1e-6)


@pytest.mark.slow
def test_crops_prepared_by_another_process_are_the_same_in_the_same_order(rooms, tmp_path):
    one = trainer(rooms, tmp_path / 'a', accumulate=2)
    loader = Loader(one.draw, 1)
    try:
        for step in range(2):
            one.step = step
            coming = one._coming()
            assert coming[:3] == [(step, 0), (step, 1), (step + 1, 0)]
            for number in range(2):
                chance, samples = loader.take(coming[number:])
                expected, theirs = one.draw.run(step, number)
                assert chance == expected
                assert torch.equal(samples[0].inputs, theirs[0].inputs)
    finally:
        loader.close()


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


def test_weights_that_know_no_surface_begin_where_they_ended(rooms, tmp_path):
    torch.manual_seed(5)
    plain = Student(TINY.student)
    wide = replace(TINY.student, surface=True)
    preset = Preset(wide, replace(TINY.crop, surface=True))
    start = plain.state_dict()
    begun = MaskTrainer([Source(rooms)], tmp_path, MaskTraining(steps=1), preset, start)
    cloud = read_labelled(next(rooms.glob('*/cloud.npz')).parent)
    voxels = voxelize(PointCloud(cloud.xyz, cloud.rgb), wide.voxel_size_m)
    with torch.no_grad():
        ours, theirs = (student.eval().look(voxels) for student in (begun.student, plain))
    assert torch.allclose(ours.features[0], theirs.features[0], atol=1e-5)
    begun.run()
    stem = begun.student.state_dict()['backbone.stem.weight']
    assert stem[:, INPUT:].abs().max() > 0  # the surface is learnt from the first step on


def test_a_run_begins_where_another_one_ended(rooms, tmp_path):
    first = trainer(rooms, tmp_path / 'a', steps=2)
    first.run()
    start = starting_weights(tmp_path / 'a')
    ended = first.average.state_dict()
    assert start and all(torch.equal(ended[name], value) for name, value in start.items())
    with pytest.raises(FileNotFoundError, match='neither'):
        starting_weights(tmp_path)


def test_a_preset_whose_crops_do_not_fit_its_student_is_refused():
    with pytest.raises(ValueError, match='surface'):
        Preset(replace(TINY.student, surface=True), TINY.crop)


@pytest.mark.slow
def test_two_processes_of_torchrun_are_one_process_that_adds_up_two_runs(rooms, tmp_path):
    """All the same in both, and but for rounding what one process makes of the same crops."""
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
        'config = MaskTraining(steps=2, crops=1, bfloat16=False, warm_up=50)\n'
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
    assert all(torch.equal(one[name], two[name]) for name in one)
    alone = trainer(rooms, tmp_path / 'alone', steps=2, accumulate=2, warm_up=50)
    before = {n: p.detach().clone() for n, p in alone.student.named_parameters()}
    alone.run()
    for name, parameter in alone.student.named_parameters():
        assert torch.allclose(one[f'student.{name}'], parameter, atol=2e-6), name
    learnt = {n: p.detach() for n, p in alone.student.named_parameters()}
    assert max(float((learnt[n] - before[n]).abs().max()) for n in before) > 5e-5


def big(source='fps', spatial=False):
    """The big student, very small, at the grid of the scenes."""
    sizes = Res16UNetConfig(
        stem=4,
        encoder=(4, 6, 8, 8),
        decoder=(8, 6, 4, 6),
        encoder_blocks=(1, 1, 1, 1),
        decoder_blocks=(1, 1, 1, 1),
    )
    decoder = DecoderConfig(
        source, spatial, 16, width=16, heads=2, feed=8, rounds=1, queries=9, classes=1
    )
    config = Mask3DConfig(voxel_size_m=0.04, backbone=sizes, decoder=decoder)
    return Preset(config, TINY.crop)


@pytest.mark.parametrize(('source', 'spatial'), [('fps', False), ('seeds', True)])
def test_the_big_student_is_trained_and_found_again(rooms, tmp_path, source, spatial):
    config = MaskTraining(steps=2, crops=1, bfloat16=False)
    preset = big(source, spatial)
    trained = MaskTrainer([Source(rooms)], tmp_path / 'out', config, preset)
    before = {n: p.detach().clone() for n, p in trained.student.named_parameters()}
    trained.run()
    still = [n for n, p in trained.student.named_parameters() if torch.equal(p, before[n])]
    assert still == []
    again = load_trained(tmp_path / 'out')
    assert again.config == preset.student
    ours, theirs = again.state_dict(), trained.average.state_dict()
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_class_scores_of_another_number_are_learnt_anew_and_other_shapes_refused():
    own = Mask3D(big().student).state_dict()
    start = {'decoder.classes.weight': torch.ones(201, 16), 'fields.out.bias': torch.ones(16)}
    begun = begun_with(start, own)
    assert torch.equal(begun['decoder.classes.weight'], own['decoder.classes.weight'])
    assert torch.equal(begun['fields.out.bias'], torch.ones(16))
    with pytest.raises(ValueError, match=r'fields.out.bias is \[7\], the network has \[16\]'):
        begun_with({'fields.out.bias': torch.ones(7)}, own)
    with pytest.raises(ValueError, match='has fields.hidden.0.bias, for which'):
        begun_with({'fields.hidden.0.bias': torch.ones(7)}, own)


def test_the_switches_of_any_preset_can_be_turned():
    big_one = with_switches(PRESETS['mask3d'], None, True).student
    assert (big_one.decoder.source, big_one.decoder.spatial) == ('fps', True)
    small = with_switches(PRESETS['rooms'], 'fps', None).student
    assert (small.queries, small.spatial) == ('fps', True)
    assert with_switches(PRESETS['rooms'], None, None) == PRESETS['rooms']
    with torch.device('meta'):
        network = make_network(PRESETS['mask3d'].student)
    assert len(network.state_dict()) == 467  # Mask3D's, layer by layer


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
