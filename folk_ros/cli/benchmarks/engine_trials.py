"""
What `folk benchmark engines` lets a fresh process measure: `python -m` this module, WHAT.

`times` prints the rows of the table as JSON, `memory ENGINE DTYPE` the peak memory in MB that one
forward pass adds. The network is Res16UNet34C, the cloud a synthetic room at 2 cm.
"""

from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import nn, Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from folk_ros.student.engine import build_levels
from folk_ros.student.engines.choose import AUTO, choose_engine, make_engine, NAMES
from folk_ros.student.engines.protocol import SparseEngine
from folk_ros.student.engines.workers import share_out
from folk_ros.student.res16unet import Res16UNet, Res16UNetConfig

VOXELS, EXACT_VOXELS = 100_000, 6_000  # timed; compared in float64
VOXEL_M, NOISE_M, POINTS_PER_M2 = 0.02, 0.005, 20_000
ROOM_M, BOXES = (4.6, 4.0, 2.4), 14
FORWARDS, TRAININGS = 5, 2  # rounds; the best of each counts
CPU_THREADS = 2
CLASSES = 20
RING_BYTES = 12 << 20  # about what a thread of the engine has multiplied and not yet summed


class Network(nn.Module):
    """Res16UNet34C with a linear head, on random features."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = Res16UNet(Res16UNetConfig())
        self.head = nn.Linear(self.backbone.channels[0], CLASSES, bias=False)

    def forward(
        self, coords: Tensor, x: Tensor, engine: SparseEngine, compute: torch.dtype
    ) -> Tensor:
        """Map [V, 3] to [V, CLASSES], kernel maps included."""
        levels = build_levels(coords, len(self.backbone.channels), compute, engine)
        result: Tensor = self.head(self.backbone(x, levels)[0])
        return result


def room_coords(count: int) -> Tensor:
    """Return the first so many voxels [count, 4] of a synthetic room, always the same."""
    rng = np.random.default_rng(0)
    points = [_box(rng, np.zeros(3), np.array(ROOM_M))]
    for _ in range(BOXES):
        size = rng.uniform(0.2, 0.9, 3)
        points.append(_box(rng, np.append(rng.uniform(0.1, 3.2, 2), 0.0), size))
    xyz = np.concatenate(points)
    xyz += rng.normal(0.0, NOISE_M, xyz.shape)
    grid = np.unique(np.floor((xyz - xyz.min(0)) / VOXEL_M).astype(np.int64), axis=0)[:count]
    if len(grid) < count:
        raise ValueError(f'the room has {len(grid)} voxels, expected at least {count}')
    return nn.functional.pad(torch.from_numpy(grid), (1, 0))


def _box(
    rng: np.random.Generator, corner: NDArray[np.float64], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sample the six sides of a box: [N, 3]."""
    sides = []
    for axis in range(3):
        for end in (0.0, 1.0):
            area = float(np.prod(np.delete(size, axis)))
            points = rng.random((int(area * POINTS_PER_M2), 3))
            points[:, axis] = end
            sides.append(corner + points * size)
    return np.concatenate(sides)


class ProductRecorder(TorchDispatchMode):
    """Note how many rows were multiplied by which matrix, for all products made meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.products: list[tuple[int, Tensor]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation as it is."""
        if func.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.addmm):
            features, matrix = args[-2:]
            self.products.append((len(features), matrix.detach()))
        return func(*args, **(kwargs or {}))


class ProductsAlone:
    """
    Repeats products on ready memory: the limit of an engine that makes them.

    The same torch.mm by the same matrices on the same number of threads, and nothing else. What is
    multiplied lies in the same place every time, as what an engine has just gathered; results lie
    one behind another in a ring, as those that it has not yet summed.
    """

    def __init__(self, products: list[tuple[int, Tensor]]) -> None:
        self.products = products
        most: dict[torch.dtype, list[int]] = {}
        for rows, matrix in products:
            sizes = (rows * len(matrix), rows * matrix.shape[1] + RING_BYTES // matrix.itemsize)
            before = most.get(matrix.dtype, sizes)
            most[matrix.dtype] = [max(pair) for pair in zip(before, sizes, strict=True)]
        self.memory = [
            {
                dtype: [torch.ones(size, dtype=dtype) for size in sizes]
                for dtype, sizes in most.items()
            }
            for _ in range(torch.get_num_threads())
        ]

    def one_by_one(self) -> None:
        """Make all products here, each cut up among threads by torch."""
        self._make(0, 1)

    def shared_out(self) -> None:
        """Give each thread of the engine its share of the products."""
        share_out(self._make, torch.get_num_threads())

    def _make(self, number: int, count: int) -> None:
        places = dict.fromkeys(self.memory[number], 0)
        for rows, matrix in self.products[number::count]:
            inner, columns = matrix.shape
            features, out = self.memory[number][matrix.dtype]
            place = places[matrix.dtype]
            torch.mm(
                features[: rows * inner].view(rows, inner),
                matrix,
                out=out[place : place + rows * columns].view(rows, columns),
            )
            end = place + rows * columns
            places[matrix.dtype] = end % (RING_BYTES // matrix.itemsize)


def candidates(device: torch.device) -> list[tuple[SparseEngine, torch.dtype]]:
    """List engines and dtypes that compute here: float32, and what else is worth measuring."""
    torch_engine = choose_engine('torch', device).engine
    found = [(torch_engine, torch.float32), (torch_engine, torch.bfloat16)]
    for name in NAMES[1:]:
        engine = make_engine(name)
        if engine.problem(device) is None:
            found.append((engine, torch.float32))
            if device.type == 'cuda':
                found.append((engine, torch.float16))
    return found


def disagreement(engine: SparseEngine, device: torch.device) -> float:
    """Return the largest relative difference from plain torch, float64: output and gradients."""
    coords = room_coords(EXACT_VOXELS).to(device)
    network = Network().to(device, torch.float64).train()
    x = torch.randn(len(coords), 3, dtype=torch.float64, generator=torch.Generator())
    answers = []
    for each in (make_engine('torch'), engine):
        out = network(coords, x.to(device), each, torch.float64)
        weights = list(network.parameters())
        answers.append([out.detach(), *torch.autograd.grad(out.square().mean(), weights)])
    return max(
        float((theirs - ours).abs().max() / ours.abs().max().clamp(min=1e-300))
        for ours, theirs in zip(*answers, strict=True)
    )


def seconds(action: Callable[[], Any], device: torch.device) -> float:
    """Time one run."""
    begin = time.perf_counter()
    action()
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter() - begin


def actions_of(
    network: Network, coords: Tensor, x: Tensor, engine: SparseEngine, compute: torch.dtype
) -> dict[str, Callable[[], Any]]:
    """Return what is timed of a candidate, by the name of its column."""

    @torch.inference_mode()
    def forward() -> Tensor:
        result: Tensor = network(coords, x, engine, compute)
        return result

    def training() -> None:
        network(coords, x, engine, compute).square().mean().backward()

    actions: dict[str, Callable[[], Any]] = {'forward_s': forward, 'training_s': training}
    if engine.name == 'torch' and not coords.is_cuda:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # what other threads do is not seen
        with ProductRecorder() as recorder:
            forward()
        torch.set_num_threads(threads)
        alone = ProductsAlone(recorder.products)
        actions |= {'products_cut_s': alone.one_by_one, 'products_shared_s': alone.shared_out}
    return actions


def time_all(device: torch.device) -> list[dict[str, Any]]:
    """Time every candidate, turn by turn, so that all meet the same weather."""
    coords = room_coords(VOXELS).to(device)
    network = Network().to(device).eval()
    x = torch.randn(len(coords), 3, generator=torch.Generator().manual_seed(0)).to(device)
    able = candidates(device)
    actions = [actions_of(network, coords, x, *candidate) for candidate in able]
    rows: list[dict[str, Any]] = [
        {'engine': engine.name, 'device': str(device), 'dtype': _name(dtype)}
        for engine, dtype in able
    ]
    for rounds, keys in (
        (FORWARDS, ('forward_s', 'products_cut_s', 'products_shared_s')),
        (TRAININGS, ('training_s',)),
    ):
        for number in range(rounds + 1):  # the first warms up
            for row, action in zip(rows, actions, strict=True):
                for key in action.keys() & set(keys):
                    taken = seconds(action[key], device)
                    row[key] = min(row[key], taken) if number > 1 else taken
    for row, (engine, dtype) in zip(rows, able, strict=True):
        if dtype == torch.float32:
            row['disagreement'] = disagreement(engine, device)
    return rows


def peak_mb(name: str, dtype: str) -> float:
    """Return the memory that one forward pass adds at its peak, MB."""
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    engine = choose_engine(name, device).engine
    coords, network = room_coords(VOXELS).to(device), Network().to(device).eval()
    x = torch.ones(len(coords), 3, device=device)
    if device.type == 'cpu':
        Path('/proc/self/clear_refs').write_text('5')  # the peak starts anew from what is used now
    before = _memory_mb(device)
    with torch.inference_mode():
        network(coords, x, engine, getattr(torch, dtype))
    return _memory_mb(device) - before


def _memory_mb(device: torch.device) -> float:
    """Return the peak so far (the process's on a CPU), MB."""
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated(device) / 2**20
    status = Path('/proc/self/status').read_text().splitlines()
    peak = next(line for line in status if line.startswith('VmHWM:'))
    return int(peak.split()[1]) / 1024


def _name(dtype: torch.dtype) -> str:
    return str(dtype).rpartition('.')[2]


def main(argv: list[str]) -> None:
    """Measure what the arguments name and print it as JSON."""
    torch.set_num_threads(min(CPU_THREADS, os.cpu_count() or 1))
    if argv[0] == 'memory':
        print(json.dumps(peak_mb(argv[1], argv[2])))
        return
    devices = [torch.device('cpu')]
    devices += [torch.device('cuda')] if torch.cuda.is_available() else []
    rows = [row for device in devices for row in time_all(device)]
    why = {str(device): choose_engine(AUTO, device).why for device in devices}
    print(json.dumps({'rows': rows, 'auto': why}))


if __name__ == '__main__':
    main(sys.argv[1:])
