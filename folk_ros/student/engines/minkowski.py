"""
MinkowskiEngine 0.5.4: the library public checkpoints come from; the one file that knows it.

It is never a dependency: its sources must be built against the torch at hand, and a resolver that
only looks at its metadata may uninstall a built copy. On Debian or Ubuntu, without CUDA:

    apt-get install build-essential libopenblas-dev
    pip install 'setuptools<81' wheel ninja
    MAX_JOBS=2 pip install --no-build-isolation --no-deps MinkowskiEngine==0.5.4

Its layers are called with our weights put in the place of theirs. Checked on a CPU alone; as
released it does not build with CUDA 12 or newer.
"""

from __future__ import annotations

import collections
import collections.abc
import importlib
from typing import Any, TYPE_CHECKING

import torch
from torch import Tensor
from torch.func import functional_call

from folk_ros.student.engines.finish import Finish, finished

if TYPE_CHECKING:
    from folk_ros.student.engine import Level

DIMENSION = 3


class Minkowski:
    """Adapter: coordinates are inserted in our row order, kernels turned to its axis order."""

    name = 'minkowski'

    def __init__(self) -> None:
        self._layers: dict[tuple[Any, ...], torch.nn.Module] = {}

    def problem(self, device: torch.device) -> str | None:
        """Return why it cannot compute on a device, as a sentence, or None if it can."""
        try:
            library = _library()
        except (ImportError, OSError) as error:
            return (
                f'MinkowskiEngine cannot be imported ({error}); how it is built stands in '
                'folk_ros/student/engines/minkowski.py'
            )
        if device.type == 'cuda' and not library.is_cuda_available():
            return 'this MinkowskiEngine was built without CUDA; use engine torch, or device cpu'
        return None

    def prepare(self, levels: list[Level]) -> None:
        """Tell its coordinate manager the voxels of every level, in their own order."""
        library = _library()
        on_gpu = levels[0].coords.is_cuda
        manager = library.CoordinateManager(
            D=DIMENSION,
            coordinate_map_type=library.CoordinateMapType.CUDA if on_gpu else None,
        )
        for index, level in enumerate(levels):
            coords = level.coords.clone()
            coords[:, 1:] <<= index  # it counts in voxels of the finest level
            coords = coords.to(torch.int32).contiguous()
            key, _ = manager.insert_and_map(coords, [1 << index] * DIMENSION, '')
            if not torch.equal(manager.get_coordinates(key), coords):
                raise RuntimeError('MinkowskiEngine changed the order of the voxels')
            level.maps[self.name] = (manager, key)
            if index:
                levels[index - 1].maps[self.name, 'coarser'] = key

    def submanifold(
        self, x: Tensor, weight: Tensor, level: Level, finish: Finish | None = None
    ) -> Tensor:
        """Convolve [V, Cin] with an odd cube [n^3, Cin, Cout] onto the same voxels."""
        if len(weight) == 1:
            return finished(x @ weight[0], finish)
        _, key = level.maps[self.name]
        made = self._run('MinkowskiConvolution', 1, x, weight, level, key, key)
        return finished(made, finish)

    def down(
        self,
        x: Tensor,
        weight: Tensor,
        fine: Level,
        coarse_count: int,
        finish: Finish | None = None,
    ) -> Tensor:
        """Convolve [V, Cin] with [8, Cin, Cout], stride 2, to the coarser [V', Cout]."""
        _, key = fine.maps[self.name]
        coarser = fine.maps[self.name, 'coarser']
        made = self._run('MinkowskiConvolution', 2, x, weight, fine, key, coarser)
        return finished(made, finish)

    def up(self, x: Tensor, weight: Tensor, fine: Level, finish: Finish | None = None) -> Tensor:
        """Transpose of `down`: [V', Cin] with [8, Cin, Cout] onto the finer [V, Cout]."""
        _, key = fine.maps[self.name]
        coarser = fine.maps[self.name, 'coarser']
        made = self._run('MinkowskiConvolutionTranspose', 2, x, weight, fine, coarser, key)
        return finished(made, finish)

    def _run(
        self, kind: str, stride: int, x: Tensor, weight: Tensor, level: Level, *keys: Any
    ) -> Tensor:
        library, (manager, _) = _library(), level.maps[self.name]
        volume, cin, cout = weight.shape
        size = round(volume ** (1 / 3))
        if (kind, size, cin, cout) not in self._layers:
            self._layers[kind, size, cin, cout] = getattr(library, kind)(
                cin, cout, kernel_size=size, stride=stride, dimension=DIMENSION
            )
        came_from, goes_to = keys
        tensor = library.SparseTensor(
            x.contiguous(), coordinate_map_key=came_from, coordinate_manager=manager
        )
        layer = self._layers[kind, size, cin, cout]
        kernel = {'kernel': to_minkowski(weight.to(x.dtype))}
        result: Tensor = functional_call(layer, kernel, (tensor, goes_to)).F
        return result


def to_minkowski(weight: Tensor) -> Tensor:
    """Turn a canonical weight [K, Cin, Cout] into a MinkowskiEngine kernel; its own inverse."""
    size = round(len(weight) ** (1 / 3))
    cube = weight.view(size, size, size, *weight.shape[1:])
    return cube.permute(2, 1, 0, 3, 4).reshape(weight.shape)


def _library() -> Any:
    """Import MinkowskiEngine; it looks for a name that Python 3.10 moved."""
    if not hasattr(collections, 'Sequence'):
        collections.Sequence = collections.abc.Sequence  # type: ignore[attr-defined]
    return importlib.import_module('MinkowskiEngine')
