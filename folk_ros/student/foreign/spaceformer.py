"""The public SpaCeFormer checkpoint as a student file of ours: same tensors, safe container."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from folk_ros.student.foreign.checkpoint import read_checkpoint

REPOSITORY = 'chrischoy/SpaCeFormer'  # on the model hub
FILE = 'spaceformer_512_siglip2_ssccc.ckpt'
LICENCE = 'CC-BY-NC-4.0'
FLOOR = 0.05  # see Vocabulary; SigLIP2's cosines are small. Not measured: no GPU was at hand
NOT_NEEDED = ('caption_loss.',)  # of the training loss
SHAPES = {  # of tensors that tell this network from others
    'net.learned_content.weight': [200, 512],
    'net.clip_head.weight': [1152, 512],
    'net.class_head.weight': [2, 512],
}


def read_spaceformer(path: Path) -> dict[str, Tensor]:
    """
    Read the tensors of a SpaCeFormer checkpoint, named as in our SpaceFormer.

    Raises FileNotFoundError, or ValueError if the file is damaged or of another architecture; the
    message names both sides.
    """
    stored = read_checkpoint(path)
    tensors = stored.get('state_dict', stored)
    for name, shape in SHAPES.items():
        got = list(tensors[name].shape) if name in tensors else 'none'
        if got != shape:
            raise ValueError(
                f'{path}: expected a SpaCeFormer with {name} {shape}, got {got}; is it the file '
                f'{FILE} of {REPOSITORY}?'
            )
    unknown = [n for n in tensors if not n.startswith(('net.', *NOT_NEEDED))]
    if unknown:
        raise ValueError(f'{path}: {len(unknown)} tensors have no place: {unknown[:8]}')
    return {name: tensor for name, tensor in tensors.items() if name.startswith('net.')}
