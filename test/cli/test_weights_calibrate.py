import json
import shutil

import numpy as np
import pytest

from folk_ros.cli.main import main
from folk_ros.cli.weights import verify
from folk_ros.student.sums import write_sums
from folk_ros.student.weights import load_student
from folk_ros.training.masks import calibration


@pytest.fixture
def model(untrained_model, tmp_path):
    folder = tmp_path / 'model'
    shutil.copytree(untrained_model, folder)
    write_sums(folder)
    return folder


@pytest.fixture
def scenes(tmp_path, small_cloud, small_truth):
    for name in ('val_0', 'train_0'):
        folder = tmp_path / 'rooms' / name
        folder.mkdir(parents=True)
        np.savez(
            folder / 'cloud.npz',
            xyz=small_cloud.xyz,
            rgb=small_cloud.rgb,
            instance=small_truth,
        )
        (folder / 'truth.json').write_text(json.dumps({'names': ['box', 'box']}))
    return tmp_path / 'rooms'


def test_the_fitted_numbers_are_stored_and_the_sum_is_of_the_new_file(
    model, scenes, capsys, monkeypatch
):
    seen = []

    def pairs(student, folders):
        seen.extend(folders)
        quality = np.linspace(0.05, 0.95, 400)
        return quality, quality**2

    monkeypatch.setattr(calibration, 'quality_pairs', pairs)
    assert main(['weights', 'calibrate', str(model), '--scenes', str(scenes), '--json']) == 0
    told = json.loads(capsys.readouterr().out)
    assert [folder.name for folder in seen] == ['val_0']  # not what it learnt from
    assert told['error_after'] < told['error_before']
    student, vocabulary = load_student(model / 'student.safetensors')
    assert student.config.calibration == pytest.approx(told['calibration'], abs=1e-3)
    assert vocabulary.names == ('chair', 'table', 'bed')
    assert verify(model) == {model / 'student.safetensors': 'ok'}


def test_scenes_too_few_are_said_and_nothing_is_written(model, scenes, capsys, monkeypatch):
    monkeypatch.setattr(calibration, 'FEWEST', 10_000)
    before = (model / 'student.safetensors').read_bytes()
    assert main(['weights', 'calibrate', str(model), '--scenes', str(scenes)]) == 2
    assert 'give it more scenes' in capsys.readouterr().err
    assert (model / 'student.safetensors').read_bytes() == before
