"""
What runs on a GPU, in Triton: the convolution of fused.py and what it needs to know of a cloud.

Sizes are arguments, not constants, and those that change from cloud to cloud are not specialized:
one compiled kernel serves all layers of its tile sizes, and no cloud has one compiled anew. No
atomics: results are the same every time.
"""

# ruff: noqa: ANN001, ANN201, PLR0913  a kernel's arguments are the compiler's, not Python's
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import triton
import triton.language as tl

SIZES = ['rows', 'inputs', 'pitch']  # change from cloud to cloud


@triton.jit(do_not_specialize=SIZES)
def convolve(
    x, weight, table, order, active, counts, scale, shift, skip, out,
    rows, inputs, pitch, cin, cout, volume, skip_pitch, out_pitch,
    FINISHED: tl.constexpr, SKIPPED: tl.constexpr,
    TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr,
):  # fmt: skip
    """out[order[m], n] = sum over k, c of x[table[k, m], c] * weight[k, c, n], then finished."""
    tile = tl.program_id(0)
    m = tile * TILE_M + tl.arange(0, TILE_M)
    n = tl.program_id(1) * TILE_N + tl.arange(0, TILE_N)
    own = m < rows
    steps = tl.cdiv(cin, TILE_K)
    total = tl.zeros((TILE_M, TILE_N), dtype=tl.float32)
    for step in range(tl.load(counts + tile) * steps):  # one loop, so that loads run ahead in it
        k = tl.load(active + tile * volume + step // steps)
        c = step % steps * TILE_K + tl.arange(0, TILE_K)
        near = tl.load(table + k.to(tl.int64) * pitch + m, mask=own, other=inputs)
        features = tl.load(
            x + near.to(tl.int64)[:, None] * cin + c[None, :],
            mask=(near < inputs)[:, None] & (c < cin)[None, :],
            other=0.0,
        )
        matrix = tl.load(
            weight + (k * cin + c).to(tl.int64)[:, None] * cout + n[None, :],
            mask=(c < cin)[:, None] & (n < cout)[None, :],
            other=0.0,
        )
        total = tl.dot(features, matrix, total, input_precision='ieee')
    row = tl.load(order + m, mask=own, other=0).to(tl.int64)
    wanted = own[:, None] & (n < cout)[None, :]
    if FINISHED:
        total *= tl.load(scale + n, mask=n < cout, other=0.0)[None, :]
        total += tl.load(shift + n, mask=n < cout, other=0.0)[None, :]
        if SKIPPED:
            place = skip + row[:, None] * skip_pitch + n[None, :]
            total += tl.load(place, mask=wanted, other=0.0).to(tl.float32)
        total = tl.where(total < 0.0, 0.0, total)  # what is no number stays none
    place = out + row[:, None] * out_pitch + n[None, :]
    tl.store(place, total.to(out.dtype.element_ty), mask=wanted)


@triton.jit(do_not_specialize=[*SIZES, 'share'])
def weight(
    x, grad, table, parts, rows, inputs, pitch, share, cin, cout, volume,
    TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_K: tl.constexpr,
):  # fmt: skip
    """parts[s, k, c, n] = sum over the rows m of split s of x[table[k, m], c] * grad[m, n]."""
    tiles_n = tl.cdiv(cout, TILE_N)
    c = tl.program_id(0) // tiles_n * TILE_K + tl.arange(0, TILE_K)
    n = tl.program_id(0) % tiles_n * TILE_N + tl.arange(0, TILE_N)
    k = tl.program_id(1)
    split = tl.program_id(2)
    total = tl.zeros((TILE_K, TILE_N), dtype=tl.float32)
    for step in range(0, share, TILE_M):
        m = split * share + step + tl.arange(0, TILE_M)
        near = tl.load(table + k.to(tl.int64) * pitch + m, mask=m < rows, other=inputs)
        there = near < inputs
        if tl.sum(there.to(tl.int32), axis=0) > 0:
            features = tl.load(
                x + near.to(tl.int64)[None, :] * cin + c[:, None],
                mask=there[None, :] & (c < cin)[:, None],
                other=0.0,
            )
            slope = tl.load(
                grad + m.to(tl.int64)[:, None] * cout + n[None, :],
                mask=there[:, None] & (n < cout)[None, :],
                other=0.0,
            )
            total = tl.dot(features, slope, total, input_precision='ieee')
    place = ((split * volume + k) * cin + c).to(tl.int64)[:, None] * cout + n[None, :]
    tl.store(parts + place, total, mask=(c < cin)[:, None] & (n < cout)[None, :])


@triton.jit(do_not_specialize=['rows', 'rounds'])
def search(
    keys, table, rows, rounds, AXIS: tl.constexpr, SIZE: tl.constexpr, TILE: tl.constexpr
):  # fmt: skip
    """Fill table[k, v] with the voxel at offset k of voxel v, `rows` if there is none."""
    v = tl.program_id(0) * TILE + tl.arange(0, TILE)
    line = tl.program_id(1).to(tl.int64)
    shift = (line // SIZE - SIZE // 2) << (2 * AXIS)
    shift += ((line % SIZE - SIZE // 2) << AXIS) - SIZE // 2
    first = tl.load(keys + v, mask=v < rows, other=0) + shift  # the line's first cell
    low = tl.zeros((TILE,), dtype=tl.int32)
    high = low + rows
    for _ in range(rounds):
        open_still = low < high
        middle = (low + high) // 2
        before = tl.load(keys + middle, mask=open_still, other=0) < first
        low = tl.where(open_still & before, middle + 1, low)
        high = tl.where(open_still & (before == 0), middle, high)
    for cell in tl.static_range(SIZE):
        found = tl.load(keys + low, mask=low < rows, other=-1)
        met = found == first + cell
        place = table + (line * SIZE + cell) * rows + v
        tl.store(place, tl.where(met, low, rows), mask=v < rows)
        low += met.to(tl.int32)


@triton.jit(do_not_specialize=SIZES)
def presence(table, key, rows, inputs, pitch, volume, TILE: tl.constexpr):
    """Set bit k of key[m] where row m has an entry at offset k."""
    m = tl.program_id(0) * TILE + tl.arange(0, TILE)
    bits = tl.zeros((TILE,), dtype=tl.int32)
    place = table + m
    for k in range(volume):
        near = tl.load(place, mask=m < rows, other=inputs)
        bits |= (near < inputs).to(tl.int32) << k
        place += pitch
    tl.store(key + m, bits, mask=m < rows)


@triton.jit(do_not_specialize=SIZES)
def active(
    table, active, counts, rows, inputs, pitch, volume, TILE_M: tl.constexpr
):  # fmt: skip
    """List for each tile of rows the offsets at which any of them has an entry."""
    tile = tl.program_id(0)
    m = tile * TILE_M + tl.arange(0, TILE_M)
    place = table + m
    count = tile * 0
    for k in range(volume):
        near = tl.load(place, mask=m < rows, other=inputs)
        tl.store(active + tile * volume + count, k)  # the next one writes over it if there is none
        count += (tl.min(near, axis=0) < inputs).to(tl.int32)
        place += pitch
    tl.store(counts + tile, count)
