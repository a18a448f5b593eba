"""Levels of a cloud, from the finest to the coarsest, and what cannot be one."""

import pytest
from sparse_cases import random_cloud
import torch

from folk_ros.student import engine
from folk_ros.student.engines import tables


def test_a_kernel_of_even_edge_or_no_cube_is_refused():
    _, coords = random_cloud()
    level = engine.build_levels(coords, 1)[0]
    with pytest.raises(ValueError, match='odd cube'):
        engine.submanifold(torch.zeros(len(coords), 1), torch.zeros(8, 1, 1), level)


def test_the_coarsest_level_cannot_go_further_down():
    _, coords = random_cloud()
    level = engine.build_levels(coords, 1)[0]
    with pytest.raises(ValueError, match='one level more'):
        engine.down(torch.zeros(len(coords), 1), torch.zeros(8, 1, 1), level, 1)


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


@pytest.mark.parametrize('wrong', [-1, tables.LIMIT + 1])
def test_coordinates_beyond_the_keys_are_refused(wrong):
    coords = torch.tensor([[0, 0, 0, 0], [0, 0, 0, wrong]])
    with pytest.raises(ValueError, match=r'sorted|from 0 to'):
        engine.build_levels(coords, 1)


def test_a_cloud_without_voxels_gives_features_without_rows():
    fine, coarse = engine.build_levels(torch.zeros(0, 4, dtype=torch.int64), 2)
    weight = torch.ones(27, 2, 3, requires_grad=True)
    out = engine.submanifold(torch.zeros(0, 2), weight, fine)
    assert out.shape == (0, 3)
    for width in (4, 3000):  # either form of a strided layer
        assert engine.down(out, torch.ones(8, 3, width), fine, len(coarse)).shape == (0, width)
        assert engine.up(out, torch.ones(8, 3, width), fine).shape == (0, width)
    out.sum().backward()
    assert float(weight.grad.abs().sum()) == 0
