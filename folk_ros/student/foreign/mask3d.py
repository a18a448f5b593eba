"""
A public Mask3D checkpoint (Lightning file, MinkowskiEngine layout) as our big student.

Every tensor is accounted for: taken over under our name, or listed as not needed with the reason;
anything else is an error that names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from folk_ros.student.foreign.checkpoint import find_settings, read_checkpoint
from folk_ros.student.foreign.mask3d_names import converted, our_name
from folk_ros.student.mask3d import Mask3D, Mask3DConfig
from folk_ros.student.mask_decoder import DecoderConfig
from folk_ros.student.res16unet import Res16UNetConfig

NOT_NEEDED = {
    'criterion.': 'weights of the training loss',
    'model.backbone.final.': "the backbone's own classifier, which Mask3D never reads",
}
# What the tensors do not tell, with the values of every published Mask3D configuration.
WIRING = {
    'num_heads': 8,
    'num_decoders': 3,
    'hlevels': [0, 1, 2, 3],
    'pre_norm': False,
    'normalize_pos_enc': True,
    'positional_encoding_type': 'fourier',
    'non_parametric_queries': True,
    'use_np_features': False,
    'use_level_embed': False,
    'shared_decoder': True,
}


@dataclass(frozen=True)
class Imported:
    """A student made from a checkpoint, and what became of the checkpoint's tensors."""

    student: Mask3D
    taken: dict[str, str]  # their name -> ours
    ignored: dict[str, str]  # their name -> why it is not needed


def import_mask3d(path: Path) -> Imported:
    """
    Read a Mask3D checkpoint as a student without an adapter, ready to run.

    Raises FileNotFoundError, or ValueError if the file is damaged, of another architecture or
    holds a tensor that has no place; the message names both sides.
    """
    stored = read_checkpoint(path)
    tensors = stored.get('state_dict', stored)
    ignored = {
        name: reason
        for name in tensors
        for prefix, reason in NOT_NEEDED.items()
        if name.startswith(prefix)
    }
    names = {name: our_name(name) for name in tensors if name not in ignored}
    taken = {theirs: ours for theirs, ours in names.items() if ours is not None}
    if 'model.backbone.conv0p1s1.kernel' not in taken:
        raise ValueError(
            f"{path}: expected a Mask3D checkpoint with 'model.backbone.conv0p1s1.kernel', got "
            f'{_some(map(str, tensors))}; it is of another architecture'
        )
    unknown = [name for name, ours in names.items() if ours is None]
    if unknown:
        raise ValueError(
            f'{path}: {len(unknown)} tensors have no place in Mask3D as we know it: '
            f'{_some(unknown)}; nothing was imported'
        )
    weights = {ours: converted(theirs, tensors[theirs]) for theirs, ours in taken.items()}
    _check_wiring(path, find_settings(stored.get('hyper_parameters'), 'model'))
    student = Mask3D(read_sizes(weights))
    _check_fit(path, weights, student.state_dict(), {o: t for t, o in taken.items()})
    student.load_state_dict(weights)
    return Imported(student.eval(), taken, ignored)


def read_sizes(weights: dict[str, Tensor]) -> Mask3DConfig:
    """Work out a network's sizes from the shapes of its tensors, named as ours."""

    def shape(name: str) -> list[int]:
        return list(weights[name].shape) if name in weights else [0, 0, 0]

    def blocks(part: str) -> tuple[int, ...]:
        return tuple(
            sum(f'{part}.{i}.{j}.conv1.weight' in weights for j in range(100)) for i in range(4)
        )

    def widths(part: str) -> tuple[int, ...]:
        return tuple(shape(f'{part}.{i}.0.conv1.weight')[2] for i in range(4))

    volume, inputs, stem = shape('backbone.stem.weight')
    return Mask3DConfig(
        backbone=Res16UNetConfig(
            inputs=inputs,
            stem=stem,
            stem_kernel=round(volume ** (1 / 3)),
            encoder=widths('backbone.encode'),
            decoder=widths('backbone.decode'),
            encoder_blocks=blocks('backbone.encode'),
            decoder_blocks=blocks('backbone.decode'),
        ),
        decoder=DecoderConfig(
            embed=shape('decoder.mask_embed.2.weight')[0],
            width=shape('decoder.mask_embed.0.weight')[0],
            heads=WIRING['num_heads'],  # type: ignore[arg-type]
            feed=shape('decoder.layers.0.feed.0.weight')[0],
            classes=shape('decoder.classes.weight')[0] - 1,
        ),
    )


def _check_wiring(path: Path, settings: dict[str, Any]) -> None:
    """Compare the settings stored with a checkpoint, if any, with the wiring we have."""
    for name, ours in WIRING.items():
        theirs = settings.get(name, ours)
        if theirs != ours:
            raise ValueError(
                f'{path}: was trained with {name} = {theirs!r}, we have Mask3D with {ours!r}; '
                'refused, its masks would be wrong'
            )


def _check_fit(
    path: Path, found: dict[str, Tensor], wanted: dict[str, Tensor], theirs: dict[str, str]
) -> None:
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise ValueError(f'{path}: {len(missing)} tensors are missing: {_some(missing)}')
    excess = [theirs[name] for name in found if name not in wanted]
    if excess:
        raise ValueError(f'{path}: {len(excess)} tensors are too many: {_some(excess)}')
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            raise ValueError(
                f'{path}: {theirs[name]}: expected {list(wanted[name].shape)} in our layout, got '
                f'{list(tensor.shape)}'
            )
        if torch.is_floating_point(tensor) and not bool(tensor.isfinite().all()):
            raise ValueError(f'{path}: {theirs[name]} holds numbers that are not finite')


def _some(names: Iterable[str], limit: int = 8) -> str:
    listed = list(names)
    more = f' and {len(listed) - limit} more' if len(listed) > limit else ''
    return ', '.join(listed[:limit]) + more
