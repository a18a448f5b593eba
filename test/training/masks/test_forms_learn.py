"""Every source of queries, with and without the spatial term, on one small scene."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from folk_ros.student.engine import build_levels
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.suppression import suppress
from folk_ros.training.masks.augment import AugmentConfig
from folk_ros.training.masks.losses import crop_losses
from folk_ros.training.masks.samples import CropConfig, LabelledCloud, make_sample
from folk_ros.training.masks.set_losses import mask_costs, mask_losses

STILL = AugmentConfig(
    scale=(1, 1),
    tilt_deg=0,
    jitter=0,
    elastic=0,
    holes=0,
    points_kept=(1, 1),
    colour_dropped=0,
    colour_spread=0,
)
STEPS, RATE = 40, 5e-3


@pytest.fixture(scope='module')
def crop():
    """A floor with three boxes on it, 1800 voxels."""
    rng = np.random.default_rng(0)
    floor = np.c_[rng.uniform(0, 1.2, (4000, 2)), np.zeros(4000)]
    boxes = [rng.uniform(0, 0.25, (600, 3)) + [0.1 + 0.4 * k, 0.5, 0.05] for k in range(3)]
    owner = np.repeat([-1, 0, 1, 2], [4000, 600, 600, 600]).astype(np.int32)
    xyz = np.concatenate([floor, *boxes]).astype(np.float32)
    rgb = np.where(owner[:, None] < 0, 120, [[200, 30, 30]]).astype(np.uint8)
    cloud = LabelledCloud('train_0', xyz, rgb, owner, ('box', 'box', 'box'))
    return make_sample(cloud, {}, CropConfig(augment=STILL), np.random.default_rng(0))


def trained(crop, queries, spatial):
    """Learn one crop by heart; the student, its mask loss at first and at last."""
    torch.manual_seed(0)
    student = Student(
        StudentConfig(
            encoder=(8, 16, 24),
            decoder=(16, 16),
            decoder_reads=(2, 1),
            queries=queries,
            spatial=spatial,
            embedding_dim=0,
        )
    ).train()
    levels = build_levels(F.pad(crop.coords, (1, 0)), student.depth)
    optimizer = torch.optim.AdamW(student.parameters(), lr=RATE)
    course = []
    for step in range(STEPS):
        optimizer.param_groups[0]['lr'] = RATE * (1.05 - step / STEPS)
        features, fields = student.features(crop.inputs, levels)
        losses = crop_losses(student, features, levels, fields, crop)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 5)
        optimizer.step()
        course.append(float(losses['mask_2'].detach()))
    return student, levels, course


def found(student, levels, crop):
    """Best IoU of each instance with a mask that suppression leaves, and how many it leaves."""
    with torch.no_grad():  # in training mode: batch norms have seen too little for anything else
        features, fields = student.features(crop.inputs, levels)
        starts = student.starts(fields)
        last = student.decoder(starts, features, levels, fields)[-1]
        masks = student.decoder.masks(last, fields)
        quality = student.quality(starts, last, fields, masks.sigmoid())
    inside = masks > 0
    kept = inside[suppress(inside, quality, 0.45, 0.4, 0.5)]
    return [
        max((float((m & own).sum() / (m | own).sum()) for m in kept), default=0.0)
        for own in (crop.instance == number for number in range(len(crop.label)))
    ], len(kept)


def test_seeds_with_the_spatial_term_learn_a_scene_by_heart_in_seconds(crop):
    best, count = found(*trained(crop, 'seeds', True)[:2], crop)
    assert len(best) == 3 and min(best) > 0.5 and sum(best) > 2.4
    assert count <= 5


def test_furthest_points_with_the_spatial_term_begin_to_learn_it(crop):
    best, _ = found(*trained(crop, 'fps', True)[:2], crop)
    assert sum(best) > 0.9  # how far it gets depends on the number of threads: 1.2 to 2.6


@pytest.mark.parametrize('queries', ['seeds', 'fps'])
def test_without_the_spatial_term_masks_are_learnt_more_slowly(crop, queries):
    course = trained(crop, queries, False)[2]
    assert course[-1] < 0.75 * course[0]


def test_costs_of_all_pairs_are_the_losses_of_each_pair():
    torch.manual_seed(0)
    logits, target = torch.randn(4, 50) * 3, torch.rand(3, 50) < 0.3
    costs = mask_costs(logits, target)
    everywhere = torch.ones(50, dtype=torch.bool)
    for t in range(3):
        for q in range(4):
            expected = mask_losses(logits[q : q + 1], target[t : t + 1], everywhere)
            assert costs[t, q] == pytest.approx(float(expected), rel=1e-5)
