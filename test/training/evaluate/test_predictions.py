from dataclasses import replace

import numpy as np
import pytest
from scoring_cases import block, predict

from folk_ros.training.evaluate.predictions import load_predictions, Predictions, save_predictions


def test_saved_predictions_come_back_whole(tmp_path):
    written = predict(block(400, (0, 200), (0, 0), (50, 400)), [2, 5, 7], [0.1, 0.2, 1 / 3])
    save_predictions(tmp_path / 'deep' / 'scene.npz', written)
    read = load_predictions(tmp_path / 'deep' / 'scene.npz')
    for key, value in vars(written).items():
        assert np.array_equal(getattr(read, key), value), key
    assert [path.name for path in (tmp_path / 'deep').iterdir()] == ['scene.npz']


def test_a_cut_off_file_is_named(tmp_path):
    path = tmp_path / 'scene.npz'
    save_predictions(path, predict(block(400, (0, 200))))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r'scene\.npz: no readable predictions'):
        load_predictions(path)


def test_a_file_without_scores_is_told_what_is_missing(tmp_path):
    np.savez(tmp_path / 'scene.npz', starts=np.zeros(1, np.int64))
    with pytest.raises(ValueError, match=r"'score'.* are missing"):
        load_predictions(tmp_path / 'scene.npz')


def test_as_many_masks_as_scores_are_needed():
    with pytest.raises(ValueError, match='got masks .*1, 400.*, 1 labels and 2 scores'):
        Predictions.from_masks(block(400, (0, 9)), np.array([2]), np.array([0.1, 0.2]))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'points': np.array([3, 2], np.int32)}, 'points: expected to rise'),
        ({'points': np.array([3, 3], np.int32)}, 'points: expected to rise'),
        ({'points': np.array([3, 400], np.int32)}, r'points: expected indices in \[0, 400\)'),
        ({'starts': np.array([0, 1])}, 'starts: expected to rise from 0 to 2'),
        ({'mask': np.array([1])}, r'mask: expected indices in \[0, 1\)'),
        ({'score': np.array([np.nan])}, r'score\[0\]: expected a number, got nan'),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    good = Predictions(
        np.array([0, 2]), np.array([3, 7], np.int32), np.array([0]), np.array([2]),
        np.array([0.5]), 400,
    )  # fmt: skip
    with pytest.raises(ValueError, match=message):
        replace(good, **change)


def test_points_may_fall_from_one_mask_to_the_next():
    two = predict(block(400, (300, 400), (0, 0), (0, 100)))
    assert two.points_of(2)[0] < two.points_of(0)[-1]
