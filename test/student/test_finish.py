import pytest
import torch
from torch import nn

from folk_ros.student import engine
from folk_ros.student.engines.choose import make_engine, NAMES
from folk_ros.student.engines.finish import scale_and_shift
from folk_ros.student.res16unet import Res16UNet, Res16UNetConfig
from folk_ros.student.unet import Down, normed, residual, SparseUNet, Submanifold, Up

CPU = torch.device('cpu')
SMALL = Res16UNetConfig(
    stem=8, encoder=(8, 12), decoder=(12, 8), encoder_blocks=(2, 2), decoder_blocks=(2, 2)
)


@pytest.fixture(params=NAMES)
def each_engine(request):
    made = make_engine(request.param)
    trouble = made.problem(CPU)
    if trouble:
        pytest.skip(f'{request.param}: {trouble}')
    return made


def cloud():
    torch.manual_seed(0)
    return (torch.rand(1, 8, 8, 8) < 0.4).nonzero()


def with_statistics(network):
    """Give the norms something to do."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            for values in (module.weight.data, module.running_var):
                values.uniform_(0.5, 2.0)
            for values in (module.bias.data, module.running_mean):
                values.normal_()
    return network.double().eval()


@pytest.mark.parametrize(
    'network', [SparseUNet(3, (8, 12, 16), (12, 8)), Res16UNet(SMALL)], ids=['small', 'res16']
)
def test_what_is_finished_in_place_equals_norm_skip_and_relu_apart(network, each_engine):
    network, coords = with_statistics(network), cloud()
    x = torch.randn(len(coords), 3, dtype=torch.float64)
    levels = engine.build_levels(coords, 3, torch.float64, each_engine)
    apart = network(x, levels)  # gradients are recorded
    with torch.inference_mode():
        at_once = network(x, levels)
    for ours, theirs in zip(at_once, apart, strict=True):
        theirs = theirs.detach()
        assert float((ours - theirs).abs().max()) <= 1e-12 * float(theirs.abs().max())


@pytest.mark.parametrize('wide', [4, 100])  # either form of the strided layers
@pytest.mark.parametrize('kind', ['own', 'single', 'down', 'up'])
def test_the_result_lies_in_the_memory_given(kind, wide, each_engine):
    fine, coarse = engine.build_levels(cloud(), 2, torch.float64, each_engine)
    conv, place, rows, source = {
        'own': (Submanifold(27, wide, wide), (fine,), len(fine), len(fine)),
        'single': (Submanifold(1, wide, wide), (fine,), len(fine), len(fine)),
        'down': (Down(8, wide, wide), (fine, len(coarse)), len(coarse), len(fine)),
        'up': (Up(8, wide, wide), (fine,), len(fine), len(coarse)),
    }[kind]
    norm = with_statistics(nn.BatchNorm1d(wide))
    x = torch.randn(source, wide, dtype=torch.float64)
    expected = torch.relu(norm(conv.double()(x, *place))).detach()
    kept = torch.zeros(rows, wide + 3, dtype=torch.float64)
    into = kept[:, :wide]  # part of wider rows
    with torch.no_grad():
        out = normed(conv, norm, x, *place, into=into)
    assert out.data_ptr() == into.data_ptr()
    assert torch.allclose(into, expected, rtol=0, atol=1e-11)
    assert not kept[:, wide:].any()


def test_a_spent_skip_is_written_over_and_no_other(each_engine):
    level = engine.build_levels(cloud(), 1, torch.float64, each_engine)[0]
    conv, norm = Submanifold(27, 5, 5).double(), with_statistics(nn.BatchNorm1d(5))
    linear = nn.Linear(5, 5, bias=False).double()
    y, x = torch.randn(2, len(level), 5, dtype=torch.float64)
    made = norm(conv(y, level)).detach()
    for skip, spent, over in (
        (nn.Identity(), False, False),
        (nn.Identity(), True, True),
        (linear, True, False),  # other rows are still to be multiplied
    ):
        here = x.clone()
        with torch.no_grad():
            out = residual((conv, norm), y, level, skip, here, spent)
        assert (out.data_ptr() == here.data_ptr()) == over
        assert torch.allclose(out, torch.relu(made + skip(x)), rtol=0, atol=1e-11)
        assert over or torch.equal(here, x)


def test_what_the_caller_holds_is_not_written_over():
    network, coords = with_statistics(Res16UNet(SMALL)), cloud()
    x = torch.randn(len(coords), 3, dtype=torch.float64)
    before = x.clone()
    levels = engine.build_levels(coords, 3, torch.float64)
    with torch.no_grad():
        first = [out.clone() for out in network(x, levels)]
        held = network(x, levels)
        network(torch.randn_like(x), levels)
    assert torch.equal(x, before)
    assert all(torch.equal(a, b) for a, b in zip(first, held, strict=True))


def test_a_norm_without_running_statistics_is_refused():
    with pytest.raises(ValueError, match='running statistics'):
        scale_and_shift(nn.BatchNorm1d(4, track_running_stats=False))
    with pytest.raises(ValueError, match='batch norm'):
        scale_and_shift(nn.LayerNorm(4))
