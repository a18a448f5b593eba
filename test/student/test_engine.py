"""Sparse convolutions, whatever the engine, equal dense ones."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sparse_cases import levels_of, random_cloud, random_tensor, SIZE
import torch
from torch.nn import functional as F

from folk_ros.student import engine
from folk_ros.student.engines import (
    buffers,
    forms,
    kernel_map,
    lines,
    neighbourhoods,
    torch_engine,
)
from folk_ros.student.engines.choose import make_engine, NAMES
from folk_ros.student.unet import SparseUNet

CPU = torch.device('cpu')


def engine_or_skip(name):
    made = make_engine(name)
    trouble = made.problem(CPU)
    if trouble:
        pytest.skip(f'{name}: {trouble}')
    return made


@pytest.fixture(params=NAMES)
def each_engine(request):
    return engine_or_skip(request.param)


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture(params=['pairs', 'runs', 'chunks', 'cells'])
def each_form(request, monkeypatch, threads):
    """Plain torch made to compute in one form alone, in several pieces, the last one short."""
    margin = 1e9 if request.param in ('pairs', 'runs') else 0.0
    monkeypatch.setattr(forms, 'PAIR_MARGIN', margin)
    monkeypatch.setattr(kernel_map, 'RUN_ROWS', 1 if request.param == 'runs' else 1000)
    monkeypatch.setattr(torch_engine, 'WHOLE_CELLS', 99 if request.param == 'cells' else 0)
    monkeypatch.setattr(neighbourhoods, 'MIN_ROWS', 64)
    monkeypatch.setattr(neighbourhoods, 'PATCH_BYTES', 1)
    monkeypatch.setattr(kernel_map, 'PAIR_ROWS', 100)
    return make_engine('torch')


def to_dense(x, coords, batch, size):
    out = torch.zeros(batch, size, size, size, x.shape[1], dtype=x.dtype)
    return out.index_put(tuple(coords.t()), x).permute(0, 4, 1, 2, 3)


def from_dense(dense, coords):
    return dense.permute(0, 2, 3, 4, 1)[tuple(coords.t())]


def dense_weight(weight, n):
    """Canonical [K, Cin, Cout] to conv3d's [Cout, Cin, n, n, n]."""
    return weight.view(n, n, n, *weight.shape[1:]).permute(4, 3, 0, 1, 2)


def assert_same(ours, theirs, wanted):
    """Compare outputs, and gradients with respect to what is wanted, to 1e-12 of the largest."""
    slope = torch.randn_like(ours)
    pairs = [(ours, theirs)]
    pairs += zip(
        torch.autograd.grad(ours, wanted, slope),
        torch.autograd.grad(theirs, wanted, slope),
        strict=True,
    )
    for got, expected in pairs:
        got, expected = got.detach(), expected.detach()
        assert float((got - expected).abs().max()) <= 1e-12 * float(expected.abs().max())


def check_submanifold(made, n):
    _, coords = random_cloud()
    level = levels_of(coords, 1, made)[0]
    x, weight = random_tensor(len(coords), 5), random_tensor(n**3, 5, 7)
    dense = F.conv3d(to_dense(x, coords, 2, SIZE), dense_weight(weight, n), padding=n // 2)
    sparse = engine.submanifold(x, weight, level)
    assert_same(sparse, from_dense(dense, coords), [x, weight])


def check_down_and_up(made):
    _, coords = random_cloud()
    fine, coarse = levels_of(coords, 2, made)
    x, weight = random_tensor(len(coords), 3), random_tensor(8, 3, 4)
    halved = engine.down(x, weight, fine, len(coarse))
    dense = F.conv3d(to_dense(x, coords, 2, SIZE), dense_weight(weight, 2), stride=2)
    assert_same(halved, from_dense(dense, coarse.coords), [x, weight])
    y, back = random_tensor(len(coarse), 4), random_tensor(8, 4, 3)
    flipped = back.view(2, 2, 2, 4, 3).permute(3, 4, 0, 1, 2)
    dense = F.conv_transpose3d(to_dense(y, coarse.coords, 2, SIZE // 2), flipped, stride=2)
    assert_same(engine.up(y, back, fine), from_dense(dense, coords), [y, back])


@pytest.mark.parametrize('n', [1, 3, 5])
def test_submanifold_convolution_and_gradients_equal_dense_ones(each_engine, n):
    check_submanifold(each_engine, n)


def test_down_and_up_and_their_gradients_equal_strided_dense_convolutions(each_engine):
    check_down_and_up(each_engine)


@pytest.mark.parametrize('n', [3, 5])
def test_either_form_of_plain_torch_equals_the_dense_convolution(each_form, n):
    check_submanifold(each_form, n)


def test_either_form_of_plain_torch_strides_like_the_dense_convolution(each_form):
    check_down_and_up(each_form)


@pytest.mark.parametrize('compute', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('space', [0, 1000])  # rows as one number; lines of them
def test_three_channels_give_the_convolution_however_gathered(monkeypatch, compute, space):
    monkeypatch.setattr(forms, 'PAIR_MARGIN', 0.0)
    monkeypatch.setattr(lines, 'SPACE', space)
    gathered = []
    real = neighbourhoods.Neighbourhoods.gather
    monkeypatch.setattr(
        neighbourhoods.Neighbourhoods,
        'gather',
        lambda *a: gathered.append(real(*a)) or gathered[-1],
    )
    _, coords = random_cloud()
    x, weight = random_tensor(len(coords), 3), random_tensor(27, 3, 5)
    answers = []
    for dtype in (torch.float64, compute):
        stored = torch.float64 if dtype == torch.float64 else torch.float32
        level = engine.build_levels(coords, 1, dtype)[0]
        out = engine.submanifold(x.to(stored), weight.to(stored), level)
        answers.append([out.detach(), *torch.autograd.grad(out.square().sum(), [x, weight])])
    assert (27 * 4 in {near.shape[1] for near in gathered}) == (not space)
    limit = 1e-5 if compute == torch.float32 else 0.05
    for exact, ours in zip(*answers, strict=True):
        assert float((ours - exact).abs().max()) <= limit * float(exact.abs().max())


def test_gradients_are_the_same_every_time(monkeypatch, threads):
    monkeypatch.setattr(kernel_map, 'PAIR_ROWS', 20)
    monkeypatch.setattr(forms, 'PAIR_MARGIN', 1e9)
    _, coords = random_cloud()
    level = engine.build_levels(coords, 1)[0]
    x, weight = torch.randn(len(coords), 8), torch.randn(27, 8, 8, requires_grad=True)
    once, *others = (
        torch.autograd.grad(engine.submanifold(x, weight, level).square().sum(), weight)[0]
        for _ in range(8)
    )
    assert all(torch.equal(once, other) for other in others)


def test_clouds_in_the_network_at_once_do_not_disturb_each_other():
    torch.manual_seed(0)
    network = SparseUNet(3, (8, 16, 24), (16, 8)).eval()
    clouds = [random_cloud(batch=1 + seed, seed=seed)[1] for seed in range(4)]
    made = make_engine('torch')

    def features(coords):
        with torch.inference_mode():
            levels = engine.build_levels(coords, 3, torch.float32, made)
            return network(torch.ones(len(coords), 3), levels)[0]

    alone = [features(coords) for coords in clouds]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(features, clouds * 3))
    assert all(map(torch.equal, at_once, alone * 3))


def test_the_next_cloud_is_computed_in_the_memory_of_the_last_one(monkeypatch):
    made = make_engine('torch')
    taken = []
    real = buffers.Buffers.take

    def take(self, *args):
        out = real(self, *args)
        taken[-1].add(out.data_ptr())
        return out

    monkeypatch.setattr(buffers.Buffers, 'take', take)
    network = SparseUNet(3, (8, 16), (8,)).eval()
    _, coords = random_cloud()
    kept = []
    for limit in (torch_engine.MOST_KEPT, torch_engine.MOST_KEPT, 0, 0):
        monkeypatch.setattr(torch_engine, 'MOST_KEPT', limit)
        taken.append(set())
        levels = engine.build_levels(coords, 2, torch.float32, made)
        with torch.inference_mode():
            network(torch.ones(len(coords), 3), levels)
        held = len(made._spare)  # while the cloud is there its memory is nobody else's
        del levels
        kept.append((held, len(made._spare)))
    assert taken[1] and taken[1] <= taken[0]
    assert kept == [(0, 1), (0, 1), (0, 0), (0, 0)]


def test_up_needs_no_down_before_it(each_engine):
    _, coords = random_cloud()
    y, weight = random_tensor(400, 4).detach(), random_tensor(8, 4, 3).detach()
    answers = []
    for made in (make_engine('torch'), each_engine):
        fine, coarse = levels_of(coords, 2, made)
        answers.append(engine.up(y[: len(coarse)], weight, fine))
    assert torch.allclose(*answers, atol=1e-12)


def test_narrow_products_are_close_to_exact_ones():
    _, coords = random_cloud()
    x, weight = torch.randn(len(coords), 8), torch.randn(27, 8, 8)
    exact, narrow = (
        engine.submanifold(x, weight, engine.build_levels(coords, 1, dtype)[0])
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert narrow.dtype == torch.float32
    off = float((narrow - exact).abs().max() / exact.abs().max())
    assert (
        1e-4 < off < 0.02
    )  # bfloat16 has 8 bits; were it as exact as float32, it would not be it


def test_one_cloud_serves_inference_and_training_alike():
    _, coords = random_cloud()
    levels = engine.build_levels(coords, 1)
    x, weight = torch.randn(len(coords), 2), torch.randn(27, 2, 2, requires_grad=True)
    with torch.inference_mode():
        frozen = engine.submanifold(x, weight, levels[0])
    trained = engine.submanifold(x, weight, levels[0])
    trained.sum().backward()
    assert torch.equal(frozen, trained)
    assert weight.grad is not None


def test_clouds_of_one_batch_do_not_see_each_other(each_engine):
    _, coords = random_cloud()
    weight = torch.randn(27, 2, 2)
    x = torch.randn(len(coords), 2)

    def convolve(x, coords):
        level = engine.build_levels(coords, 1, engine=each_engine)[0]
        return engine.submanifold(x, weight, level)

    own = coords[:, 0] == 1
    alone = coords[own].clone()
    alone[:, 0] = 0
    assert torch.allclose(convolve(x, coords)[own], convolve(x[own], alone), atol=1e-5)


def test_narrow_products_have_few_numbers_of_rows_and_the_numbers_of_exact_ones(monkeypatch):
    """Each new number of rows costs more time than a small product."""
    monkeypatch.setattr(forms, 'PAIR_MARGIN', 1e9)
    monkeypatch.setattr(kernel_map, 'PRODUCT_ROWS', 40)
    monkeypatch.setattr(kernel_map, 'NARROW_STEP', 8)
    _, coords = random_cloud()
    x, weight = torch.randn(len(coords), 8), torch.randn(27, 8, 8)
    rows, real = set(), torch.mm
    answers = []
    for dtype in (torch.float32, torch.bfloat16):
        ours, own = x.clone().requires_grad_(), weight.clone().requires_grad_()
        monkeypatch.setattr(
            torch, 'mm', lambda a, *rest, **kept: rows.add(len(a)) or real(a, *rest, **kept)
        )
        level = engine.build_levels(coords, 1, dtype)[0]
        rows.clear()
        out = engine.submanifold(ours, own, level)
        counted = set(rows)
        answers.append([out.detach(), *torch.autograd.grad(out.square().sum(), [ours, own])])
    assert counted and counted <= set(range(8, 41, 8))
    for exact, narrow in zip(*answers, strict=True):
        assert float((narrow - exact).abs().max()) <= 0.05 * float(exact.abs().max())
