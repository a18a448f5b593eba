"""
Texts as embeddings: what may be asked, and words embedded beforehand.

Needs neither torch nor open_clip: with a file of embeddings a robot answers known words alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
import os
from pathlib import Path
from typing import Protocol
import unicodedata

import numpy as np
from numpy.typing import NDArray

MAX_CHARS = 1000  # longer texts are cut: no tower reads further than this


class TextEncoder(Protocol):
    """What the query needs of a text tower."""

    name: str  # the CLIP space; embeddings of another space cannot be compared
    dim: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors [Q, D]."""
        ...


def clean_text(text: str) -> str:
    """Take out control characters and needless space; raise ValueError if nothing is left."""
    if not isinstance(text, str):
        raise ValueError(f'text: expected a string, got {type(text).__name__}')
    kinds = ((char, unicodedata.category(char)) for char in text[: 4 * MAX_CHARS])
    kept = ''.join(
        ' ' if kind == 'Cc' else char for char, kind in kinds if kind[0] != 'C' or kind == 'Cc'
    )
    cleaned = ' '.join(kept.split())[:MAX_CHARS].rstrip()
    if not cleaned:
        raise ValueError('text: expected words, got nothing readable; send a name such as "chair"')
    return cleaned


def clean_texts(texts: Sequence[str]) -> list[str]:
    """Clean several texts; the error names the one that cannot be used."""
    if isinstance(texts, str):
        raise ValueError(f'texts: expected a list of strings, got one string {texts[:40]!r}')
    cleaned = []
    for index, text in enumerate(texts):
        try:
            cleaned.append(clean_text(text))
        except ValueError as error:
            raise ValueError(f'{error} (text {index + 1} of {len(texts)})') from None
    return cleaned


@dataclass(frozen=True)
class CachedTextTower:
    """Texts embedded beforehand: answers those words, and no others, without open_clip."""

    name: str
    texts: tuple[str, ...]
    embeddings: NDArray[np.float32]  # [Q, D] unit length

    @property
    def dim(self) -> int:
        """Size of an embedding."""
        return self.embeddings.shape[1]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors [Q, D]; raise ValueError for a text not embedded beforehand."""
        rows = {text: row for row, text in enumerate(self.texts)}
        cleaned = clean_texts(texts)
        for text in cleaned:
            if text not in rows:
                raise ValueError(
                    f'{text[:80]!r} is not among the {len(rows)} texts embedded beforehand for '
                    f'{self.name}; load the text tower itself to ask in free words'
                )
        return self.embeddings[[rows[text] for text in cleaned]]


def save_text_embeddings(path: Path, tower: TextEncoder, texts: Sequence[str]) -> None:
    """Write unit vectors [Q, D] float32 of texts to a safetensors file, at once or not at all."""
    from safetensors.numpy import save_file

    cleaned = list(dict.fromkeys(clean_texts(texts)))
    metadata = {'clip': tower.name, 'texts': json.dumps(cleaned)}
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    save_file({'embeddings': tower.encode(cleaned)}, temporary, metadata)
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    os.replace(temporary, path)


def load_text_embeddings(path: Path) -> CachedTextTower:
    """Read a file of `save_text_embeddings`; raise ValueError if it is not one."""
    from safetensors import safe_open, SafetensorError

    try:
        with safe_open(path, 'np') as file:
            metadata = file.metadata() or {}
            embeddings = file.get_tensor('embeddings')  # [Q, D]
        texts = tuple(json.loads(metadata['texts']))
        name = metadata['clip']
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f'{path}: not a file of text embeddings ({error})') from error
    if embeddings.shape[:1] != (len(texts),) or embeddings.dtype != np.float32:
        raise ValueError(f'{path}: expected [{len(texts)}, D] float32, got {embeddings.shape}')
    return CachedTextTower(name, texts, embeddings)
