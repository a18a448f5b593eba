"""
A GPU for machines without one: CPU tensors that say they are on one and refuse to meet others.

Every operation is computed on the CPU, and noted. Fused kernels are imitated in plain torch, from
the arguments they are launched with.
"""
# ruff: noqa: PLR0913  a kernel's arguments are the kernel's

from collections import Counter
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from folk_ros.student.engines import tables
from folk_ros.student.face import PooledStudent

GPU = torch.device('cuda', 0)
NO_KERNEL = {  # views, and memory as it is
    *('view', '_unsafe_view', 'as_strided', 'detach', 'alias'),
    *('slice', 'select', 't', 'transpose', 'permute'),
    *('expand', 'unsqueeze', 'squeeze', 'split', 'split_with_sizes'),
    *('unbind', 'unfold', 'empty', 'empty_like', 'empty_strided'),
    *('new_empty', 'new_empty_strided', 'view_as', 'reshape', '_reshape_alias'),
    *('lift_fresh', 'expand_as', 'flatten', 'unflatten', 'numpy_T'),
}
WAITS = {'_local_scalar_dense', 'nonzero', 'item', 'is_nonzero', 'equal', '_unique2'}
MAY_MEET = {'_to_copy', 'to', 'copy_', 'index'}  # a CPU's tensors, by design
LAUNCHED = Counter()  # by name, since it was cleared
WAITED = Counter()


class OnGpu(Tensor):
    """A tensor whose numbers are in `here`."""

    @staticmethod
    def __new__(cls, here):
        made = Tensor._make_wrapper_subclass(
            cls,
            here.size(),
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=GPU,
        )
        made.here = here
        return made

    def __repr__(self):
        return f'OnGpu({self.here})'

    def numpy(self, *args, **kwargs):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        kwargs = dict(kwargs or {})
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        strangers = [each for each in tensors if not isinstance(each, cls) and each.dim()]
        if strangers and name not in MAY_MEET:
            raise RuntimeError(f'{func}: tensors are on cuda:0 and on cpu')
        goes = kwargs.get('device')
        away = goes is not None and torch.device(goes).type == 'cpu'
        if goes is not None:
            kwargs['device'] = torch.device('cpu')
        known = {id(each.here): each for each in tensors if isinstance(each, cls)}
        args, kwargs = tree_map(_here, (args, kwargs))
        result = func(*args, **kwargs)
        first = next(iter(tree_leaves(result)), None)
        moved = first is not (args[0] if args else None) or name.endswith('_')
        if name not in NO_KERNEL and (moved or name not in ('to', 'contiguous')):
            LAUNCHED[name] += 1
        if name in WAITS or away or strangers:
            WAITED[name] += 1
        if away:
            return result

        def there(value):
            if not isinstance(value, Tensor):
                return value
            return known[id(value)] if id(value) in known else cls(value)

        return tree_map(there, result)


def _here(value):
    return value.here if isinstance(value, OnGpu) else value


def _all_there(*values):
    return all(isinstance(e, OnGpu) for e in tree_leaves(values) if isinstance(e, Tensor))


class _Factories(TorchFunctionMode):
    """Let `device='cuda'` make and move tensors."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(func, '__name__', '')
        if name in ('to', 'cuda') and not isinstance(args[0], OnGpu):
            return self._moved(name, func, args, kwargs)
        if name == 'where':  # torch puts a number on the GPU first
            args = tuple(each if torch.is_tensor(each) else torch.tensor(each) for each in args)
        if name == '__getitem__' and isinstance(args[0], OnGpu) and isinstance(args[1], list):
            args = (args[0], OnGpu(torch.tensor(args[1], dtype=torch.int64)))
        if name == 'new_tensor' and isinstance(args[0], OnGpu):
            return OnGpu(args[0].here.new_tensor(*args[1:], **kwargs))
        if name == 'batch_norm' and isinstance(args[0], OnGpu):  # looks for cuDNN
            assert all(
                isinstance(e, OnGpu) for e in tree_leaves((args, kwargs)) if torch.is_tensor(e)
            )
            return OnGpu(func(*tree_map(_here, args), **tree_map(_here, kwargs)))
        device = kwargs.get('device')
        there = any(isinstance(each, OnGpu) for each in tree_leaves((args, kwargs)))
        if device is not None and torch.device(device).type == 'cuda' and not there:
            return OnGpu(func(*args, **kwargs | {'device': 'cpu'}))
        return func(*args, **kwargs)

    def _moved(self, name, func, args, kwargs):
        wanted = [*args[1:], *kwargs.values()]
        like = next((each for each in wanted if isinstance(each, Tensor)), None)
        if like is not None:
            wanted = [like.device, like.dtype]
        device = next((d for d in wanted if isinstance(d, str | torch.device)), None)
        if name != 'cuda' and (device is None or torch.device(device).type != 'cuda'):
            return func(*args, **kwargs)
        dtype = next((d for d in wanted if isinstance(d, torch.dtype)), args[0].dtype)
        LAUNCHED['to the GPU'] += 1
        return OnGpu(args[0].detach().to(dtype))


class _Kernel:
    """Launches an imitation, where all tensors are on the GPU."""

    def __init__(self, imitate):
        self.imitate = imitate

    def __getitem__(self, grid):
        def launch(*args, num_warps=4, num_stages=3):
            if not _all_there(args):
                raise RuntimeError(f'{self.imitate.__name__}: an argument is not on cuda:0')
            LAUNCHED[self.imitate.__name__] += 1
            self.imitate(*map(_here, args))

        return launch


def search(keys, table, rows, rounds, axis, size, tile):
    assert rows < 2**rounds
    table.copy_(tables.neighbour_table(keys, size))


def presence(table, key, rows, inputs, pitch, volume, tile):
    key.copy_(((table < inputs) << torch.arange(volume, dtype=torch.int32)[:, None]).sum(0))


def active(table, listed, counts, rows, inputs, pitch, volume, tile):
    listed.fill_(-1)
    for number, part in enumerate((table < inputs).split(tile, 1)):
        found = part.any(1).nonzero()[:, 0]
        counts[number] = len(found)
        listed[number, : len(found)] = found


def convolve(
    x, weight, table, order, listed, counts, scale, shift, skip, out,
    rows, inputs, pitch, cin, cout, volume, skip_pitch, out_pitch,
    finished, skipped, tile_m, tile_n, tile_k,
):  # fmt: skip
    assert x.is_contiguous() and weight.is_contiguous() and pitch == table.stride(0)
    total = torch.zeros(rows, cout)
    for number, start in enumerate(range(0, rows, tile_m)):
        part = slice(start, start + tile_m)
        for k in listed[number, : counts[number]]:
            near = table[k, part].long()
            there = near < inputs
            total[part][there] += x[near[there]].float() @ weight[k].float()
    if finished:
        total = total * scale + shift
        if skipped:
            total += skip[order].float()
        total = total.relu()
    out[order] = total.to(out.dtype)


def weight(
    x, grad, table, parts, rows, inputs, pitch, share, cin, cout, volume, tile_m, tile_n, tile_k
):  # fmt: skip
    assert x.is_contiguous() and grad.is_contiguous() and share * len(parts) >= rows
    assert pitch == table.stride(0)
    parts.zero_()
    for k, own in enumerate(table.long()):
        there = own < inputs
        parts[0, k] = x[own[there]].float().t() @ grad[there].float()


@contextmanager
def pretended_gpu(monkeypatch):
    """Make torch believe in a GPU, and the fused kernels run on it."""
    from folk_ros.student.engines import triton_kernels

    torch._C._ensureCUDADeviceGuardSet()
    for imitate in (search, presence, active, convolve, weight):
        monkeypatch.setattr(triton_kernels, imitate.__name__, _Kernel(imitate))
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda including_emulation=True: True)
    monkeypatch.setattr(torch.cuda, 'synchronize', lambda device=None: None)
    # tensors of a class of our own have no views in inference mode
    monkeypatch.setattr(
        PooledStudent, 'predict', torch.no_grad()(PooledStudent.predict.__wrapped__)
    )
    monkeypatch.setattr(torch.__future__, '_overwrite_module_params_on_conversion', True)
    with _Factories():
        yield GPU
