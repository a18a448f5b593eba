import json

import numpy as np
import pytest

from folk_ros.training.masks.augment import (
    AugmentConfig,
    distorted,
    missing,
    recoloured,
    turn_about_gravity,
)
from folk_ros.training.masks.sources import Mixture, Source

STILL = AugmentConfig(scale=(1, 1), tilt_deg=0, jitter=0, elastic=0, holes=1, colour_spread=0)


def points(count=500):
    return np.random.default_rng(0).uniform(0, 1, (count, 3)).astype(np.float32)


def scenes(folder, names, prefix='train_'):
    for k, name in enumerate(names):
        path = folder / f'{prefix}{k}'
        path.mkdir(parents=True)
        (path / 'truth.json').write_text(json.dumps({'names': [name]}))


def test_turning_about_gravity_keeps_heights_and_distances():
    xyz = points()
    moved = distorted(xyz, 0.04, STILL, np.random.default_rng(1)).astype(float)
    assert np.allclose(np.ptp(moved[:, 2]), np.ptp(xyz[:, 2]), atol=1e-5)
    before = np.linalg.norm(xyz[:-1] - xyz[1:], axis=1)
    assert np.allclose(np.linalg.norm(moved[:-1] - moved[1:], axis=1), before, atol=1e-5)
    assert not np.allclose(moved - moved.mean(0), xyz - xyz.mean(0), atol=0.01)


def test_half_of_the_turns_are_mirrored():
    rng = np.random.default_rng(0)
    signs = [np.linalg.det(turn_about_gravity(rng)) for _ in range(200)]
    assert 70 < sum(sign > 0 for sign in signs) < 130


def test_an_optical_frame_has_what_was_up_at_its_top():
    config = AugmentConfig(tilt_deg=0, jitter=0, elastic=0, optical=1)
    xyz = points()
    for seed in range(10):
        moved = distorted(xyz, 0.04, config, np.random.default_rng(seed))
        plane = np.c_[moved, np.ones(len(moved))]
        up = np.linalg.lstsq(plane, xyz[:, 2], rcond=None)[0][:3]
        up /= np.linalg.norm(up)
        assert up[1] < -0.3 and up[2] < -0.2  # y points down, z ahead and down
        assert abs(up[0]) < 1e-3


def test_bending_moves_points_by_about_a_voxel_and_neighbours_alike():
    config = AugmentConfig(scale=(1, 1), tilt_deg=0, jitter=0, elastic=1.0)
    voxel = 0.04
    xyz = points()
    near = xyz + np.float32(0.002)
    pair = np.concatenate([xyz, near])
    moved = distorted(pair, voxel, config, np.random.default_rng(2))
    gap = np.linalg.norm(moved[:500] - moved[500:], axis=1)
    assert np.abs(gap - np.linalg.norm([0.002] * 3)).max() < 0.003
    still = distorted(pair, voxel, STILL, np.random.default_rng(2))
    lengths = [np.linalg.norm(m[0] - m[1:500], axis=1) for m in (moved, still)]
    bent = np.abs(lengths[0] - lengths[1]).max()
    assert 0.1 * voxel < bent < 4 * voxel


def test_missing_regions_are_balls_or_strips_and_not_everything():
    xyz = points(4000)
    kept = [missing(xyz, 0.04, STILL, np.random.default_rng(k)).mean() for k in range(30)]
    assert 0.3 < min(kept) < 0.97
    assert missing(xyz, 0.04, AugmentConfig(holes=0), np.random.default_rng(0)).all()


def test_other_light_leaves_the_order_of_brightness():
    grey = np.repeat(np.linspace(60, 200, 200).astype(np.uint8)[:, None], 3, 1)
    seen = recoloured(grey, AugmentConfig(colour_spread=0.3), np.random.default_rng(0))
    assert np.corrcoef(seen.mean(1), grey.mean(1))[0, 1] > 0.97
    assert not np.array_equal(seen, grey)


def test_sources_are_drawn_by_their_weights(tmp_path):
    scenes(tmp_path / 'a', ['cup'] * 50)
    scenes(tmp_path / 'b', ['object'], prefix='scan')
    mixture = Mixture([Source.parse(f'{tmp_path}/a'), Source.parse(f'{tmp_path}/b:3')])
    rng = np.random.default_rng(0)
    drawn = [mixture.draw(rng).parent.name for _ in range(400)]
    assert 260 < drawn.count('b') < 340
    assert mixture.names() == ['cup']


def test_folders_to_score_on_are_not_learnt_from(tmp_path):
    scenes(tmp_path, ['cup', 'bowl'])
    scenes(tmp_path, ['plate'], prefix='val_')
    assert [path.name for path in Source(tmp_path).scenes()] == ['train_0', 'train_1']


def test_bad_sources_are_refused_with_a_sentence(tmp_path):
    with pytest.raises(ValueError, match='above 0'):
        Source.parse('rooms:-1')
    with pytest.raises(ValueError, match='found none'):
        Source(tmp_path).scenes()
    assert Source.parse('rooms:2.5').weight == 2.5
    assert Source.parse('C:rooms').folder.name == 'C:rooms'
