from __future__ import annotations

import json
from pathlib import Path
import shutil
import subprocess
import sys

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
import torch

from folk_ros.text import load_text_tower
from folk_ros.text_bert import load_packed, load_text_model, MODEL_CONFIG, TEXT_WEIGHTS, unpacked

ROOT = Path(__file__).parents[1]
DEMO_CLIP = ROOT / 'resource' / 'models' / 'demo_clip'
TEXTS = ['chair', 'a RED mug', 'Stuhl, grün', '椅子', 'x' * 130, 'lamp ' * 200, '!?', '🙂']


def open_clip_tower():
    """Build the same tower as open_clip does: what it says of texts [B, D]."""
    from open_clip import CustomTextCLIP
    from open_clip.tokenizer import HFTokenizer

    config = json.loads((DEMO_CLIP / MODEL_CONFIG).read_text())
    cfg, name = config['model_cfg'], config['folk']['name']
    text = cfg['text_cfg'] | {'hf_model_name': str(DEMO_CLIP), 'hf_model_pretrained': False}
    clip = CustomTextCLIP(cfg['embed_dim'], cfg['vision_cfg'], text).eval()
    stored = load_packed(DEMO_CLIP / TEXT_WEIGHTS, name)
    plain = {key: unpacked(stored, key) for key in stored if not key.endswith('.row_scale')}
    clip.text.load_state_dict(plain)
    tokenizer = HFTokenizer(str(DEMO_CLIP), context_length=text['context_length'])

    def embed(texts):
        with torch.inference_mode():
            return clip.encode_text(tokenizer(texts), normalize=True).numpy()

    return embed


def test_the_shipped_tower_says_what_open_clip_says_from_the_same_files():
    ours = load_text_model(DEMO_CLIP).run(TEXTS)
    assert np.abs(ours - open_clip_tower()(TEXTS)).max() < 1e-5


def test_a_text_is_embedded_alike_alone_and_beside_a_longer_one():
    model = load_text_model(DEMO_CLIP)
    together = model.run(TEXTS)
    for text, expected in zip(TEXTS, together, strict=True):
        assert np.abs(model.run([text])[0] - expected).max() < 1e-5


def test_the_shipped_tower_needs_neither_open_clip_nor_transformers():
    script = (
        'import sys; from folk_ros.text import load_text_tower\n'
        f'load_text_tower({str(DEMO_CLIP)!r}).encode(["chair"])\n'
        'heavy = {"open_clip", "transformers", "torchvision", "timm"} & set(sys.modules)\n'
        'assert not heavy, heavy\n'
    )
    done = subprocess.run([sys.executable, '-c', script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def copied(tmp_path):
    return Path(shutil.copytree(DEMO_CLIP, tmp_path / 'model'))


@pytest.mark.parametrize(
    ('file', 'change', 'said'),
    [
        ('config.json', {'model_type': 'roberta'}, 'expected a BERT'),
        ('config.json', {'hidden_size': '?'}, 'mean_pooler'),
        ('config.json', {'num_hidden_layers': 5}, r'layer\.5.*expected none such'),
        ('config.json', {'max_position_embeddings': 32}, '64 tokens'),
    ],
)
def test_a_config_of_another_tower_is_refused(tmp_path, file, change, said):
    path = copied(tmp_path) / file
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=said):
        load_text_tower(path.parent)


def test_weights_of_another_shape_are_refused_by_name(tmp_path):
    folder = copied(tmp_path)
    weights = load_file(folder / TEXT_WEIGHTS)
    odd = 'transformer.encoder.layer.3.intermediate.dense.bias'
    weights[odd] = weights[odd][:-1].clone()
    save_file(weights, folder / TEXT_WEIGHTS, {'clip': 'folk-demo-clip-minilm-384'})
    with pytest.raises(ValueError, match=rf'{odd}: expected \(1536,\), got \(1535,\)'):
        load_text_tower(folder)


@pytest.mark.parametrize('content', [None, b'', b'{}'])
def test_a_missing_or_broken_tokenizer_is_named(tmp_path, content):
    path = copied(tmp_path) / 'tokenizer.json'
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ValueError, match=r'tokenizer\.json'):
        load_text_tower(path.parent)
