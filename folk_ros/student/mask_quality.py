"""How good a mask is thought to be, from what the network says of it, and what that promises."""

from __future__ import annotations

import torch
from torch import Tensor

NO_CALIBRATION = (1.0, 0.0)
EDGE = 1e-6  # a quality is kept this far from 0 and 1, whose logits are infinite
LARGE = 330.0  # voxels; a mask this large is not doubted for its size
SCORE_POWER = 0.375  # raw scores are small, the class being one of 200: 0.04 becomes 0.30


def quality_of_seeds(seed: Tensor, foreground: Tensor, iou: Tensor, masks: Tensor) -> Tensor:
    """Join the logits [Q] of a seed, its foreground and its mask's IoU, and masks [Q, V]."""
    quality = seed.sigmoid() * foreground.sigmoid()
    quality = (quality.clamp(min=1e-6) * iou.sigmoid() ** 2) ** (1 / 3)
    inside = (masks > 0.5).to(masks.dtype)
    return quality * (masks * inside).sum(1) / inside.sum(1).clamp(min=1)


def quality_of_classes(classes: Tensor, masks: Tensor) -> Tensor:
    """
    Return qualities [Q]: sureness of the likeliest class times mean value of the masks [Q, V].

    `classes` [Q, classes + 1] are logits, "no object" last. The product is Mask3D's score; of many
    classes each is unsure, so it is spread by a power, with which Open-YOLO 3D's threshold for it
    (0.04) stands at the program's usual one.
    """
    sure = classes.softmax(1)[:, :-1].amax(1)
    inside = (masks > 0.5).to(sure.dtype)
    mean = (masks * inside).sum(1) / (inside.sum(1) + 1e-6)
    quality: Tensor = (sure * mean) ** (SCORE_POWER if classes.shape[1] > 2 else 1.0)
    return quality


def calibrated(quality: Tensor, calibration: tuple[float, float]) -> Tensor:
    """
    Return sigmoid(a * logit(quality) + b) of qualities [Q]; (1, 0) leaves them untouched.

    The two numbers are fitted on scenes kept apart, so that a quality is the overlap to expect.
    """
    a, b = calibration
    if (a, b) == NO_CALIBRATION:
        return quality
    return torch.sigmoid(a * quality.clamp(EDGE, 1 - EDGE).logit() + b)


def doubted(quality: Tensor, voxels: Tensor, doubt: float) -> Tensor:
    """
    Lower the qualities [Q] of masks of few `voxels` [Q]; a doubt of 0 leaves them untouched.

    Of the small masks more are pieces of something. A quality of 0.8 sinks to 0.67 for a mask of
    165 voxels, and to 0.33 for one of 40, where `doubt` is 1.
    """
    if not doubt:
        return quality
    share = (voxels.to(quality.dtype) / LARGE).clamp(1 / LARGE, 1)
    return torch.sigmoid(quality.clamp(EDGE, 1 - EDGE).logit() + doubt * share.log())
