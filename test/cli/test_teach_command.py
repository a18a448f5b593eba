from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from folk_ros.cli.main import main
from folk_ros.structures import PointCloud
from folk_ros.training.demo_clip.tower import DemoImageTower, IMAGE_WEIGHTS, save_image_tower
from folk_ros.training.scenes.scene import GroundTruth, save_scene, Scene, View

# one thing in view, and one that nobody sees
XYZ = np.array([[x / 20, y / 20, 2] for x in range(8) for y in range(8)] + [[9, 9, 9]], np.float32)


@pytest.fixture
def rooms(tmp_path):
    view = View(
        rgb=np.full((48, 64, 3), 90, np.uint8),
        depth=np.full((48, 64), 2, np.float32),
        intrinsics=np.array([[50, 0, 32], [0, 50, 24], [0, 0, 1]], np.float32),
        T_world_camera=np.eye(4, dtype=np.float32),
    )
    owner = np.array([0] * 64 + [1], np.int32)
    truth = GroundTruth(owner, ['box', 'lamp'], (('box',), ('lamp',)), np.zeros(2, bool))
    for k in range(2):
        save_scene(Scene(f'train_{k:05d}', PointCloud(XYZ), truth, [view]), tmp_path / 'rooms')
    clip = tmp_path / 'clip'
    clip.mkdir()
    torch.manual_seed(0)
    save_image_tower(DemoImageTower('tiny', 8), clip / IMAGE_WEIGHTS, {})
    return tmp_path


def teach(folder, monkeypatch, *more):
    """Teach without a text tower: the tiny CLIP has none."""
    from folk_ros.cli import teach as command

    monkeypatch.setattr(command, '_names', lambda *_: ())
    return main(['teach', '--rooms', f'{folder}/rooms', '--out', f'{folder}/out',
                 '--clip', f'{folder}/clip', *more])  # fmt: skip


def test_what_became_of_scenes_instances_and_images_is_counted(rooms, monkeypatch, capsys):
    (rooms / 'rooms/train_00001/views.npz').write_bytes(b'torn')
    counts = rooms / 'counts.json'
    assert teach(rooms, monkeypatch, '--json', str(counts)) == 1
    told = capsys.readouterr().err
    assert 'train_00001' in told and '1 of 2 scenes failed' in told
    assert 'train_00000: no view sees 1 of 2 instances' in told
    assert json.loads(counts.read_text()) == {
        'taught': 1, 'kept': 0, 'failed': 1, 'instances': 2, 'unseen': 1, 'views_missing': 0,
    }  # fmt: skip
    teach(rooms, monkeypatch, '--json', str(counts))
    assert json.loads(counts.read_text())['kept'] == 1


def test_embeddings_of_another_pooling_are_not_mixed_with_those_there(rooms, monkeypatch, capsys):
    assert teach(rooms, monkeypatch) == 0
    assert teach(rooms, monkeypatch, '--pooling', 'crops') == 1
    assert 'write to another folder' in capsys.readouterr().err


def test_names_are_those_of_the_scenes_or_of_a_file_that_has_each_once(rooms):
    from folk_ros.cli.teach import _names

    folders = sorted((rooms / 'rooms').iterdir())
    assert _names(None, folders) == ('box', 'lamp')
    listed = rooms / 'names.txt'
    listed.write_text('sofa\n\nbed\n')
    assert _names(listed, folders) == ('sofa', 'bed')
    for text, says in (('bed\nsofa\nbed\n', "'bed'"), ('\n', 'no name')):
        listed.write_text(text)
        with pytest.raises(ValueError, match=says):
            _names(listed, folders)


def test_without_ray_the_command_says_what_to_install(rooms, monkeypatch, capsys):
    monkeypatch.setitem(__import__('sys').modules, 'ray', None)
    assert teach(rooms, monkeypatch, '--ray', 'auto') != 0
    assert 'pip install' in capsys.readouterr().err
