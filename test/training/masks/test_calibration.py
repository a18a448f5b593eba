from dataclasses import replace
import json

import numpy as np
import pytest
from safetensors import safe_open
import torch

from folk_ros.student.mask_quality import calibrated, NO_CALIBRATION
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.weights import load_masks, save_student
from folk_ros.training.masks.calibration import (
    best_iou,
    calibrate,
    fit_calibration,
    quality_pairs,
    rank_correlation,
    reliability,
    store_calibration,
)

SMALL = StudentConfig(encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), embedding_dim=4)


def pairs(a, b, count=4000, seed=0):
    """Qualities whose IoU are spread about sigmoid(a logit(q) + b)."""
    rng = np.random.default_rng(seed)
    quality = rng.uniform(0.02, 0.98, count)
    mean = calibrated(torch.from_numpy(quality), (a, b)).numpy()
    return quality, rng.beta(8 * mean, 8 * (1 - mean))


@pytest.mark.parametrize(('a', 'b'), [(1.0, 0.0), (2.0, 0.7), (0.5, -1.0)])
def test_the_two_numbers_behind_made_pairs_are_found(a, b):
    assert fit_calibration(*pairs(a, b)) == pytest.approx((a, b), abs=0.12)


def test_no_neighbouring_pair_of_numbers_fits_better():
    quality, iou = pairs(1.7, -0.4, 300)
    best = fit_calibration(quality, iou)

    def cost(a, b):
        p = calibrated(torch.from_numpy(quality), (a, b)).numpy()
        cross = -(iou * np.log(p) + (1 - iou) * np.log(1 - p)).sum()
        return cross + ((a - 1) ** 2 + b**2) / 2  # the prior of one pair

    for da, db in [(0.02, 0), (-0.02, 0), (0, 0.02), (0, -0.02), (0.02, -0.02)]:
        assert cost(*best) < cost(best[0] + da, best[1] + db)


def test_qualities_of_nought_and_one_do_not_upset_the_fit():
    quality, iou = pairs(1.0, 0.0)
    quality[:50], iou[:50] = 0.0, 0.0
    quality[50:90], iou[50:90] = 1.0, 0.9
    a, b = fit_calibration(quality, iou)
    assert 0.3 < a < 1.5 and abs(b) < 1


def test_calibrated_qualities_promise_what_they_hold():
    quality, iou = pairs(2.0, 0.7)
    fitted = fit_calibration(quality[::2], iou[::2])
    after = calibrated(torch.from_numpy(quality[1::2]), fitted).numpy()
    assert reliability(quality[1::2], iou[1::2]).error > 0.1
    assert reliability(after, iou[1::2]).error < 0.03


def test_the_order_of_masks_stays_and_no_calibration_changes_nothing():
    quality = torch.rand(500)
    assert calibrated(quality, NO_CALIBRATION) is quality
    assert torch.equal(calibrated(quality, (1.8, 0.6)).argsort(), quality.argsort())


def test_what_no_calibration_mends_is_refused():
    quality, iou = pairs(1.0, 0.0)
    with pytest.raises(ValueError, match='better masks have lower qualities'):
        fit_calibration(quality, 1 - iou)
    with pytest.raises(ValueError, match='at least 50'):
        fit_calibration(quality[:9], iou[:9])
    with pytest.raises(ValueError, match='from 0 to 1'):
        fit_calibration(quality, iou + 1)


def test_best_iou_is_that_of_the_sets():
    instance = np.array([0] * 10 + [1] * 8 + [-1] * 4 + [2] * 3)  # the last one is too small
    masks = [set(range(8)), set(range(9, 20)), {21}, {22, 23, 24}]
    owner = np.repeat(np.arange(4), [len(m) for m in masks])
    rows = np.array([v for m in masks for v in sorted(m)])
    expected = [
        max(
            len(m & set(np.flatnonzero(instance == k)))
            / len(m | set(np.flatnonzero(instance == k)))
            for k in range(2)
        )
        for m in masks
    ]
    assert best_iou(owner, rows, 4, instance) == pytest.approx(expected)
    assert best_iou(owner, rows, 4, np.full(25, -1)).tolist() == [0.0] * 4


def test_rank_correlation_is_spearmans():
    a = np.array([1.0, 2.0, 2.0, 9.0])
    assert rank_correlation(a, a**3) == pytest.approx(1.0)
    assert rank_correlation(a, -a) == pytest.approx(-1.0)
    # ranks 1, 2.5, 2.5, 4 against 2, 1, 3, 4
    assert rank_correlation(a, np.array([0.2, 0.1, 0.5, 0.7])) == pytest.approx(0.632, abs=1e-3)
    assert np.isnan(rank_correlation(a, np.ones(4)))


def scene(folder):
    rng = np.random.default_rng(0)
    floor = np.c_[rng.uniform(0, 2, (6000, 2)), np.zeros(6000)]
    boxes = [rng.uniform(0, 0.4, (1500, 3)) + [0.2 + 0.6 * k, 0.5, 0.05] for k in range(3)]
    owner = np.repeat([-1, 0, 1, 2], [6000, 1500, 1500, 1500]).astype(np.int32)
    folder.mkdir(parents=True)
    xyz = np.concatenate([floor, *boxes]).astype(np.float32)
    np.savez(folder / 'cloud.npz', xyz=xyz, rgb=np.full(xyz.shape, 99, np.uint8), instance=owner)
    (folder / 'truth.json').write_text(json.dumps({'names': ['box', 'box', 'box']}))
    return folder


def test_a_student_is_calibrated_and_its_file_keeps_it(tmp_path):
    torch.manual_seed(0)
    student = Student(SMALL).eval()
    torch.nn.init.normal_(student.fields.out.weight, std=0.5)  # many kinds of masks
    student.config = replace(SMALL, calibration=(3.0, 2.0))  # of before; it must not count
    folder = scene(tmp_path / 'val_0')
    quality, iou = quality_pairs(student, [folder])
    assert student.config.calibration == (3.0, 2.0)
    assert len(quality) == len(iou) > 3
    torch.testing.assert_close(
        quality_pairs(student, [folder, folder])[0][: len(quality)], quality
    )
    path = tmp_path / 'student.safetensors'
    save_student(path, student, None, provenance='random')
    store_calibration(path, (0.5, -0.25))
    again = load_masks(path)
    assert again.config == replace(SMALL, calibration=(0.5, -0.25))
    with safe_open(path, 'pt') as file:
        assert file.metadata()['provenance'] == 'random'
    found = again.predict(_voxels(folder), 0.0, 0.4).quality.numpy()
    wanted = calibrated(torch.from_numpy(quality).float(), (0.5, -0.25)).numpy()
    assert np.allclose(np.sort(found), np.sort(wanted), atol=1e-2)  # stored as float16


def _voxels(folder):
    from folk_ros.structures import PointCloud
    from folk_ros.training.masks.samples import read_labelled
    from folk_ros.voxels import voxelize

    cloud = read_labelled(folder)
    return voxelize(PointCloud(cloud.xyz, cloud.rgb), 0.04)


def test_calibrating_needs_scenes_enough(tmp_path):
    student = Student(SMALL).eval()
    with pytest.raises(ValueError, match='give it more scenes'):
        calibrate(student, [scene(tmp_path / 'val_0')])
    assert student.config == SMALL
