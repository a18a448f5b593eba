from __future__ import annotations

from dataclasses import replace
import hashlib

import numpy as np
import pytest
import torch

from folk_ros.structures import PointCloud
from folk_ros.training.demo_clip.data import (
    augment,
    cell_counts,
    image_tensor,
    pool_regions,
    read_regions,
    Regions,
)
from folk_ros.training.demo_clip.evaluate import (
    embed_instances,
    naming_report,
    retrieval_report,
    Seen,
)
from folk_ros.training.demo_clip.tower import (
    DemoImageTower,
    grown,
    load_image_tower,
    save_image_tower,
    widened,
)
from folk_ros.training.demo_clip.train import train_demo_clip, TrainConfig
from folk_ros.training.demo_clip.words import caption_loss, caption_shares, rarity_of
from folk_ros.training.scenes.scene import GroundTruth, save_scene, Scene, View
from folk_ros.training.teacher.mask_pooling import cell_weights, pool_by_mask

COLOURS = {'apple': (200, 30, 30), 'leaf': (30, 200, 30), 'sky': (40, 60, 220)}
CONFIG = TrainConfig(steps=30, batch=4, every=1, lr=1e-2, save_every=5)


class WordVectors:
    """Texts to fixed random directions: a text space without a language."""

    name = 'random-words'
    dim = 16

    def encode(self, texts):
        seeds = [int(hashlib.sha256(t.encode()).hexdigest()[:8], 16) for t in texts]
        rows = np.stack([np.random.default_rng(s).standard_normal(self.dim) for s in seeds])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def room(index: int, novel: bool = False) -> Scene:
    """Three flat patches before a grey wall, seen in two views."""
    random = np.random.default_rng(index)
    views = []
    for _ in range(2):
        rgb = np.full((48, 64, 3), 120, np.uint8)
        instance = np.full((48, 64), -1, np.int32)
        for row, (name, column) in enumerate(zip(COLOURS, random.permutation(3), strict=True)):
            top = random.integers(4, 28)
            patch = np.s_[top : top + 16, 20 * column + 2 : 20 * column + 18]
            rgb[patch] = COLOURS[name]
            instance[patch] = row
        eye = np.eye(4, dtype=np.float32)
        views.append(View(rgb, np.ones((48, 64), np.float32), eye[:3, :3], eye, instance))
    truth = GroundTruth(
        np.arange(3, dtype=np.int32),
        list(COLOURS),
        tuple((f'{name} thing',) for name in COLOURS),
        np.array([False, False, novel]),
    )
    return Scene(f'train_{index:04d}', PointCloud(np.zeros((3, 3), np.float32)), truth, views)


@pytest.fixture(scope='module')
def rooms(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp('rooms')
    return [save_scene(room(i), folder) for i in range(4)]


def test_counting_pixels_per_cell_agrees_with_pooling_masks_one_by_one():
    maps = np.random.default_rng(0).integers(-1, 3, (2, 8, 12)).astype(np.int32)
    image, rows, counts = cell_counts(maps, 4)
    for b, row, count in zip(image, rows, counts, strict=True):
        slow = cell_weights(torch.from_numpy(maps[b] == row)[None], (2, 3))[0] * 16
        assert torch.allclose(count, slow)
    assert len(image) == sum(len(np.unique(m[m >= 0])) for m in maps)


def test_pooling_a_batch_agrees_with_pooling_masks_one_by_one():
    maps = np.random.default_rng(1).integers(-1, 3, (3, 8, 12)).astype(np.int32)
    maps[1] = -1  # an image without regions
    features = torch.randn(3, 5, 2, 3, generator=torch.Generator().manual_seed(0))
    image, rows, counts = cell_counts(maps, 4)
    pooled = pool_regions(features, image, counts)
    for b, row, mean in zip(image, rows, pooled, strict=True):
        mask = torch.from_numpy(maps[b] == row)[None]
        assert torch.allclose(mean, pool_by_mask(features[b], cell_weights(mask, (2, 3)))[0])


def test_augmenting_moves_the_instance_map_with_its_image():
    maps = np.full((6, 8, 12), -1, np.int32)
    maps[:, :, :4] = 0
    images = np.where(maps[..., None] == 0, 230, 20).astype(np.uint8).repeat(3, -1)
    out, moved = augment(image_tensor(images), maps, np.random.default_rng(1))
    assert (moved[:, 0, 0] == -1).any() and (moved[:, 0, 0] == 0).any()
    for picture, instance in zip(out.numpy(), moved, strict=True):
        inside = picture[:, instance == 0].mean()
        assert inside > 0.4 > picture[:, instance < 0].mean()


def test_a_few_steps_teach_the_tower_to_name_patches(rooms, tmp_path):
    words = WordVectors()
    tower = train_demo_clip(rooms, tmp_path, words, CONFIG)
    regions = read_regions(rooms)
    seen = embed_instances(tower, regions)
    report = naming_report(seen, regions, words, list(COLOURS), min_pixels=50)
    assert report.accuracy >= 0.9


def test_a_resumed_training_ends_where_an_unbroken_one_does(rooms, tmp_path):
    words, config = WordVectors(), replace(CONFIG, steps=6, save_every=3)
    whole = train_demo_clip(rooms, tmp_path / 'a', words, config)
    crashed = FailsAfter(3)
    with pytest.raises(InterruptedError):
        crashed.run(rooms, tmp_path / 'b', words, config)
    resumed = train_demo_clip(rooms, tmp_path / 'b', words, config)
    for key, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key


class FailsAfter:
    """Runs a training whose optimiser breaks down after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def run(self, rooms, out, words, config):
        original = torch.optim.AdamW.step
        patch = pytest.MonkeyPatch()

        def step(optimizer, *args, **kwargs):
            if self.left == 0:
                raise InterruptedError
            self.left -= 1
            return original(optimizer, *args, **kwargs)

        with patch.context() as context:
            context.setattr(torch.optim.AdamW, 'step', step)
            train_demo_clip(rooms, out, words, config)


def test_a_checkpoint_of_other_settings_is_refused(rooms, tmp_path):
    config = replace(CONFIG, steps=1)
    train_demo_clip(rooms, tmp_path, WordVectors(), config)
    with pytest.raises(ValueError, match='was trained with'):
        train_demo_clip(rooms, tmp_path, WordVectors(), replace(config, seed=7))


def test_portraits_are_read_whole_and_make_their_share_of_what_is_drawn(rooms, tmp_path):
    portraits = [save_scene(replace(room(9), scene_id='portraits_00000'), tmp_path)]
    regions = read_regions([*rooms, *portraits], every=2)
    assert len(regions.images) == 4 + 2
    assert regions.share[-2:].sum() == pytest.approx(2 / 6)  # more than 0.3 are portraits anyway
    regions = read_regions([*rooms, *portraits], every=1)
    assert regions.share[-2:].sum() == pytest.approx(0.3) and len(regions.images) == 10
    assert regions.share.sum() == pytest.approx(1) and set(regions.room) == {0, 1, 2, 3, 4}


def test_a_grown_tower_begins_by_doing_what_the_old_one_did_to_half_the_image():
    torch.manual_seed(0)
    small = DemoImageTower('some-clip', 16, patch=1).eval()
    images = torch.rand(2, 3, 48, 64)
    with torch.inference_mode():
        expected = small.dense(torch.nn.functional.avg_pool2d(images, 2))
        patched = grown(small, 2).eval()
        assert torch.allclose(patched.dense(images), expected, atol=1e-5)
    with pytest.raises(ValueError, match='patches of 2 cannot'):
        grown(patched, 4)


WIDE = (32, 48, 96, 150, 140)


def test_a_widened_tower_begins_by_doing_almost_what_the_old_one_did():
    torch.manual_seed(0)
    small = DemoImageTower('some-clip', 16).train()
    images = torch.rand(4, 3, 48, 64)
    small(images)  # statistics of norms that differ by channel
    wide = widened(small.eval(), WIDE, seed=0).eval()
    with torch.inference_mode():
        before, after = small.dense(images), wide.dense(images)
    assert wide.widths == WIDE and not torch.equal(before, after)
    assert torch.cosine_similarity(before, after, dim=1).min() > 0.9


@pytest.mark.parametrize(
    ('widths', 'words'), [((24, 48, 80, 112, 127), 'cannot shrink'), ((200,), 'cannot be widened')]
)
def test_a_tower_does_not_shrink_or_change_its_depth(widths, words):
    with pytest.raises(ValueError, match=words):
        widened(DemoImageTower('some-clip', 16), widths, seed=0)


def test_a_training_may_begin_with_a_narrower_tower(rooms, tmp_path):
    start = DemoImageTower('random-words', 16)
    config = replace(CONFIG, steps=1, widths=WIDE)
    assert train_demo_clip(rooms, tmp_path, WordVectors(), config, start).widths == WIDE
    assert train_demo_clip(rooms, tmp_path, WordVectors(), config, start).widths == WIDE  # resumed


def test_captions_are_no_rivals_of_regions_that_they_fit_too():
    regions = torch.nn.functional.normalize(torch.randn(3, 5), dim=1) * 20
    captions = torch.eye(5)[:3]
    member = torch.eye(3, dtype=torch.bool)
    member[1, 0] = True  # the first caption is true of the second region as well
    logits = regions @ captions.T
    forth = caption_loss(regions, captions, member)
    back = caption_loss(captions, regions, member.T)
    for i in range(3):
        told = [j for j in range(3) if j == i or not member[i, j]]
        assert torch.isclose(forth[i], logits[i, told].logsumexp(0) - logits[i, i], atol=1e-5)
        told = [j for j in range(3) if j == i or not member[j, i]]
        assert torch.isclose(back[i], logits[told, i].logsumexp(0) - logits[i, i], atol=1e-5)


class Known:
    """Three things in two rooms, and a text space in which only their names are told apart."""

    name, dim = 'known', 3
    words = ('chair', 'lamp', 'bed')

    def encode(self, texts):
        rows = np.zeros((len(texts), 3), np.float32)
        for k, text in enumerate(texts):
            rows[k] = np.eye(3)[self.words.index(text)] if text in self.words else np.eye(3)[1]
        return rows


def test_rooms_are_asked_for_each_word_that_fits_something_in_them():
    names = ['chair', 'lamp', 'bed']
    captions = [('chair', 'seat', 'something to sit on'), ('lamp', 'light'), ('bed', 'a red bed')]
    regions = Regions(np.zeros((0,), 'u1'), np.zeros((0,), 'i4'), names, captions,
                      np.zeros(3, bool), np.array([0, 0, 1]), np.zeros(0))  # fmt: skip
    seen = Seen(np.eye(3, dtype=np.float32), np.full(3, 500))
    assert retrieval_report(seen, regions, Known()) == {
        'names': (3, 3), 'synonyms': (1, 2), 'uses': (0, 1), 'looks': (1, 1),
    }  # fmt: skip
    hidden = Seen(seen.embeddings, np.array([500, 500, 10]))
    assert retrieval_report(hidden, regions, Known())['names'] == (2, 2)


def test_saved_weights_give_nearly_the_same_features(tmp_path):
    torch.manual_seed(0)
    tower = DemoImageTower('some-clip', 16).eval()
    save_image_tower(tower, tmp_path / 'tower.safetensors', {'seed': '0'})
    loaded = load_image_tower(tmp_path / 'tower.safetensors')
    images = torch.rand(1, 3, 30, 44)
    assert loaded.name == 'some-clip'
    assert loaded.dense(images).shape == (1, 16, 4, 6)
    assert torch.allclose(loaded.dense(images), tower.dense(images), atol=1e-2)


def test_a_file_that_is_no_tower_is_refused_with_its_name(tmp_path):
    path = tmp_path / 'tower.safetensors'
    path.write_bytes(b'nothing of the kind')
    with pytest.raises(ValueError, match='tower.safetensors'):
        load_image_tower(path)


def test_name_looks_and_uses_count_one_to_one_to_two():
    captions = ('chair', 'seat', 'something to sit on', 'a red chair', 'a red seat')
    assert caption_shares(captions).tolist() == [0.25, 0.25, 0.25, 0.125, 0.125]
    assert caption_shares(('chair',)).tolist() == [1.0]


def test_rare_names_weigh_more_than_usual_ones_and_never_without_bound():
    label = np.array([0] * 16 + [1] * 4 + [2] + [-1])
    assert rarity_of(label).unique().tolist() == [0.5, 1.0, 2.0]
    assert rarity_of(np.array([0] * 900 + [1] * 900 + [2])).max() == 3.0
