"""The tables that say which voxel is whose neighbour."""

import pytest
from sparse_cases import random_cloud, SIZE
import torch

from folk_ros.student import engine
from folk_ros.student.engines import kernel_map, lines, tables
from folk_ros.student.engines.strides import stride_maps


@pytest.mark.parametrize('kind', ['table', 'lines', 'down'])
def test_every_neighbour_is_in_exactly_one_run_and_a_line_is_one(kind, monkeypatch):
    along, found, rows = runs_and_rows(kind, monkeypatch)
    assert sorted((k, row, source) for k, row, source, _ in found) == sorted(rows)
    firsts = {(line, row) for _, row, _, line in found}
    edge = 2 if kind == 'down' else 3
    assert all(line == k // edge for k, _, _, line in found)
    assert len(firsts) < 0.9 * len(rows)


def test_every_voxel_is_raised_from_its_parent_once(monkeypatch):
    along, found, rows = runs_and_rows('up', monkeypatch)
    assert sorted((k, row, source) for k, row, source, _ in found) == sorted(rows)
    assert len(rows) == along.rows


@pytest.mark.parametrize('most', [1, 7, 1000])
def test_no_product_has_more_rows_than_allowed(most, monkeypatch):
    monkeypatch.setattr(kernel_map, 'PRODUCT_ROWS', most)
    along, found, rows = runs_and_rows('lines', monkeypatch)
    assert sorted((k, row, source) for k, row, source, _ in found) == sorted(rows)
    sizes = [size for block in along.pairs(torch.float32) for size in block.sizes]
    assert (most == 1000 or max(sizes) == most) and min(sizes) > 0


def runs_and_rows(kind, monkeypatch):
    """Return a map, the pairs in its runs (offset, row, source, line), and those of its table."""
    monkeypatch.setattr(kernel_map, 'RUN_ROWS', 1)
    monkeypatch.setattr(kernel_map, 'PAIR_ROWS', 100)
    _, coords = random_cloud()
    fine, coarse = engine.build_levels(coords, 2)
    down, up = stride_maps(fine.parent * 8 + fine.slot, len(coarse))
    own = kernel_map.KernelMap(tables.neighbour_table(tables.keys_of(coords), 3), len(fine))
    of_lines = kernel_map.KernelMap(lines.lines_of(coords, 3), len(fine))
    along = {'table': own, 'lines': of_lines, 'down': down, 'up': up}[kind]
    edge = 3 if along.volume == 27 else 2
    found = []
    for block in along.pairs(torch.float32):
        for offsets, sources, targets in zip(
            block.offsets, block.sources, block.targets, strict=True
        ):
            for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
                row, line = block.rows.start + target, offsets[0] // edge
                found += [(k, row, source + step, line) for step, k in enumerate(offsets)]
    table = own.table if along is of_lines else along.table
    expected = (table < along.inputs).nonzero()
    return along, found, [(k, row, int(table[k, row])) for k, row in expected.tolist()]


@pytest.mark.parametrize('size', [3, 5])
@pytest.mark.parametrize('corner', [0, tables.LIMIT - SIZE + 1])
@pytest.mark.parametrize('laid_out', [False, True])  # searched; laid out in lines
def test_the_table_lists_the_neighbours_a_search_over_all_pairs_finds(
    size, corner, laid_out, monkeypatch
):
    monkeypatch.setattr(lines, 'SPACE', 1000)
    _, coords = random_cloud(batch=2, share=0.1)
    coords[:, 1:] += corner
    table = (
        lines.lines_of(coords, size).table()
        if laid_out
        else tables.neighbour_table(tables.keys_of(coords), size)
    )
    reach = torch.arange(size) - size // 2
    offsets = torch.cartesian_prod(torch.zeros(1, dtype=torch.int64), reach, reach, reach)
    same = (coords[None, :, None] + offsets[:, None, None] == coords).all(3)  # [K, V, V]
    expected = torch.where(same.any(2), same.to(torch.int8).argmax(2), len(coords))
    assert torch.equal(table.long(), expected)


@pytest.mark.parametrize('axis', [1, 2, 3])
def test_voxels_far_apart_are_not_laid_out_but_searched(axis):
    coords = torch.zeros(2, 4, dtype=torch.int64)
    coords[1, axis] = tables.LIMIT
    level = engine.build_levels(coords, 1)[0]
    assert (level.lines(3) is None) == (axis > 1)  # slabs may be anywhere
    assert level.neighbours(3)[13].tolist() == [0, 1]


def test_the_inner_table_is_the_table_of_the_smaller_cube():
    coords = random_cloud()[1]
    keys = tables.keys_of(coords)
    wide = tables.neighbour_table(keys, 5)
    expected = tables.neighbour_table(keys, 3)
    assert torch.equal(tables.inner_table(wide, 3), expected)
    assert torch.equal(lines.lines_of(coords, 5).inner(3).table(), expected)


@pytest.mark.parametrize('threads', [1, 2])
def test_a_line_of_cells_holds_the_features_of_the_neighbours(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    _, coords = random_cloud(share=0.2)
    laid = lines.lines_of(coords, 3)
    x = torch.randn(len(coords), 2)
    cells = laid.spread(x, torch.full((laid.length, 2), torch.nan))
    torch.set_num_threads(before)
    near = cells[laid.begins[:, :, None] + torch.arange(3)].view(len(coords), 27, 2)
    padded = torch.cat([x, torch.zeros(1, 2)])
    table = tables.neighbour_table(tables.keys_of(coords), 3)
    assert torch.equal(near, padded[table.t().long()])


def test_keys_tell_their_coordinates():
    coords = torch.tensor([[0, 0, 0, 0], [1, 2, 3, 4], [7, tables.LIMIT, 0, tables.LIMIT]])
    keys = tables.keys_of(coords)
    assert torch.equal(tables.coords_of(keys), coords)
    assert bool((keys[1:] > keys[:-1]).all())


def test_layers_of_a_level_share_their_lines(monkeypatch):
    made = []
    real = engine.lines_of
    monkeypatch.setattr(engine, 'lines_of', lambda *a: made.append(1) or real(*a))
    _, coords = random_cloud()
    level = engine.build_levels(coords, 1)[0]
    x = torch.randn(len(coords), 2)
    for volume in (125, 27, 27):
        x = engine.submanifold(x, torch.randn(volume, 2, 2), level)
    assert len(made) == 1


def test_the_share_of_neighbours_is_that_of_the_table():
    _, coords = random_cloud(batch=4)
    table = tables.neighbour_table(tables.keys_of(coords), 3)
    laid = kernel_map.KernelMap(lines.lines_of(coords, 3), len(coords)).share
    assert laid == pytest.approx(kernel_map.KernelMap(table, len(coords)).share)


@pytest.mark.parametrize('count', [1, 3, 10])
def test_blocks_have_about_as_many_entries(count, monkeypatch):
    monkeypatch.setattr(kernel_map, 'FEWEST', 1)
    torch.manual_seed(0)
    full = torch.arange(4096) < 1024  # rows with three times as many entries as others
    there = torch.rand(27, 4096) < torch.where(full, 0.9, 0.3)
    table = torch.where(there, 0, 5).to(torch.int32)
    parts = kernel_map.KernelMap(table, 5)._parts(count)
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert len(parts) == count and parts[-1].stop == 4096
    sizes = [int(there[:, part].sum()) for part in parts]
    assert max(sizes) < 1.25 * min(sizes)


def test_a_single_voxel_is_one_block(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    coords = torch.zeros(1, 4, dtype=torch.int64)
    blocks = kernel_map.KernelMap(lines.lines_of(coords, 3), 1).pairs(torch.float32)
    torch.set_num_threads(before)
    assert [(block.rows, block.offsets) for block in blocks] == [(slice(0, 1), (range(13, 14),))]
