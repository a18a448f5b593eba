"""`folk evaluate` on files of the benchmark, and with a student."""

import json

import numpy as np
import pytest

from folk_ros.cli.main import main
from folk_ros.training.evaluate.benchmark_files import write_truth
from folk_ros.training.scenes.scene import GroundTruth, save_scene, Scene

TRUTH = np.repeat([2001, 5001, 1003, 0], 150)  # chair, door, wall, unlabelled


@pytest.fixture
def case(tmp_path):
    """Two scenes in the benchmark's files: the chair is found, the door is called a chair."""
    for name in ('scene0011_00', 'scene0015_00'):
        write_truth(tmp_path / 'gt' / f'{name}.txt', TRUTH)
        masks = tmp_path / 'pred' / 'pred_mask'
        masks.mkdir(parents=True, exist_ok=True)
        for own, number in ((2001, 0), (5001, 1)):
            text = ''.join(f'{value}\n' for value in (own == TRUTH).astype(int))
            (masks / f'{name}_{number}.txt').write_text(text)
        lines = f'pred_mask/{name}_0.txt 2 0.9\npred_mask/{name}_1.txt 2 0.4\n'
        (tmp_path / 'pred' / f'{name}.txt').write_text(lines)
    return tmp_path


def score(case, *more):
    files = ['--pred', str(case / 'pred'), '--gt', str(case / 'gt')]
    out = case / 'scores.json'
    code = main(['evaluate', '--format', 'scannet200', *files, '--json', str(out), *more])
    return code, json.loads(out.read_text())


def test_the_figures_have_the_promised_keys(case, capsys):
    code, figures = score(case)
    assert code == 0
    assert figures['ap'] == figures['ap50'] == figures['ap25'] == figures['head'] == 0.5
    assert figures['common'] is None
    assert figures['tail'] is None
    assert figures['classes']['chair'] == {'ap': 1.0, 'ap50': 1.0, 'ap25': 1.0}
    assert figures['classes']['door']['ap'] == 0.0
    assert figures['classes']['bed']['ap'] is None
    assert 'wall' not in figures['classes']
    assert len(figures['classes']) == 198
    assert figures['class_agnostic_ap'] == 1.0
    assert figures['confidence'] == 'as predicted'
    assert '0.5000' in capsys.readouterr().out


def test_figures_are_written_to_the_last_digit(case):
    for name in ('scene0015_00', 'scene0019_00'):
        write_truth(case / 'gt' / f'{name}.txt', TRUTH)
        (case / 'pred' / f'{name}.txt').write_text('')
    (case / 'pred' / 'scene0011_00.txt').write_text('pred_mask/scene0011_00_0.txt 2 0.9\n')
    assert score(case)[1]['classes']['chair']['ap'] == 1 / 3


def test_a_broken_scene_is_told_others_go_on_and_the_code_says_so(case, capsys):
    (case / 'pred' / 'pred_mask' / 'scene0015_00_1.txt').write_text('1\n0\n')
    code, figures = score(case)
    assert code == 1
    assert (figures['scenes'], figures['scenes_failed']) == (1, 1)
    assert 'scene0015_00_1.txt: expected 600 lines' in capsys.readouterr().err


def test_a_prediction_without_truth_is_a_failed_scene(case, capsys):
    (case / 'gt' / 'scene0015_00.txt').unlink()
    code, figures = score(case)
    assert (code, figures['scenes_failed']) == (1, 1)
    assert 'scene0015_00.txt: cannot be read' in capsys.readouterr().err


def test_truth_without_predictions_is_told(case, capsys):
    (case / 'pred' / 'scene0015_00.txt').unlink()
    code, figures = score(case)
    assert (code, figures['scenes_without_predictions']) == (0, 1)
    assert '1 scenes have ground truth and no predictions' in capsys.readouterr().err


def test_label_ids_that_the_set_does_not_have_are_told(case, capsys):
    write_truth(case / 'gt' / 'scene0015_00.txt', np.where(TRUTH == 5001, 12001, TRUTH))
    lines = case / 'pred' / 'scene0011_00.txt'
    lines.write_text(lines.read_text().replace(' 2 0.4', ' 9999 0.4'))
    assert score(case)[0] == 0
    error = capsys.readouterr().err
    assert "scene0015_00.txt: label ids 12 are not in 'scannet200' and become void" in error
    assert "scene0011_00.txt: label ids 9999 are not in 'scannet200' and are not scored" in error
    assert error.count('label ids') == 2  # walls and unlabelled points are no surprise


def test_exported_predictions_score_the_same(case):
    _, before = score(case, '--export', str(case / 'again'))
    (case / 'pred').rename(case / 'old')
    (case / 'again').rename(case / 'pred')
    assert score(case)[1] == before


def test_confidence_one_is_stated(case):
    assert score(case, '--confidence', 'one')[1]['confidence'] == 'all 1.0'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--pred', 'x'], 'expected either --pred and --gt, or --rooms'),
        (['--pred', 'x', '--gt', 'y'], "--format: expected one of .*'scannet200'"),
        (['--pred', 'x', '--gt', 'y', '--format', 'nyu40'], "no label set 'nyu40'"),
        (['--pred', 'x', '--gt', 'y', '--format', 'scannet200'], 'x: expected a folder with'),
        (['--rooms', 'x'], "x: expected scene folders with truth.json of the split 'val'"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(['evaluate', *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    import re

    assert re.search(message, error), error


def test_a_student_is_scored_and_its_predictions_kept(
    small_cloud, small_truth, untrained_model, tmp_path
):
    truth = GroundTruth(small_truth, ['chair', 'lamp'], ((), ()), np.zeros(2, bool))
    save_scene(Scene('val_00000', small_cloud, truth), tmp_path / 'rooms')
    arguments = ['evaluate', '--rooms', str(tmp_path / 'rooms'), '--model', str(untrained_model)]
    kept, out = tmp_path / 'kept', tmp_path / 'scores.json'
    assert main([*arguments, '--out', str(kept), '--json', str(out)]) == 0
    figures = json.loads(out.read_text())
    assert figures['labels_with_truth'] == 2
    assert set(figures['classes']) == {'chair', 'table', 'bed', 'lamp'}
    assert figures['seconds_per_scene_median'] > 0
    assert (kept / 'val_00000.npz').is_file()
