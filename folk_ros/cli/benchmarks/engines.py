"""Measure the engines for sparse convolution against each other, and against bare products."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from typing import Any

from folk_ros.cli.output import CommandFailed, say, table

TRIALS = 'folk_ros.cli.benchmarks.engine_trials'
# Two threads for every library's products; they are counted when a process loads it.
THREADS = {'OMP_NUM_THREADS': '2', 'OPENBLAS_NUM_THREADS': '2', 'MKL_NUM_THREADS': '2'}
PRODUCTS = ('products_cut_s', 'products_shared_s')  # alone: cut up by torch; a share a thread
HEADER = (
    *('engine', 'device', 'dtype', 'forward s', 'fwd+bwd s', 'x torch', 'x products'),
    *('peak MB', 'fp64 off by'),
)


def run() -> dict[str, float]:
    """Print the table of engines; return the figures that have bars, and all times."""
    answer = _child('times')
    rows: list[dict[str, Any]] = answer['rows']
    for row in rows:
        if row['device'] == 'cpu':
            row['memory_mb'] = _child('memory', row['engine'], row['dtype'])
    for device, why in answer['auto'].items():
        say(f'auto on {device}: {why}')
    print(table(HEADER, [_cells(row, rows) for row in rows]))
    return figures_of(rows)


def figures_of(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Turn the rows of the table into named figures."""
    figures: dict[str, float] = {}
    for row in rows:
        name = f'engines_{row["device"]}_{row["engine"]}_{row["dtype"]}'
        for key in ('forward_s', 'training_s', *PRODUCTS, 'memory_mb'):
            if key in row:
                figures[f'{name}_{key}'] = row[key]
    plain = _row(rows, 'cpu', 'torch', 'float32')
    figures['engines_cpu_over_products'] = plain['forward_s'] / _products(plain)
    rival = _row(rows, 'cpu', 'minkowski', 'float32')
    if rival:
        figures['engines_cpu_minkowski_over_torch'] = rival['forward_s'] / plain['forward_s']
    off = [row['disagreement'] for row in rows if row.get('disagreement')]  # torch: 0 by itself
    if off:
        figures['engines_fp64_digits'] = -math.log10(max(off))
    fast = _row(rows, 'cuda', 'torch', 'bfloat16')
    if fast:
        figures['engines_cuda_forward_ms'] = 1e3 * fast['forward_s']
        spconv = _row(rows, 'cuda', 'spconv', 'float16')
        if spconv:
            figures['engines_cuda_spconv_over_torch'] = spconv['forward_s'] / fast['forward_s']
    return figures


def _row(rows: list[dict[str, Any]], device: str, engine: str, dtype: str) -> dict[str, Any]:
    wanted = {'device': device, 'engine': engine, 'dtype': dtype}
    return next((row for row in rows if wanted.items() <= row.items()), {})


def _products(row: dict[str, Any]) -> float:
    """Return the seconds of the products alone, made in the quicker way."""
    return min(row[key] for key in PRODUCTS)


def _cells(row: dict[str, Any], rows: list[dict[str, Any]]) -> tuple[str, ...]:
    plain = _row(rows, row['device'], 'torch', 'float32')
    products = f'{row["forward_s"] / _products(row):.2f}' if PRODUCTS[0] in row else ''
    return (
        *(row['engine'], row['device'], row['dtype']),
        f'{row["forward_s"]:.3f}',
        f'{row["training_s"]:.3f}',
        f'{row["forward_s"] / plain["forward_s"]:.2f}',
        products,
        f'{row["memory_mb"]:.0f}' if 'memory_mb' in row else '',
        f'{row["disagreement"]:.1e}' if 'disagreement' in row else '',
    )


def _child(*arguments: str) -> Any:
    """Let a fresh process measure; return what it prints last, read as JSON."""
    done = subprocess.run(
        [sys.executable, '-m', TRIALS, *arguments],
        env={**os.environ, **THREADS},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ['no message'])[-1]
        raise CommandFailed(f'measuring engines ({" ".join(arguments)}) failed: {last}')
    return json.loads(done.stdout.strip().splitlines()[-1])
