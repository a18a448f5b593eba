import numpy as np
import pytest
from scoring_cases import block, LABELS, predict, random_masks, random_truth

from folk_ros.training.evaluate.mask_quality import (
    count_matches,
    count_panoptic,
    one_to_one,
    paint,
)
from folk_ros.training.evaluate.matching import match_scene

TWO = np.repeat([2001, 5001, 0], [200, 200, 200])


def objects(predictions, truth):
    return match_scene('s', predictions, truth, LABELS)[1]


def test_the_best_scored_prediction_chooses_first_and_each_truth_is_taken_once():
    masks = block(600, (0, 150), (0, 200), (200, 400))
    match = objects(predict(masks, scores=[0.9, 0.5, 0.7]), TWO)
    assert one_to_one(match, 0.5).tolist() == [0, -1, 1]
    assert one_to_one(match, 0.8).tolist() == [-1, 0, 1]


def test_recall_and_f1_of_a_hand_counted_scene():
    masks = block(600, (0, 200), (100, 330), (400, 600))  # hit, wrong, void
    counts = count_matches([objects(predict(masks), TWO)], 0.5)
    assert (counts.hits, counts.wrong, counts.missed) == (1, 1, 1)
    assert counts.recall == 0.5
    assert counts.f1 == 0.5


def test_nothing_to_find_and_nothing_found_is_no_figure():
    empty = predict(np.zeros((0, 600), bool))
    counts = count_matches([objects(empty, np.zeros(600, np.int64))], 0.5)
    assert np.isnan([counts.recall, counts.f1, counts.panoptic_quality]).all()


def test_painting_gives_every_point_to_its_best_scored_mask():
    rng = np.random.default_rng(1)
    masks, labels, scores = random_masks(rng, random_truth(rng, 1500))
    painted = paint(predict(masks, labels, scores))
    for point in range(1500):
        on = np.flatnonzero(masks[:, point])
        best = [row for row in on if scores[row] == scores[on].max()][:1]
        assert [r for r in range(len(masks)) if point in painted.points_of(r)] == best


def slow_panoptic(masks, scores, truth):
    """Panoptic quality with sets, one class."""
    owner = np.full(len(truth), -1)
    for point in range(len(truth)):
        on = np.flatnonzero(masks[:, point])
        if len(on):
            owner[point] = on[scores[on].argmax()]
    scored = np.isin(truth // 1000, LABELS.ids)
    true = [truth == own for own in np.unique(truth[scored])]
    hits, wrong, found, total = 0, 0, set(), 0.0
    for row in range(len(masks)):
        mask = owner == row
        inside = mask & scored
        ious = [(mask & t).sum() / max((inside | t).sum(), 1) for t in true]
        best = int(np.argmax(ious)) if ious and max(ious) > 0.5 else -1
        if best >= 0 and true[best].sum() >= 100:
            hits, total = hits + 1, total + ious[best]
            found.add(best)
        elif best < 0 and mask.sum() >= 100 and (mask & ~scored).sum() <= 0.5 * mask.sum():
            wrong += 1
    missed = sum(t.sum() >= 100 for t in true) - len(found)
    return hits, wrong, missed, total


@pytest.mark.parametrize('seed', range(12))
def test_panoptic_counts_equal_those_of_sets(seed):
    rng = np.random.default_rng(seed)
    truth = random_truth(rng, 1200)
    masks, labels, scores = random_masks(rng, truth)
    counts = count_panoptic(predict(masks, labels, scores), truth, LABELS)
    hits, wrong, missed, total = slow_panoptic(masks, scores, truth)
    assert (counts.hits, counts.wrong, counts.missed) == (hits, wrong, missed)
    assert counts.iou == pytest.approx(total)


def test_panoptic_quality_of_a_perfect_scene_is_one():
    counts = count_panoptic(predict(block(600, (0, 200), (200, 400))), TWO, LABELS)
    assert counts.panoptic_quality == 1.0
