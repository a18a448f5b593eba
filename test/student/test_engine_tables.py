"""The tables that say which voxel is whose neighbour."""

import pytest
from sparse_cases import random_cloud, SIZE
import torch

from folk_ros.student import engine
from folk_ros.student.engines import kernel_map, tables


@pytest.mark.parametrize('strided', [False, True])
def test_every_neighbour_is_in_exactly_one_run_and_a_line_is_one(strided, monkeypatch):
    monkeypatch.setattr(kernel_map, 'RUN_ROWS', 1)
    monkeypatch.setattr(kernel_map, 'PAIR_ROWS', 100)
    _, coords = random_cloud()
    fine, coarse = engine.build_levels(coords, 2)
    cells = fine.parent * 8 + fine.slot
    own = kernel_map.KernelMap(fine.neighbours(3), len(fine))
    along = kernel_map.stride_maps(cells, len(coarse))[0] if strided else own
    found, lines = [], []
    for block in along.pairs(torch.float32):
        for offsets, sources, targets in zip(
            block.offsets, block.sources, block.targets, strict=True
        ):
            for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
                row = block.rows.start + target
                found += [(k, row, source + step) for step, k in enumerate(offsets)]
                lines.append((offsets[0] // (2 if strided else 3), row))
    expected = (along.table < along.inputs).nonzero()
    rows = [(k, row, int(along.table[k, row])) for k, row in expected.tolist()]
    assert sorted(found) == sorted(rows)
    assert len(set(lines)) == len(lines) < 0.9 * len(rows)


@pytest.mark.parametrize('size', [3, 5])
@pytest.mark.parametrize('corner', [0, tables.LIMIT - SIZE + 1])
@pytest.mark.parametrize('space', [0, 1000])  # searched; looked up in columns
def test_the_table_lists_the_neighbours_a_search_over_all_pairs_finds(
    size, corner, space, monkeypatch
):
    monkeypatch.setattr(tables, 'SPACE', space)
    _, coords = random_cloud(batch=2, share=0.1)
    coords[:, 1:] += corner
    table = tables.neighbour_table(tables.keys_of(coords), size)
    reach = torch.arange(size) - size // 2
    offsets = torch.cartesian_prod(torch.zeros(1, dtype=torch.int64), reach, reach, reach)
    same = (coords[None, :, None] + offsets[:, None, None] == coords).all(3)  # [K, V, V]
    expected = torch.where(same.any(2), same.to(torch.int8).argmax(2), len(coords))
    assert torch.equal(table.long(), expected)


def test_columns_are_not_laid_out_where_they_are_nearly_empty(monkeypatch):
    def refused(self):
        raise AssertionError('a table of 65,000 cells for two voxels')

    monkeypatch.setattr(tables._Columns, 'table', refused)
    coords = torch.tensor([[0, 0, 0, 0], [0, 0, 0, tables.LIMIT]])
    assert tables.neighbour_table(tables.keys_of(coords), 3)[13].tolist() == [0, 1]


def test_the_inner_table_is_the_table_of_the_smaller_cube():
    keys = tables.keys_of(random_cloud()[1])
    wide = tables.neighbour_table(keys, 5)
    assert torch.equal(tables.inner_table(wide, 3), tables.neighbour_table(keys, 3))


def test_keys_tell_their_coordinates():
    coords = torch.tensor([[0, 0, 0, 0], [1, 2, 3, 4], [7, tables.LIMIT, 0, tables.LIMIT]])
    keys = tables.keys_of(coords)
    assert torch.equal(tables.coords_of(keys), coords)
    assert bool((keys[1:] > keys[:-1]).all())


def test_layers_of_a_level_share_one_table(monkeypatch):
    made = []
    real = engine.neighbour_table
    monkeypatch.setattr(engine, 'neighbour_table', lambda *a: made.append(1) or real(*a))
    _, coords = random_cloud()
    level = engine.build_levels(coords, 1)[0]
    x, weight = torch.randn(len(coords), 2), torch.randn(27, 2, 2)
    for _ in range(3):
        x = engine.submanifold(x, weight, level)
    assert len(made) == 1
