"""Label voting (FOLK section 3.3, Eq. 9-10): each view names the instance, the majority wins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Votes:
    """Pseudo-labels of one scene."""

    label: NDArray[np.int64]  # [I] index into the vocabulary, -1 where no view sees the instance
    consistent: NDArray[np.bool_]  # [I, K] views that voted for the label


def vote(
    views: NDArray[np.float32], visibility: NDArray[np.float32], text: NDArray[np.float32]
) -> Votes:
    """
    Let views vote on the name of their instance.

    `views` [I, K, D] unit embeddings, `visibility` [I, K] (0 where there is no view), `text`
    [B, D]. A tie goes to the label whose views see more of the instance.
    """
    count, _, _ = views.shape
    choice = (views @ text.T).argmax(2)  # [I, K]
    ballots = np.zeros((count, len(text)))
    seen = visibility > 0
    share = visibility / np.maximum(visibility.sum(1, keepdims=True), 1e-9)
    rows = np.broadcast_to(np.arange(count)[:, None], choice.shape)
    # one vote a view; the share, below one in sum, only breaks ties
    np.add.at(ballots, (rows[seen], choice[seen]), (1.0 + 0.5 * share)[seen])
    label = np.where(seen.any(1), ballots.argmax(1), -1).astype(np.int64)
    return Votes(label, seen & (choice == label[:, None]))
