"""Which engine computes the student's sparse convolutions: the fastest whose numbers are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import logging
import math
import time

import torch
from torch import Tensor

from folk_ros.student import engine as face
from folk_ros.student.engines.finish import Finish
from folk_ros.student.engines.minkowski import Minkowski
from folk_ros.student.engines.protocol import SparseEngine
from folk_ros.student.engines.spconv import Spconv
from folk_ros.student.engines.torch_engine import TorchEngine

log = logging.getLogger(__name__)

AUTO = 'auto'
NAMES = ('torch', 'minkowski', 'spconv')
TOLERANCE = {torch.float64: 1e-11, torch.float32: 1e-4}  # relative; narrower types: see below
NARROW_TOLERANCE = 0.05
CHECKED, WIDE_CHECKED, TIMED = 12, 20, 36  # edges of random cubes, three tenths full:
# 500, 2400 and 14,000 voxels
WIDE = 128  # channels
REPEATS = 5
LEAD = 1.2  # times faster than plain torch an engine must be: short trials are rough


@dataclass(frozen=True)
class Choice:
    """An engine, and why it is this one."""

    engine: SparseEngine
    why: str


@dataclass(frozen=True)
class TorchChoice(Choice):
    """The engine that is always there, and how it is taken."""

    engine: TorchEngine


def make_engine(name: str, fused: bool = False) -> SparseEngine:
    """Make an engine by name; `fused` is for torch alone. ValueError if there is none such."""
    if name == 'torch':
        return TorchEngine(fused)
    if name == 'minkowski':
        return Minkowski()
    if name == 'spconv':
        return Spconv()
    raise ValueError(f'engine: expected one of {", ".join((AUTO, *NAMES))}, got {name!r}')


def product_type(device: torch.device, wide: bool = False) -> torch.dtype:
    """
    Return the dtype in which a trained student's features are multiplied; sums stay float32.

    bfloat16 on GPUs made for it; on CPUs with instructions for it for networks of `wide` layers:
    Res16UNet34C takes two thirds of the time (measured), of few channels nothing is gained.
    """
    if device.type == 'cuda' and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    if device.type == 'cpu' and wide and torch.cpu._is_avx512_bf16_supported():
        return torch.bfloat16
    return torch.float32


def choose_engine(name: str, device: torch.device, compute: torch.dtype = torch.float32) -> Choice:
    """
    Return the engine named, or for 'auto' the fastest here; either must pass the self-check.

    On a CPU that is torch, by measurement beforehand: so that a robot computes the same numbers
    after every start, however busy it is. On a GPU a short trial decides.
    Raises ValueError, with the reason, if the engine named cannot compute here or computes wrong.
    """
    choice: Choice
    if name == 'torch' or (name == AUTO and device.type == 'cpu'):
        choice = _torch(device, compute)
    elif name == AUTO:
        plain = _torch(device, compute)
        others = [make_engine(other) for other in NAMES if other != plain.engine.name]
        if plain.engine.fused:
            others.insert(0, TorchEngine())
        choice = fastest([plain.engine, *others], device, compute)
        choice = Choice(choice.engine, f'{choice.why}; torch is {plain.why}')
    else:
        engine = make_engine(name)
        trouble = engine.problem(device) or wrong_numbers(engine, device, compute)
        if trouble:
            raise ValueError(f"engine {name!r} cannot be used: {trouble}; engine 'auto' can")
        choice = Choice(engine, 'as asked for; its numbers were checked')
    log.info('sparse convolution on %s by %s: %s', device, choice.engine.name, choice.why)
    return choice


def wrong_numbers(
    engine: SparseEngine, device: torch.device, compute: torch.dtype = torch.float32
) -> str | None:
    """
    Compare an engine with plain torch on a small random cloud: a sentence if it is wrong, or None.

    Output and gradients of a submanifold, a strided and a raised layer, in the dtype to be used;
    and of one layer as wide as large networks have, which takes the most of a GPU's resources.
    """
    exact = compute if compute == torch.float64 else torch.float32
    limit = TOLERANCE.get(compute, NARROW_TOLERANCE)
    try:
        ours = _answers(TorchEngine(), device, exact)
        theirs = _answers(engine, device, compute)
    except Exception as failure:  # noqa: BLE001  a library fails in any way; then it is not taken
        return f'it failed the self-check ({type(failure).__name__}: {_first_line(failure)})'
    for expected, got in zip(ours, theirs, strict=True):
        off = float((got - expected).abs().max() / expected.abs().max())
        if not off <= limit:  # also if it is no number
            return f'it failed the self-check: wrong by {off:.1e}, at most {limit:.0e} is rounding'
    return None


def _answers(engine: SparseEngine, device: torch.device, compute: torch.dtype) -> list[Tensor]:
    return [*_trial(engine, device, compute), *_wide_trial(engine, device, compute)]


def _wide_trial(engine: SparseEngine, device: torch.device, compute: torch.dtype) -> list[Tensor]:
    """Run one layer as it is run for an answer, finished, and for its gradients."""
    level = face.build_levels(_random_cube(WIDE_CHECKED, device), 1, compute, engine)[0]
    stored = torch.float64 if compute == torch.float64 else torch.float32
    maker = torch.Generator().manual_seed(1)
    x, weight, norm = (
        torch.randn(shape, generator=maker, dtype=torch.float64).to(device, stored)
        for shape in ((len(level), WIDE), (27, WIDE, WIDE), (2, WIDE))
    )
    weight /= WIDE
    with torch.inference_mode():
        finish = Finish(norm[0], norm[1], skip=x)
        done = face.submanifold(x, weight, level, finish).to(stored, copy=True)
    with torch.inference_mode(False), torch.enable_grad():
        x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
        out = face.submanifold(x, weight, level)
        return [done, *torch.autograd.grad(out.square().sum(), [x, weight])]


def _trial(engine: SparseEngine, device: torch.device, compute: torch.dtype) -> list[Tensor]:
    """Run a tiny U-Net there and back: its output and every gradient."""
    levels = face.build_levels(_random_cube(CHECKED, device), 2, compute, engine)
    stored = torch.float64 if compute == torch.float64 else torch.float32
    maker = torch.Generator().manual_seed(0)
    shapes = ((len(levels[0]), 4), (125, 4, 16), (8, 16, 24), (27, 24, 16), (8, 16, 16))
    with torch.inference_mode(False), torch.enable_grad():
        x, *weights = (
            (torch.randn(shape, generator=maker, dtype=torch.float64) / shape[-2] ** 0.5)
            .to(device, stored)
            .requires_grad_()
            for shape in shapes
        )
        stem, strided, own, raised = weights
        fine = face.submanifold(x, stem, levels[0])
        coarse = face.down(fine, strided, levels[0], len(levels[1]))
        coarse = face.submanifold(coarse, own, levels[1])
        out = fine + face.up(coarse, raised, levels[0])
        return [out.detach(), *torch.autograd.grad(out.square().sum(), [x, *weights])]


def _random_cube(edge: int, device: torch.device) -> Tensor:
    there = torch.rand(1, edge, edge, edge, generator=torch.Generator().manual_seed(0)) < 0.3
    return there.nonzero().to(device)


def _torch(device: torch.device, compute: torch.dtype) -> TorchChoice:
    """Return the torch engine, with the fused kernel where it works."""
    if device.type != 'cuda':
        return TorchChoice(TorchEngine(), 'the fastest measured on CPUs (folk benchmark engines)')
    fused = TorchEngine(fused=True)
    trouble = wrong_numbers(fused, device, compute)
    if trouble:
        return TorchChoice(TorchEngine(), f'taken without its fused kernel: {trouble}')
    return TorchChoice(fused, 'taken with its fused kernel, whose numbers were checked')


def fastest(
    engines: Sequence[SparseEngine], device: torch.device, compute: torch.dtype = torch.float32
) -> Choice:
    """
    Return the fastest in a short trial among the engines that compute here and compute right.

    The first is the one to keep unless another is clearly faster; it is not checked.
    """
    able, refused = [engines[0]], []
    for engine in engines[1:]:
        trouble = engine.problem(device) or wrong_numbers(engine, device, compute)
        if trouble:
            refused.append(f'{engine.name}: {trouble}')
        else:
            able.append(engine)
    seconds = _seconds(able, device, compute)
    best = min(range(len(able)), key=seconds.__getitem__)
    if seconds[best] * LEAD > seconds[0]:
        best = 0
    times = [f'{_label(e)} {1e3 * s:.2f} ms' for e, s in zip(able, seconds, strict=True)]
    trial = f'the fastest in a trial ({", ".join(times)})' if len(able) > 1 else 'the only one'
    return Choice(able[best], '; '.join([trial, *refused]))


@torch.inference_mode()
def _seconds(
    engines: Sequence[SparseEngine], device: torch.device, compute: torch.dtype
) -> list[float]:
    """Return each engine's best time of a layer of 64 channels, its maps built before."""
    coords = _random_cube(TIMED, device)
    levels = [face.build_levels(coords, 1, compute, engine)[0] for engine in engines]
    x = torch.ones(len(coords), 64, device=device)
    weight = torch.ones(27, 64, 64, device=device)
    best = [math.inf] * len(engines)
    for repeat in range(1 + REPEATS):
        for index, (engine, level) in enumerate(zip(engines, levels, strict=True)):
            begin = time.perf_counter()
            engine.submanifold(x, weight, level)
            if device.type == 'cuda':
                torch.cuda.synchronize(device)
            if repeat:  # the first builds maps and compiles
                best[index] = min(best[index], time.perf_counter() - begin)
    return best


def _label(engine: SparseEngine) -> str:
    fused = isinstance(engine, TorchEngine) and engine.fused
    return f'{engine.name} (fused)' if fused else engine.name


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ['no message'])[0]
