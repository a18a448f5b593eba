"""Other words for names: what texts may mean by them, in queries and while distilling."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from folk_ros.query import Sayings
from folk_ros.text_embeddings import TextEncoder
from folk_ros.training.scenes.objects.catalog import CATEGORIES


def lexicon(names: Sequence[str], path: Path | None = None) -> list[tuple[str, ...]]:
    """
    Return synonyms and descriptions of each name, none where there are no others.

    They come from a YAML file {name: [texts]}, or else from the catalogue of generated objects.
    """
    if path is None:
        words = {c.name: (*c.words, *c.says) for c in CATEGORIES.values()}
        return [words.get(name, ()) for name in names]
    try:
        stored = yaml.safe_load(path.read_text(encoding='utf-8'))
        return [tuple(map(str, stored.get(name, ()))) for name in names]
    except (OSError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise ValueError(f'{path}: expected names with lists of texts ({error})') from None


def sayings(names: Sequence[str], text: TextEncoder) -> Sayings:
    """Embed the synonyms and descriptions of names, for queries."""
    found = lexicon(names)
    of = np.repeat(np.arange(len(names), dtype=np.int64), [len(words) for words in found])
    return Sayings(of, text.encode([word for words in found for word in words]))
