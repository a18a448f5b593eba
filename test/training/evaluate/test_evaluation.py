import json

import numpy as np
import pytest
from scoring_cases import block, LABELS, predict

from folk_ros.structures import Boxes, Instances
from folk_ros.training.evaluate.benchmark_files import write_truth
from folk_ros.training.evaluate.evaluation import Choices, evaluate, Task
from folk_ros.training.evaluate.labelling import label_instances
from folk_ros.training.evaluate.predictions import Predictions, save_predictions

TRUTH = np.repeat([2001, 5001, 0], [200, 200, 200])


def pairs_on_two_masks():
    masks = predict(block(600, (0, 200), (200, 400)))
    return Predictions(
        masks.starts, masks.points, np.array([0, 0, 1, 1]), np.array([2, 5, 2, 5]),
        np.array([0.9, 0.8, 0.1, 0.3]), 600,
    )  # fmt: skip


def make_task(folder, name, predictions, choices=Choices()):  # noqa: B008 - frozen
    save_predictions(folder / 'pred' / f'{name}.npz', predictions)
    write_truth(folder / 'gt' / f'{name}.txt', TRUTH)
    return Task(
        name, folder / 'pred' / f'{name}.npz', folder / 'gt' / f'{name}.txt', LABELS, choices
    )


def test_top_1_keeps_the_best_label_of_each_mask():
    kept = Choices(pairs=1).apply(pairs_on_two_masks())
    assert (kept.mask.tolist(), kept.label.tolist()) == ([0, 1], [2, 5])


def test_top_k_keeps_the_best_pairs_of_the_scene_in_their_order():
    kept = Choices(pairs=3).apply(pairs_on_two_masks())
    assert kept.score.tolist() == [0.9, 0.8, 0.3]


def test_all_scores_become_one_after_the_pairs_were_chosen():
    kept = Choices(confidence='one', pairs=1).apply(pairs_on_two_masks())
    assert (kept.label.tolist(), kept.score.tolist()) == ([2, 5], [1.0, 1.0])


def test_choices_are_said_in_words_and_checked():
    assert Choices('one', 600).words() == {
        'confidence': 'all 1.0',
        'pairs': 'Top-K: best 600 pairs of a scene',
    }
    with pytest.raises(ValueError, match='expected confidence scores or one'):
        Choices('high')


def test_any_number_of_workers_gives_the_same_figures(tmp_path):
    tasks = [make_task(tmp_path, f's{k}', pairs_on_two_masks()) for k in range(3)]
    one, two = (json.dumps(evaluate(tasks, workers).figures()) for workers in (1, 2))
    assert one == two


def test_a_broken_scene_is_left_out_named_and_counted(tmp_path):
    good = make_task(tmp_path, 'good', pairs_on_two_masks())
    bad = make_task(tmp_path, 'bad', pairs_on_two_masks())
    write_truth(bad.truth, TRUTH[:-1])
    seen = []
    result = evaluate([good, bad], progress=lambda scene: seen.append(scene.scene_id))
    assert seen == ['good', 'bad']
    assert 'the masks cover 600 points, the ground truth has 599' in result.failed['bad']
    assert result.figures()['scenes'] == 1
    assert result.figures()['scenes_failed'] == 1


def test_no_scene_that_can_be_scored_is_an_error(tmp_path):
    bad = make_task(tmp_path, 'bad', pairs_on_two_masks())
    bad.predictions.write_bytes(b'nothing')
    with pytest.raises(ValueError, match='none of 1 scenes could be scored; the first: .*bad.npz'):
        evaluate([bad])


def test_found_and_named_right_are_counted_apart(tmp_path):
    wrong = predict(block(600, (0, 200), (200, 400)), [2, 7])
    result = evaluate([make_task(tmp_path, 's', wrong)])
    assert result.named_right() == {'chair': (1, 1, 1), 'door': (1, 1, 0)}
    assert result.figures()['named_right_of_found'] == 0.5
    assert result.figures()['class_agnostic_ap'] == 1.0
    assert result.figures()['ap'] == 0.5


def instances(embeddings, quality):
    zero = np.zeros((2, 3), np.float32)
    return Instances(
        starts=np.array([0, 2, 4]),
        points=np.array([3, 1, 0, 2], np.int32),
        embeddings=np.array(embeddings, np.float32),
        quality=np.array(quality, np.float32),
        boxes=Boxes(zero, zero, zero[:, 0].copy()),
        ids=np.arange(2, dtype=np.uint32),
        num_points=5,
    )


def test_instances_get_the_label_of_the_nearest_text_and_keep_their_quality():
    found = label_instances(
        instances([[1, 0, 0], [0, 0, 1]], [0.5, 0.75]),
        np.eye(4, 3, dtype=np.float32),
        LABELS,
        20.0,
    )
    assert (found.label.tolist(), found.score.tolist()) == ([2, 7], [0.5, 0.75])
    assert found.points_of(0).tolist() == [1, 3]


def test_top_k_pairs_share_masks_and_weigh_quality_by_probability():
    found = label_instances(
        instances([[1, 0, 0], [0, 0, 1]], [0.5, 0.75]),
        np.eye(4, 3, dtype=np.float32),
        LABELS,
        1.0,
        3,
    )
    odds = np.exp(1) / (np.exp(1) + 3)
    assert found.mask[:2].tolist() == [1, 0]
    assert found.score[:2] == pytest.approx([0.75 * odds, 0.5 * odds])
    assert len(found) == 3


def test_nothing_found_is_no_prediction():
    empty = Instances.empty(3)
    for pairs in (1, 600):
        assert len(label_instances(empty, np.eye(4, 3, dtype=np.float32), LABELS, 1.0, pairs)) == 0
