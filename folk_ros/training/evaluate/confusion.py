"""Which names found objects were given, what was missed, and what was seen where nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.mask_quality import one_to_one
from folk_ros.training.evaluate.matching import SceneMatch
from folk_ros.training.labels import LabelSet

MATCHED_IOU = 0.5
OTHER = 'other'
UNKNOWN = 'no label of the set'
MISSED = 'missed'
NOTHING = 'nothing there'


@dataclass(frozen=True)
class Confusion:
    """
    How many true objects of each name were found under which name.

    Rows are the names and, last, NOTHING: predictions that met nothing. Columns are the names,
    UNKNOWN and, last, MISSED.
    """

    names: tuple[str, ...]  # [L]; OTHER may stand last
    counts: NDArray[np.int64]  # [L + 1, L + 2]
    others_right: int = 0  # of the counts of OTHER found as OTHER, those under their own name

    def shortened(self, limit: int) -> Confusion:
        """Keep the names that occur, at most the `limit` most frequent; the rest become OTHER."""
        count = len(self.names)
        often = self.counts[:count].sum(1) + self.counts[:, :count].sum(0)
        order = np.argsort(-often, kind='stable')
        kept, rest = order[:limit], order[limit:]
        kept, rest = kept[often[kept] > 0], rest[often[rest] > 0]
        if len(rest) == 1:
            kept, rest = np.append(kept, rest), rest[:0]
        place = np.zeros(count, np.int64)  # names that do not occur add nothing anywhere
        place[kept] = np.arange(len(kept))
        place[rest] = len(kept)
        names = [self.names[row] for row in kept] + [OTHER] * bool(len(rest))
        short = np.zeros((len(names) + 1, len(names) + 2), np.int64)
        rows = np.append(place, len(names))
        columns = np.append(place, [len(names), len(names) + 1])
        if names:
            np.add.at(short, (rows[:, None], columns[None]), self.counts)
        else:
            short[-1, -2:] = self.counts[-1, -2:]
        return Confusion(tuple(names), short, int(self.counts[rest, rest].sum()))

    def wrong_names(self) -> list[tuple[str, str, int]]:
        """List (true name, given name, how often), the most frequent first."""
        count = len(self.names)
        wrong = self.counts[:count, :count] * ~np.eye(count, dtype=np.bool_)
        rows, columns = np.nonzero(wrong)
        found = [
            (self.names[row], self.names[column], int(wrong[row, column]))
            for row, column in zip(rows, columns, strict=True)
        ]
        return sorted(found, key=lambda pair: (-pair[2], pair))


def count_confusion(matches: Sequence[SceneMatch], labels: LabelSet) -> Confusion:
    """Count names over masks matched one to one above IoU 0.5, whatever their names."""
    count = len(labels)
    counts = np.zeros((count + 1, count + 2), np.int64)
    for match in matches:
        truth = one_to_one(match, MATCHED_IOU)
        met = np.flatnonzero(truth >= 0)
        asked = match.asked.copy()
        hit = met[asked[truth[met]]]
        given = np.where(match.name >= 0, match.name, count)  # UNKNOWN follows the names
        np.add.at(counts, (match.truth_name[truth[hit]], given[hit]), 1)
        asked[truth[hit]] = False
        np.add.at(counts[:, -1], match.truth_name[asked], 1)
        wrong = (truth < 0) & (match.ignored / match.size <= MATCHED_IOU)
        np.add.at(counts[-1], given[wrong], 1)
    return Confusion(labels.names, counts)
