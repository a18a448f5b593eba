"""From nothing to a student that answers: every training command once, on two small rooms."""

import json

import pytest

from folk_ros.cli.main import main
from folk_ros.pipeline import Folk
from folk_ros.training.scenes.scene import load_scene
from folk_ros.training.teacher import variants


def run(*words):
    assert main([str(word) for word in words]) == 0


@pytest.mark.slow
def test_every_training_command_hands_its_files_to_the_next(tmp_path, monkeypatch):
    rooms, masks, teacher = tmp_path / 'rooms', tmp_path / 'masks', tmp_path / 'teacher'
    student = tmp_path / 'model' / 'student.safetensors'
    run('scenes', 'rooms', '--out', rooms, '--train', 2, '--val', 1)
    run('train-masks', '--rooms', rooms, '--out', masks, '--steps', 3)
    run('teach', '--rooms', rooms, '--out', teacher)
    run('distill', '--rooms', rooms, '--teacher', teacher, '--masks', masks, '--out', student,
        '--steps', 20)  # fmt: skip
    run(
        'evaluate', '--rooms', rooms, '--model', student.parent, '--json', tmp_path / 'report.json'
    )
    report = json.loads((tmp_path / 'report.json').read_text())
    assert report['scenes'] == 1
    table = tmp_path / 'results.md'
    run(
        'evaluate', '--rooms', rooms, '--model', student.parent, '--results', table, '--row', 'own'
    )
    run('evaluate', '--rooms', rooms, '--split', 'train', '--model', student.parent, '--teacher',
        teacher, '--results', table, '--row', 'its teacher')  # fmt: skip
    assert '| own' in table.read_text()
    assert '| its teacher' in table.read_text()
    few = dict(list(variants.variants().items())[:2])  # which share their files
    monkeypatch.setattr(variants, 'variants', lambda: few)
    run('teach', '--rooms', rooms, '--split', 'val', '--out', tmp_path / 'trials', '--ablate',
        '--results', table)  # fmt: skip
    assert len(list((tmp_path / 'trials').glob('*/val_00000.safetensors'))) == 1
    assert '| teacher, views fused evenly' in table.read_text()
    run('distill', '--rooms', rooms, '--teacher', teacher, '--masks', masks, '--out', student,
        '--val', rooms, '--ablate', tmp_path / 'ablation.json', '--only', 'folk, w1 0 ', '--seeds',
        1, '--steps', 20, '--results', table)  # fmt: skip
    assert 'folk, w1 0 (labels alone)' in table.read_text()
    folk = Folk.load(student.parent)
    folk.segment(load_scene(rooms / 'val_00000').cloud)
    assert isinstance(folk.query(['chair']), list)
    assert set(folk.vocabulary.labels) == {
        name for k in range(2) for name in load_scene(rooms / f'train_{k:05d}').truth.names
    }
