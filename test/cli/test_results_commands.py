"""The commands that write the results table, on a room with an untrained student."""

import json

import pytest

from folk_ros.cli.main import main
from folk_ros.training.scenes.scene import save_scene
from folk_ros.training.scenes.synthetic import make_scene, RoomConfig
from folk_ros.training.teacher import variants as variants_module


@pytest.fixture(scope='module')
def rooms(tmp_path_factory):
    """One room to learn from and one to judge on, filmed in small pictures."""
    folder = tmp_path_factory.mktemp('rooms')
    for number, split in enumerate(('train', 'val')):
        config = RoomConfig(views=4, width=96, height=72)
        save_scene(make_scene(number, config, f'{split}_00000'), folder)
    return folder


@pytest.fixture(scope='module')
def teacher(rooms, tmp_path_factory):
    """Teacher files of both rooms."""
    folder = tmp_path_factory.mktemp('teacher')
    assert main(['teach', '--rooms', str(rooms), '--split', 'all', '--out', str(folder)]) == 0
    return folder


def evaluate(rooms, model, out, row, *more):
    words = ['--rooms', rooms, '--split', 'val', '--model', model, '--workers', '1']
    asked = [*words, '--results', out, '--row', row, *more]
    assert main(['evaluate', *map(str, asked)]) == 0
    return json.loads(out.with_suffix('.json').read_text())['results']


def test_a_row_of_the_table_holds_all_that_is_told_of_a_student(
    rooms, teacher, untrained_model, tmp_path, capsys
):
    out = tmp_path / 'results.md'
    told = evaluate(rooms, untrained_model, out, 'mine', '--config', 'none')['mine']
    assert 0 <= told['top1']['ap50'] <= told['top1']['ap25'] <= 1
    assert {'class_agnostic_ap50', 'class_agnostic_ap25', 'named_right_of_found'} <= set(
        told['top1']
    )
    assert told['words']['name']['questions'] > 0 and told['seconds'] > 0
    assert told['origin']['config'] == 'none' and told['origin']['command']
    both = evaluate(rooms, untrained_model, out, 'teacher', '--teacher', teacher)
    assert set(both) == {'mine', 'teacher'}
    assert both['teacher']['top1']['ap50'] > both['mine']['top1']['ap50']  # true masks, a CLIP
    assert '| mine ' in out.read_text() and '| teacher ' in out.read_text()
    assert 'mask pooling' in both['teacher']['origin']['config']


def test_a_teacher_on_trial_is_compared_with_and_without_its_steps(
    rooms, tmp_path, monkeypatch, capsys
):
    few = dict(list(variants_module.variants().items())[:2])
    monkeypatch.setattr(variants_module, 'variants', lambda: few)
    out = tmp_path / 'results.md'
    words = ['--rooms', rooms, '--split', 'val', '--out', tmp_path / 'files', '--results', out]
    assert main(['teach', '--ablate', *map(str, words)]) == 0
    rows = json.loads(out.with_suffix('.json').read_text())['ablations']['teacher']['rows']
    assert [row[0] for row in rows[1:]] == list(few)
    assert all(0 < float(row[1]) <= 1 for row in rows[1:])
    assert list(few)[1] in capsys.readouterr().out
