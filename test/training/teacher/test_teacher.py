from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.scene import GroundTruth, Scene, View
from folk_ros.training.teacher.mask_pooling import cell_weights, pool_by_mask, pool_embeddings
from folk_ros.training.teacher.teacher import Predicted, teach_scene, TeacherConfig, Texts
from folk_ros.training.teacher.teacher_file import (
    is_taught,
    load_teacher_file,
    save_teacher_file,
)

HEIGHT, WIDTH, FOCAL = 48, 64, 50.0
CONFIG = TeacherConfig(views=3)


class ColourTower:
    """Dense features are the colours themselves, at half the size."""

    name = 'colours'
    dim = 3

    def dense(self, images):
        return torch.nn.functional.avg_pool2d(images, 2)

    def embed_crops(self, crops):
        return torch.stack([crop.mean((1, 2)) for crop in crops])


def view_of(squares, turn_deg=0.0):
    """
    A camera at the origin looking along world z at a wall at 2 m.

    Squares are (row, column, colour), 12 pixels wide. Turned about its axis.
    """
    rgb = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for row, column, colour in squares:
        rgb[row : row + 12, column : column + 12] = colour
    intrinsics = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]], np.float32)
    pose = np.eye(4, dtype=np.float32)
    angle = np.radians(turn_deg)
    pose[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return View(rgb, np.full((HEIGHT, WIDTH), 2.0, np.float32), intrinsics, pose)


def points_of(row, column):
    """Points on the wall, one per second pixel of a square, for the camera that is not turned."""
    r, c = np.mgrid[row : row + 12 : 2, column : column + 12 : 2].reshape(2, -1)
    xyz = np.stack(
        [(c - WIDTH / 2) * 2 / FOCAL, (r - HEIGHT / 2) * 2 / FOCAL, np.full(36, 2.0)], 1
    )
    return xyz.astype(np.float32)


def scene(views, squares):
    xyz = np.concatenate([points_of(row, column) for row, column, _ in squares])
    xyz = np.concatenate([xyz, [[50, 50, 50]]]).astype(np.float32)  # one point nobody sees
    owner = np.append(np.arange(len(squares)).repeat(36), len(squares)).astype(np.int32)
    names = [f'square {k}' for k in range(len(squares))] + ['far away']
    truth = GroundTruth(owner, names, ((),) * len(names), np.zeros(len(names), bool))
    return Scene('s1', PointCloud(xyz), truth, views)


SQUARES = [(6, 8, (255, 0, 0)), (26, 40, (0, 0, 255))]


def test_each_instance_gets_the_features_under_its_own_mask():
    taught = teach_scene(scene([view_of(SQUARES)], SQUARES), ColourTower(), CONFIG)
    assert taught.clip == 'colours'
    assert np.allclose(taught.embeddings[0, 0], [1, 0, 0], atol=0.25)
    assert np.allclose(taught.embeddings[1, 0], [0, 0, 1], atol=0.25)
    assert taught.visibility[:2, 0].tolist() == [36, 36]


def test_an_instance_no_view_sees_has_no_views_and_no_embedding():
    taught = teach_scene(scene([view_of(SQUARES)], SQUARES), ColourTower(), CONFIG)
    assert taught.view_ids[2].tolist() == [-1, -1, -1]
    assert not taught.embeddings[2].any() and not taught.visibility[2].any()


def test_of_two_equal_cameras_one_is_used_and_a_turned_one_is_kept():
    views = [view_of(SQUARES), view_of(SQUARES), view_of([], turn_deg=10)]
    taught = teach_scene(scene(views, SQUARES), ColourTower(), CONFIG)
    assert taught.view_ids[0].tolist() == [0, 2, -1]


def test_views_that_see_too_little_are_not_used():
    config = replace(CONFIG, min_pixels=37)
    taught = teach_scene(scene([view_of(SQUARES)], SQUARES), ColourTower(), config)
    assert (taught.view_ids == -1).all()


def test_a_scene_without_views_or_truth_is_refused():
    whole = scene([view_of(SQUARES)], SQUARES)
    for part in (replace(whole, views=()), replace(whole, truth=None)):
        with pytest.raises(ValueError, match='s1'):
            teach_scene(part, ColourTower(), CONFIG)


def test_predicted_instances_are_taught_in_place_of_true_ones_and_kept_with_the_file():
    whole = scene([view_of(SQUARES)], SQUARES)
    swapped = np.array([1, 0, -1], np.int32)[whole.truth.point_instance]
    found = Predicted(swapped, np.array([0.9, 0.4, 0.1], np.float32))
    taught = teach_scene(replace(whole, truth=None), ColourTower(), CONFIG, found)
    assert taught.embeddings.shape[0] == 3 and taught.unseen == 1  # one has lost all its points
    assert np.allclose(taught.embeddings[1, 0], [1, 0, 0], atol=0.25)
    assert np.array_equal(taught.point_instance, swapped)
    assert np.array_equal(taught.quality, found.quality)


def test_instances_for_another_cloud_are_refused():
    found = Predicted(np.zeros(3, np.int32), np.ones(1, np.float32))
    with pytest.raises(ValueError, match='given for 3 points'):
        teach_scene(scene([view_of(SQUARES)], SQUARES), ColourTower(), CONFIG, found)


def test_each_view_is_asked_which_name_it_shows():
    texts = Texts(('blue', 'red'), np.array([[0, 0, 1], [1, 0, 0]], np.float32))
    whole = scene([view_of(SQUARES)], SQUARES)
    taught = teach_scene(whole, ColourTower(), CONFIG, texts=texts)
    assert taught.logits[:2, 0].argmax(1).tolist() == [1, 0]
    assert np.allclose(taught.logits, taught.embeddings @ texts.embeddings.T)


def test_crops_show_more_than_the_mask_does():
    whole = scene([view_of(SQUARES)], SQUARES)
    mask, crops = (
        teach_scene(whole, ColourTower(), replace(CONFIG, pooling=p)) for p in ('mask', 'crops')
    )
    assert np.array_equal(mask.view_ids, crops.view_ids)
    assert crops.embeddings[0, 0].argmax() == 0
    assert crops.embeddings[0, 0, 1] > 0 and mask.embeddings[0, 0, 0] != crops.embeddings[0, 0, 0]


def test_views_go_through_the_tower_together_and_nothing_changes():
    views = [view_of(SQUARES), view_of(SQUARES, 10), view_of(SQUARES, -20)]
    one, all_ = (
        teach_scene(scene(views, SQUARES), ColourTower(), replace(CONFIG, batch=b)) for b in (1, 3)
    )
    assert (one.view_ids >= 0).sum() > 2
    assert np.allclose(one.embeddings, all_.embeddings, atol=1e-6)


class Torn(list):
    """Views of which some cannot be read."""

    broken = ()

    def __getitem__(self, number):
        if number in self.broken:
            raise ValueError(f'view {number}: image file is missing')
        return super().__getitem__(number)


def test_a_view_whose_image_is_missing_is_left_out_and_counted():
    views = Torn([view_of(SQUARES), view_of(SQUARES, 10)])
    views.broken = (0,)
    taught = teach_scene(scene(views, SQUARES), ColourTower(), CONFIG)
    assert taught.views_missing == 1
    assert set(taught.view_ids[:2].ravel().tolist()) == {1, -1}


def test_a_scene_of_which_no_image_can_be_read_is_refused():
    views = Torn([view_of(SQUARES)])
    views.broken = (0,)
    with pytest.raises(ValueError, match='s1: none of its views can be read'):
        teach_scene(scene(views, SQUARES), ColourTower(), CONFIG)


def test_of_many_views_only_each_nth_is_looked_at():
    views = [view_of(SQUARES, 10 * k) for k in range(4)]
    taught = teach_scene(scene(views, SQUARES), ColourTower(), replace(CONFIG, every=3))
    assert set(taught.view_ids.ravel().tolist()) <= {0, 3, -1}


def test_a_pooling_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="'mask', 'crops'"):
        TeacherConfig(pooling='sam')


def test_a_file_of_another_clip_or_of_other_settings_is_not_taken_for_ready(tmp_path):
    taught = teach_scene(scene([view_of(SQUARES)], SQUARES), ColourTower(), CONFIG)
    path = save_teacher_file(replace(taught, settings='a'), tmp_path)
    assert is_taught(path, 'colours', 'a') and not is_taught(tmp_path / 'none', 'colours', 'a')
    for clip, settings in (('shapes', 'a'), ('colours', 'b')):
        with pytest.raises(ValueError, match='taught by colours with a'):
            is_taught(path, clip, settings)
    path.write_bytes(path.read_bytes()[:90])
    assert not is_taught(path, 'colours', 'a')


def test_a_teacher_file_comes_back_as_it_was_written(tmp_path):
    owner = scene([], SQUARES).truth.point_instance
    texts = Texts(('red',), np.array([[1, 0, 0]], np.float32))
    whole = scene([view_of(SQUARES)], SQUARES)
    found = Predicted(owner, np.ones(3, np.float32))
    taught = teach_scene(whole, ColourTower(), CONFIG, found, texts)
    path = save_teacher_file(taught, tmp_path / 'teacher')
    back = load_teacher_file(path)
    assert path.name == 's1.safetensors' and [p.name for p in path.parent.iterdir()] == [path.name]
    assert (back.scene_id, back.clip) == ('s1', 'colours')
    assert np.allclose(back.embeddings, taught.embeddings, atol=1e-3)
    assert np.array_equal(back.view_ids, taught.view_ids)
    assert np.array_equal(back.visibility, taught.visibility)
    assert back.names == ('red',) and np.allclose(back.logits, taught.logits, atol=1e-3)
    assert np.array_equal(back.point_instance, owner) and back.quality.tolist() == [1, 1, 1]


@pytest.mark.parametrize('keep', [0, 20, 200])
def test_a_half_written_teacher_file_is_never_read(tmp_path, keep):
    taught = teach_scene(scene([view_of(SQUARES)], SQUARES), ColourTower(), CONFIG)
    path = save_teacher_file(taught, tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match='not a teacher file'):
        load_teacher_file(path)


def test_pooling_is_the_mean_over_covered_pixels():
    random = torch.Generator().manual_seed(0)
    features = torch.randn(4, 3, 5, generator=random)
    masks = torch.rand(2, 12, 20, generator=random) < 0.5
    pooled = pool_by_mask(features, cell_weights(masks, (3, 5)))
    large = features.repeat_interleave(4, 1).repeat_interleave(4, 2)  # [4, 12, 20]
    for mask, row in zip(masks, pooled, strict=True):
        assert torch.allclose(row, large[:, mask].mean(1), atol=1e-6)


def test_pooled_embeddings_are_unit_and_an_empty_mask_gives_zeros():
    masks = torch.zeros(2, 8, 8, dtype=torch.bool)
    masks[0, 2:4] = True
    lengths = pool_embeddings(torch.randn(6, 4, 4), masks).norm(dim=1)
    assert lengths.tolist() == pytest.approx([1, 0], abs=1e-5)
