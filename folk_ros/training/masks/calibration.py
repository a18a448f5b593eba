"""
Calibration of mask quality on scenes kept apart: what is said to be 0.7 shall overlap by 0.7.

Two numbers (Platt, 1999) on the logit of a quality: sigmoid(a * logit(quality) + b). With a > 0
the order of masks stays, so average precision does not change, but a minimum quality means the
same in every student.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import json
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
import torch

from folk_ros.structures import PointCloud
from folk_ros.student.face import PooledStudent
from folk_ros.student.mask_quality import calibrated, EDGE, NO_CALIBRATION
from folk_ros.student.sums import seal_of
from folk_ros.student.weights import SEAL
from folk_ros.training.masks.samples import majority, MIN_VOXELS, read_labelled
from folk_ros.voxels import voxelize

NMS_IOU = 0.4  # as SegmentConfig's: what a user sees is what is calibrated
PRIOR = 1.0  # pairs that speak for leaving the quality as it is
FEWEST = 50  # pairs from which two numbers can be told
BINS = 10  # of a reliability table

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Reliability:
    """How far qualities are from the overlaps they promise."""

    count: NDArray[np.int64]  # [BINS] masks of each tenth of quality
    quality: NDArray[np.float64]  # [BINS] their mean quality, NaN where there is none
    iou: NDArray[np.float64]  # [BINS] their mean overlap
    error: float  # mean gap between the two, by masks (expected calibration error)
    rank_correlation: float  # Spearman's


def fit_calibration(quality: Floats, iou: Floats) -> tuple[float, float]:
    """
    Fit (a, b) to masks' qualities [P] and the IoU [P] they reached, by least cross-entropy.

    Raises ValueError for fewer than 50 pairs, for values outside [0, 1], and where better masks
    have lower qualities, which no calibration mends.
    """
    quality, iou = np.asarray(quality, np.float64), np.asarray(iou, np.float64)
    if quality.shape != iou.shape or quality.ndim != 1 or len(quality) < FEWEST:
        raise ValueError(
            f'calibration: expected at least {FEWEST} qualities with an IoU each, got '
            f'{list(quality.shape)} and {list(iou.shape)}; give it more scenes'
        )
    both = np.concatenate([quality, iou])
    if not ((both >= 0) & (both <= 1)).all():
        raise ValueError('calibration: expected qualities and IoU from 0 to 1')
    clipped = quality.clip(EDGE, 1 - EDGE)
    x = np.stack([np.log(clipped / (1 - clipped)), np.ones(len(quality))], 1)  # [P, 2]
    start = np.array(NO_CALIBRATION)
    w = start.copy()
    for _ in range(100):  # Newton, halved where it would climb
        step = _newton_step(x, iou, w, start)
        now = _cost(x, iou, w, start)
        while _cost(x, iou, w - step, start) > now and np.abs(step).max() > 1e-10:
            step = step / 2
        w = w - step
        if np.abs(step).max() < 1e-9:
            break
    if w[0] <= 0:
        raise ValueError(
            f'calibration: better masks have lower qualities here (slope {w[0]:.2f}); the student '
            'is not trained for these scenes, or their truth does not belong to them'
        )
    return float(w[0]), float(w[1])


def _cost(x: Floats, iou: Floats, w: Floats, start: Floats) -> float:
    z = x @ w
    return float((np.logaddexp(0, z) - iou * z).sum() + PRIOR / 2 * np.square(w - start).sum())


def _newton_step(x: Floats, iou: Floats, w: Floats, start: Floats) -> NDArray[np.float64]:
    p = 1 / (1 + np.exp(-(x @ w)))
    slope = x.T @ (p - iou) + PRIOR * (w - start)
    bend = (x * (p * (1 - p))[:, None]).T @ x + PRIOR * np.eye(2)
    return np.asarray(np.linalg.solve(bend, slope))


def reliability(quality: Floats, iou: Floats) -> Reliability:
    """Compare qualities [P] with the IoU [P] they reached."""
    row = np.minimum((np.asarray(quality) * BINS).astype(np.int64), BINS - 1)
    count = np.bincount(row, minlength=BINS)
    with np.errstate(invalid='ignore'):
        means = [np.bincount(row, values, BINS) / count for values in (quality, iou)]
    gap = np.nansum(np.abs(means[0] - means[1]) * count) / max(len(row), 1)
    return Reliability(count, means[0], means[1], float(gap), rank_correlation(quality, iou))


def rank_correlation(a: Floats, b: Floats) -> float:
    """Return Spearman's correlation of [P] and [P], ties sharing their mean rank."""
    ranks = []
    for values in (a, b):
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[inverse.reshape(-1)])
    if min(rank.std() if len(rank) else 0.0 for rank in ranks) == 0:
        return float('nan')
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def quality_pairs(
    student: PooledStudent, folders: Sequence[Path]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the uncalibrated quality [P] of every mask in some scenes and its best IoU [P].

    IoU is counted over voxels, against instances of at least MIN_VOXELS.
    """
    raw, own = student.config, replace(student.config, calibration=NO_CALIBRATION)
    pairs = []
    try:
        student.config = own
        for folder in folders:
            cloud = read_labelled(folder)
            voxels = voxelize(PointCloud(cloud.xyz, cloud.rgb), own.voxel_size_m)
            found = student.predict(voxels, 0.0, NMS_IOU)
            instance = majority(voxels.point_to_voxel, cloud.instance)
            owner, rows = found.owner.cpu().numpy(), found.rows.cpu().numpy()
            quality = found.quality.double().cpu().numpy()
            pairs.append((quality, best_iou(owner, rows, len(quality), instance)))
    finally:
        student.config = raw
    quality, iou = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return quality, iou


def best_iou(
    owner: NDArray[np.int64], rows: NDArray[np.int64], count: int, instance: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return each mask's highest IoU [count] with an instance; pairs as in Prediction."""
    base = int(instance.max(initial=-1)) + 1
    if not base:
        return np.zeros(count)
    truth = np.bincount(instance[instance >= 0], minlength=base)  # [T]
    size = np.bincount(owner, minlength=count)  # [I]
    hit = instance[rows] >= 0
    shared = np.bincount(owner[hit] * base + instance[rows[hit]], minlength=count * base)
    shared = shared.reshape(count, base)
    iou = shared / np.maximum(size[:, None] + truth - shared, 1)
    return np.asarray(np.where(truth >= MIN_VOXELS, iou, 0.0).max(1))


def calibrate(student: PooledStudent, folders: Sequence[Path]) -> tuple[Reliability, Reliability]:
    """
    Fit a student's calibration on scenes it did not learn from, and keep it in its config.

    Returns how reliable the qualities are on these scenes uncalibrated, and now. Raises ValueError
    as `fit_calibration`.
    """
    quality, iou = quality_pairs(student, folders)
    a, b = fit_calibration(quality, iou)
    student.config = replace(student.config, calibration=(a, b))
    now = calibrated(torch.from_numpy(quality), (a, b)).numpy()
    return reliability(quality, iou), reliability(now, iou)


def store_calibration(path: Path, calibration: tuple[float, float]) -> None:
    """Write a calibration into the metadata of a student file; its tensors stay bit by bit."""
    with safe_open(path, 'pt') as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    config = json.loads(metadata['config']) | {'calibration': list(calibration)}
    metadata['config'] = json.dumps(config)
    metadata.pop(SEAL, None)
    metadata[SEAL] = seal_of(metadata, tensors)
    temporary = path.with_suffix('.part')
    save_file(tensors, temporary, metadata)
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    os.replace(temporary, path)
