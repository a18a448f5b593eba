"""Names and layouts of Mask3D's tensors, and what they are called and look like here."""

from __future__ import annotations

import re

from torch import Tensor

# Beginnings of names, after 'model.', and ours.
BACKBONE = {'conv0p1s1': 'stem', 'bn0': 'stem_norm'} | {
    theirs: ours
    for i in range(4)
    for theirs, ours in {
        f'conv{i + 1}p{2**i}s2': f'down.{i}',
        f'bn{i + 1}': f'down_norm.{i}',
        f'block{i + 1}': f'encode.{i}',
        f'convtr{i + 4}p{16 >> i}s2': f'up.{i}',
        f'bntr{i + 4}': f'up_norm.{i}',
        f'block{i + 5}': f'decode.{i}',
    }.items()
}
HEADS = {
    'mask_features_head': 'fields.out',
    'query_projection.layers': 'decoder.place.query',
    'mask_embed_head': 'decoder.mask_embed',
    'class_embed_head': 'decoder.classes',
    'decoder_norm': 'decoder.norm',
    'pos_enc.gauss_B': 'decoder.place.basis',
}
LAYERS = {  # under their 'KIND.0.N', the 0 being the one decoder whose weights all rounds share
    'cross_attention.multihead_attn': 'cross',
    'cross_attention.norm': 'norms.0',
    'self_attention.self_attn': 'self_attention',
    'self_attention.norm': 'norms.1',
    'ffn_attention.linear1': 'feed.0',
    'ffn_attention.linear2': 'feed.2',
    'ffn_attention.norm': 'norms.2',
    'lin_squeeze': 'memory',
}


def our_name(name: str) -> str | None:
    """Translate the name of a tensor; None if we know none of that name."""
    own = name.removeprefix('model.')
    if own == name:
        return None
    layer = re.fullmatch(r'(\w+)\.0\.(\d)\.(.+)', own)
    if layer:
        rest = _renamed(f'{layer[1]}.{layer[3]}', LAYERS)
        return f'decoder.layers.{layer[2]}.{rest}' if rest else None
    if own.startswith('backbone.'):
        rest = _renamed(own.removeprefix('backbone.'), BACKBONE)
        return f'backbone.{rest}' if rest else None
    return _renamed(own, HEADS)


def _renamed(name: str, table: dict[str, str]) -> str | None:
    for theirs, ours in table.items():
        if name == theirs or name.startswith(f'{theirs}.'):
            parts = name.removeprefix(theirs).split('.')
            ends = {'downsample': 'skip', 'kernel': 'weight'}
            return ours + '.'.join(ends.get(part, part) for part in parts if part != 'bn')
    return None


def converted(name: str, tensor: Tensor) -> Tensor:
    """Turn a tensor into our layout; kernels change the order of their offsets."""
    if name.endswith('.kernel'):
        return tensor.t() if tensor.dim() == 2 else canonical(tensor)  # 1x1x1: a linear layer
    if name == 'model.mask_features_head.bias':
        return tensor.reshape(-1)  # stored as [1, C]
    return tensor.squeeze(2) if tensor.dim() == 3 else tensor  # a Conv1d of width 1


def canonical(kernel: Tensor) -> Tensor:
    """Reorder a cubic MinkowskiEngine kernel [K, Cin, Cout], first axis fastest, to the last."""
    edge = round(len(kernel) ** (1 / 3))
    if edge**3 != len(kernel):
        raise ValueError(f'kernel: expected a cube of offsets, got {len(kernel)}')
    cube = kernel.view(edge, edge, edge, *kernel.shape[1:])
    return cube.permute(2, 1, 0, 3, 4).reshape(kernel.shape)
