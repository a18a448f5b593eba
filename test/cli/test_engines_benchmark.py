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
        'products_s': 1.6,
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


def test_products_alone_are_those_of_the_pass():
    a, b = torch.ones(5, 3), torch.ones(3, 2)
    with engine_trials.ProductRecorder() as recorder:
        torch.mm(a, b)
        torch.nn.functional.linear(a, b.t())
        a + 1
    assert recorder.shapes == 2 * [(5, 3, 2, torch.float32)]
    engine_trials.products_alone(recorder.shapes)()
