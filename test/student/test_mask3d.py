"""
Mask3D under our roof: the same numbers as an independent, slow Mask3D.

The twin below follows the published code step by step (JonasSchult/Mask3D: models/mask3d.py and
models/res16unet.py), in Python over a dictionary of voxels, on a checkpoint in Mask3D's own names
and MinkowskiEngine's own layout. It shares nothing with the package.
"""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
import torch
from torch.nn import functional as F

from folk_ros.student.engine import build_levels
from folk_ros.student.foreign.mask3d import import_mask3d
from folk_ros.student.query_sources import furthest_points

RECORDED = Path(__file__).parent / 'data' / 'mask3d_reference.safetensors'

WIDTH, HEADS = 16, 8


def recorded():
    """Return tensors of a tiny Mask3D in its own names and layout, and what was recorded of it."""
    found = load_file(RECORDED)
    tensors = {
        name: value.float() if value.dtype == torch.float16 else value
        for name, value in found.items()
        if name.startswith(('model.', 'criterion.'))
    }
    return tensors, {name: value for name, value in found.items() if name not in tensors}


class SlowMask3D:
    """Mask3D over dictionaries {(x, y, z): values}, in float64."""

    def __init__(self, tensors):
        self.t = {k.removeprefix('model.'): v.double() for k, v in tensors.items()}

    def conv(self, x, name):
        """Onto the same voxels; offset k is (ix - r) + n (iy - r) + n n (iz - r)."""
        kernel = self.t[f'{name}.kernel']
        n = round(len(kernel) ** (1 / 3))
        r = n // 2
        out = {}
        for u in x:
            out[u] = torch.zeros(kernel.shape[2], dtype=torch.float64)
            for iz, iy, ix in itertools.product(range(n), repeat=3):
                v = (u[0] + ix - r, u[1] + iy - r, u[2] + iz - r)
                if v in x:
                    out[u] = out[u] + x[v] @ kernel[ix + n * (iy + n * iz)]
        return out

    def down(self, x, name):
        kernel, out = self.t[f'{name}.kernel'], {}
        for (a, b, c), value in x.items():
            term = value @ kernel[a % 2 + 2 * (b % 2 + 2 * (c % 2))]
            u = (a // 2, b // 2, c // 2)
            out[u] = out[u] + term if u in out else term
        return out

    def up(self, x, name, fine):
        kernel = self.t[f'{name}.kernel']
        return {
            u: x[u[0] // 2, u[1] // 2, u[2] // 2]
            @ kernel[u[0] % 2 + 2 * (u[1] % 2 + 2 * (u[2] % 2))]
            for u in fine
        }

    def norm(self, x, name):
        t = self.t
        scale = t[f'{name}.bn.weight'] / (t[f'{name}.bn.running_var'] + 1e-5).sqrt()
        shift = t[f'{name}.bn.bias'] - t[f'{name}.bn.running_mean'] * scale
        return {u: value * scale + shift for u, value in x.items()}

    def relu(self, x):
        return {u: value.clamp(min=0) for u, value in x.items()}

    def block(self, x, name):
        for j in itertools.count():
            own = f'{name}.{j}'
            if f'{own}.conv1.kernel' not in self.t:
                return x
            y = self.relu(self.norm(self.conv(x, f'{own}.conv1'), f'{own}.norm1'))
            y = self.norm(self.conv(y, f'{own}.conv2'), f'{own}.norm2')
            if f'{own}.downsample.0.kernel' in self.t:
                skip = self.t[f'{own}.downsample.0.kernel']
                x = self.norm({u: v @ skip for u, v in x.items()}, f'{own}.downsample.1')
            x = self.relu({u: y[u] + x[u] for u in x})

    def backbone(self, x):
        p = 'backbone.'
        x = self.relu(self.norm(self.conv(x, p + 'conv0p1s1'), p + 'bn0'))
        skips = [x]
        for i in range(4):
            x = self.relu(self.norm(self.down(x, f'{p}conv{i + 1}p{2**i}s2'), f'{p}bn{i + 1}'))
            x = self.block(x, f'{p}block{i + 1}')
            skips.append(x)
        maps = [x]
        for i in range(4):
            skip = skips[3 - i]
            x = self.up(x, f'{p}convtr{i + 4}p{16 >> i}s2', skip)
            x = self.relu(self.norm(x, f'{p}bntr{i + 4}'))
            x = {u: torch.cat([x[u], skip[u]]) for u in skip}
            x = self.block(x, f'{p}block{i + 5}')
            maps.append(x)
        return maps  # the coarsest first, as in Mask3D

    def pool(self, x):
        groups = {}
        for (a, b, c), value in x.items():
            groups.setdefault((a // 2, b // 2, c // 2), []).append(value)
        return {u: torch.stack(values).mean(0) for u, values in groups.items()}

    def linear(self, x, name):
        return x @ self.t[f'{name}.weight'].squeeze(-1).t() + self.t[f'{name}.bias']

    def layer_norm(self, x, name):
        centred = x - x.mean(-1, keepdim=True)
        unit = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return unit * self.t[f'{name}.weight'] + self.t[f'{name}.bias']

    def fourier(self, xyz, low, high):
        turns = ((xyz - low) / (high - low) * 2 * math.pi) @ self.t['pos_enc.gauss_B']
        return torch.cat([turns.sin(), turns.cos()], -1)

    def attention(self, name, query, key, value, blocked=None):
        weights = self.t[f'{name}.in_proj_weight'].chunk(3)
        biases = self.t[f'{name}.in_proj_bias'].chunk(3)
        q, k, v = (
            x @ w.t() + b for x, w, b in zip((query, key, value), weights, biases, strict=True)
        )
        size, parts = WIDTH // HEADS, []
        for h in range(HEADS):
            part = slice(h * size, (h + 1) * size)
            logits = q[:, part] @ k[:, part].t() / size**0.5
            if blocked is not None:
                logits = logits.masked_fill(blocked, -torch.inf)
            parts.append(logits.softmax(1) @ v[:, part])
        return self.linear(torch.cat(parts, 1), f'{name}.out_proj')

    def mask_module(self, queries, mask_features):
        normed = self.layer_norm(queries, 'decoder_norm')
        embed = self.linear(
            self.linear(normed, 'mask_embed_head.0').clamp(min=0), 'mask_embed_head.2'
        )
        masks = {u: embed @ value for u, value in mask_features.items()}
        return self.linear(normed, 'class_embed_head'), masks

    def __call__(self, colours, places, starts):
        """Return mask logits [Q, V] and class logits [Q, C + 1], voxels in the order given."""
        maps = self.backbone(colours)
        pooled = [places]
        for _ in range(4):
            pooled.append(self.pool(pooled[-1]))
        pooled.reverse()  # the coarsest first
        head = self.t['mask_features_head.kernel'], self.t['mask_features_head.bias'][0]
        mask_features = {u: value @ head[0] + head[1] for u, value in maps[-1].items()}
        everywhere = torch.stack(list(places.values()))
        box = everywhere.amin(0), everywhere.amax(0)
        position = self.fourier(torch.stack([places[u] for u in starts]), *box)
        position = self.linear(position, 'query_projection.layers.0').clamp(min=0)
        position = self.linear(position, 'query_projection.layers.2').clamp(min=0)
        queries = torch.zeros_like(position)
        for _ in range(3):
            for i in range(4):
                queries = self.layer(queries, position, (maps[i], pooled[i], mask_features), i)
        classes, masks = self.mask_module(queries, mask_features)
        return torch.stack([masks[u] for u in places], 1), classes

    def layer(self, queries, position, scene, i):
        features, coords, mask_features = scene
        _, masks = self.mask_module(queries, mask_features)
        for _ in range(4 - i):
            masks = self.pool(masks)
        rows = list(features)
        blocked = torch.stack([masks[u].sigmoid() < 0.5 for u in rows], 1)  # [Q, M]
        blocked[blocked.all(1)] = False
        memory = self.linear(torch.stack([features[u] for u in rows]), f'lin_squeeze.0.{i}')
        xyz = torch.stack([coords[u] for u in rows])
        spots = self.fourier(xyz, xyz.amin(0), xyz.amax(0))
        name = f'cross_attention.0.{i}'
        seen = self.attention(
            f'{name}.multihead_attn', queries + position, memory + spots, memory, blocked
        )
        queries = self.layer_norm(queries + seen, f'{name}.norm')
        name = f'self_attention.0.{i}'
        told = self.attention(f'{name}.self_attn', queries + position, queries + position, queries)
        queries = self.layer_norm(queries + told, f'{name}.norm')
        name = f'ffn_attention.0.{i}'
        hidden = self.linear(queries, f'{name}.linear1').clamp(min=0)
        return self.layer_norm(queries + self.linear(hidden, f'{name}.linear2'), f'{name}.norm')


def two_shells(count=260, seed=0):
    """A cloud over two levels of the coarsest resolution, with holes."""
    rng = np.random.default_rng(seed)
    coords = np.unique(rng.integers(0, 33, (count, 3)), axis=0)
    coords = np.unique(np.concatenate([coords // 3, coords]), axis=0)
    return torch.from_numpy(coords), rng


def outputs(network, coords, colours, places, starts):
    levels = build_levels(F.pad(coords, (1, 0)), network.depth)
    with torch.no_grad():
        features = network.backbone(colours, levels)
        fields = network.fields(features[0], places)
        last = network.decoder(starts, features, levels, fields)[-1]
        return network.decoder.masks(last, fields), network.decoder.judged(last)


def stored(path, tensors):
    torch.save({'state_dict': tensors, 'epoch': 3}, path)
    return path


def test_imported_weights_give_the_outputs_of_an_independent_mask3d(tmp_path):
    tensors, _ = recorded()
    network = import_mask3d(stored(tmp_path / 'a.ckpt', tensors)).student.double()
    coords, rng = two_shells()
    colours = torch.from_numpy(rng.normal(size=(len(coords), 3)))
    places = (coords + torch.from_numpy(rng.random((len(coords), 3)))) * 0.02
    starts = furthest_points(coords, 5)
    rows = [tuple(row) for row in coords.tolist()]
    expected, classes = SlowMask3D(tensors)(
        dict(zip(rows, colours, strict=True)),
        dict(zip(rows, places, strict=True)),
        [rows[i] for i in starts],
    )
    masks, found = outputs(network, coords, colours, places, starts)
    assert expected.std() > 0.1  # else nothing is compared
    assert 0.1 < (expected > 0).double().mean() < 0.9
    assert torch.allclose(masks, expected, atol=1e-9)
    assert torch.allclose(found, classes, atol=1e-9)


def outputs_of(path, tensors, found):
    network = import_mask3d(stored(path, tensors)).student
    coords, starts = found['in.coords'].long(), found['in.starts'].long()
    return outputs(network, coords, found['in.colour'], found['in.xyz'], starts)


def test_imported_weights_give_what_the_published_code_gave(tmp_path):
    """
    Compare with a run of the published code itself, recorded once.

    Made by models/mask3d.py and models/res16unet.py of JonasSchult/Mask3D (commit 11bd5ff) under
    MinkowskiEngine 0.5.4 on a CPU, with tiny sizes and random weights rounded to float16. Around
    that code stood plain torch in place of pointnet2's furthest_point_sample, and the rows of
    SparseTensor.decomposed_features in their own order, as on CUDA.
    """
    tensors, found = recorded()
    masks, classes = outputs_of(tmp_path / 'a.ckpt', tensors, found)
    assert 0.1 < (found['out.masks'] > 0).float().mean() < 0.9
    assert found['out.masks'].std() > 1
    assert torch.allclose(masks, found['out.masks'].t(), rtol=0, atol=1e-4)
    assert torch.allclose(classes, found['out.classes'], rtol=0, atol=1e-4)


@pytest.mark.parametrize('name', ['conv0p1s1', 'conv2p2s2', 'convtr6p4s2', 'block5.0.conv1'])
def test_the_order_of_offsets_in_every_kind_of_kernel_matters(tmp_path, name):
    tensors, found = recorded()
    kernel = tensors[f'model.backbone.{name}.kernel']
    edge = round(len(kernel) ** (1 / 3))
    cube = kernel.view(edge, edge, edge, *kernel.shape[1:])
    tensors[f'model.backbone.{name}.kernel'] = cube.transpose(0, 2).reshape(kernel.shape)
    masks, _ = outputs_of(tmp_path / 'a.ckpt', tensors, found)
    assert (masks - found['out.masks'].t()).abs().max() > 1e-2
