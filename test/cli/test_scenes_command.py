import json

import numpy as np
import pytest

from folk_ros.cli.main import main
from folk_ros.cli.scenes import true_instances
from folk_ros.training.scenes.scene import GroundTruth, save_scene, Scene


@pytest.fixture
def scenes(small_cloud, small_truth, tmp_path):
    truth = GroundTruth(
        small_truth,
        ['chair', 'lamp', 'unseen'],
        (('a',), ('b',), ('c',)),
        np.array([0, 1, 0], bool),
    )
    for number in range(2):
        save_scene(Scene(f'val_{number:05d}', small_cloud, truth), tmp_path)
    return tmp_path


def test_stats_count_what_is_there(scenes, capsys):
    assert main(['scenes', 'stats', str(scenes), '--json']) == 0
    assert json.loads(capsys.readouterr().out) == {
        'scenes': 2,
        'points': 16000,
        'views': 0,
        'objects': 6,
        'names': 3,
        'novel_names': 1,
        'objects_by_name': {'chair': 2, 'lamp': 2, 'unseen': 2},
    }
    assert main(['scenes', 'stats', str(scenes)]) == 0
    assert 'chair' in capsys.readouterr().out


def test_a_scene_is_drawn_with_its_true_objects(scenes):
    picture = scenes / 'scene.png'
    assert main(['scenes', 'show', str(scenes / 'val_00000'), '--out', str(picture)]) == 0
    assert picture.read_bytes().startswith(b'\x89PNG')


def test_true_objects_have_exactly_their_points_up_to_a_voxel(scenes):
    from folk_ros.training.scenes.scene import load_scene

    scene = load_scene(scenes / 'val_00000')
    instances, labels = true_instances(scene)
    assert labels == ['chair', 'lamp']  # the third has no points
    for row in range(2):
        own = np.flatnonzero(scene.truth.point_instance == row)
        assert set(own) <= set(instances.points_of(row))
        assert len(instances.points_of(row)) < 1.2 * len(own)


def test_a_folder_without_scenes_says_how_to_make_some(tmp_path, capsys):
    assert main(['scenes', 'stats', str(tmp_path)]) == 2
    assert 'folk scenes rooms' in capsys.readouterr().err


@pytest.mark.parametrize('wrong', [['--train', '-1'], ['--workers', '0']])
def test_impossible_amounts_are_refused(wrong, tmp_path):
    assert main(['scenes', 'rooms', '--out', str(tmp_path), *wrong]) == 2
