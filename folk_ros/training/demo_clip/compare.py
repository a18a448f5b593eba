"""What packing the text tower cost: packed against original embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch

from folk_ros.text import load_text_tower
from folk_ros.training.demo_clip.pack import CONTEXT


@dataclass(frozen=True)
class PackReport:
    """Cosines of packed and original embeddings, and how often the nearest name is the same."""

    texts: int
    mean_cosine: float
    least_cosine: float
    same_nearest_name: float


def compare_towers(
    source_dir: Path, model_dir: Path, texts: Sequence[str], names: Sequence[str]
) -> PackReport:
    """Compare over texts; the nearest of `names` is sought for each text in both towers."""
    packed = load_text_tower(model_dir, templates=('{}',))
    original, original_names = (embed_original(source_dir, t) for t in (texts, names))
    ours = packed.encode(texts)  # [Q, D]
    cosine = (original * ours).sum(1)
    before = (original @ original_names.T).argmax(1)
    after = (ours @ packed.encode(names).T).argmax(1)
    return PackReport(
        len(texts), float(cosine.mean()), float(cosine.min()), float((before == after).mean())
    )


def embed_original(source_dir: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts as the publisher does: mean of the last layer over tokens, unit length."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source_dir, local_files_only=True)
    model = AutoModel.from_pretrained(source_dir, local_files_only=True).eval()
    parts = []
    for begin in range(0, len(texts), 64):
        batch = tokenizer(
            list(texts[begin : begin + 64]),
            padding=True,
            truncation=True,
            max_length=CONTEXT,
            return_tensors='pt',
        )
        with torch.inference_mode():
            hidden = model(**batch).last_hidden_state  # [B, L, D]
        mask = batch['attention_mask'][..., None]
        mean = (hidden * mask).sum(1) / mask.sum(1)
        parts.append(torch.nn.functional.normalize(mean, dim=1).numpy())
    return np.concatenate(parts)
