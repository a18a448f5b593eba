"""
What is scored: (mask, label, score) triples of one scene, masks as lists of points.

File `predictions/<scene>.npz`: starts [M + 1] int64 and points int32 (mask m holds the points
`points[starts[m]:starts[m + 1]]`, rising), mask [P] int64, label [P] int64 (label ids), score [P]
float64, num_points (of the scene).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import os
from pathlib import Path
import zipfile

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import check_arrays

KEYS = ('starts', 'points', 'mask', 'label', 'score', 'num_points')


@dataclass(frozen=True)
class Predictions:
    """
    P predictions on M masks of one scene of N points; several may share a mask (Top-K pairs).

    Their order matters where a benchmark matches in the order given.
    """

    starts: NDArray[np.int64]  # [M + 1]
    points: NDArray[np.int32]  # [S] indices into the scene, rising within each mask
    mask: NDArray[np.int64]  # [P] which mask
    label: NDArray[np.int64]  # [P] label id, as in ground truth
    score: NDArray[np.float64]  # [P] confidence
    num_points: int  # N

    def __post_init__(self) -> None:
        check_arrays(
            'Predictions',
            mask=(self.mask, 'P', np.int64),
            label=(self.label, 'P', np.int64),
            score=(self.score, 'P', np.float64),
        )
        check_arrays(
            'Predictions',
            starts=(self.starts, 'M+1', np.int64),
            points=(self.points, 'S', np.int32),
        )
        starts, points, masks = self.starts, self.points, len(self.starts) - 1
        if masks < 0 or starts[0] != 0 or starts[-1] != len(points) or (np.diff(starts) < 0).any():
            raise ValueError(f'Predictions.starts: expected to rise from 0 to {len(points)}')
        step = np.diff(points) > 0
        step[starts[1:-1][(starts[1:-1] > 0) & (starts[1:-1] < len(points))] - 1] = True
        if not step.all():
            raise ValueError('Predictions.points: expected to rise within each mask')
        for name, values, limit in (
            ('points', points, self.num_points),
            ('mask', self.mask, masks),
        ):
            if len(values) and not 0 <= values.min() <= values.max() < limit:
                raise ValueError(
                    f'Predictions.{name}: expected indices in [0, {limit}), '
                    f'got {values.min()} to {values.max()}'
                )
        if not np.isfinite(self.score).all():
            row = int(np.flatnonzero(~np.isfinite(self.score))[0])
            raise ValueError(f'Predictions.score[{row}]: expected a number, got {self.score[row]}')

    def __len__(self) -> int:
        return len(self.mask)

    @property
    def mask_sizes(self) -> NDArray[np.int64]:
        """Number of points [M] of each mask."""
        return np.diff(self.starts)

    @classmethod
    def from_masks(
        cls, masks: NDArray[np.bool_], label: NDArray[np.int64], score: NDArray[np.float64]
    ) -> Predictions:
        """Take masks [P, N], with a label and a score each; ValueError if the counts differ."""
        if masks.ndim != 2 or not len(masks) == len(label) == len(score):
            raise ValueError(
                f'expected as many masks as labels and scores, got masks {masks.shape}, '
                f'{len(label)} labels and {len(score)} scores'
            )
        starts = np.zeros(len(masks) + 1, np.int64)
        np.cumsum(np.count_nonzero(masks, axis=1), out=starts[1:])
        points = np.nonzero(masks)[1].astype(np.int32)
        return cls(starts, points, np.arange(len(masks)), label, score, masks.shape[1])

    def select(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Predictions:
        """Keep some predictions (indices or mask), in the order given; all masks stay."""
        return replace(self, mask=self.mask[rows], label=self.label[rows], score=self.score[rows])

    def points_of(self, mask: int) -> NDArray[np.int32]:
        """Return the points of one mask."""
        return self.points[self.starts[mask] : self.starts[mask + 1]]


def save_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions, at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        with temporary.open('wb') as file:
            np.savez_compressed(
                file,
                allow_pickle=False,
                starts=predictions.starts,
                points=predictions.points,
                mask=predictions.mask,
                label=predictions.label,
                score=predictions.score,
                num_points=np.array(predictions.num_points, np.int64),
            )
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_predictions(path: Path) -> Predictions:
    """Read predictions; ValueError names the file where it is damaged or not what it should be."""
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [key for key in KEYS if key not in file]
            if missing:
                raise ValueError(f'arrays {missing} are missing; expected {list(KEYS)}')
            starts, points, mask, label, score, num_points = (file[key] for key in KEYS)
            return Predictions(starts, points, mask, label, score, int(num_points))
    except (OSError, EOFError, zipfile.BadZipFile, ValueError) as error:
        raise ValueError(f'{path}: no readable predictions ({error}); write them anew') from error
