from pathlib import Path

import pytest
from safetensors.torch import load_file
import torch

from folk_ros.student.foreign.mask3d import import_mask3d
from folk_ros.student.foreign.mask3d_names import our_name
from folk_ros.student.mask3d import Mask3D, Mask3DConfig
from folk_ros.student.mask_decoder import DecoderConfig
from folk_ros.student.student import Student, StudentConfig

RECORDED = Path(__file__).parents[1] / 'data' / 'mask3d_reference.safetensors'


@pytest.fixture
def tensors():
    """Tensors of a tiny Mask3D, as its own code named them."""
    return {k: v for k, v in load_file(RECORDED).items() if k[:3] not in ('in.', 'out')}


@pytest.fixture
def write(tmp_path):
    def written(tensors, **more):
        path = tmp_path / 'scannet200_val.ckpt'
        torch.save({'state_dict': tensors, **more}, path)
        return path

    return written


def test_every_tensor_is_taken_over_or_named_as_not_needed(tensors, write):
    found = import_mask3d(write(tensors))
    assert set(found.taken) | set(found.ignored) == set(tensors)
    assert not set(found.taken) & set(found.ignored)
    assert sorted(found.taken.values()) == sorted(found.student.state_dict())
    assert found.ignored == {
        'criterion.empty_weight': 'weights of the training loss',
        'model.backbone.final.bias': "the backbone's own classifier, which Mask3D never reads",
        'model.backbone.final.kernel': "the backbone's own classifier, which Mask3D never reads",
    }


def test_sizes_are_read_from_the_shapes(tensors, write):
    config = import_mask3d(write(tensors)).student.config
    assert config.backbone.encoder == (4, 4, 6, 6)
    assert config.backbone.decoder == (6, 6, 4, 4)
    assert config.backbone.encoder_blocks == (1, 2, 1, 1)
    assert (config.backbone.stem, config.backbone.stem_kernel) == (4, 5)
    assert config.decoder == DecoderConfig(embed=16, width=16, feed=24, classes=5)
    assert (config.embedding_dim, config.clip) == (0, '')


def test_the_default_sizes_are_those_of_the_published_network():
    with torch.device('meta'):
        network = Mask3D(Mask3DConfig())
    assert sum(p.numel() for p in network.parameters()) == 39_638_121
    assert len(network.state_dict()) == 467


def test_a_tensor_without_a_place_is_named(tensors, write):
    tensors['model.level_embed.weight'] = torch.zeros(4, 16)
    with pytest.raises(ValueError, match='1 tensors have no place .* model.level_embed.weight'):
        import_mask3d(write(tensors))


def test_a_block_too_many_is_named(tensors, write):
    tensors['model.cross_attention.0.4.norm.weight'] = torch.zeros(16)
    with pytest.raises(ValueError, match='too many: model.cross_attention.0.4.norm.weight'):
        import_mask3d(write(tensors))


def test_decoders_with_weights_of_their_own_are_refused(tensors, write):
    tensors['model.cross_attention.1.0.norm.weight'] = torch.zeros(16)
    with pytest.raises(ValueError, match='no place .* model.cross_attention.1.0.norm.weight'):
        import_mask3d(write(tensors))


def test_a_missing_tensor_is_named(tensors, write):
    del tensors['model.backbone.bn2.bn.running_var']
    with pytest.raises(ValueError, match='missing: backbone.down_norm.1.running_var'):
        import_mask3d(write(tensors))


def test_a_wrong_shape_is_named_with_both_sides(tensors, write):
    tensors['model.decoder_norm.bias'] = torch.zeros(17)
    with pytest.raises(ValueError, match=r'decoder_norm.bias: expected \[16\] .* got \[17\]'):
        import_mask3d(write(tensors))


def test_numbers_that_are_not_finite_are_refused(tensors, write):
    tensors['model.decoder_norm.bias'][3] = torch.nan
    with pytest.raises(ValueError, match='decoder_norm.bias holds numbers that are not finite'):
        import_mask3d(write(tensors))


def test_another_architecture_is_refused_with_both_sides(write):
    other = Student(StudentConfig(encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,)))
    with pytest.raises(ValueError, match='expected a Mask3D checkpoint .* got fields.hidden.0'):
        import_mask3d(
            write({k: v for k, v in other.state_dict().items() if k.startswith('fields')})
        )


def test_another_wiring_is_refused_with_both_sides(tensors, write):
    stored = {'config': {'model': {'num_heads': 8, 'pre_norm': True}}}
    with pytest.raises(ValueError, match='with pre_norm = True, we have Mask3D with False'):
        import_mask3d(write(tensors, hyper_parameters=stored))


def test_names_of_nothing_are_unknown():
    for name in ('model.backbone.final2.kernel', 'backbone.bn0.bn.weight', 'model.query_pos'):
        assert our_name(name) is None
