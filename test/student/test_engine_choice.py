import ast
import logging
from pathlib import Path
import re

import pytest
import torch

from folk_ros.student.engine import build_levels
from folk_ros.student.engines import choose
from folk_ros.student.engines.choose import (
    choose_engine,
    fastest,
    make_engine,
    product_type,
    wrong_numbers,
)
from folk_ros.student.engines.minkowski import Minkowski, to_minkowski
from folk_ros.student.engines.spconv import Spconv, to_spconv
from folk_ros.student.engines.torch_engine import TorchEngine
from folk_ros.student.res16unet import Res16UNet, Res16UNetConfig

CPU = torch.device('cpu')
PACKAGE = Path(choose.__file__).resolve().parents[2]


class Faster(TorchEngine):
    """Quick and right: it remembers what it answered to the same question."""

    name = 'faster'

    def __init__(self):
        super().__init__()
        self.answers = {}

    def submanifold(self, x, weight, level, finish=None):
        if torch.is_grad_enabled():
            return super().submanifold(x, weight, level, finish)
        if len(level) not in self.answers:
            self.answers[len(level)] = super().submanifold(x, weight, level, finish)
        return self.answers[len(level)]


class Wrong(Faster):
    name = 'wrong'

    def submanifold(self, x, weight, level, finish=None):
        return super().submanifold(x, weight, level, finish) * 1.01


class WrongBackwards(Faster):
    name = 'wrong backwards'

    def up(self, x, weight, fine, finish=None):
        return super().up(x, weight.detach() + 0 * weight, fine, finish)


class Raising(Faster):
    name = 'raising'

    def down(self, x, weight, fine, coarse_count, finish=None):
        raise KeyError('no kernel image')


def test_the_faster_of_two_right_engines_is_taken():
    choice = fastest([TorchEngine(), Faster()], CPU)
    assert choice.engine.name == 'faster'
    assert 'torch' in choice.why
    assert 'faster' in choice.why


@pytest.mark.parametrize(
    ('broken', 'reason'),
    [(Wrong, 'wrong by'), (WrongBackwards, 'wrong by'), (Raising, 'KeyError: .*no kernel image')],
)
def test_a_fast_engine_of_wrong_numbers_is_not_taken_and_the_reason_is_said(broken, reason):
    choice = fastest([TorchEngine(), broken()], CPU)
    assert choice.engine.name == 'torch'
    assert re.search(f'{broken.name}: .*{reason}', choice.why)


def test_an_engine_asked_for_by_name_is_refused_if_its_numbers_are_wrong(monkeypatch):
    monkeypatch.setattr(choose, 'make_engine', lambda name: Wrong())
    with pytest.raises(ValueError, match=r"'minkowski' cannot be used: it failed the self-check"):
        choose_engine('minkowski', CPU)


def test_an_unknown_engine_lists_those_there_are():
    with pytest.raises(ValueError, match='auto, torch, minkowski, spconv'):
        choose_engine('cudnn', CPU)


def test_spconv_is_refused_on_a_cpu_whether_installed_or_not():
    with pytest.raises(ValueError, match='more than one thread'):
        choose_engine('spconv', CPU)


def test_an_absent_minkowski_engine_says_where_its_building_is_told():
    if Minkowski().problem(CPU) is None:
        pytest.skip('MinkowskiEngine is installed')
    with pytest.raises(ValueError, match='engines/minkowski.py'):
        choose_engine('minkowski', CPU)


def test_auto_on_a_cpu_is_torch_and_says_so(caplog):
    with caplog.at_level(logging.INFO, logger='folk_ros'):
        choice = choose_engine('auto', CPU)
    assert choice.engine.name == 'torch'
    assert f'sparse convolution on cpu by torch: {choice.why}' in caplog.text


@pytest.mark.parametrize('compute', [torch.float64, torch.float32, torch.bfloat16])
def test_plain_torch_passes_its_own_check_in_every_dtype(compute):
    assert wrong_numbers(TorchEngine(), CPU, compute) is None


def test_one_state_dict_gives_the_same_network_under_every_engine():
    config = Res16UNetConfig(
        encoder=(8, 8), decoder=(8, 8), encoder_blocks=(1, 1), decoder_blocks=(1, 1), stem=8
    )
    torch.manual_seed(0)
    source = Res16UNet(config).double()
    coords = (torch.rand(1, 10, 10, 10) < 0.3).nonzero()
    x = torch.randn(len(coords), 3, dtype=torch.float64)
    answers = {}
    for name in choose.NAMES:
        engine = make_engine(name)
        if engine.problem(CPU):
            continue
        network = Res16UNet(config).double()
        network.load_state_dict(source.state_dict(), strict=True)
        out = network(x, build_levels(coords, 3, torch.float64, engine))[0]
        weights = list(network.parameters())
        answers[name] = [out, *torch.autograd.grad(out.square().sum(), weights)]
    if len(answers) < 2:
        pytest.skip('torch is the only engine here')
    for name, answer in answers.items():
        for got, expected in zip(answer, answers['torch'], strict=True):
            off = float((got - expected).abs().max() / expected.abs().max())
            assert off < 1e-12, name


def test_kernels_are_turned_to_the_order_of_each_library():
    x, y, z = torch.meshgrid(*3 * [torch.arange(3.0)], indexing='ij')
    weight = (100 * x + 10 * y + z).reshape(27, 1, 1)
    assert float(to_minkowski(weight)[1]) == 100  # its first axis is the fastest
    assert torch.equal(to_minkowski(to_minkowski(weight)), weight)
    assert float(to_spconv(weight)[0, 2, 1, 0, 0]) == 210  # [Cout, x, y, z, Cin]


def test_spconv_names_what_to_install_where_it_could_run():
    trouble = Spconv().problem(torch.device('cuda'))
    assert trouble is None or 'spconv' in trouble


@pytest.mark.parametrize('library', ['MinkowskiEngine', 'spconv_triton', 'triton'])
def test_each_library_is_known_in_one_file(library):
    """Imports count, and names in quotes, by which modules are imported too."""
    users = set()
    for path in PACKAGE.rglob('*.py'):
        text = path.read_text(encoding='utf-8')
        for node in ast.walk(ast.parse(text)) if library in text else ():
            names = [alias.name for alias in getattr(node, 'names', []) if hasattr(alias, 'name')]
            names += [getattr(node, 'module', None), getattr(node, 'value', None)]
            if any(isinstance(n, str) and n.split('.')[0] == library for n in names):
                users.add(path.name)
    assert len(users) == 1


@pytest.mark.parametrize('able', [False, True])
def test_products_are_narrow_where_the_processor_has_them_and_they_gain(able, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda including_emulation: able)
    narrow = torch.bfloat16 if able else torch.float32
    monkeypatch.setattr(torch.cpu, '_is_avx512_bf16_supported', lambda: able)
    assert product_type(torch.device('cuda')) == narrow
    assert product_type(torch.device('cpu')) == torch.float32
    assert product_type(torch.device('cpu'), wide=True) == narrow
