import pytest
import torch

from folk_ros.student.foreign.spaceformer import read_spaceformer


def tensors(**shapes):
    wanted = {
        'net.learned_content.weight': (200, 512),
        'net.clip_head.weight': (1152, 512),
        'net.class_head.weight': (2, 512),
        'net.backbone.inner_module.stem.weight': (32, 3),
        'caption_loss.logit_scale': (),
    }
    return {name: torch.zeros(shape) for name, shape in (wanted | shapes).items()}


def stored(tmp_path, found):
    path = tmp_path / 'spaceformer_512_siglip2_ssccc.ckpt'
    torch.save({'state_dict': found}, path)
    return path


def test_the_networks_tensors_are_read_and_those_of_the_loss_are_left(tmp_path):
    found = read_spaceformer(stored(tmp_path, tensors()))
    assert set(found) == {name for name in tensors() if name.startswith('net.')}


def test_another_network_is_refused_with_both_sides(tmp_path):
    path = stored(tmp_path, tensors(**{'net.clip_head.weight': (768, 512)}))
    with pytest.raises(ValueError, match=r'clip_head.weight \[1152, 512\], got \[768, 512\]'):
        read_spaceformer(path)
    with pytest.raises(ValueError, match='expected a SpaCeFormer .* got none'):
        read_spaceformer(stored(tmp_path, {'x': torch.zeros(1)}))


def test_a_tensor_without_a_place_is_named(tmp_path):
    with pytest.raises(ValueError, match='no place.*other.weight'):
        read_spaceformer(stored(tmp_path, tensors(**{'other.weight': (1,)})))
