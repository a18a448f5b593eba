"""
A sparse convolution as one fused kernel on CUDA: gather, product and sum in registers.

Implicit GEMM: a program owns a tile of output rows and channels, walks over the offsets, gathers
the neighbours' features and multiplies them by the offset's matrix, accumulating in float32.
Offsets that no row of the tile has are skipped, so rows with the same neighbours are put into one
tile. No atomics: the results are the same every time. Takes float32, float16 and bfloat16.

Never run on a GPU so far: the numbers were checked by Triton's interpreter on a CPU, tile sizes
are guesses, and no speed is known. engines/choose.py compares it with the plain form before use.
"""

# ruff: noqa: ANN001, ANN202, PLR0913  a kernel's arguments are the compiler's, not Python's
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import torch
from torch import Tensor
import triton
import triton.language as tl

from folk_ros.student.engines.kernel_map import KernelMap

TILE_ROWS = 128  # output rows of a program; fewer where there are too few rows for a whole GPU
SMALL_LEVEL = 16_384
SUM_ROWS = 64  # rows a program of the weight gradient takes at once
SPLITS = 32  # programs that share the rows of one offset's weight gradient


@triton.jit
def _convolve_kernel(
    x, weight, table, order, out, rows, inputs, pitch,
    CIN: tl.constexpr, COUT: tl.constexpr, VOLUME: tl.constexpr,
    TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr,
):  # fmt: skip
    """out[order[m], n] = sum over k, c of x[table[k, order[m]], c] * weight[k, c, n]."""
    m = tl.program_id(0) * TILE_M + tl.arange(0, TILE_M)
    n = tl.program_id(1) * TILE_N + tl.arange(0, TILE_N)
    row = tl.load(order + m, mask=m < rows, other=0)
    total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
    for k in range(VOLUME):
        near = tl.load(table + k * pitch + row, mask=m < rows, other=inputs)
        there = near < inputs
        if tl.sum(there.to(tl.int32), axis=0) > 0:
            start = near.to(tl.int64) * CIN
            for c0 in range(0, CIN, TILE_K):
                c = c0 + tl.arange(0, TILE_K)
                features = tl.load(
                    x + start[:, None] + c[None, :],
                    mask=there[:, None] & (c < CIN)[None, :],
                    other=0.0,
                )
                matrix = tl.load(
                    weight + (k * CIN + c)[:, None] * COUT + n[None, :],
                    mask=(c < CIN)[:, None] & (n < COUT)[None, :],
                    other=0.0,
                )
                total = tl.dot(features, matrix, total, input_precision='ieee')
    place = row.to(tl.int64)[:, None] * COUT + n[None, :]
    tl.store(
        out + place,
        total.to(out.dtype.element_ty),
        mask=(m < rows)[:, None] & (n < COUT)[None, :],
    )


@triton.jit
def _weight_kernel(
    x, grad, table, parts, rows, inputs, pitch, share,
    CIN: tl.constexpr, COUT: tl.constexpr, VOLUME: tl.constexpr,
    TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr,
):  # fmt: skip
    """parts[s, k, c, n] = sum over the rows m of split s of x[table[k, m], c] * grad[m, n]."""
    tiles_n: tl.constexpr = (COUT + TILE_N - 1) // TILE_N
    c = tl.program_id(0) // tiles_n * TILE_K + tl.arange(0, TILE_K)
    n = tl.program_id(0) % tiles_n * TILE_N + tl.arange(0, TILE_N)
    k = tl.program_id(1)
    split = tl.program_id(2)
    total = tl.zeros((TILE_K, TILE_N), dtype=tl.float32)
    for step in range(0, share, TILE_M):
        m = split * share + step + tl.arange(0, TILE_M)
        near = tl.load(table + k * pitch + m, mask=m < rows, other=inputs)
        there = near < inputs
        if tl.sum(there.to(tl.int32), axis=0) > 0:
            features = tl.load(
                x + near.to(tl.int64)[None, :] * CIN + c[:, None],
                mask=there[None, :] & (c < CIN)[:, None],
                other=0.0,
            )
            slope = tl.load(
                grad + m.to(tl.int64)[:, None] * COUT + n[None, :],
                mask=there[:, None] & (n < COUT)[None, :],
                other=0.0,
            )
            total = tl.dot(features, slope, total, input_precision='ieee')
    place = ((split * VOLUME + k) * CIN + c).to(tl.int64)[:, None] * COUT + n[None, :]
    tl.store(parts + place, total, mask=(c < CIN)[:, None] & (n < COUT)[None, :])


def convolve(x: Tensor, weight: Tensor, along: KernelMap) -> Tensor:
    """Convolve [M, Cin] with [K, Cin, Cout], both of one dtype, along a map: [R, Cout] in it."""
    volume, cin, cout = weight.shape
    table, rows = along.table, along.rows
    out = x.new_empty(rows, cout)
    tile_m = TILE_ROWS if rows > SMALL_LEVEL else TILE_ROWS // 4
    tile_n, tile_k = _tile(cout, 128), _tile(cin, 64)
    grid = (triton.cdiv(rows, tile_m), triton.cdiv(cout, tile_n))
    if rows:
        _convolve_kernel[grid](
            x.contiguous(), weight.contiguous(), table, along.order, out, rows, along.inputs,
            table.stride(0), cin, cout, volume, tile_m, tile_n, tile_k,
        )  # fmt: skip
    return out


def weight_gradient(x: Tensor, grad: Tensor, along: KernelMap) -> Tensor:
    """Sum the outer products of x [M, Cin] and grad [R, Cout]: float32 [K, Cin, Cout]."""
    table, rows, volume = along.table, along.rows, along.volume
    cin, cout = x.shape[1], grad.shape[1]
    if not rows:
        return x.new_zeros(volume, cin, cout, dtype=torch.float32)
    splits = max(1, min(SPLITS, triton.cdiv(rows, 8 * SUM_ROWS)))
    share = triton.cdiv(triton.cdiv(rows, splits), SUM_ROWS) * SUM_ROWS
    parts = torch.empty(splits, volume, cin, cout, dtype=torch.float32, device=x.device)
    tile_n, tile_k = _tile(cout, 64), _tile(cin, 64)
    grid = (triton.cdiv(cin, tile_k) * triton.cdiv(cout, tile_n), volume, splits)
    _weight_kernel[grid](
        x.contiguous(), grad.contiguous(), table, parts, rows, along.inputs, table.stride(0),
        share, cin, cout, volume, SUM_ROWS, tile_n, tile_k,
    )  # fmt: skip
    return parts.sum(0)


def _tile(channels: int, most: int) -> int:
    return max(16, min(most, triton.next_power_of_2(channels)))
