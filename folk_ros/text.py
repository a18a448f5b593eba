"""
The text tower of a CLIP behind one small face: words in, unit vectors out.

The shipped tower is read by text_bert.py; others are open_clip's, which is imported when one of
them is loaded and not before (this is its only online user). A tower answers from a bounded cache
when it can; a new text runs on a thread of its own that uses one core, because for matrices this
small a second thread costs more than it gives on a busy robot.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch

from folk_ros.text_bert import load_text_model, MODEL_CONFIG
from folk_ros.text_embeddings import (
    CachedTextTower,
    clean_text,
    clean_texts,
    load_text_embeddings,
    save_text_embeddings,
    TextEncoder,
)
from folk_ros.text_hub import clip_place, download, download_tokenizer, fetched_weights

__all__ = [
    'CachedTextTower',
    'TextEncoder',
    'TextTower',
    'clean_text',
    'clean_texts',
    'create_open_clip',
    'fetch_open_clip',
    'load_text_embeddings',
    'load_text_tower',
    'save_text_embeddings',
]

BATCH = 64  # prompts per run of the tower
OPEN_CLIP_TEMPLATES = ('a {} in a scene',)  # OpenMask3D's


def fuse_templates(embeddings: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Average unit vectors [Q * count, D] over the templates of each text, to unit [Q, D]."""
    mean = embeddings.reshape(-1, count, embeddings.shape[-1]).mean(axis=1)
    norm = np.linalg.norm(mean, axis=1, keepdims=True)
    return (mean / np.maximum(norm, 1e-12)).astype(np.float32)


class TextTower:
    """
    A loaded text tower with a cache; safe to call from several threads.

    `run` maps at most `BATCH` prompts to unit vectors [B, D]; it is only ever called from the
    tower's own thread. `logit_scale` is the CLIP's own: exp of its temperature parameter.
    """

    def __init__(
        self,
        name: str,
        dim: int,
        run: Callable[[list[str]], NDArray[np.float32]],
        templates: Sequence[str] = ('{}',),
        logit_scale: float = 100.0,
        cache_size: int = 4096,
    ) -> None:
        check_templates(templates)
        self.name, self.dim = name, dim
        self.logit_scale = logit_scale
        self.templates = tuple(templates)
        self._run = run
        self._cache: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._cache_size = cache_size
        self._lock = threading.Lock()
        self._worker = one_core_worker('folk-text')

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """
        Return unit vectors [Q, D] of texts, each averaged over the prompt templates.

        Raises ValueError, with a sentence, for a text in which nothing is readable.
        """
        cleaned = clean_texts(texts)
        with self._lock:
            known = {text: self._cache[text] for text in cleaned if text in self._cache}
            for text in known:
                self._cache.move_to_end(text)
        missing = [text for text in dict.fromkeys(cleaned) if text not in known]
        for begin in range(0, len(missing), BATCH):  # one at a time: others may ask in between
            part = missing[begin : begin + BATCH]
            embedded = self._worker.submit(self._embed, part).result()  # [Q, D]
            known.update(zip(part, embedded, strict=True))
            self._remember({text: known[text] for text in part})
        if not cleaned:
            return np.empty((0, self.dim), np.float32)
        return np.stack([known[text] for text in cleaned])

    def warm_up(self) -> None:
        """Run the tower once, so that the first question does not pay for the first run."""
        self._worker.submit(self._embed, ['warm up']).result()

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        prompts = [template.format(text) for text in texts for template in self.templates]
        with torch.inference_mode():
            parts = [self._run(prompts[i : i + BATCH]) for i in range(0, len(prompts), BATCH)]
        return fuse_templates(np.concatenate(parts), len(self.templates))

    def _remember(self, embeddings: dict[str, NDArray[np.float32]]) -> None:
        with self._lock:
            self._cache.update(embeddings)
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)


def check_templates(templates: Sequence[str]) -> None:
    """Raise ValueError unless there is a template and each has one place '{}' for the text."""
    wrong = [t for t in templates if t.count('{}') != 1 or t.count('{') + t.count('}') != 2]
    if wrong or not templates:
        raise ValueError(f"templates: each needs one '{{}}' for the text, got {list(templates)}")


def one_core_worker(name: str) -> ThreadPoolExecutor:
    """
    Return a worker thread in which torch uses one core, leaving all other threads as they are.

    torch keeps one number for all threads and a copy per thread, taken at the thread's first use.
    So the worker takes its copy while the number is 1, and the number is put back at once.
    """
    worker = ThreadPoolExecutor(1, thread_name_prefix=name)
    before = torch.get_num_threads()
    worker.submit(_pin_this_thread_to_one_core).result()
    torch.set_num_threads(before)
    return worker


def _pin_this_thread_to_one_core() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # the first use: takes the copy


def load_text_tower(
    model: str | Path, device: str = 'cpu', templates: Sequence[str] | None = None
) -> TextTower:
    """
    Load a text tower: a model folder of ours, or 'ARCHITECTURE/WEIGHTS' as open_clip names them.

    WEIGHTS is a file on this machine or a tag fetched before, as in 'ViT-L-14-336/openai';
    nothing is ever downloaded here. The image side is dropped. Raises ValueError for a model that
    is not there or does not fit.
    """
    if str(model) and Path(model).is_dir():
        return _load_folder(Path(model), device, templates)
    return _load_open_clip(str(model), device, templates or OPEN_CLIP_TEMPLATES)


def _load_folder(folder: Path, device: str, templates: Sequence[str] | None) -> TextTower:
    model = load_text_model(folder, device)
    dim, used = model.bert.sizes.width, templates or model.templates
    return TextTower(model.name, dim, model.run, used, model.logit_scale)


def _load_open_clip(model: str, device: str, templates: Sequence[str]) -> TextTower:
    import open_clip

    name, clip, config = create_open_clip(model)
    arch = model.partition('/')[0]
    offline = 'hf_tokenizer_name' in config['text_cfg']
    tokenizer = open_clip.get_tokenizer(arch, **({'local_files_only': True} if offline else {}))
    scale = float(clip.logit_scale.detach().exp())
    clip.visual = torch.nn.Identity()
    return TextTower(name, config['embed_dim'], _runner(clip, tokenizer, device), templates, scale)


def create_open_clip(model: str) -> tuple[str, Any, dict[str, Any]]:
    """
    Build a whole CLIP from 'ARCHITECTURE/WEIGHTS'; return space name, model and open_clip config.

    Raises ValueError if open_clip does not know it or the weights are not on this machine.
    """
    import open_clip
    from safetensors import SafetensorError

    arch, _, weights = model.partition('/')
    config = open_clip.get_model_config(arch) if weights and arch.strip('.~') else None
    if config is None:
        raise ValueError(
            f"CLIP {model!r}: expected a folder with {MODEL_CONFIG}, or 'ARCHITECTURE/WEIGHTS' "
            "such as 'ViT-L-14-336/openai' with an architecture of open_clip.list_models()"
        )
    tag = open_clip.get_pretrained_cfg(arch, weights) or {}
    path = Path(weights) if Path(weights).is_file() else fetched_weights(model, tag)
    settings = {'pretrained_hf': False} if 'hf_model_name' in config['text_cfg'] else {}
    quick_gelu = bool(tag.get('quick_gelu', False))
    try:
        clip = open_clip.create_model(
            arch, pretrained=str(path), force_quick_gelu=quick_gelu, **settings
        )
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ValueError(
            f'CLIP {model!r}: {path} cannot be loaded into {arch}: {error}'
        ) from error
    return f'{arch}/{weights if tag else path.stem}', clip, config


def fetch_open_clip(model: str) -> Path:
    """Download the weights and tokenizer of 'ARCHITECTURE/TAG'; ValueError if there is no such."""
    import open_clip

    arch, _, tag = model.partition('/')
    repository, names = clip_place(open_clip.get_pretrained_cfg(arch, tag) or {})
    if not repository:
        raise ValueError(f'{model!r}: no weights of open_clip are called so on the model hub')
    tokenizer = (open_clip.get_model_config(arch) or {})['text_cfg'].get('hf_tokenizer_name')
    if tokenizer:
        download_tokenizer(tokenizer)
    return download(repository, names)


def _runner(
    clip: torch.nn.Module, tokenizer: Any, device: str
) -> Callable[[list[str]], NDArray[np.float32]]:
    """Return prompts -> unit vectors."""
    clip = clip.eval().requires_grad_(False).to(device)

    def run(prompts: list[str]) -> NDArray[np.float32]:
        tokens = tokenizer(prompts)  # [B, context]
        encoded = clip.encode_text(tokens.to(device), normalize=True)  # type: ignore[operator]
        return encoded.float().cpu().numpy()

    return run
