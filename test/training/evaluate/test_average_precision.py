"""The fast way against the pair-by-pair twin, and against what can be worked out by hand."""

import numpy as np
import pytest
from scoring_cases import block, LABELS, predict, random_masks, random_truth

from folk_ros.training.evaluate import per_pair
from folk_ros.training.evaluate.average_precision import curve, score_scenes, THRESHOLDS
from folk_ros.training.evaluate.matching import match_scene

ONE = np.repeat([2001, 0], [200, 200])  # one chair on points 0 to 199, then void


def scores_of(*scenes):
    """Score (predictions, truth) pairs by label."""
    return score_scenes(
        [match_scene(f's{k}', *s, LABELS)[0] for k, s in enumerate(scenes)], LABELS
    )


def chair(*scenes):
    return scores_of(*scenes).of_label(0)


@pytest.mark.parametrize('seed', range(60))
def test_the_fast_way_equals_the_pair_by_pair_way(seed):
    rng = np.random.default_rng(seed)
    matches, assigned = [], []
    for _ in range(rng.integers(1, 4)):
        truth = random_truth(rng, int(rng.integers(300, 3000)))
        masks, labels, scores = random_masks(rng, truth)
        matches.append(match_scene('s', predict(masks, labels, scores), truth, LABELS)[0])
        parts = masks, labels.tolist(), scores.tolist(), truth, LABELS
        assigned.append(per_pair.assign_scene(*parts))
    fast, slow = score_scenes(matches, LABELS).ap, per_pair.average_precision(assigned, LABELS)
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-12)


def test_there_are_nine_thresholds_without_095_and_a_tenth_of_025():
    assert np.allclose(THRESHOLDS, [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.25])


def test_a_perfect_prediction_scores_one():
    assert chair((predict(block(400, (0, 200))), ONE)) == {'ap': 1.0, 'ap50': 1.0, 'ap25': 1.0}


def test_an_iou_of_exactly_the_threshold_is_no_match():
    half = predict(block(400, (0, 100)))
    assert chair((half, ONE))['ap50'] == 0.0
    assert chair((half, ONE))['ap25'] == 1.0


def test_the_second_prediction_on_an_object_is_a_false_positive_with_the_lower_score():
    twice = block(400, (0, 200), (0, 190))
    worse_first = chair((predict(twice, scores=[0.3, 0.9]), ONE))
    better_first = chair((predict(twice, scores=[0.9, 0.3]), ONE))
    assert worse_first == better_first
    # precision 1 at recall 1, then 1/2 at recall 1: the curve's steps weigh both
    assert worse_first['ap50'] == pytest.approx(
        curve(np.array([0.9, 0.3]), np.array([True, False]), 0).ap
    )


def test_constant_scores_give_recall_times_one_plus_precision_over_two():
    truth = np.repeat([2001, 2002, 2003, 5001], 150)
    masks = block(600, (0, 150), (150, 300), (450, 600))  # two of three chairs, one wrong
    assert chair((predict(masks), truth))['ap50'] == pytest.approx(2 / 3 * (1 + 2 / 3) / 2)


def test_a_prediction_in_void_is_no_error():
    masks = block(400, (0, 200), (200, 400))
    assert chair((predict(masks, scores=[0.5, 0.9]), ONE))['ap'] == 1.0


def test_a_prediction_on_truth_too_small_to_be_asked_for_is_no_error():
    truth = np.repeat([2001, 2002, 5001], [200, 99, 101])
    masks = block(400, (0, 200), (200, 300))  # the second: 99 of the small chair, 1 of a door
    assert chair((predict(masks, scores=[0.5, 0.9]), truth))['ap'] == 1.0
    other_label = np.where(truth == 2002, 5002, truth)
    assert chair((predict(masks, scores=[0.5, 0.9]), other_label))['ap50'] < 1.0


def test_predictions_under_a_hundred_points_are_dropped():
    truth = np.repeat([2001, 5001], 200)
    masks = block(400, (0, 200), (201, 300))
    assert chair((predict(masks, scores=[0.5, 0.9]), truth))['ap'] == 1.0


def test_a_label_with_truth_and_no_prediction_counts_zero_and_one_without_truth_not_at_all():
    scores = scores_of((predict(block(400, (0, 200)), [40]), ONE))
    assert scores.of_label(0) == {'ap': 0.0, 'ap50': 0.0, 'ap25': 0.0}
    assert np.isnan(scores.of_label(3)['ap'])
    assert scores.mean() == {'ap': 0.0, 'ap50': 0.0, 'ap25': 0.0}
    assert np.isnan(scores.mean('tail')['ap'])


def test_groups_average_over_their_own_labels():
    truth = np.repeat([2001, 5001, 7001], 200)
    masks = block(600, (0, 200), (400, 600))
    scores = scores_of((predict(masks, [2, 7]), truth))
    assert scores.mean('head')['ap'] == 0.5
    assert scores.mean('tail')['ap'] == 1.0
    assert scores.mean()['ap'] == pytest.approx(2 / 3)


def test_only_ignored_predictions_score_zero_where_there_is_truth():
    assert chair((predict(block(400, (200, 400))), ONE))['ap'] == 0.0


def test_scenes_are_scored_together_not_averaged():
    empty = predict(np.zeros((0, 400), bool))
    found = predict(block(400, (0, 200)))
    assert chair((found, ONE), (empty, ONE))['ap'] == 0.5


def test_no_scene_gives_no_figure():
    scores = score_scenes([], LABELS)
    assert np.isnan(scores.ap).all()
    assert np.isnan(scores.mean()['ap'])
