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

    @property
    def disagreed(self) -> NDArray[np.bool_]:
        """Which instances [I] have several views, no two of which name them alike."""
        return (self.label >= 0) & (self.consistent.sum(1) == 1) & (self.seen > 1)

    seen: NDArray[np.int64]  # [I] how many views see the instance


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
    return Votes(label, seen & (choice == label[:, None]), seen.sum(1))


def soft_vote(
    views: NDArray[np.float32],
    visibility: NDArray[np.float32],
    text: NDArray[np.float32],
    scale: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """
    Return label probabilities [I, B] and the weight [I, K] of each view.

    Views weigh by the root of what they see, times the margin between their first and second
    choice, times how probable they find what all of them find. Unseen instances get zeros.
    """
    logits = scale * (views @ text.T)  # [I, K, B]
    odds = np.exp(logits - logits.max(2, keepdims=True))
    odds /= odds.sum(2, keepdims=True)
    first = np.partition(odds, -2, axis=2)[..., -2:]
    sure = np.sqrt(visibility) * (first[..., 1] - first[..., 0] + 0.05)  # [I, K]
    label = _mean(odds, sure)
    weight = sure * (odds * label[:, None]).sum(2)
    return _mean(odds, weight).astype(np.float32), weight.astype(np.float32)


def _mean(values: NDArray[np.floating], weight: NDArray[np.floating]) -> NDArray[np.floating]:
    total: NDArray[np.floating] = (values * weight[..., None]).sum(1)
    return total / np.maximum(weight.sum(1), 1e-9)[:, None]
