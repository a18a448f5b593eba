import pytest
import torch

from folk_ros.cli.benchmarks import engine_trials
from folk_ros.cli.benchmarks.bars import missed
from folk_ros.cli.benchmarks.engines import figures_of

ROWS = [
    {
        'engine': 'torch',
        'device': 'cpu',
        'dtype': 'float32',
        'forward_s': 2.0,
        'training_s': 8.0,
        'products_cut_s': 1.9,
        'products_shared_s': 1.6,
        'disagreement': 0.0,
    },
    {
        'engine': 'minkowski',
        'device': 'cpu',
        'dtype': 'float32',
        'forward_s': 5.0,
        'training_s': 20.0,
        'disagreement': 1e-13,
    },
]


def test_ratios_come_from_rows_of_one_run():
    figures = figures_of(ROWS)
    assert figures['engines_cpu_minkowski_over_torch'] == pytest.approx(2.5)
    assert figures['engines_cpu_over_products'] == pytest.approx(1.25)
    assert figures['engines_fp64_digits'] == pytest.approx(13)
    assert missed(figures) == []


def test_an_engine_that_disagrees_misses_the_bar():
    rows = [ROWS[0], {**ROWS[1], 'disagreement': 1e-10}]
    assert [bar.key for bar in missed(figures_of(rows))] == ['engines_fp64_digits']


def test_without_a_rival_there_is_no_ratio_to_it():
    assert 'engines_cpu_minkowski_over_torch' not in figures_of(ROWS[:1])


def test_the_room_is_the_same_every_time_and_sorted(monkeypatch):
    monkeypatch.setattr(engine_trials, 'POINTS_PER_M2', 500)
    one, other = engine_trials.room_coords(2000), engine_trials.room_coords(2000)
    assert torch.equal(one, other)
    assert one.shape == (2000, 4)
    assert torch.equal(one, torch.unique(one, dim=0))


def test_a_room_too_small_says_how_many_voxels_it_has(monkeypatch):
    monkeypatch.setattr(engine_trials, 'POINTS_PER_M2', 5)
    with pytest.raises(ValueError, match='expected at least 100000'):
        engine_trials.room_coords(100_000)


def test_all_products_of_a_pass_are_noted():
    a, b = torch.ones(5, 3), torch.ones(3, 2)
    with engine_trials.ProductRecorder() as recorder:
        torch.mm(a, b)
        torch.nn.functional.linear(a, b.t())
        torch.nn.functional.linear(a, b.t(), torch.ones(2))
        a + 1
    assert [rows for rows, _ in recorder.products] == [5, 5, 5]
    assert all(torch.equal(matrix, b) for _, matrix in recorder.products)


def test_products_alone_are_made_once_each_in_either_way(monkeypatch):
    products = [
        (5, torch.ones(3, 2)),
        (4, torch.ones(4, 4, dtype=torch.bfloat16)),
        (900, torch.ones(9, 1)),
    ]
    alone = engine_trials.ProductsAlone(products)
    made, real = [], torch.mm
    monkeypatch.setattr(torch, 'mm', lambda a, b, out: made.append((a, b, real(a, b, out=out))))
    for repeat in (alone.one_by_one, alone.shared_out):
        repeat()
        assert sorted((len(a), b.data_ptr()) for a, b, _ in made) == sorted(
            (rows, matrix.data_ptr()) for rows, matrix in products
        )
        assert all(float(out[0, 0]) == a.shape[1] for a, _, out in made)  # of ones
        made.clear()
