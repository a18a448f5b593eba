from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.torch import save_file
import torch

from folk_ros.training.demo_clip.tower import DemoImageTower, IMAGE_WEIGHTS, save_image_tower
from folk_ros.training.teacher.image_tower import load_tower
from folk_ros.training.teacher.open_clip_towers import open_clip_tower, OpenClipTower

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
    tower = open_clip_tower('tiny', model.visual)
    block, x = model.visual.transformer.resblocks[-1], torch.randn(1, 5, 128)
    alone = torch.full((5, 5), -torch.inf).fill_diagonal_(0)
    normed = block.ln_1(x)
    expected = block.attn(normed, normed, normed, attn_mask=alone, need_weights=False)[0]
    assert torch.allclose(tower._values(block, x), expected, atol=1e-5)


def test_positions_of_the_towers_own_size_are_left_as_they_are(clip):
    tower = open_clip_tower('tiny', clip[0].visual)
    own = clip[0].visual.positional_embedding
    assert torch.allclose(tower._positions((4, 4)), own, atol=1e-5)


def test_what_changes_in_one_corner_changes_features_most_there(clip):
    tower = open_clip_tower('tiny', clip[0].visual)
    image = torch.rand(1, 3, 64, 64)
    other = image.clone()
    other[:, :, :16, :16] = 0
    change = (tower.dense(image) - tower.dense(other)).norm(dim=1)[0]
    assert change.argmax() == 0


def test_a_tower_without_a_vit_is_refused_with_its_kind():
    with pytest.raises(ValueError, match='Conv2d'):
        open_clip_tower('odd', torch.nn.Conv2d(3, 4, 1))


def test_crops_of_any_size_are_embedded_as_clip_embeds_images(clip):
    model, place = clip
    tower = load_tower(place)
    crops = [torch.rand(3, 64, 64), torch.rand(3, 20, 50), torch.rand(3, 7, 5)]
    found = tower.embed_crops(crops)
    assert found.shape == (3, 16)
    own = (crops[0][None] - tower.mean) / tower.std
    expected = model.encode_image(own, normalize=True)
    assert torch.allclose(found[0], expected[0], atol=1e-5)
    middle = crops[1][:, :, 15:35]
    assert torch.allclose(found[1], tower.embed_crops([middle])[0], atol=1e-5)


def small_tower(vision):
    from open_clip.model import _build_vision_tower

    torch.manual_seed(0)
    return open_clip_tower('small', _build_vision_tower(24, vision))


RESNET = {'image_size': 64, 'layers': [1, 1, 1, 1], 'width': 8, 'head_width': 8}


def test_a_resnet_gives_the_values_its_pooling_mixes():
    tower = small_tower(RESNET)
    assert tower.dense(torch.rand(1, 3, 60, 80)).shape == (1, 24, 2, 3)
    # where all places say the same, what the pooling mixes is what each place says
    pool = tower.visual.attnpool
    with torch.no_grad():
        pool.positional_embedding.zero_()
    flat = torch.full((1, 3, 64, 64), 0.3)
    tower.visual.layer4 = Constant(pool.v_proj.in_features)
    whole = tower.embed_crops([flat[0]])[0]
    cells = torch.nn.functional.normalize(tower.dense(flat), dim=1)
    assert torch.allclose(cells[0, :, 1, 0], whole, atol=1e-5)


class Constant(torch.nn.Module):
    """A map that is the same everywhere."""

    def __init__(self, channels):
        super().__init__()
        self.value = torch.randn(channels, generator=torch.Generator().manual_seed(1))

    def forward(self, x):
        half = (x.shape[2] // 2, x.shape[3] // 2)
        return self.value[None, :, None, None].expand(len(x), -1, *half)


TIMM = {'image_size': 64, 'timm_model_name': 'test_convnext', 'timm_pool': '',
        'timm_proj': 'linear'}  # fmt: skip


def test_a_convolutional_timm_tower_passes_each_place_through_its_head():
    tower = small_tower(TIMM)
    image = torch.rand(1, 3, 32, 32)
    tower.size = (32, 32)  # one cell: the place is the whole image
    cell = torch.nn.functional.normalize(tower.dense(image), dim=1)
    assert cell.shape == (1, 24, 1, 1)
    assert torch.allclose(cell[0, :, 0, 0], tower.embed_crops([image[0]])[0], atol=1e-5)
    assert tower.dense(torch.rand(1, 3, 64, 96)).shape == (1, 24, 1, 2)


def timm_vit(name='test_vit3'):
    from open_clip.model import _build_vision_tower

    vision = {'image_size': 64, 'timm_model_name': name, 'timm_pool': 'map', 'timm_proj': 'none'}
    return _build_vision_tower(96, vision)


def test_a_siglip_tower_asks_each_place_through_its_pooling():
    from timm.models.vision_transformer import VisionTransformer

    visual = timm_vit()
    visual.trunk = VisionTransformer(64, 32, embed_dim=96, depth=1, num_heads=3, num_classes=0,
                                     class_token=False, global_pool='map')  # fmt: skip
    tower = open_clip_tower('siglip', visual)
    assert tower.dense(torch.rand(2, 3, 120, 160)).shape == (2, 96, 2, 2)
    visual.trunk = VisionTransformer(64, 64, embed_dim=96, depth=1, num_heads=3, num_classes=0,
                                     class_token=False, global_pool='map')  # fmt: skip
    image = torch.rand(1, 3, 64, 64)  # one patch: the place is the whole image
    cell = torch.nn.functional.normalize(tower.dense(image), dim=1)
    assert torch.allclose(cell[0, :, 0, 0], tower.embed_crops([image[0]])[0], atol=1e-5)


def test_a_timm_tower_with_tokens_of_the_whole_is_refused():
    with pytest.raises(ValueError, match='VisionTransformer has tokens'):
        open_clip_tower('registers', timm_vit())


def test_what_gives_no_dense_features_can_still_pool_crops():
    from open_clip.model import _build_vision_tower

    vision = {'image_size': 64, 'layers': 1, 'width': 64, 'patch_size': 32,
              'attentional_pool': True, 'attn_pooler_heads': 4}  # fmt: skip
    visual = _build_vision_tower(24, vision)
    with pytest.raises(ValueError, match='--pooling crops'):
        open_clip_tower('coca', visual)
    assert OpenClipTower('coca', visual).embed_crops([torch.rand(3, 30, 40)]).shape[0] == 1


def test_a_folder_gives_the_demo_tower(tmp_path):
    torch.manual_seed(0)
    save_image_tower(DemoImageTower('demo', 8), tmp_path / IMAGE_WEIGHTS, {})
    tower = load_tower(tmp_path)
    features = tower.dense(torch.rand(1, 3, 32, 48))
    assert (tower.name, tower.dim, tuple(features.shape)) == ('demo', 8, (1, 8, 4, 6))
    assert np.isfinite(features.numpy()).all()
