"""Ahead of time and without a GPU: kernels compile for several generations and fit into them."""

import pytest
import torch

pytest.importorskip('triton.backends.nvidia')
compiler = pytest.importorskip('triton.compiler')

from triton.backends.compiler import GPUTarget  # noqa: E402

from folk_ros.student.engines import fused, triton_kernels  # noqa: E402

SHARED = {75: 64 << 10, 86: 99 << 10, 90: 227 << 10}  # bytes a program may have, by generation
TYPES = {torch.float32: 'fp32', torch.bfloat16: 'bf16'}
WIDE_LAYER = {torch.float32: (64, 64, 32), torch.bfloat16: (64, 128, 64)}


@pytest.fixture(autouse=True)
def nothing_compiled_before(monkeypatch, tmp_path):
    monkeypatch.setenv('TRITON_CACHE_DIR', str(tmp_path))


def compiled(name, types, constants, capability, **options):
    kernel = getattr(triton_kernels, name)
    signature = {each: types.get(each, 'i32') for each in kernel.arg_names}
    signature |= dict.fromkeys(constants, 'constexpr')
    aligned = {
        (place,): [['tt.divisibility', 16]]
        for place, each in enumerate(kernel.arg_names)
        if each in types or each in ('cin', 'cout', 'skip_pitch', 'out_pitch')
    }
    source = compiler.ASTSource(kernel, signature, constants, aligned)
    target = GPUTarget('cuda', capability, 32)
    return compiler.compile(source, target=target, options=options)


@pytest.mark.parametrize(
    ('capability', 'dtype'),
    [(75, torch.float32), (86, torch.bfloat16), (90, torch.bfloat16), (90, torch.float32)],
)
def test_the_convolution_compiles_and_fits_into_shared_memory(capability, dtype):
    rows, wide, deep = WIDE_LAYER[dtype]
    exact = dtype == torch.float32
    types = dict.fromkeys(('x', 'weight', 'skip', 'out'), f'*{TYPES[dtype]}')
    types |= dict.fromkeys(('scale', 'shift'), '*fp32')
    types |= dict.fromkeys(('table', 'active', 'counts'), '*i32') | {'order': '*i64'}
    constants = {'FINISHED': True, 'SKIPPED': True}
    constants |= {'TILE_M': rows, 'TILE_N': wide, 'TILE_K': deep}
    warps, stages = fused.effort(exact)
    made = compiled('convolve', types, constants, capability, num_warps=warps, num_stages=stages)
    assert made.metadata.shared <= min(SHARED[capability], 50 << 10)
    ptx = made.asm['ptx']
    if not exact:
        assert 'wgmma' in ptx or 'mma.sync' in ptx  # tensor cores
        assert 'cp.async' in ptx  # loads run ahead


def test_the_other_kernels_compile():
    types = {'x': '*bf16', 'grad': '*bf16', 'table': '*i32', 'parts': '*fp32'}
    constants = {'TILE_M': 64, 'TILE_N': 64, 'TILE_K': 64}
    assert compiled('weight', types, constants, 90).metadata.shared <= 50 << 10
    constants = {'AXIS': 16, 'SIZE': 5, 'TILE': 128}
    assert compiled('search', {'keys': '*i64', 'table': '*i32'}, constants, 90)
    assert compiled('presence', {'table': '*i32', 'key': '*i32'}, {'TILE': 128}, 90)
    pointers = dict.fromkeys(('table', 'active', 'counts'), '*i32')
    assert compiled('active', pointers, {'TILE_M': 64}, 90)
