"""
What words mean: definitions that go with words a vocabulary does not know.

A small text tower places rare words badly ("tallboy"), but understands their definition ("a tall
elegant chest of drawers"). The definitions are WordNet's, of things that people make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folk_ros.query import Vocabulary
from folk_ros.resources import find_file
from folk_ros.text_embeddings import TextEncoder

SHIPPED = 'resource/dictionary/definitions.tsv.gz'
ARTICLES = frozenset(('the', 'a', 'an'))
COLOURS = 'white black grey gray red blue green yellow orange brown beige pink purple turquoise'
OTHER_LOOKS = (
    'wooden metal leather plastic glass big large small little tall low long short round square '
    'old new'
)
LOOKS = frozenset(f'{COLOURS} {OTHER_LOOKS}'.split())
KNOWN = 0.95  # cosine from which a text is what a name or a saying of the vocabulary is


@lru_cache(maxsize=1)
def shipped_dictionary() -> Mapping[str, str]:
    """Return the definitions that come with the program; they are read once."""
    return load_dictionary(find_file(SHIPPED))


def load_dictionary(path: Path) -> Mapping[str, str]:
    """Read lines of a word and its definition, between them a tab; ValueError if it has others."""
    with gzip.open(path, 'rt', encoding='utf-8') as file:
        lines = [line.rstrip('\n').split('\t') for line in file]
    wrong = next((number for number, line in enumerate(lines, 1) if len(line) != 2), 0)
    if wrong:
        raise ValueError(
            f'{path}: line {wrong}: expected a word, a tab and its definition; install it anew'
        )
    return dict(lines)


def define(text: str, dictionary: Mapping[str, str]) -> str:
    """Return the definition of a thing, with its looks before it ('the red cot'); '' if none."""
    words = text.lower().split()
    if words and words[0] in ARTICLES:
        words = words[1:]
    looks: list[str] = []
    while words:
        noun = ' '.join(words)
        found = dictionary.get(noun) or dictionary.get(noun.removesuffix('s'))
        if found:
            return ' '.join([*looks, found])
        if words[0] not in LOOKS:
            return ''
        looks.append(words.pop(0))
    return ''


def embed_questions(
    texts: Sequence[str], tower: TextEncoder, vocabulary: Vocabulary
) -> NDArray[np.float32]:
    """
    Embed texts as questions [Q, D], unit length: unknown things as the mean with what they are.

    A vocabulary without sayings was learned without definitions, and gets the texts as they are.
    """
    if vocabulary.sayings is None:
        return tower.encode(texts)
    dictionary, names = shipped_dictionary(), set(vocabulary.names)
    told = {row: define(text, dictionary) for row, text in enumerate(texts) if text not in names}
    told = {row: definition for row, definition in told.items() if definition}
    embedded = tower.encode([*texts, *told.values()])
    plain, meaning = embedded[: len(texts)].copy(), embedded[len(texts) :]
    rows = np.array(list(told), np.int64)
    if not told:
        return plain
    new = (plain[rows] @ vocabulary.told.T).max(1, initial=-1.0) < KNOWN
    mean = plain[rows[new]] + meaning[new]
    plain[rows[new]] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return plain
