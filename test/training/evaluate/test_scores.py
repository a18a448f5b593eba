import numpy as np

from folk_ros.structures import Boxes, Instances
from folk_ros.training.evaluate.matching import average_precision, match, overlaps
from folk_ros.training.evaluate.scores import class_agnostic, compare, named_right


def predicted(masks, quality):
    masks = np.array(masks, bool)
    count = len(masks)
    zero = np.zeros((count, 3), np.float32)
    starts = np.concatenate([[0], np.cumsum(masks.sum(1))])
    return Instances(
        starts=starts.astype(np.int64),
        points=masks.nonzero()[1].astype(np.int32),
        embeddings=np.ones((count, 1), np.float32),
        quality=np.array(quality, np.float32),
        boxes=Boxes(zero, zero, zero[:, 0].copy()),
        ids=np.arange(count, dtype=np.uint32),
        num_points=masks.shape[1],
    )


def test_overlaps_equal_the_ious_of_the_sets():
    rng = np.random.default_rng(0)
    masks = rng.random((5, 300)) < 0.3
    truth = rng.integers(-1, 4, 300).astype(np.int32)
    iou = overlaps(predicted(masks, np.ones(5)), truth, 4)
    for i in range(5):
        for t in range(4):
            own = truth == t
            assert np.isclose(iou[i, t], (masks[i] & own).sum() / (masks[i] | own).sum())


def test_two_predictions_on_one_object_count_one_false_positive():
    assert match(np.array([[0.8], [0.9]]), np.array([0.7, 0.9]), 0.5).tolist() == [-1, 0]


def test_average_precision_of_a_hand_computed_curve():
    # hit, miss, hit of 4 objects: precisions 1, 1/2, 2/3 (made monotone 1, 2/3, 2/3)
    value = average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 4)
    assert np.isclose(value, 0.25 * 1 + 0.25 * 2 / 3)


def test_a_wrong_name_is_found_but_not_named_right():
    truth = np.repeat([0, 1], 150).astype(np.int32)
    masks = [truth == 0, truth == 1]
    result = compare(predicted(masks, [0.9, 0.8]), ['chair', 'chair'], truth, ['chair', 'lamp'])
    assert named_right([result], 0.5) == {'chair': (1, 1, 1), 'lamp': (1, 1, 0)}
    assert class_agnostic([result], 0.5)['ap'] == 1.0
