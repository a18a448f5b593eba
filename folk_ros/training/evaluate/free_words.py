"""Free words that a scene is asked for, and which of its objects truly answer them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import yaml

from folk_ros.resources import find_file
from folk_ros.training.evaluate.matching import MIN_POINTS
from folk_ros.training.scenes.scene import GroundTruth

PARTS = ('tune', 'judge')  # thresholds are chosen on one, figures are told for the other
KINDS = ('name', 'synonym', 'function', 'attribute', 'absent here', 'absent everywhere')


@dataclass(frozen=True)
class Word:
    """A text and the names of the objects that it truly means; none: it is never there."""

    text: str
    kind: str  # one of KINDS
    means: frozenset[str]


@dataclass(frozen=True)
class WordList:
    """Words to ask for, none of which a student was taught, and looks to combine them with."""

    words: tuple[Word, ...]
    looks: tuple[str, ...]  # colours and materials, as they stand in captions


@dataclass(frozen=True)
class Question:
    """A text asked of one scene."""

    text: str
    kind: str  # one of KINDS
    wanted: NDArray[np.bool_]  # [T] true instances that answer it; none: it is not there


def load_words(part: str, path: Path | None = None) -> WordList:
    """Read one part of a word list, by default the shipped one; ValueError if it is malformed."""
    path = path or find_file('config/free_words.yaml')
    if part not in PARTS:
        raise ValueError(f'words: expected one of {PARTS}, got {part!r}')
    try:
        stored: dict[str, Any] = yaml.safe_load(path.read_text(encoding='utf-8'))
        own, looks = stored[part], tuple(stored['attributes'])
        named = [
            Word(entry['text'], kind, frozenset(entry['means']))
            for key, kind in (('synonyms', 'synonym'), ('functions', 'function'))
            for entry in own[key]
        ]
        absent = [Word(text, 'absent everywhere', frozenset()) for text in own['absent']]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path}: expected {part} with synonyms, functions (text, means) and absent, and '
            f'attributes ({error!r})'
        ) from None
    texts = [word.text for word in (*named, *absent)]
    doubled = sorted({text for text in texts if texts.count(text) > 1})
    if doubled:
        raise ValueError(f'{path}: {doubled} stand there more than once')
    return WordList((*named, *absent), looks)


def ask(truth: GroundTruth, words: WordList) -> list[Question]:
    """
    Return what to ask of a scene: its names, every word of the list, and words with looks.

    What is there only in objects of too few points to be asked for is left out.
    """
    sizes = np.bincount(
        truth.point_instance[truth.point_instance >= 0], minlength=len(truth.names)
    )
    large = sizes[: len(truth.names)] >= MIN_POINTS
    names = np.array(truth.names, object)
    own = [Word(name, 'name', frozenset([name])) for name in sorted(set(truth.names))]
    questions = []
    for word in (*own, *words.words):
        there = np.array([name in word.means for name in names], bool)
        if there.any() and not (there & large).any():
            continue
        kind = word.kind if there.any() or not word.means else 'absent here'
        questions.append(Question(word.text, kind, there))
        if word.kind == 'synonym' and there.any():
            questions += _with_looks(word, there, large, truth, words.looks)
    return questions


def _with_looks(
    word: Word,
    there: NDArray[np.bool_],
    large: NDArray[np.bool_],
    truth: GroundTruth,
    looks: Sequence[str],
) -> list[Question]:
    """Combine a word with each look that some, but not all, objects of the scene share."""
    questions = []
    for look in looks:
        wanted = there & np.array(
            [has_look(name, captions, look) for name, captions in _told(truth)], bool
        )
        if (wanted & large).any():
            questions.append(Question(f'the {look} {word.text}', 'attribute', wanted))
    return questions


def _told(truth: GroundTruth) -> list[tuple[str, tuple[str, ...]]]:
    return list(zip(truth.names, truth.captions, strict=True))


def has_look(name: str, captions: Sequence[str], look: str) -> bool:
    """Tell whether captions say 'a red chair', or 'a dark red chair', of an object so named."""
    return any(f' {text} '.endswith(f' {look} {name} ') for text in captions)
