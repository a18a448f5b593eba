import json

from matplotlib.image import imread
import numpy as np
import pytest

from folk_ros.cli.main import main
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
        scene = Scene(f'val_{number:05d}', small_cloud, truth, facts={'kind': 'office'})
        save_scene(scene, tmp_path)
    return tmp_path


def test_stats_count_what_is_there(scenes, capsys):
    file = scenes / 'stats.json'
    assert main(['scenes', 'stats', str(scenes), '--json', str(file)]) == 0
    printed = capsys.readouterr().out
    figures = json.loads(file.read_text())
    assert figures['scenes'] == 2 and figures['points'] == 16000 and figures['views'] == 0
    assert figures['objects'] == 4 and figures['objects_without_points'] == 2
    assert figures['categories'] == 2 and figures['novel_categories'] == 1
    assert figures['scenes_by_kind'] == {'office': 2} and figures['scenes_failed'] == 0
    assert [row['name'] for row in figures['by_category']] == ['chair', 'lamp']
    assert 'points_per_object_p50' in printed and 'lamp' in printed


def test_stats_go_on_after_a_broken_scene_and_count_it(scenes, capsys):
    (scenes / 'val_00000' / 'cloud.npz').write_bytes(b'not an npz')
    assert main(['scenes', 'stats', str(scenes), '--json', str(scenes / 'a.json')]) == 1
    said = capsys.readouterr()
    assert 'val_00000' in said.err and 'chair' in said.out
    figures = json.loads((scenes / 'a.json').read_text())
    assert (figures['scenes'], figures['scenes_failed']) == (1, 1)


def test_a_scene_is_drawn_with_its_true_objects(scenes):
    picture = scenes / 'new' / 'scene.png'
    assert main(['scenes', 'show', str(scenes / 'val_00000'), '--out', str(picture)]) == 0
    assert picture.read_bytes().startswith(b'\x89PNG')


def test_a_page_of_scenes_depends_on_the_seed_alone(scenes):
    for name in ('a.png', 'b.png'):
        arguments = ['show', str(scenes), '--page', '12', '--seed', '3', '--out']
        assert main(['scenes', *arguments, str(scenes / name)]) == 0
    assert np.array_equal(imread(scenes / 'a.png'), imread(scenes / 'b.png'))


@pytest.mark.parametrize(
    ('more', 'said'),
    [
        (['--page', '0'], '--page 0'),
        (['--page', '2', '--seed', '-1'], '--seed -1'),
        ([], '--page 12'),
    ],
)
def test_what_cannot_be_drawn_is_said(scenes, capsys, more, said):
    assert main(['scenes', 'show', str(scenes), '--out', str(scenes / 'a.png'), *more]) == 2
    assert said in capsys.readouterr().err


def test_a_page_of_broken_scenes_alone_is_an_error(scenes, capsys):
    for number in range(2):
        (scenes / f'val_0000{number}' / 'cloud.npz').write_bytes(b'not an npz')
    page = scenes / 'a.png'
    assert main(['scenes', 'show', str(scenes), '--page', '2', '--out', str(page)]) == 2
    assert 'none of the 2' in capsys.readouterr().err and not page.exists()


def test_a_picture_that_is_no_png_is_refused(scenes, capsys):
    assert main(['scenes', 'show', str(scenes / 'val_00000'), '--out', 'a.jpg']) == 2
    assert '.png' in capsys.readouterr().err


def test_a_folder_without_scenes_says_how_to_make_some(tmp_path, capsys):
    assert main(['scenes', 'stats', str(tmp_path)]) == 2
    assert 'folk scenes rooms' in capsys.readouterr().err


@pytest.mark.parametrize('wrong', [['--train', '-1'], ['--workers', '0']])
def test_impossible_amounts_are_refused(wrong, tmp_path):
    assert main(['scenes', 'rooms', '--out', str(tmp_path), *wrong]) == 2
