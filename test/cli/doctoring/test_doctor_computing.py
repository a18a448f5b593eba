from dataclasses import replace

import pytest

from folk_ros.cli.doctoring.computing import (
    driver_version,
    EngineFacts,
    judge_engines,
    judge_torch,
    TorchFacts,
)

PLAIN = TorchFacts('2.15.0')
GPU = TorchFacts(
    '2.15.0',
    cuda='13.2',
    available=True,
    device='NVIDIA H200',
    capability=(9, 0),
    built_for=('sm_80', 'sm_90', 'compute_120'),
    driver='580.65.06',
)


def test_no_gpu_is_no_fault():
    assert judge_torch(replace(PLAIN, cuda='13.2')).state == 'ok'
    assert judge_torch(PLAIN).state == 'ok'


def test_a_cpu_build_beside_a_gpu_is_wrong_and_mended_by_another_build():
    finding = judge_torch(replace(PLAIN, version='2.15.0+cpu', driver='580.65.06'))
    assert (finding.state, 'without CUDA' in finding.found) == ('wrong', True)
    assert finding.mend == 'pip install --force-reinstall torch torchvision'


def test_a_jetson_wants_the_wheel_of_nvidia():
    finding = judge_torch(replace(PLAIN, jetson=True, machine='aarch64'))
    assert finding.state == 'wrong'
    assert 'JetPack' in finding.found
    assert 'aarch64.whl' in finding.mend


@pytest.mark.parametrize(
    ('cuda', 'driver', 'too_old'),
    [
        ('13.2', '570.86.10', True),
        ('13.2', '580.65.06', False),
        ('12.8', '525.60.13', False),
        ('12.8', '470.256.02', True),
        ('11.8', '470.256.02', False),
    ],
)
def test_a_driver_is_too_old_by_the_cuda_that_torch_was_made_for(cuda, driver, too_old):
    finding = judge_torch(replace(PLAIN, cuda=cuda, driver=driver))
    assert finding.state == 'wrong'  # torch sees no GPU either way
    assert ('which needs driver' in finding.found) == too_old
    assert ('drivers install' in finding.mend) == too_old


def test_what_torch_complained_of_is_told():
    facts = replace(PLAIN, cuda='13.2', driver='580.65.06', error='CUDA unknown error')
    assert 'CUDA unknown error' in judge_torch(facts).found
    assert '--gpus all' in judge_torch(facts).mend


def test_a_gpu_that_torch_sees_is_named():
    finding = judge_torch(GPU)
    assert finding.state == 'ok'
    assert 'H200' in finding.found


@pytest.mark.parametrize(
    ('capability', 'built_for', 'state'),
    [
        ((9, 0), ('sm_80', 'sm_90a'), 'ok'),
        ((8, 9), ('sm_80', 'sm_90'), 'ok'),  # the same major, older minor
        ((8, 0), ('sm_86', 'sm_90'), 'wrong'),
        ((12, 0), ('sm_80', 'sm_90'), 'wrong'),
        ((12, 0), ('sm_80', 'compute_90'), 'ok'),  # compiled when loaded
        ((6, 1), ('sm_75', 'compute_120'), 'wrong'),
    ],
)
def test_torch_must_have_been_built_for_this_gpu(capability, built_for, state):
    assert judge_torch(replace(GPU, capability=capability, built_for=built_for)).state == state


@pytest.mark.parametrize(
    ('line', 'version'),
    [
        ('NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.10  Wed', '570.86.10'),
        (
            'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release',
            '580.65.06',
        ),
        ('something new', 'unknown'),
    ],
)
def test_the_driver_is_read_from_the_kernel(line, version, tmp_path):
    told = tmp_path / 'version'
    told.write_text(line)
    assert driver_version(told) == version
    assert driver_version(tmp_path / 'absent') == ''


ENGINES = EngineFacts('cpu', 'torch', 'the fastest', {'torch': '', 'minkowski': 'not installed'})


def test_an_engine_that_is_not_installed_is_no_fault():
    finding = judge_engines(ENGINES)
    assert finding.state == 'ok'
    assert 'minkowski: not installed' in finding.found


def test_an_engine_that_computes_wrong_is_told():
    broken = 'it failed the self-check: wrong by 1e-1'
    finding = judge_engines(replace(ENGINES, trouble={'torch': '', 'minkowski': broken}))
    assert finding.state == 'note'
    assert broken in finding.found


def test_the_engine_that_is_taken_must_compute_right():
    broken = 'it failed the self-check: wrong by 1e-1'
    finding = judge_engines(replace(ENGINES, trouble={'torch': broken}))
    assert finding.state == 'wrong'
    assert finding.mend
