import numpy as np
import pytest
from safetensors.numpy import save_file

from folk_ros.training.distill.recipes import Recipe, SOFT
from folk_ros.training.distill.targets import fuse, read_views, Views
from folk_ros.training.distill.voting import soft_vote, vote

TEXT = np.eye(3, dtype=np.float32)


def views(*labels, noise=0.1):
    """One instance whose views look like the given labels."""
    array = np.full((1, len(labels), 3), noise, np.float32)
    for k, label in enumerate(labels):
        array[0, k, label] = 1.0
    return array / np.linalg.norm(array, axis=2, keepdims=True)


def test_the_majority_wins_and_the_others_are_dropped():
    votes = vote(views(1, 0, 1, 1), np.ones((1, 4), np.float32), TEXT)
    assert votes.label.tolist() == [1]
    assert votes.consistent.tolist() == [[True, False, True, True]]


def test_a_majority_of_small_views_beats_one_large_view():
    votes = vote(views(0, 1, 1), np.array([[100, 1, 1]], np.float32), TEXT)
    assert votes.label.tolist() == [1]


def test_a_tie_goes_to_the_label_that_sees_more():
    votes = vote(views(0, 2), np.array([[10, 30]], np.float32), TEXT)
    assert votes.label.tolist() == [2]


def test_missing_views_do_not_vote():
    votes = vote(views(0, 0, 1), np.array([[0, 0, 5]], np.float32), TEXT)
    assert votes.label.tolist() == [1]
    assert votes.consistent.tolist() == [[False, False, True]]


def test_an_instance_that_no_view_sees_has_no_label():
    assert vote(views(0, 1), np.zeros((1, 2), np.float32), TEXT).label.tolist() == [-1]


def test_the_fused_embedding_leaves_out_views_that_disagree():
    seen = views(1, 1, 0)
    targets = fuse(Views(seen, np.ones((1, 3), np.float32)), TEXT, Recipe())
    expected = seen[0, :2].mean(0)
    assert np.allclose(targets.embedding[0], expected / np.linalg.norm(expected), atol=1e-6)
    assert targets.odds[0].tolist() == [0, 1, 0]


def test_an_instance_whose_views_all_disagree_is_counted_and_left_out():
    targets = fuse(Views(views(0, 1, 2), np.ones((1, 3), np.float32)), TEXT, Recipe())
    assert (targets.disagreed, targets.label.tolist()) == (1, [-1])
    assert not targets.embedding.any()
    alone = fuse(Views(views(0), np.ones((1, 1), np.float32)), TEXT, Recipe())
    assert (alone.disagreed, alone.label.tolist()) == (0, [0])


def test_soft_votes_are_probabilities_and_heed_a_sure_view_more():
    doubtful = np.array([[[0.52, 0.48, 0.0], [0.0, 1.0, 0.0]]], np.float32)
    doubtful /= np.linalg.norm(doubtful, axis=2, keepdims=True)
    odds, weight = soft_vote(doubtful, np.ones((1, 2), np.float32), TEXT, 20.0)
    assert odds.sum(1) == pytest.approx([1.0])
    assert odds[0].argmax() == 1
    assert weight[0, 1] > 2 * weight[0, 0]


def test_a_view_that_is_not_there_has_no_soft_vote():
    odds, weight = soft_vote(views(0, 1), np.array([[0, 4]], np.float32), TEXT, 20.0)
    assert odds[0].argmax() == 1
    assert weight[0, 0] == 0
    unseen = fuse(Views(views(0), np.zeros((1, 1), np.float32)), TEXT, Recipe(voting=SOFT))
    assert (unseen.unseen, unseen.label.tolist()) == (1, [-1])


def test_a_teacher_file_of_another_clip_is_refused_with_both_names(tmp_path):
    path = tmp_path / 'scene.safetensors'
    save_file(
        {'embeddings': views(0), 'visibility': np.ones((1, 1), np.float32)},
        path,
        {'clip': 'ViT-L'},
    )
    with pytest.raises(ValueError, match="'ViT-L', the text tower in 'demo'"):
        read_views(path, 'demo')


def test_a_half_written_teacher_file_is_refused_by_name(tmp_path):
    path = tmp_path / 'scene.safetensors'
    save_file({'embeddings': views(0), 'visibility': np.ones((1, 1), np.float32)}, path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r'scene\.safetensors: not a teacher file'):
        read_views(path, 'demo')


def test_predicted_masks_of_low_quality_are_not_learned_from():
    seen = np.concatenate([views(0), views(1)])
    targets = fuse(
        Views(seen, np.ones((2, 1), np.float32), np.array([0.2, 0.8], np.float32)), TEXT, Recipe()
    )
    assert targets.label.tolist() == [-1, 1]
