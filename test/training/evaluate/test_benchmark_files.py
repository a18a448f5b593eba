import numpy as np
import pytest
from scoring_cases import block, predict, random_masks

from folk_ros.training.evaluate.benchmark_files import (
    list_predictions,
    read_benchmark_predictions,
    read_truth,
    write_benchmark_predictions,
    write_truth,
)


def write_case(folder, lines, **masks):
    folder.mkdir(exist_ok=True)
    for name, text in masks.items():
        (folder / f'{name}.txt').write_text(text)
    (folder / 'scene.txt').write_text(lines)
    return folder / 'scene.txt'


def test_written_predictions_come_back_whole(tmp_path):
    rng = np.random.default_rng(3)
    masks, labels, scores = random_masks(rng, rng.choice([2001, 5001, 0], 1000))
    written = predict(masks, labels, scores)
    path = write_benchmark_predictions(tmp_path, 'scene0011_00', written)
    read, notes = read_benchmark_predictions(path, 1000)
    for key, value in vars(written).items():
        assert np.array_equal(getattr(read, key), value), key
    assert notes == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ['pred_mask', 'scene0011_00.txt']


def test_writing_again_replaces_what_was_there(tmp_path):
    write_benchmark_predictions(tmp_path, 's', predict(block(400, (0, 200), (0, 9))))
    write_benchmark_predictions(tmp_path, 's', predict(block(400, (5, 200))))
    read, _ = read_benchmark_predictions(tmp_path / 's.txt', 400)
    assert len(read) == 1
    assert len(list((tmp_path / 'pred_mask' / 's').iterdir())) == 1


def test_any_integer_but_zero_is_inside(tmp_path):
    path = write_case(tmp_path, 'm.txt 2 0.5\n', m='0\n-3\r\n17\n0')
    assert read_benchmark_predictions(path, 4)[0].points.tolist() == [1, 2]


def test_a_label_may_be_written_as_a_decimal_number(tmp_path):
    path = write_case(tmp_path, 'm.txt 2.0 1e-1\n', m='1\n')
    read, _ = read_benchmark_predictions(path, 1)
    assert (read.label.tolist(), read.score.tolist()) == ([2], [0.1])


def test_a_mask_named_twice_counts_with_its_last_line_and_is_told(tmp_path):
    path = write_case(tmp_path, 'm.txt 2 0.5\nn.txt 5 0.1\nm.txt 7 0.9\n', m='1\n', n='1\n')
    read, notes = read_benchmark_predictions(path, 1)
    assert (read.label.tolist(), read.score.tolist()) == ([7, 5], [0.9, 0.1])
    assert len(notes) == 1
    assert 'line 3: m.txt is named again' in notes[0]


def test_a_scene_without_predictions_is_none_found(tmp_path):
    assert len(read_benchmark_predictions(write_case(tmp_path, ''), 7)[0]) == 0


@pytest.mark.parametrize(
    ('lines', 'mask', 'message'),
    [
        ('m.txt 2\n', '1\n1\n', r"scene\.txt, line 1: expected 'relative/mask.txt label_id"),
        ('m.txt two 0.5\n', '1\n1\n', r'scene\.txt, line 1: expected'),
        ('m.txt 2 nan\n', '1\n1\n', 'line 1: expected a finite confidence, got nan'),
        ('../m.txt 2 0.5\n', '1\n1\n', 'relative to .* and lie below it'),
        ('/etc/passwd 2 0.5\n', '1\n1\n', 'relative to .* and lie below it'),
        ('none.txt 2 0.5\n', '1\n1\n', r'none\.txt: cannot be read'),
        ('m.txt 2 0.5\n', '1\n', r'm\.txt: expected 2 lines, .*got 1'),
        (
            'm.txt 2 0.5\n',
            '1\n0.5\n',
            r"m\.txt, line 2: expected an integer per vertex, got '0.5'",
        ),
        ('m.txt 2 0.5\n', '1\nx\n', r"m\.txt, line 2: expected an integer per vertex, got 'x'"),
        ('m.txt 2 0.5\n', '1\n\n', r"m\.txt, line 2: expected an integer per vertex, got ''"),
    ],
)
def test_broken_files_are_named_with_line_expected_and_got(tmp_path, lines, mask, message):
    path = write_case(tmp_path / 'in', lines, m=mask)
    with pytest.raises(ValueError, match=message):
        read_benchmark_predictions(path, 2)


def test_truth_comes_back_whole(tmp_path):
    truth = np.array([0, 1191040, 2001, 5], np.int64)
    write_truth(tmp_path / 's.txt', truth)
    assert read_truth(tmp_path / 's.txt').tolist() == truth.tolist()
    with pytest.raises(ValueError, match=r'none\.txt: cannot be read'):
        read_truth(tmp_path / 'none.txt')


def test_two_files_of_one_scene_are_refused(tmp_path):
    write_case(tmp_path, '')
    (tmp_path / 'scene.npz').write_bytes(b'')
    with pytest.raises(ValueError, match='are of one scene; keep one'):
        list_predictions(tmp_path)


def test_a_folder_without_predictions_is_told_what_was_expected(tmp_path):
    (tmp_path / 'semantic_instance_evaluation.txt').write_text('left by the official script')
    with pytest.raises(ValueError, match='expected <scene>.txt or <scene>.npz files, found none'):
        list_predictions(tmp_path)
