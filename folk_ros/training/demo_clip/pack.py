"""Pack the demo CLIP's text tower: 90 MB of float32 to 23 MB that ship with the package."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from safetensors.torch import load_file, save_file
import torch

from folk_ros.text_bert import MODEL_CONFIG, SCALE_SUFFIX, TEXT_WEIGHTS

NAME = 'folk-demo-clip-minilm-384'
SOURCE_SHA256 = '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db'
DIM = 384
CONTEXT = 64  # tokens: names and short descriptions; a longer text is cut
TEMPLATES = ('{}', 'a {}')
LOGIT_SCALE = 20.0
QUANTISED = (
    'dense.weight',
    'query.weight',
    'key.weight',
    'value.weight',
    'word_embeddings.weight',
)


def pack_text_tower(source_dir: Path, out_dir: Path) -> None:
    """
    Write config, tokenizer and int8 weights of all-MiniLM-L6-v2 into a model folder.

    `source_dir` holds the publisher's files (model.safetensors, config.json, tokenizer.json,
    tokenizer_config.json); raises ValueError if the weights are not the publisher's.
    """
    source = source_dir / 'model.safetensors'
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    if digest != SOURCE_SHA256:
        raise ValueError(f'{source}: expected SHA-256 {SOURCE_SHA256}, got {digest}')
    out_dir.mkdir(parents=True, exist_ok=True)
    packed = pack_weights(load_file(source))
    temporary = out_dir / f'.{TEXT_WEIGHTS}.tmp'
    save_file(packed, temporary, {'clip': NAME, 'source_sha256': digest})
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    os.replace(temporary, out_dir / TEXT_WEIGHTS)
    for name, text in _configs(source_dir).items():
        _write(out_dir / name, text)


def pack_weights(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return open_clip's names with big matrices as int8 and a step per row, the rest fp16."""
    packed = {}
    for key, value in weights.items():
        if key.startswith('pooler.') or key.endswith('position_ids'):
            continue  # mean pooling uses neither
        if key.endswith('position_embeddings.weight'):
            value = value[:CONTEXT]
        name = f'transformer.{key}'
        if key.endswith(QUANTISED):
            packed[name], packed[name + SCALE_SUFFIX] = quantise_rows(value)
        else:
            packed[name] = value.half().contiguous()
    return packed


def quantise_rows(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return int8 [R, C] and the float32 step [R] of each row, symmetric about zero."""
    step = (weight.abs().amax(dim=1) / 127).clamp_min(1e-12)  # [R]
    return (weight / step[:, None]).round().to(torch.int8), step


def _configs(source_dir: Path) -> dict[str, str]:
    """Return the small files of the model folder: name -> text."""
    hf = json.loads((source_dir / 'config.json').read_text())
    hf = {k: v for k, v in hf.items() if k not in ('_name_or_path', 'transformers_version')}
    hf['max_position_embeddings'] = CONTEXT
    tokenizer = json.loads((source_dir / 'tokenizer_config.json').read_text())
    tokenizer = {k: v for k, v in tokenizer.items() if k != 'name_or_path'}
    tokenizer['model_max_length'] = CONTEXT
    model_cfg = {
        'embed_dim': DIM,
        # Stands in for an image side, which open_clip asks for and the text tower drops; the demo
        # CLIP's own is image_tower.safetensors.
        'vision_cfg': {'image_size': 32, 'patch_size': 32, 'layers': 1, 'width': 64},
        'text_cfg': {
            'hf_model_name': '.',
            'hf_tokenizer_name': '.',
            'hf_pooler_type': 'mean_pooler',
            'hf_proj_type': None,
            'context_length': CONTEXT,
        },
    }
    folk = {'name': NAME, 'templates': TEMPLATES, 'logit_scale': LOGIT_SCALE}
    return {
        'config.json': _dump(hf),
        'tokenizer_config.json': _dump(tokenizer),
        'tokenizer.json': (source_dir / 'tokenizer.json').read_text(),
        MODEL_CONFIG: _dump({'model_cfg': model_cfg, 'folk': folk}),
    }


def _dump(value: object) -> str:
    return json.dumps(value, indent=2) + '\n'


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f'.{path.name}.tmp')
    temporary.write_text(text)
    os.replace(temporary, path)
