"""
The text tower that ships: a BERT with mean pooling, from a model folder, run by torch alone.

open_clip builds the same tower from the same files, but importing it takes seconds and hundreds
of megabytes, of which a robot that embeds a few words has nothing (test_text_bert.py compares).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

MODEL_CONFIG = 'open_clip_config.json'  # in a model folder: open_clip's own name and form
HF_CONFIG, TOKENIZER = 'config.json', 'tokenizer.json'  # the publisher's own
TEXT_WEIGHTS = 'text_tower.safetensors'
SCALE_SUFFIX = '.row_scale'  # beside an int8 weight: its step per row
WORDS = 'transformer.embeddings.word_embeddings.weight'


@dataclass(frozen=True)
class BertSizes:
    """Sizes of a BERT, of which every layer is alike."""

    words: int
    context: int  # tokens
    width: int
    inner: int
    layers: int
    heads: int
    eps: float
    pad: int  # id of the token that stands for none

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every weight, as open_clip names them."""
        wide, inner = self.width, self.inner
        shapes: dict[str, tuple[int, ...]] = {
            WORDS: (self.words, wide),
            'transformer.embeddings.position_embeddings.weight': (self.context, wide),
            'transformer.embeddings.token_type_embeddings.weight': (2, wide),
            **_pair('transformer.embeddings.LayerNorm', (wide,)),
        }
        for number in range(self.layers):
            layer = f'transformer.encoder.layer.{number}.'
            for name in ('query', 'key', 'value'):
                shapes |= _pair(f'{layer}attention.self.{name}', (wide, wide))
            shapes |= _pair(f'{layer}attention.output.dense', (wide, wide))
            shapes |= _pair(f'{layer}attention.output.LayerNorm', (wide,))
            shapes |= _pair(f'{layer}intermediate.dense', (inner, wide))
            shapes |= _pair(f'{layer}output.dense', (wide, inner))
            shapes |= _pair(f'{layer}output.LayerNorm', (wide,))
        return shapes


def _pair(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f'{name}.weight': shape, f'{name}.bias': shape[:1]}


class Bert:
    """Tokens in, unit vectors out; `stored` are the weights as they lie in the file."""

    def __init__(self, sizes: BertSizes, stored: dict[str, Tensor], device: str) -> None:
        self.sizes = sizes
        # a word is unpacked when it is read: all of them would be half the tower's memory
        self._words = stored[WORDS].to(device)
        self._words_step = stored.get(WORDS + SCALE_SUFFIX, torch.ones(sizes.words)).to(device)
        self._weights = {
            name: unpacked(stored, name).to(device) for name in sizes.shapes() if name != WORDS
        }

    def embed(self, tokens: Tensor) -> Tensor:
        """Map token ids [B, L] to unit vectors [B, D] float32, on the CPU."""
        tokens = tokens.to(self._words.device)
        there = tokens != self.sizes.pad  # [B, L]
        x = self._words[tokens].float() * self._words_step[tokens, None]  # [B, L, D]
        place = 'transformer.embeddings.'
        x = x + self._weights[f'{place}position_embeddings.weight'][: tokens.shape[1]]
        x = x + self._weights[f'{place}token_type_embeddings.weight'][0]
        x = self._norm(x, f'{place}LayerNorm')
        for number in range(self.sizes.layers):
            x = self._layer(x, there, f'transformer.encoder.layer.{number}.')
        mean = (x * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        return F.normalize(mean, dim=1).cpu()

    def _layer(self, x: Tensor, there: Tensor, layer: str) -> Tensor:
        query, key, value = (
            self._linear(x, f'{layer}attention.self.{name}')
            .unflatten(2, (self.sizes.heads, -1))
            .transpose(1, 2)  # [B, heads, L, D / heads]
            for name in ('query', 'key', 'value')
        )
        seen = F.scaled_dot_product_attention(query, key, value, there[:, None, None, :])
        seen = self._linear(seen.transpose(1, 2).flatten(2), f'{layer}attention.output.dense')
        x = self._norm(x + seen, f'{layer}attention.output.LayerNorm')
        inner = F.gelu(self._linear(x, f'{layer}intermediate.dense'))
        inner = self._linear(inner, f'{layer}output.dense')
        return self._norm(x + inner, f'{layer}output.LayerNorm')

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self._weights[f'{name}.weight'], self._weights[f'{name}.bias'])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f'{name}.weight'], self._weights[f'{name}.bias']
        return F.layer_norm(x, weight.shape, weight, bias, self.sizes.eps)


@dataclass(frozen=True)
class TextModel:
    """A text tower as its folder describes it."""

    name: str  # the CLIP space
    templates: tuple[str, ...]
    logit_scale: float
    bert: Bert
    tokenizer: Any

    def run(self, prompts: Sequence[str]) -> Any:
        """Map prompts to unit vectors [B, D], a numpy array."""
        tokens = [each.ids for each in self.tokenizer.encode_batch(list(prompts))]
        return self.bert.embed(torch.tensor(tokens)).numpy()


def load_text_model(folder: Path, device: str = 'cpu') -> TextModel:
    """Read a model folder; raise ValueError for files that are missing, damaged or do not fit."""
    path = folder / MODEL_CONFIG
    try:
        config = json.loads(path.read_text())
        clip, text, own = config['model_cfg'], config['model_cfg']['text_cfg'], config['folk']
        name, templates, scale = own['name'], tuple(own['templates']), float(own['logit_scale'])
        kind, width = (text['hf_pooler_type'], text.get('hf_proj_type')), clip['embed_dim']
        context = int(text['context_length'])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{path}: not a config of a text tower ({error})') from error
    sizes = _sizes(folder / HF_CONFIG)
    if kind != ('mean_pooler', None) or sizes.width != width or sizes.context < context:
        raise ValueError(
            f'{path}: expected mean_pooler and no projection on a tower of width {width} and '
            f'{context} tokens, got {kind[0]}, {kind[1]}, {sizes.width} and {sizes.context}'
        )
    stored = load_packed(folder / TEXT_WEIGHTS, name)
    _check_fit(stored, sizes, folder)
    tokenizer = _tokenizer(folder / TOKENIZER, context, sizes.pad)
    return TextModel(name, templates, scale, Bert(sizes, stored, device), tokenizer)


def _sizes(path: Path) -> BertSizes:
    try:
        config = json.loads(path.read_text())
        kind = config['model_type'], config['hidden_act'], config['position_embedding_type']
        sizes = BertSizes(
            words=config['vocab_size'],
            context=config['max_position_embeddings'],
            width=config['hidden_size'],
            inner=config['intermediate_size'],
            layers=config['num_hidden_layers'],
            heads=config['num_attention_heads'],
            eps=config['layer_norm_eps'],
            pad=config['pad_token_id'],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{path}: not the config of a BERT ({error!r})') from error
    if kind != ('bert', 'gelu', 'absolute'):
        raise ValueError(f'{path}: expected a BERT with gelu and absolute positions, got {kind}')
    return sizes


def _check_fit(stored: dict[str, Tensor], sizes: BertSizes, folder: Path) -> None:
    expected = sizes.shapes()
    found = {n: tuple(t.shape) for n, t in stored.items() if not n.endswith(SCALE_SUFFIX)}
    if found != expected:
        odd = sorted(name for name, _ in expected.items() ^ found.items())[0]
        raise ValueError(
            f'{folder / TEXT_WEIGHTS} does not fit {folder / HF_CONFIG}: {odd}: expected '
            f'{expected.get(odd, "none such")}, got {found.get(odd, "none such")}'
        )


def _tokenizer(path: Path, context: int, pad: int) -> Any:
    from tokenizers import Tokenizer

    if not path.is_file():
        raise ValueError(f'{path}: this file of the text tower is missing; install it anew')
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower kind
        raise ValueError(f'{path}: not a tokenizer ({error})') from error
    tokenizer.enable_truncation(max_length=context)
    tokenizer.enable_padding(pad_id=pad)  # to the longest of a batch
    return tokenizer


def load_packed(path: Path, name: str) -> dict[str, Tensor]:
    """
    Load weights as they are stored, int8 beside their steps.

    Raises ValueError if the file is missing, damaged, or of another CLIP than `name`.
    """
    from safetensors import safe_open, SafetensorError

    try:
        with safe_open(path, 'pt') as file:
            metadata = file.metadata() or {}
            stored = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ValueError(f'{path}: weights cannot be read ({error}); install them anew') from error
    if metadata.get('clip') != name:
        raise ValueError(f'{path}: expected weights of {name}, got {metadata.get("clip")}')
    return stored


def unpacked(stored: dict[str, Tensor], name: str) -> Tensor:
    """Return a weight in float32; an int8 one is multiplied by its step per row."""
    step = stored.get(name + SCALE_SUFFIX)
    value = stored[name].float()
    return value if step is None else value * step.float()[:, None]
