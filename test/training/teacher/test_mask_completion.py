from __future__ import annotations

import numpy as np

from folk_ros.training.teacher.mask_completion import (
    box_sum,
    coarse_expansion,
    complete_mask,
    CompletionConfig,
    density_guided_expansion,
    grow,
)

FLAT = np.full((20, 24), 2.0, np.float32)
NONE = np.zeros((20, 24), np.int64)


def points(*pixels):
    counts = NONE.copy()
    for row, column in pixels:
        counts[row, column] += 1
    return counts


def slow_grow(mask, allowed, depth, jump):
    grown = mask.copy()
    for row, column in np.argwhere(mask):
        for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= r < mask.shape[0] and 0 <= c < mask.shape[1] and allowed[r, c]:
                near, far = sorted((depth[r, c], depth[row, column]))
                if near == 0 or far - near <= jump * near:
                    grown[r, c] = True
    return grown


def test_growing_agrees_with_a_walk_over_pixels():
    random = np.random.default_rng(0)
    mask, allowed = random.random((2, 20, 24)) < 0.4
    depth = random.choice([0.0, 1.0, 1.02, 1.5], (20, 24)).astype(np.float32)
    assert np.array_equal(grow(mask, allowed, depth, 0.03), slow_grow(mask, allowed, depth, 0.03))


def test_box_sum_agrees_with_summing_windows():
    counts = np.random.default_rng(1).integers(0, 5, (7, 9))
    padded = np.pad(counts, 2)
    slow = [[padded[r : r + 5, c : c + 5].sum() for c in range(9)] for r in range(7)]
    assert np.array_equal(box_sum(counts, 2), slow)


def test_coarse_expansion_grows_a_point_to_a_diamond():
    mask = coarse_expansion(points((10, 10)), NONE, FLAT, CompletionConfig(coarse_steps=2))
    assert mask.sum() == 13 and mask[8, 10] and mask[9, 11] and not mask[8, 9]


def test_a_mask_does_not_cross_a_jump_of_depth():
    depth = FLAT.copy()
    depth[:, 12:] = 2.5
    mask = complete_mask(points(*((r, 11) for r in range(20))), NONE, depth, CompletionConfig())
    assert mask[:, 11].all() and not mask[:, 12:].any()


def test_a_mask_does_not_take_pixels_of_other_points():
    own, others = points((10, 8), (10, 10)), points((10, 12), (9, 12), (11, 12), (10, 13))
    mask = complete_mask(own, others, FLAT, CompletionConfig())
    assert mask[10, 8] and mask[10, 9]
    assert not mask[others > 0].any()


def test_guided_expansion_fills_gaps_between_dense_points_and_stops_outside():
    rows, columns = np.mgrid[4:15:3, 6:18:3]
    own = points(*zip(rows.ravel(), columns.ravel(), strict=True))
    mask = complete_mask(own, NONE, FLAT, CompletionConfig())
    assert mask[4:14, 6:16].all()
    assert mask.sum() < 20 * 24


def test_where_others_are_denser_the_mask_stops():
    own = points((10, 10))
    others = points(*((10, c) for c in range(13, 24) for _ in range(3)))
    config = CompletionConfig(coarse_steps=0, guided_steps=20)
    mask = density_guided_expansion(own > 0, own, others, FLAT, config)
    assert mask[10, 8:11].all() and not mask[10, 12:].any()


def test_an_instance_without_a_seen_point_has_an_empty_mask():
    assert not complete_mask(NONE, points((3, 3)), FLAT, CompletionConfig()).any()


def test_completion_leaves_its_input_untouched():
    own, others = points((10, 10)), points((3, 3))
    copies = own.copy(), others.copy(), FLAT.copy()
    complete_mask(own, others, FLAT, CompletionConfig())
    for array, copy in zip((own, others, FLAT), copies, strict=True):
        assert np.array_equal(array, copy)


def test_pixels_without_depth_may_be_taken_but_not_what_lies_behind_them():
    depth = FLAT.copy()
    depth[:, 12] = 0
    depth[:, 13:] = 2.5
    own = points(*((r, 11) for r in range(20)))
    others = points(*((r, c) for r in range(20) for c in range(13, 24)))
    mask = complete_mask(own, others, depth, CompletionConfig())
    assert mask[:, 12].all() and not mask[:, 13:].any()
