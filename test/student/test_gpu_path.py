"""The way to a GPU and back, on machines without one; see pretended_gpu.py."""

from types import SimpleNamespace

import numpy as np
from pretended_gpu import GPU, LAUNCHED, OnGpu, pretended_gpu, WAITED
import pytest
import torch
from torch import nn

from folk_ros.config import SegmentConfig
from folk_ros.structures import PointCloud
from folk_ros.student import runner as module
from folk_ros.student.engine import build_levels
from folk_ros.student.engines import choose, triton_kernels
from folk_ros.student.engines.kernel_map import KernelMap
from folk_ros.student.engines.torch_engine import _Convolution, Route, TorchEngine
from folk_ros.student.mask3d import Mask3D, Mask3DConfig
from folk_ros.student.mask_decoder import DecoderConfig
from folk_ros.student.res16unet import Res16UNet, Res16UNetConfig
from folk_ros.student.runner import Runner
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.vl_adapter import ATTENTION
from folk_ros.voxels import voxelize

pytest.importorskip('triton')

FEW_CHANNELS = Res16UNetConfig(  # the layers of 34C
    stem=4, encoder=(4, 5, 6, 8), decoder=(8, 6, 5, 5)
)
SMALL = StudentConfig(
    encoder=(8, 12, 16), decoder=(12, 8), decoder_reads=(2, 1), embedding_dim=6, surface=True,
    pooling=ATTENTION, exclusive=True, doubt_small=1.0, calibration=(0.9, 0.1),
)  # fmt: skip
BIG = Mask3DConfig(
    backbone=Res16UNetConfig(
        stem=4, encoder=(4, 8), decoder=(8, 8), encoder_blocks=(1, 1), decoder_blocks=(1, 1)
    ),
    decoder=DecoderConfig(
        width=16, heads=2, feed=16, rounds=1, reads=(2, 1), queries=12, classes=3, embed=8
    ),
    embedding_dim=6,
)
EVERYTHING = SegmentConfig(min_quality=0.0)


@pytest.fixture
def on_gpu(monkeypatch):
    # the self-check asks for gradients, which torch computes on a GPU's own threads
    monkeypatch.setattr(choose, 'wrong_numbers', lambda *_: None)
    with pretended_gpu(monkeypatch):
        LAUNCHED.clear()
        WAITED.clear()
        yield


def network_of(kind, config):
    torch.manual_seed(0)
    network = kind(config).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean.normal_(std=0.1)
            layer.running_var.uniform_(0.5, 2.0)
    if kind is Student:
        network.fields.out.bias.data[-2:] = 2.0  # many seeds
    return network


@pytest.fixture
def voxels():
    rng = np.random.default_rng(0)
    floor = np.c_[rng.uniform(0, 1, (900, 2)), np.zeros(900)]
    box = rng.uniform(0, 0.2, (300, 3)) + [0.4, 0.4, 0.05]
    xyz = np.concatenate([floor, box]).astype(np.float32)
    return voxelize(PointCloud(xyz, rng.integers(0, 255, xyz.shape).astype(np.uint8)), 0.04)


@pytest.mark.parametrize(('kind', 'config'), [(Student, SMALL), (Mask3D, BIG)])
def test_a_student_on_a_gpu_finds_what_it_finds_on_a_cpu(
    on_gpu, monkeypatch, voxels, kind, config
):
    monkeypatch.setattr(module, 'product_type', lambda *_: torch.float32)
    here = Runner(network_of(kind, config), torch.device('cpu'), 'auto')
    expected = here.predict(voxels, EVERYTHING)
    runner = Runner(network_of(kind, config), GPU, 'torch')
    assert runner.student.engine.fused
    WAITED.clear()
    found = runner.predict(voxels, EVERYTHING)
    assert sum(WAITED.values()) <= 40  # times the GPU is waited for, also with many seeds
    assert len(found.quality) > 0 and isinstance(found.quality, OnGpu)
    assert torch.equal(found.owner.cpu(), expected.owner)
    assert torch.equal(found.rows.cpu(), expected.rows)
    assert torch.allclose(found.quality.cpu(), expected.quality, atol=1e-5)
    assert torch.allclose(found.embeddings.cpu(), expected.embeddings, atol=1e-4)


def test_a_res16unet34c_takes_a_few_hundred_launches_and_no_more_for_larger_clouds(on_gpu):
    counts = []
    network = network_of(Res16UNet, FEW_CHANNELS).to(GPU)
    for edge in (6, 6, 12):
        coords = (torch.rand(1, edge, edge, edge) < 0.3).nonzero().to(GPU)
        x = torch.ones(len(coords), 3).to(GPU)
        LAUNCHED.clear()
        WAITED.clear()
        with torch.no_grad():
            levels = build_levels(coords, 5, torch.bfloat16, TorchEngine(fused=True))
            out = network(x, levels)
        counts.append(sum(LAUNCHED.values()))
    assert out[0].is_cuda and out[0].dtype == torch.float32
    assert LAUNCHED['convolve'] == 55
    assert counts[1] == counts[2] < 350 < counts[0]  # at first the weights are made ready
    assert sum(WAITED.values()) <= 8


def test_products_of_few_bits_keep_what_they_make_narrow_and_close(on_gpu):
    network, coords = network_of(Res16UNet, FEW_CHANNELS), torch.ones(1, 8, 8, 8).nonzero()
    x = torch.randn(len(coords), 3)
    with torch.no_grad():
        exact = network(x, build_levels(coords, 5))
        there = network.to(GPU)
        levels = build_levels(coords.to(GPU), 5, torch.bfloat16, TorchEngine(fused=True))
        narrow = there(x.to(GPU), levels)
    kinds = {key[1] for key in levels[0].maps['buffers']._kept}
    assert kinds == {torch.bfloat16}
    for ours, theirs in zip(narrow, exact, strict=True):
        off = float((ours.cpu() - theirs).abs().max() / theirs.abs().max())
        assert 1e-4 < off < 0.05


def test_a_gpu_without_memory_left_hands_over_to_the_cpu_and_back(on_gpu, monkeypatch, voxels):
    monkeypatch.setattr(module, 'product_type', lambda *_: torch.float32)
    monkeypatch.setattr(module, 'FEWEST', 100)
    runner = Runner(network_of(Student, SMALL), GPU, 'torch')
    whole = runner.predict(voxels, EVERYTHING)
    working = triton_kernels.convolve

    class Full:
        def __getitem__(self, grid):
            raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 80.00 GiB')

    monkeypatch.setattr(triton_kernels, 'convolve', Full())
    found = runner.predict(voxels, EVERYTHING)
    assert not isinstance(found.quality, OnGpu)
    assert 'segmented on cpu' in runner.notices[0].text
    monkeypatch.setattr(triton_kernels, 'convolve', working)
    with torch.no_grad():
        for weight in runner.student.parameters():
            weight *= 1.1  # what was kept of the weights must not be used
    changed = runner.predict(voxels, EVERYTHING)
    assert isinstance(changed.quality, OnGpu) and not runner.notices
    assert len(changed.quality) != len(whole.quality) or not torch.allclose(
        changed.quality.cpu(), whole.quality.cpu()
    )


def test_gradients_are_computed_where_the_features_are(on_gpu):
    coords = (torch.rand(1, 6, 6, 6) < 0.3).nonzero()
    x, weight = torch.randn(len(coords), 5), torch.randn(27, 5, 4)
    answers = []
    for device, fused in ((torch.device('cpu'), False), (GPU, True), (GPU, False)):
        level = build_levels(coords.to(device), 1, engine=TorchEngine(fused))[0]
        own = KernelMap(level.neighbours(3), len(level))
        context = SimpleNamespace(needs_input_grad=(True, True, False))
        context.saved_tensors = x.to(device), weight.to(device)
        context.route = Route(own, own, True, level, fused)
        grad = torch.ones(len(coords), 4).to(device)
        answers.append([each.cpu() for each in _Convolution.backward(context, grad)[:2]])
    for ours in answers[1:]:
        assert all(map(torch.allclose, ours, answers[0], [1e-4] * 2, [1e-4] * 2))
