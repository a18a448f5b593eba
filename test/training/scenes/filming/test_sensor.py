"""What a camera loses and adds."""

from dataclasses import replace

import numpy as np
import pytest

from folk_ros.training.scenes.filming.sensor import (
    depth_edges,
    drift,
    Eye,
    measure,
    moved,
    patches,
    Reflection,
    SensorConfig,
)

RNG = np.random.default_rng
PERFECT = SensorConfig(noise_m=0, step_m=0, lateral_px=0, edge_loss=0, edge_mix=0)


def dull(depth, cosine=1.0, gloss=0.0, light=0.5):
    return Reflection(
        np.full_like(depth, cosine),
        np.full_like(depth, gloss),
        np.full((*depth.shape, 3), light, np.float32),
    )


def test_depth_noise_grows_with_the_square_of_depth():
    config, spread = SensorConfig(range_m=9), []
    for metres in (1.0, 2.0, 4.0):
        depth = np.full((90, 90), metres, np.float32)
        seen = measure(RNG(0), depth, dull(depth), config)
        spread.append((seen[seen > 0] - metres).std())
    assert 2.5 < spread[1] / spread[0] < 6 and 2.5 < spread[2] / spread[1] < 6


def test_depth_is_in_whole_millimetres_within_the_range():
    depth = np.linspace(0.1, 7, 1600, dtype=np.float32)[:, None].repeat(10, 1)
    seen = measure(RNG(0), depth, dull(depth), SensorConfig())
    assert np.allclose(seen * 1000, np.rint(seen * 1000), atol=1e-3)
    assert seen[seen > 0].min() >= 0.3 and seen.max() <= 5.0
    assert (seen[(depth > 0.4) & (depth < 4.5)] > 0).mean() > 0.97


@pytest.mark.parametrize(
    ('surface', 'low', 'high'),
    [
        ({}, 0.97, 1.0),
        ({'cosine': 0.02}, 0.0, 0.0),
        ({'gloss': 1.0}, 0.3, 0.5),
        ({'light': 0.0}, 0.4, 0.6),
    ],
)
def test_grazing_shiny_and_dark_surfaces_are_measured_less(surface, low, high):
    depth = np.full((60, 80), 2.0, np.float32)
    seen = measure(RNG(0), depth, dull(depth, **surface), SensorConfig())
    assert low <= (seen > 0).mean() <= high


def test_at_an_edge_some_pixels_are_lost_and_some_lie_between_front_and_back():
    depth = np.full((200, 40), 1.0, np.float32)
    depth[:, 20:] = 3.0
    config = replace(PERFECT, edge_loss=0.3, edge_mix=0.3)
    seen = measure(RNG(0), depth, dull(depth), config)
    beside = seen[:, 19:21]
    assert 0.2 < (beside == 0).mean() < 0.4
    assert 0.05 < ((beside > 1.1) & (beside < 2.9)).mean() < 0.3
    clear = seen[:, :18]
    assert np.isin(clear, (0, 1)).all() and (clear == 1).mean() > 0.98


def test_edges_lie_on_both_sides_of_a_jump():
    depth = np.full((5, 6), 1.0, np.float32)
    depth[:, 3:] = 2.0
    assert depth_edges(depth).any(0).tolist() == [False, False, True, True, False, False]


def test_patches_are_as_often_low_as_high_and_hang_together():
    noise = patches(RNG(0), (60, 80))
    assert np.allclose(np.quantile(noise, (0.1, 0.5, 0.9)), (0.1, 0.5, 0.9), atol=0.01)
    assert np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1] > 0.6


def test_a_photograph_keeps_bright_brighter_than_dark_and_evens_out_the_light():
    light = np.zeros((20, 20, 3), np.float32)
    light[:, 10:] = 0.6
    eye = Eye.of(RNG(0), SensorConfig())
    rgb = eye.photograph(RNG(0), light, SensorConfig())
    assert rgb.dtype == np.uint8 and rgb[:, 11:].mean() > rgb[:, :9].mean() + 80
    dim = eye.photograph(RNG(0), light / 4, SensorConfig())
    assert dim.mean() < rgb.mean() < 3 * dim.mean()


def test_motion_smears_an_edge_over_its_length_and_keeps_the_light():
    image = np.zeros((9, 20, 3), np.float32)
    image[:, 10:] = 1
    still, smeared = moved(image, 0, 0), moved(image, 0, 4)
    assert np.array_equal(still, image)
    blurred = (smeared[4, :, 0] > 0.01) & (smeared[4, :, 0] < 0.99)
    assert 3 <= blurred.sum() <= 5 and np.isclose(smeared.mean(), 0.5, atol=0.02)


def test_poses_drift_step_by_step_as_far_as_they_may():
    config = SensorConfig(pose_drift_m=0.01, pose_drift_deg=0.5)
    ends = np.stack([drift(RNG(seed), 20, config) for seed in range(200)])  # [R, K, 4, 4]
    assert np.allclose(ends[:, :, :3, :3] @ np.swapaxes(ends[:, :, :3, :3], 2, 3), np.eye(3))
    assert 0.008 < ends[:, -1, :3, 3].std() < 0.012
    steps = np.diff(ends[:, :, :3, 3], axis=1)
    assert steps.std() < 0.3 * ends[:, -1, :3, 3].std()
    still = drift(RNG(0), 5, replace(config, pose_drift_m=0, pose_drift_deg=0))
    assert np.array_equal(still, np.tile(np.eye(4), (5, 1, 1)))


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match='nearest_m'):
        SensorConfig(range_m=0.2)
