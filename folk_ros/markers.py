"""
What RViz shows for the standing query, without ROS: a box and a label per match.

RViz keeps a marker, under the key of its namespace and id, until it is deleted. The ledger
remembers the keys shown, so that every update says ADD for what is there and DELETE for what is
gone, and nothing flickers. DELETE is said some times over: a subscriber that is slow may miss a
message, and what it missed would stay for ever. Each text has one namespace for its boxes and one
for its labels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
import unicodedata
import zlib

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import Instances, Match

MAX_NAMESPACES = 32
MAX_TEXT_LENGTH = 60
REPEATS = 3  # updates that say that a marker is gone
OTHER = 'other'  # namespace of the texts beyond MAX_NAMESPACES
LINE_WIDTH_M = 0.02
LETTER_HEIGHT_M = 0.15
FAINTEST = 0.35  # alpha of a match of score 0
# Okabe and Ito's palette, made to be told apart by colour-blind people; without its black.
PALETTE = ('E69F00', '56B4E9', '009E73', 'F0E442', '0072B2', 'D55E00', 'CC79A7')
# The 12 edges of a box as pairs of its corners (see Boxes.corners: bit k of a corner is axis k).
EDGES = np.array([(c, c | 1 << k) for k in range(3) for c in range(8) if not c >> k & 1])

Key = tuple[str, int]
RGB = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class MarkerSpec:
    """One marker, as a converter to visualization_msgs/Marker needs it; metres, RGBA in 0..1."""

    action: Literal['add', 'delete', 'delete_all']
    kind: Literal['box', 'label'] = 'box'  # LINE_LIST or TEXT_VIEW_FACING
    namespace: str = ''
    id: int = 0  # fits int32
    points: NDArray[np.float32] | None = None  # [24, 3] ends of the 12 edges of a box
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of a label
    text: str = ''  # of a label
    scale: float = 0.0  # width of a box's lines, height of a label's letters
    rgba: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


class MarkerLedger:
    """Remembers which markers are shown, to add and delete no more than is needed."""

    def __init__(self) -> None:
        self._shown: dict[Key, Literal['box', 'label']] = {}
        self._gone: dict[Key, tuple[Literal['box', 'label'], int]] = {}  # and how often to say so
        self._own: list[str] = []  # texts that have namespaces of their own

    def update(self, matches: Iterable[Match], instances: Instances) -> list[MarkerSpec]:
        """Return the markers that bring RViz from what it shows to the matches of a scene."""
        best = self._best_per_key(matches, instances)
        corners = instances.boxes.corners()  # [I, 8, 3]
        adds: dict[Key, MarkerSpec] = {}
        for (namespace, marker_id), match in best.items():
            if np.isfinite(corners[match.row]).all():
                for spec in _draw(match, namespace, marker_id, corners[match.row]):
                    adds[spec.namespace, spec.id] = spec
        gone = self._gone | {key: (kind, REPEATS) for key, kind in self._shown.items()}
        gone = {key: said for key, said in gone.items() if key not in adds}
        deletes = [MarkerSpec('delete', kind, *key) for key, (kind, _) in gone.items()]
        self._gone = {key: (kind, left - 1) for key, (kind, left) in gone.items() if left > 1}
        self._shown = {key: spec.kind for key, spec in adds.items()}
        return deletes + list(adds.values())

    def reset(self) -> list[MarkerSpec]:
        """Forget all markers; return the one that deletes them."""
        self._shown.clear()
        self._gone.clear()
        self._own.clear()
        return [MarkerSpec('delete_all')]

    def _best_per_key(self, matches: Iterable[Match], instances: Instances) -> dict[Key, Match]:
        """Return the best match for each namespace and instance: keys must not stand twice."""
        ordered = sorted(matches, key=lambda match: -_probability(match))
        texts = list(dict.fromkeys(match.text for match in ordered))
        own = [text for text in self._own if text in texts]
        own += [text for text in texts if text not in own]
        self._own = own[:MAX_NAMESPACES]
        best: dict[Key, Match] = {}
        for match in ordered:
            namespace = clean_text(match.text) if match.text in self._own else OTHER
            marker_id = int(instances.ids[match.row]) & 0x7FFFFFFF
            best.setdefault((namespace, marker_id), match)
        return best


def clean_text(text: str) -> str:
    """Make a text fit for a label: one line, no control characters, not too long."""
    visible = ''.join(' ' if unicodedata.category(c)[0] in 'CZ' else c for c in text)
    words = ' '.join(visible.split())
    return words if len(words) <= MAX_TEXT_LENGTH else words[: MAX_TEXT_LENGTH - 1] + '…'


def colour_of(text: str, taken: Collection[RGB] = ()) -> RGB:
    """
    Return the colour of a text, RGB in 0..1: the same in every run.

    Where that one is among those taken, the next one of the palette that is not.
    """
    first = zlib.crc32(clean_text(text).encode()) % len(PALETTE)
    for code in (PALETTE * 2)[first : first + len(PALETTE)]:
        red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
        if (red, green, blue) not in taken:
            return red, green, blue
    return colour_of(text)


def _probability(match: Match) -> float:
    return float(np.clip(match.score, 0, 1)) if np.isfinite(match.score) else 0.0


def _draw(
    match: Match, namespace: str, marker_id: int, corners: NDArray[np.float32]
) -> Sequence[MarkerSpec]:
    """Describe the box with corners [8, 3] and the label above it."""
    score, colour = _probability(match), colour_of(match.text)
    top = corners.mean(0)
    top[2] = corners[:, 2].max() + 0.6 * LETTER_HEIGHT_M
    box = MarkerSpec(
        action='add',
        kind='box',
        namespace=namespace,
        id=marker_id,
        points=corners[EDGES.reshape(-1)],
        scale=LINE_WIDTH_M,
        rgba=(*colour, FAINTEST + (1 - FAINTEST) * score),
    )
    label = MarkerSpec(
        action='add',
        kind='label',
        namespace=f'{namespace} (label)',
        id=marker_id,
        position=(float(top[0]), float(top[1]), float(top[2])),
        text=f'{clean_text(match.text)} {score:.2f}',
        scale=LETTER_HEIGHT_M,
        rgba=(*colour, 1.0),
    )
    return box, label
