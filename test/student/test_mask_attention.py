import pytest
import torch

from folk_ros.student.vl_adapter import (
    adapter_width,
    ATTENTION,
    HEAD_WIDTH,
    HEADS,
    MaskAttention,
    MOMENTS,
    new_vl_adapter,
)

CHANNELS = 5


@pytest.fixture
def attention():
    torch.manual_seed(0)
    own = MaskAttention(CHANNELS).eval()
    own.norm.running_mean.uniform_(-1, 1)
    own.norm.running_var.uniform_(0.5, 2)
    return own


def one_by_one(own, voxels, owner, mean):
    """Each mask and head by itself, with torch's own softmax."""
    rows = []
    for k in range(len(mean)):
        x = own.norm(voxels[owner == k])
        hidden = own.look(x) + own.context(own.norm(mean[k : k + 1]))
        weight = own.score(torch.nn.functional.gelu(hidden)).softmax(0)  # [m, HEADS]
        value = own.value(x).unflatten(1, (HEADS, HEAD_WIDTH))
        rows.append((weight[..., None] * value).sum(0).flatten())
    return torch.stack(rows)


def test_masks_together_are_masks_one_by_one(attention):
    owner = torch.tensor([0, 2, 1, 2, 0, 2, 2])
    voxels, mean = torch.randn(7, CHANNELS) * 3, torch.randn(3, CHANNELS)
    with torch.no_grad():
        found = attention(voxels, owner, mean)
        expected = one_by_one(attention, voxels, owner, mean)
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_mask_seen_twice_as_densely_is_the_same_mask(attention):
    voxels, mean = torch.randn(6, CHANNELS), torch.randn(1, CHANNELS)
    twice = torch.cat([voxels, voxels])
    with torch.no_grad():
        once = attention(voxels, torch.zeros(6, dtype=torch.int64), mean)
        dense = attention(twice, torch.zeros(12, dtype=torch.int64), mean)
    assert torch.allclose(once, dense, atol=1e-5)


def test_gradients_of_large_scores_stay_finite(attention):
    voxels = (torch.randn(4, CHANNELS) * 1e3).requires_grad_()
    attention(voxels, torch.tensor([0, 0, 1, 1]), torch.randn(2, CHANNELS)).sum().backward()
    assert bool(voxels.grad.isfinite().all())


def test_an_adapter_that_attends_reads_the_heads_besides():
    levels = (3, 2)
    heads = adapter_width(ATTENTION, levels) - adapter_width(MOMENTS, levels)
    assert heads == HEADS * HEAD_WIDTH
    assert new_vl_adapter(MOMENTS, levels, 8, 4).attention is None
    assert new_vl_adapter(ATTENTION, levels, 8, 4).attention is not None
