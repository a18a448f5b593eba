import numpy as np
import pytest
import torch

from folk_ros.config import SegmentConfig
from folk_ros.query import Vocabulary
from folk_ros.structures import PointCloud
from folk_ros.student.engine import build_levels
from folk_ros.student.mask3d import Mask3D, Mask3DConfig
from folk_ros.student.mask_decoder import DecoderConfig
from folk_ros.student.mask_quality import quality_of_classes, SCORE_POWER
from folk_ros.student.query_sources import coarsened
from folk_ros.student.res16unet import Res16UNetConfig
from folk_ros.student.vl_adapter import adapter_width
from folk_ros.student.weights import load_masks, load_student, save_student, with_adapter
from folk_ros.voxels import voxelize

TINY = Mask3DConfig(
    backbone=Res16UNetConfig(
        stem=4,
        encoder=(4, 6, 8, 8),
        decoder=(8, 6, 4, 6),
        encoder_blocks=(1, 1, 1, 1),
        decoder_blocks=(1, 1, 1, 1),
    ),
    decoder=DecoderConfig(embed=16, width=16, heads=2, feed=8, rounds=1, queries=9, classes=3),
)


def network(config=TINY, seed=0):
    torch.manual_seed(seed)
    return Mask3D(config).eval()


def room(colour=True):
    rng = np.random.default_rng(0)
    xyz = rng.uniform(0, 0.6, (3000, 3)).astype(np.float32)
    rgb = rng.integers(0, 256, (3000, 3)).astype(np.uint8) if colour else None
    return voxelize(PointCloud(xyz, rgb), TINY.voxel_size_m)


def test_quality_is_class_sureness_times_mean_mask_value_spread_by_a_power():
    logits = torch.tensor([[2.0, 1.0, -4.0], [-1.0, -1.0, -1.0]])
    classes = torch.tensor([[3.0, 0.0, 1.0], [0.0, 5.0, 0.0]])
    sure = classes[0].softmax(0)[0]
    expected = float(sure * logits[0, :2].sigmoid().mean()) ** SCORE_POWER
    quality = quality_of_classes(classes, logits.sigmoid())
    assert quality.tolist() == pytest.approx([expected, 0.0], abs=1e-6)


def test_no_object_is_no_class():
    classes = torch.tensor([[0.0, 0.0, 9.0]])
    quality = quality_of_classes(classes, torch.ones(1, 4).sigmoid())
    assert float(quality) < 0.2


def test_open_yolo_3ds_threshold_is_the_programs_own():
    assert pytest.approx(SegmentConfig().min_quality, abs=0.01) == 0.04**SCORE_POWER


def test_a_prediction_is_sorted_within_the_limits_and_repeats_itself():
    student, voxels = network(), room()
    found = student.predict(voxels, 0.0, 0.6)
    assert 1 <= len(found.quality) <= 9
    assert torch.equal(found.quality, found.quality.sort(descending=True)[0])
    assert set(found.owner.tolist()) == set(range(len(found.quality)))
    assert int(found.rows.max()) < len(voxels)
    again = student.predict(voxels, 0.0, 0.6)
    assert torch.equal(found.rows, again.rows)
    assert len(student.predict(voxels, 1.1, 0.6).quality) == 0


def test_clouds_of_one_voxel_and_without_colour_are_segmented():
    student = network()
    assert len(student.predict(room(colour=False), 0.0, 0.6).quality) >= 1
    lone = voxelize(PointCloud(np.zeros((1, 3), np.float32)), TINY.voxel_size_m)
    found = student.predict(lone, 0.0, 0.6)
    assert bool(found.quality.isfinite().all())


def test_folks_adapter_reads_the_plain_average_of_the_finest_features():
    student = with_adapter(network(), 'toy', 'tower', 5)
    voxels = room()
    with torch.no_grad():
        sight = student.look(voxels)
        owner, rows = torch.tensor([0, 0, 1]), torch.tensor([3, 8, 5])
        pooled = student.adapter_input(sight, owner, rows, torch.tensor([0.9, 0.1, 0.5]))
    finest = sight.features[0]
    assert torch.allclose(pooled[0], (finest[3] + finest[8]) / 2, atol=1e-6)
    assert torch.allclose(pooled[1], finest[5], atol=1e-6)
    assert pooled.shape[1] == adapter_width('folk', student.backbone.channels) == 6
    embeddings = student.predict(voxels, 0.0, 0.6).embeddings
    assert torch.allclose(embeddings.norm(dim=1), torch.ones(len(embeddings)), atol=1e-5)


def test_a_new_adapter_leaves_the_masks_as_they_are():
    before, voxels = network(), room()
    after = with_adapter(before, 'toy', 'tower', 5)
    assert (after.config.clip, after.config.text_tower) == ('toy', 'tower')
    one, two = before.predict(voxels, 0.0, 0.6), after.predict(voxels, 0.0, 0.6)
    assert torch.equal(one.rows, two.rows) and torch.equal(one.quality, two.quality)


def test_masks_without_embeddings_are_kept_but_refused_where_words_are_asked(tmp_path):
    student, path = network(), tmp_path / 'student.safetensors'
    save_student(path, student, None, half=False, provenance='random')
    again = load_masks(path)
    voxels = room()
    one, two = student.predict(voxels, 0.0, 0.6), again.predict(voxels, 0.0, 0.6)
    assert torch.equal(one.rows, two.rows) and torch.equal(one.quality, two.quality)
    assert again.config == TINY
    with pytest.raises(ValueError, match='masks but no embeddings.*folk distill --masks'):
        load_student(path)


def test_with_an_adapter_it_is_a_student_like_any_other(tmp_path):
    path = tmp_path / 'student.safetensors'
    vocabulary = Vocabulary(('a', 'b'), np.eye(2, 5, dtype=np.float32), 20.0, 0.4)
    save_student(path, with_adapter(network(), 'toy', 'tower', 5), vocabulary)
    student, words = load_student(path)
    assert isinstance(student, Mask3D)
    assert words.names == ('a', 'b')
    assert student.predict(room(), 0.0, 0.6).embeddings.shape[1] == 5


def test_coarse_values_are_means_of_means():
    coords = torch.tensor([[0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 1, 1], [0, 2, 0, 0]])
    values = torch.tensor([[1.0], [3.0], [5.0], [7.0]])
    _, middle, top = coarsened(values, build_levels(coords, 3))
    assert middle[:, 0].tolist() == [3.0, 7.0]
    assert top[:, 0].tolist() == [5.0]  # not 4: each child counts once, however full it is
