import numpy as np
import pytest
from scoring_cases import block, LABELS, predict, random_masks, random_truth

from folk_ros.training.evaluate.matching import match_scene, rows_of, shared_points, tabulate


def test_shared_points_equal_the_intersections_of_the_sets():
    rng = np.random.default_rng(0)
    truth = random_truth(rng, 2000)
    masks, *_ = random_masks(rng, truth)
    table = tabulate(truth, LABELS)
    shared = shared_points(predict(masks), table)
    for row, mask in enumerate(masks):
        expected = [np.count_nonzero(mask & (truth == own)) for own in table.ids]
        assert shared[row].tolist() == [*expected, mask.sum() - sum(expected)]


def test_large_and_negative_ids_are_tabulated_like_small_ones():
    truth = np.repeat([2001, 5002, 0, 1001], 50)
    small = tabulate(truth, LABELS)
    with_large = tabulate(np.append(truth, [1 << 40, -7]), LABELS)
    assert small.ids.tolist() == with_large.ids.tolist() == [2001, 5002]
    assert with_large.owner.tolist() == [*small.owner.tolist(), 2, 2]


def test_rows_of_unknown_ids_are_minus_one():
    assert rows_of(np.array([40, 3, 2, 10**9, -5]), LABELS).tolist() == [3, -1, 0, -1, -1]


def test_a_mask_of_other_size_is_refused_with_both_sizes():
    with pytest.raises(ValueError, match=r'scene7: the masks cover 300 points, .* has 400'):
        match_scene('scene7', predict(block(300, (0, 200))), np.zeros(400, np.int64), LABELS)


def test_as_objects_a_wrong_label_still_matches_and_is_remembered():
    truth = np.repeat([2001, 0], 200)
    by_label, objects = match_scene('s', predict(block(400, (0, 200)), [5]), truth, LABELS)
    assert len(by_label.pair_iou) == 0
    assert objects.pair_iou.tolist() == [1.0]
    assert (objects.name.tolist(), objects.truth_name.tolist()) == ([1], [0])


def test_as_objects_a_mask_with_several_labels_counts_once_by_its_best():
    shared = predict(block(400, (0, 200)))
    two = type(shared)(
        shared.starts, shared.points, np.zeros(2, np.int64), np.array([2, 5]),
        np.array([0.2, 0.8]), 400,
    )  # fmt: skip
    truth = np.repeat([2001, 0], 200)
    by_label, objects = match_scene('s', two, truth, LABELS)
    assert len(by_label.label) == 2
    assert objects.row.tolist() == [1]


def test_a_prediction_of_a_label_that_is_not_scored_is_an_object_all_the_same():
    truth = np.repeat([2001, 0], 200)
    by_label, objects = match_scene('s', predict(block(400, (0, 200)), [999]), truth, LABELS)
    assert len(by_label.label) == 0
    assert objects.name.tolist() == [-1]


def test_inputs_are_left_untouched():
    truth = np.repeat([2001, 0], 200)
    before = truth.copy()
    truth.setflags(write=False)
    match_scene('s', predict(block(400, (0, 200))), truth, LABELS)
    assert (truth == before).all()
