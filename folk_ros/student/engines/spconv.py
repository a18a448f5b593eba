"""
The spconv interface, from spconv-triton or spconv (cu1xx): the one file that knows either.

Their layers are called with our weights put in the place of theirs. Never run on a GPU so far;
the adapter's numbers were checked on a CPU with one thread, past its own refusal.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, TYPE_CHECKING

import torch
from torch import Tensor
from torch.func import functional_call

from folk_ros.student.engines.finish import Finish, finished
from folk_ros.student.engines.tables import keys_of

if TYPE_CHECKING:
    from folk_ros.student.engine import Level

PACKAGES = ('spconv_triton', 'spconv')  # the first that is installed is taken


class Spconv:
    """Adapter: what it strides or raises comes back in our row order."""

    name = 'spconv'

    def __init__(self) -> None:
        self._layers: dict[tuple[Any, ...], torch.nn.Module] = {}

    def problem(self, device: torch.device) -> str | None:
        """Return why it cannot compute on a device, as a sentence, or None if it can."""
        if device.type == 'cpu':
            return (
                'it is refused on a CPU: with more than one thread its sums race, and the numbers '
                'are wrong without a word'
            )
        if not any(importlib.util.find_spec(package) for package in PACKAGES):
            return 'neither spconv-triton nor spconv is installed; pip install spconv-triton'
        try:
            _library()
        except (ImportError, OSError, RuntimeError) as error:
            return f'spconv cannot be imported: {error}'
        return None

    def prepare(self, levels: list[Level]) -> None:
        """Give each level its integer coordinates and a box that halves without a remainder."""
        first = levels[0].coords
        step = 1 << len(levels) - 1
        batches, *extent = (first.max(0).values + 1).tolist() if len(first) else [1, 1, 1, 1]
        box = [-(-edge // step) * step for edge in extent]
        for index, level in enumerate(levels):
            level.maps[self.name] = _Grid(
                level.coords.to(torch.int32).contiguous(), [e >> index for e in box], batches
            )

    def submanifold(
        self, x: Tensor, weight: Tensor, level: Level, finish: Finish | None = None
    ) -> Tensor:
        """Convolve [V, Cin] with an odd cube [n^3, Cin, Cout] onto the same voxels."""
        if len(weight) == 1:
            return finished(x @ weight[0], finish)
        size = round(len(weight) ** (1 / 3))
        grid: _Grid = level.maps[self.name]
        out = self._run('SubMConv3d', f'own{size}', x, weight, level)
        grid.pairs.update(out.indice_dict)  # shared by all layers of the level
        result: Tensor = out.features
        return finished(result.to(x.dtype), finish)

    def down(
        self,
        x: Tensor,
        weight: Tensor,
        fine: Level,
        coarse_count: int,
        finish: Finish | None = None,
    ) -> Tensor:
        """Convolve [V, Cin] with [8, Cin, Cout], stride 2, to the coarser [V', Cout]."""
        grid: _Grid = fine.maps[self.name]
        grid.pairs.pop('down', None)  # it refuses to use pairs of a strided layer twice
        out = self._run('SparseConv3d', 'down', x, weight, fine)
        grid.pairs.update(out.indice_dict)
        grid.coarse = out
        grid.order = keys_of(out.indices.to(torch.int64)).argsort()
        result: Tensor = out.features.index_select(0, grid.order)
        return finished(result.to(x.dtype), finish)

    def up(self, x: Tensor, weight: Tensor, fine: Level, finish: Finish | None = None) -> Tensor:
        """Transpose of `down`: [V', Cin] with [8, Cin, Cout] onto the finer [V, Cout]."""
        grid: _Grid = fine.maps[self.name]
        if grid.coarse is None:  # the pairs come from a strided layer
            channels = weight.shape[1]
            self.down(
                x.new_zeros(len(fine), channels), x.new_zeros(8, channels, channels), fine, len(x)
            )
        theirs = torch.empty_like(x).index_copy(0, grid.order, x)
        out = self._run('SparseInverseConv3d', 'down', theirs, weight, fine)
        result: Tensor = out.features
        return finished(result.to(x.dtype), finish)

    def _run(self, kind: str, key: str, x: Tensor, weight: Tensor, level: Level) -> Any:
        library, grid = _library(), level.maps[self.name]
        volume, cin, cout = weight.shape
        size = round(volume ** (1 / 3))
        if (kind, size, cin, cout) not in self._layers:
            stride = {'stride': 2} if kind == 'SparseConv3d' else {}
            self._layers[kind, size, cin, cout] = getattr(library, kind)(
                cin, cout, size, bias=False, indice_key=key, **stride
            )
        compute = level.product_type(x)
        features = x.to(compute).contiguous()
        if kind == 'SparseInverseConv3d':
            tensor = grid.coarse.replace_feature(features)
            tensor.indice_dict = grid.pairs
        else:
            tensor = library.SparseConvTensor(
                features, grid.indices, grid.box, grid.batches, indice_dict=dict(grid.pairs)
            )
        layer = self._layers[kind, size, cin, cout]
        return functional_call(layer, {'weight': to_spconv(weight.to(compute))}, (tensor,))


class _Grid:
    """A level as spconv sees it, and the pairs found so far."""

    def __init__(self, indices: Tensor, box: list[int], batches: int) -> None:
        self.indices, self.box, self.batches = indices, box, batches
        self.pairs: dict[str, Any] = {}
        self.coarse: Any = None  # its tensor of the coarser level, rows in its own order
        self.order: Tensor = indices.new_empty(0)  # its row of each of our coarser voxels


def to_spconv(weight: Tensor) -> Tensor:
    """Turn a canonical weight [K, Cin, Cout] into spconv's [Cout, n, n, n, Cin] (axes x, y, z)."""
    size = round(len(weight) ** (1 / 3))
    cube = weight.view(size, size, size, *weight.shape[1:])
    return cube.permute(4, 0, 1, 2, 3).contiguous()


def _library() -> Any:
    for package in PACKAGES:
        if importlib.util.find_spec(package):
            return importlib.import_module(f'{package}.pytorch')
    raise ImportError('neither spconv-triton nor spconv is installed')
