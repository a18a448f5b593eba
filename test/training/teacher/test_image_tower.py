from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.torch import save_file
import torch

from folk_ros.training.demo_clip.tower import DemoImageTower, IMAGE_WEIGHTS, save_image_tower
from folk_ros.training.teacher.image_tower import load_tower, OpenClipTower

CONFIG = {
    'embed_dim': 16,
    'vision_cfg': {'image_size': 64, 'layers': 2, 'width': 128, 'patch_size': 16},
    'text_cfg': {'context_length': 8, 'vocab_size': 64, 'width': 32, 'heads': 2, 'layers': 1},
}


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    """A small CLIP of the ViT-B-32 kind with random weights, and where they lie."""
    import open_clip

    folder = tmp_path_factory.mktemp('clip')
    (folder / 'folk-tiny-image.json').write_text(json.dumps(CONFIG))
    open_clip.add_model_config(folder)
    torch.manual_seed(0)
    model = open_clip.create_model('folk-tiny-image').eval()
    save_file(model.state_dict(), folder / 'weights.safetensors')
    return model, f'folk-tiny-image/{folder}/weights.safetensors'


def test_a_whole_image_gives_one_feature_per_patch(clip):
    tower = load_tower(clip[1])
    assert (tower.name, tower.dim) == ('folk-tiny-image/weights', 16)
    assert tower.dense(torch.rand(2, 3, 120, 160)).shape == (2, 16, 4, 5)
    assert tower.dense(torch.rand(1, 3, 64, 64)).shape == (1, 16, 4, 4)


def test_values_are_those_the_last_attention_mixes(clip):
    # with every token attending to itself alone, attention gives just the value path
    model = clip[0]
    tower = OpenClipTower('tiny', model.visual)
    block, x = model.visual.transformer.resblocks[-1], torch.randn(1, 5, 128)
    alone = torch.full((5, 5), -torch.inf).fill_diagonal_(0)
    normed = block.ln_1(x)
    expected = block.attn(normed, normed, normed, attn_mask=alone, need_weights=False)[0]
    assert torch.allclose(tower._values(block, x), expected, atol=1e-5)


def test_positions_of_the_towers_own_size_are_left_as_they_are(clip):
    tower = OpenClipTower('tiny', clip[0].visual)
    own = clip[0].visual.positional_embedding
    assert torch.allclose(tower._positions((4, 4)), own, atol=1e-5)


def test_what_changes_in_one_corner_changes_features_most_there(clip):
    tower = OpenClipTower('tiny', clip[0].visual)
    image = torch.rand(1, 3, 64, 64)
    other = image.clone()
    other[:, :, :16, :16] = 0
    change = (tower.dense(image) - tower.dense(other)).norm(dim=1)[0]
    assert change.argmax() == 0


def test_a_tower_without_a_vit_is_refused_with_its_kind():
    with pytest.raises(ValueError, match='Conv2d'):
        OpenClipTower('odd', torch.nn.Conv2d(3, 4, 1))


def test_a_folder_gives_the_demo_tower(tmp_path):
    torch.manual_seed(0)
    save_image_tower(DemoImageTower('demo', 8), tmp_path / IMAGE_WEIGHTS, {})
    tower = load_tower(tmp_path)
    features = tower.dense(torch.rand(1, 3, 32, 48))
    assert (tower.name, tower.dim, tuple(features.shape)) == ('demo', 8, (1, 8, 8, 12))
    assert np.isfinite(features.numpy()).all()
