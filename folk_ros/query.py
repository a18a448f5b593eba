"""
Queries: which instances answer a text, with a probability.

Raw CLIP cosines are not calibrated, so a background vocabulary helps: text and instance answer
each other as far as both are the same names of it, and by their cosine. What is said of things
("something that shows the time") tells what a text means as well as their names do. How sure
that makes us is learned: from words that nobody was taught, asked of scenes whose objects are
known, present or not (Answering). For a student that was distilled without such scenes, an
instance is judged by a softmax between the text and the vocabulary. Names that mean nearly the
same as the text ("sofa" asked of "couch") do not stand against it, and a gate on the cosine
itself keeps a text that is like nothing here from winning for want of rivals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from folk_ros.config import QueryConfig
from folk_ros.structures import check_arrays, Instances, Match

ALLY_FLOOR = 0.45  # names less similar to the text than this always stand against it
GATE_WIDTH = 0.03  # cosine over which the gate opens
ALLY_SHARE = 0.85  # names at least this share as similar as the most similar one are allies
SHARPNESS = 0.75  # of the softmax over names, in units of the vocabulary's scale
BESIDE = 0.5  # weight of the cosine beside the names, in the same units
# the same two where sayings tell what texts mean: more surely, and the cosine has less to add
SHARPNESS_SAYINGS = 1.0  # of texts alone
BESIDE_SAYINGS = 0.125


@dataclass(frozen=True)
class Answering:
    """
    How evidence becomes the probability that an instance answers a text: a logistic function.

    Fitted by `folk distill --val`, for four times as many texts that nothing answers as others.
    """

    bias: float
    evidence: float  # factor of what `evidence` returns


@dataclass(frozen=True)
class Sayings:
    """Other words for the names of a vocabulary, and what such things are or do."""

    of: NDArray[np.int64]  # [P] row of the name that each is said of
    embeddings: NDArray[np.float32]  # [P, D] unit length

    def __post_init__(self) -> None:
        check_arrays(
            'Sayings', of=(self.of, 'P', np.int64), embeddings=(self.embeddings, 'P D', np.float32)
        )


@dataclass(frozen=True)
class Vocabulary:
    """Known names: the background a text is judged against, and the labels of a scene."""

    names: tuple[str, ...]
    embeddings: NDArray[np.float32]  # [B, D] unit length
    scale: float  # logit scale of the softmax
    floor: float  # cosine of text and instance at which they are as likely unrelated as related
    answering: Answering | None = None  # if known, in place of the floor
    sayings: Sayings | None = None
    shown: int = 0  # so many of the first names are labels, the others background alone; 0: all

    def __post_init__(self) -> None:
        check_arrays('Vocabulary', embeddings=(self.embeddings, 'B D', np.float32))
        if len(self.names) != len(self.embeddings) or len(set(self.names)) != len(self.names):
            raise ValueError(
                f'Vocabulary: expected {len(self.embeddings)} different names, '
                f'got {len(self.names)} of which {len(set(self.names))} differ'
            )
        if not 0 <= self.shown <= len(self.names):
            raise ValueError(f'Vocabulary: has {len(self.names)} names, {self.shown} are shown')
        if (
            self.sayings is not None
            and not np.isin(self.sayings.of, np.arange(len(self.names))).all()
        ):
            raise ValueError(
                f'Vocabulary: has {len(self.names)} names, some sayings are of row '
                f'{self.sayings.of.max()} or below 0'
            )

    @cached_property
    def told(self) -> NDArray[np.float32]:
        """Names and what is said of them, embedded: [B + P, D]."""
        if self.sayings is None:
            return self.embeddings
        return np.concatenate([self.embeddings, self.sayings.embeddings])

    @property
    def labels(self) -> tuple[str, ...]:
        """The names that things are called by."""
        return self.names[: self.shown or None]

    def showing(self, names: tuple[str, ...], embeddings: NDArray[np.float32]) -> Vocabulary:
        """
        Return a vocabulary that calls things by other names, embedded as [B, D].

        Its own names stay behind them: few names leave a text without rivals, and then everything
        answers it.
        """
        given = set(names)
        rest = [row for row, name in enumerate(self.names) if name not in given]
        every = (*names, *(self.names[row] for row in rest))
        sayings = self.sayings
        if sayings is not None:
            place = {name: row for row, name in enumerate(every)}
            moved = np.array([place[name] for name in self.names], np.int64)
            sayings = Sayings(moved[sayings.of], sayings.embeddings)
        embedded = np.concatenate([embeddings, self.embeddings[rest]])
        return replace(self, names=every, embeddings=embedded, sayings=sayings, shown=len(names))


def check_texts(texts: list[str], config: QueryConfig) -> list[str]:
    """Return the texts cleaned of control characters; ValueError says what is wrong with one."""
    if not texts:
        raise ValueError("texts: expected at least one, got none; ask for example ['chair']")
    if len(texts) > config.max_texts:
        raise ValueError(
            f'texts: expected at most {config.max_texts}, got {len(texts)}; ask in several queries'
        )
    cleaned = []
    for number, text in enumerate(texts):
        clean = ' '.join(''.join(c if c.isprintable() else ' ' for c in text).split())
        if not clean:
            raise ValueError(f'texts[{number}]: expected a word, got an empty text')
        if len(clean) > config.max_text_length:
            raise ValueError(
                f'texts[{number}]: expected at most {config.max_text_length} characters, '
                f'got {len(clean)}; name the thing in a few words'
            )
        cleaned.append(clean)
    return cleaned


def check_limits(min_score: float, max_results: int, config: QueryConfig) -> tuple[float, int]:
    """Return the limits of a query, 0 meaning the default; ValueError if they make no sense."""
    if not (np.isfinite(min_score) and 0.0 <= min_score <= 1.0):
        raise ValueError(f'min_score: expected a probability from 0 to 1, got {min_score}')
    if max_results < 0:
        raise ValueError(f'max_results: expected 0 (default) or more, got {max_results}')
    return min_score or config.min_score, max_results or config.max_results


def probabilities(
    texts: NDArray[np.float32], embeddings: NDArray[np.float32], vocabulary: Vocabulary
) -> NDArray[np.float32]:
    """Probability [Q, I] that instances [I, D] are what texts [Q, D] name."""
    learned = vocabulary.answering
    if learned is not None:
        own = evidence(texts, embeddings, vocabulary)
        return _sigmoid(learned.bias + learned.evidence * own)
    gate = (texts @ embeddings.T - vocabulary.floor) / GATE_WIDTH
    return _sigmoid(gate) * _sigmoid(rivalry(texts, embeddings, vocabulary))


def evidence(
    texts: NDArray[np.float32], embeddings: NDArray[np.float32], vocabulary: Vocabulary
) -> NDArray[np.float32]:
    """
    Return what speaks for instances [I, D] being what texts [Q, D] name [Q, I].

    It is the log probability that a name drawn for the text and one drawn for the instance are
    the same, and some of the cosine, which tells a red chair from a blue one.
    """
    scale = SHARPNESS * vocabulary.scale
    seen = _softmax(scale * (embeddings @ vocabulary.embeddings.T))  # [I, B]
    same = np.log(meanings(texts, vocabulary) @ seen.T + 1e-30)
    beside = BESIDE if vocabulary.sayings is None else BESIDE_SAYINGS
    found: NDArray[np.float32] = same + beside * vocabulary.scale * (texts @ embeddings.T)
    return found


def meanings(texts: NDArray[np.float32], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Return how probably texts [Q, D] mean each name [Q, B], by it or by what is said of it."""
    names, said = vocabulary.embeddings, vocabulary.sayings
    if said is None:
        return _softmax(SHARPNESS * vocabulary.scale * (texts @ names.T))
    drawn = _softmax(SHARPNESS_SAYINGS * vocabulary.scale * (texts @ vocabulary.told.T))
    of = np.concatenate([np.arange(len(names)), said.of])
    found = [np.bincount(of, row, len(names)) for row in drawn]
    return np.array(found, np.float32).reshape(len(texts), len(names))


def rivalry(
    texts: NDArray[np.float32], embeddings: NDArray[np.float32], vocabulary: Vocabulary
) -> NDArray[np.float32]:
    """Return log odds [Q, I] of the text against the names that mean something else."""
    background = embeddings @ vocabulary.embeddings.T  # [I, B]
    kinship = texts @ vocabulary.embeddings.T  # [Q, B]
    best = kinship.max(1, keepdims=True, initial=-1.0)
    ally = kinship >= np.maximum(ALLY_FLOOR, ALLY_SHARE * best)  # [Q, B]
    peak = background.max(initial=-1.0)
    strength = np.exp(vocabulary.scale * (background - peak)) @ (~ally).T.astype(np.float32)
    against = np.log(strength.T + 1e-30) / vocabulary.scale + peak  # [Q, I]
    odds: NDArray[np.float32] = vocabulary.scale * (texts @ embeddings.T - against)
    return odds.astype(np.float32)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised = np.exp(logits - logits.max(1, keepdims=True, initial=-np.inf))
    return (raised / raised.sum(1, keepdims=True)).astype(np.float32)


def _sigmoid(logit: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-np.clip(logit, -60.0, 60.0)))).astype(np.float32)


def answer(
    texts: list[str],
    text_embeddings: NDArray[np.float32],
    instances: Instances,
    vocabulary: Vocabulary,
    limits: tuple[float, int],
) -> list[Match]:
    """Match texts, embedded as [Q, D], with instances: best first within each text."""
    min_score, max_results = limits
    scores = probabilities(text_embeddings, instances.embeddings, vocabulary)
    similarity = text_embeddings @ instances.embeddings.T
    matches = []
    for number, text in enumerate(texts):
        order = np.argsort(-scores[number], kind='stable')[:max_results]
        for row in order[scores[number, order] >= min_score]:
            score, cosine = float(scores[number, row]), float(similarity[number, row])
            matches.append(Match(int(row), text, score, cosine))
    return matches


def best_names(instances: Instances, vocabulary: Vocabulary) -> list[Match]:
    """Name every instance by its most probable label."""
    labels = vocabulary.labels
    cosine = instances.embeddings @ vocabulary.embeddings[: len(labels)].T  # [I, B]
    logits = vocabulary.scale * (cosine - cosine.max(1, keepdims=True))
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return [
        Match(row, labels[best], float(probability[row, best]), float(cosine[row, best]))
        for row, best in enumerate(cosine.argmax(1))
    ]
