import json

import pytest

from folk_ros.cli.main import main
from folk_ros.cloud_files import write_ply
from folk_ros.scene_files import load_scene, save_scene, SavedScene


@pytest.fixture(scope='module')
def saved(small_cloud, untrained_model, tmp_path_factory):
    """Return a scene file that `folk segment --save` wrote."""
    folder = tmp_path_factory.mktemp('saved')
    write_ply(small_cloud, folder / 'room.ply')
    path = folder / 'room.safetensors'
    command = ['segment', str(folder / 'room.ply'), '--model', str(untrained_model)]
    assert main([*command, '--save', str(path)]) == 0
    return path


def test_a_saved_scene_answers_as_the_cloud_did(saved, untrained_model, capsys):
    capsys.readouterr()
    asked = ['chair', 'giraffe', '--min-score', '0.001', '--model', str(untrained_model), '--json']
    assert main(['query', '--scene', str(saved), *asked]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert set(answer['found']) == {'chair', 'giraffe'}
    assert f'objects of {saved}' in err
    scene = load_scene(saved).instances
    assert {item['id'] for item in answer['found']['chair']} <= set(scene.ids.tolist())
    command = ['segment', str(saved.with_name('room.ply')), '--query', *asked]
    assert main(command) == 0
    again = json.loads(capsys.readouterr().out)['found']
    assert [item['score'] for item in again['chair']] == pytest.approx(
        [item['score'] for item in answer['found']['chair']], abs=1e-3
    )


def test_a_scene_of_another_model_is_refused(saved, untrained_model, tmp_path, capsys):
    whole = load_scene(saved)
    other = tmp_path / 'other.safetensors'
    save_scene(other, SavedScene(whole.instances, whole.cloud, 'ViT-L-14/openai'))
    command = ['query', '--scene', str(other), 'chair', '--model', str(untrained_model)]
    assert main(command) == 2
    assert "CLIP space 'ViT-L-14/openai'" in capsys.readouterr().err


def test_a_file_that_is_missing_or_damaged_is_wrong_input(saved, tmp_path, capsys):
    assert main(['query', '--scene', str(tmp_path / 'nothing.safetensors'), 'chair']) == 2
    damaged = tmp_path / 'damaged.safetensors'
    damaged.write_bytes(saved.read_bytes()[:-1])
    assert main(['query', '--scene', str(damaged), 'chair']) == 2
    assert 'damaged.safetensors' in capsys.readouterr().err


def test_a_saved_scene_cannot_remember(saved, capsys):
    assert main(['query', '--scene', str(saved), 'chair', '--remember']) == 2
    assert '--remember' in capsys.readouterr().err


def test_a_scene_cannot_be_saved_as_something_else(saved, capsys):
    command = ['segment', str(saved.with_name('room.ply')), '--save', 'room.npz']
    assert main([*command, '--model', '/no/such']) == 2
    assert '--save room.npz: expected a name that ends in .safetensors' in capsys.readouterr().err
