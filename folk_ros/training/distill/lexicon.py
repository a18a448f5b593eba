"""Other words for names: what texts may mean by them, in queries and while distilling."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from folk_ros.query import Sayings
from folk_ros.resources import find_file
from folk_ros.text_dictionary import define, shipped_dictionary
from folk_ros.text_embeddings import TextEncoder
from folk_ros.training.scenes.objects.catalog import CATEGORIES

SAYINGS = 'config/sayings.yaml'


def lexicon(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what the catalogue of generated objects says of names, for distilling."""
    words = {c.name: (*c.words, *c.says) for c in CATEGORIES.values()}
    return [words.get(name, ()) for name in names]


def sayings(names: Sequence[str], text: TextEncoder, path: Path | None = None) -> Sayings:
    """
    Embed other words for names, what such things are for, and their definitions, for queries.

    Words and uses come from a YAML file {name: {words: [texts], uses: [texts]}}, by default the
    shipped one, of ScanNet200's names.
    """
    path, dictionary = path or find_file(SAYINGS), shipped_dictionary()
    try:
        stored = yaml.safe_load(path.read_text(encoding='utf-8'))
        found = [
            [*told.get('words', ()), *told.get('uses', ())]
            for told in (stored.get(name, {}) for name in names)
        ]
    except (OSError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise ValueError(f'{path}: expected names with words and uses ({error})') from None
    for name, words in zip(names, found, strict=True):
        words += [definition for definition in (define(name, dictionary),) if definition]
    of = np.repeat(np.arange(len(names), dtype=np.int64), [len(words) for words in found])
    return Sayings(of, text.encode([str(word) for words in found for word in words]))
