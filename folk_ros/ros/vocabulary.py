"""The vocabulary that a user sets at run time, in place of the model's own."""

from __future__ import annotations

from typing import Any, TYPE_CHECKING

import numpy as np

from folk_ros.config import FolkConfig
from folk_ros.query import check_texts, Vocabulary

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk

BATCH = 32  # texts embedded at once
MAX_NAMES = 2000


def check_vocabulary(names: tuple[str, ...], config: FolkConfig) -> tuple[str, ...]:
    """Return the names cleaned; ValueError says what is wrong with one."""
    if len(names) > MAX_NAMES:
        raise ValueError(f'vocabulary: expected at most {MAX_NAMES} names, got {len(names)}')
    clean: list[str] = []
    for name in names:
        try:
            clean += check_texts([name], config.query)
        except ValueError as error:
            raise ValueError(f'vocabulary: {error}') from None
    return tuple(dict.fromkeys(clean))


class Vocabularies:
    """Puts the vocabulary of the settings into the program; called by the worker alone."""

    def __init__(self, log: Any) -> None:
        self.problem = ''
        self._log = log
        self._own: Vocabulary | None = None  # the model's
        self._wanted: tuple[str, ...] = ()

    def changed(self, folk: Folk, config: FolkConfig) -> bool:
        """Take up the vocabulary of the settings; whether the one in force is another now."""
        wanted = config.node.vocabulary
        if self._own is None:
            self._own = folk.vocabulary
        if wanted == self._wanted:
            return False
        self._wanted = wanted
        try:
            folk.vocabulary = self._embedded(folk, wanted) if wanted else self._own
        except (RuntimeError, ValueError) as error:
            self.problem = f'vocabulary: {error}; the last one stays'
            self._log.error(self.problem)
            return False
        self.problem = ''
        self._log.info(f'the vocabulary has {len(folk.vocabulary.labels)} names now')
        return True

    def _embedded(self, folk: Folk, names: tuple[str, ...]) -> Vocabulary:

        assert self._own is not None
        parts = [
            folk.embed_texts(list(names[start : start + BATCH]))
            for start in range(0, len(names), BATCH)
        ]
        return self._own.showing(names, np.concatenate(parts))
