import pytest
import torch
from torch.nn import functional as F

from folk_ros.student import engine

SIZE = 8


def random_cloud(batch=2, share=0.3, seed=0):
    torch.manual_seed(seed)
    dense = torch.rand(batch, SIZE, SIZE, SIZE) < share
    return dense, dense.nonzero()


def to_dense(x, coords, batch, size):
    out = torch.zeros(batch, size, size, size, x.shape[1], dtype=x.dtype)
    out[tuple(coords.t())] = x
    return out.permute(0, 4, 1, 2, 3)


def from_dense(dense, coords):
    return dense.permute(0, 2, 3, 4, 1)[tuple(coords.t())]


def dense_weight(weight, n):
    """Canonical [K, Cin, Cout] to conv3d's [Cout, Cin, n, n, n]."""
    return weight.view(n, n, n, *weight.shape[1:]).permute(4, 3, 0, 1, 2)


def test_submanifold_convolution_and_gradients_equal_dense_ones(monkeypatch):
    monkeypatch.setattr(engine, 'CHUNK', 100)  # several chunks, the last one short
    _, coords = random_cloud()
    level = engine.build_levels(coords, 1)[0]
    x = torch.randn(len(coords), 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(27, 5, 7, dtype=torch.float64, requires_grad=True)
    sparse = engine.submanifold(x, weight, level)
    dense = F.conv3d(to_dense(x, coords, 2, SIZE), dense_weight(weight, 3), padding=1)
    expected = from_dense(dense, coords)
    assert torch.allclose(sparse, expected, atol=1e-12)
    seed = torch.randn_like(sparse)
    for ours, theirs in zip(
        torch.autograd.grad(sparse, [x, weight], seed),
        torch.autograd.grad(expected, [x, weight], seed),
        strict=True,
    ):
        assert torch.allclose(ours, theirs, atol=1e-11)


def test_down_and_up_equal_strided_dense_convolutions():
    _, coords = random_cloud()
    fine, coarse = engine.build_levels(coords, 2)
    x = torch.randn(len(coords), 3, dtype=torch.float64)
    weight = torch.randn(8, 3, 4, dtype=torch.float64)
    halved = engine.down(x, weight, fine, len(coarse))
    dense = F.conv3d(to_dense(x, coords, 2, SIZE), dense_weight(weight, 2), stride=2)
    assert torch.allclose(halved, from_dense(dense, coarse.coords), atol=1e-12)
    back = torch.randn(8, 4, 3, dtype=torch.float64)
    raised = engine.up(halved, back, fine)
    flipped = back.view(2, 2, 2, 4, 3).permute(3, 4, 0, 1, 2)
    dense = F.conv_transpose3d(to_dense(halved, coarse.coords, 2, SIZE // 2), flipped, stride=2)
    assert torch.allclose(raised, from_dense(dense, coords), atol=1e-12)


def test_clouds_of_one_batch_do_not_see_each_other():
    _, coords = random_cloud()
    weight = torch.randn(27, 2, 2)
    x = torch.randn(len(coords), 2)
    together = engine.submanifold(x, weight, engine.build_levels(coords, 1)[0])
    own = coords[:, 0] == 1
    alone_coords = coords[own].clone()
    alone_coords[:, 0] = 0
    alone = engine.submanifold(x[own], weight, engine.build_levels(alone_coords, 1)[0])
    assert torch.allclose(together[own], alone, atol=1e-6)


def test_the_part_of_a_batch_has_the_levels_it_would_have_alone():
    _, coords = random_cloud()
    parts, spans = engine.part_of(engine.build_levels(coords, 3), 1)
    alone_coords = coords[coords[:, 0] == 1].clone()
    alone_coords[:, 0] = 0
    for part, alone, span in zip(parts, engine.build_levels(alone_coords, 3), spans, strict=True):
        assert torch.equal(part.coords[:, 1:], alone.coords[:, 1:])
        assert span.stop - span.start == len(alone)
        if alone.parent is not None:
            assert torch.equal(part.parent, alone.parent)
            assert torch.equal(part.slot, alone.slot)


def test_unsorted_coordinates_are_refused():
    with pytest.raises(ValueError, match='sorted'):
        engine.build_levels(torch.tensor([[0, 1, 0, 0], [0, 0, 0, 0]]), 1)
