"""
The fused kernel, run by Triton's interpreter: in a process of its own, for it is told by a
variable that is read when triton is imported.
"""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from folk_ros.student.engine import build_levels, down, submanifold, up
from folk_ros.student.engines.choose import wrong_numbers
from folk_ros.student.engines.torch_engine import TorchEngine
from folk_ros.student.unet import SparseUNet

SHAPES = ((27, 3, 17), (8, 17, 40), (27, 40, 6), (8, 6, 5))  # whole tiles and rests of them


def answers(engine, dtype):
    torch.manual_seed(0)
    coords = (torch.rand(1, 4, 5, 5) < 0.45).nonzero()
    levels = build_levels(coords, 2, dtype, engine)
    x = torch.randn(len(coords), 3, requires_grad=True)
    stem, strided, own, raised = weights = [
        torch.randn(shape).div(8).requires_grad_() for shape in SHAPES
    ]
    y = down(submanifold(x, stem, levels[0]), strided, levels[0], len(levels[1]))
    y = up(submanifold(y, own, levels[1]), raised, levels[0])
    gradients = torch.autograd.grad(y.square().sum(), [x, *weights])
    network = SparseUNet(3, (6, 20), (5,)).eval()
    with torch.inference_mode():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm1d):
                layer.running_mean.normal_()
        finished = network(x, build_levels(coords, 2, dtype, engine))
    return [y.detach(), *gradients, *finished]


def worst_difference(dtype):
    pairs = zip(
        answers(TorchEngine(), torch.float32), answers(TorchEngine(fused=True), dtype), strict=True
    )
    return max(float((got - e).abs().max() / e.abs().max()) for e, got in pairs)


@pytest.mark.skipif(importlib.util.find_spec('triton') is None, reason='triton is not installed')
def test_the_fused_kernel_gives_the_numbers_of_plain_torch():
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, 'TRITON_INTERPRET': '1', 'PYTHONPATH': os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    exact, narrow = map(float, done.stdout.split())
    assert exact < 1e-5
    assert 1e-4 < narrow < 4e-2


@pytest.mark.gpu
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_the_fused_kernel_passes_the_self_check_on_a_gpu(dtype):
    assert wrong_numbers(TorchEngine(fused=True), torch.device('cuda'), dtype) is None


@pytest.mark.gpu
def test_kernel_maps_built_on_a_gpu_are_those_of_the_cpu():
    coords = (torch.rand(2, 20, 20, 20) < 0.3).nonzero()
    there, here = build_levels(coords.cuda(), 3), build_levels(coords, 3)
    for gpu, cpu in zip(there, here, strict=True):
        assert gpu.neighbours(5).is_cuda
        assert torch.equal(gpu.neighbours(5).cpu(), cpu.neighbours(5))
        assert torch.equal(gpu.coords.cpu(), cpu.coords)


def tell():
    from triton.runtime import interpreter

    real = interpreter.InterpreterBuilder.create_dot

    def exact_dot(builder, a, b, *others):
        """Multiply bfloat16 as the numbers they are; else it would take their bits for numbers."""
        for each in (a, b):
            if each.data.dtype == np.uint16:
                each.data = (each.data.astype(np.uint32) << 16).view(np.float32)
        return real(builder, a, b, *others)

    interpreter.InterpreterBuilder.create_dot = exact_dot
    types = (torch.float32, torch.bfloat16)
    sys.stdout.write(' '.join(str(worst_difference(dtype)) for dtype in types))


if __name__ == '__main__':
    tell()
