import numpy as np
import pytest
import torch

from folk_ros.student.face import PooledStudent, Sight, SURE
from folk_ros.student.mask_quality import doubted, LARGE
from folk_ros.student.suppression import exclusive


def slow_exclusive(masks, inside, sure):
    result = inside.clone()
    for voxel in range(masks.shape[1]):
        rivals = [row for row in range(len(masks)) if sure[row]]
        best = max(rivals, key=lambda row: masks[row, voxel], default=None)
        for row in rivals:
            if row != best:
                result[row, voxel] = False
    return result


@pytest.mark.parametrize('seed', range(4))
def test_voxels_go_to_the_surest_mask_as_one_by_one(seed):
    rng = np.random.default_rng(seed)
    masks = torch.from_numpy(rng.random((6, 40)))
    sure = torch.from_numpy(rng.random(6) < 0.7 * (seed > 0))  # in the first nobody is
    inside = masks > 0.5
    found = exclusive(masks, inside, sure)
    assert torch.equal(found, slow_exclusive(masks, inside, sure))
    assert (found[sure].sum(0) <= 1).all()
    assert torch.equal(found[~sure], inside[~sure])


class Seen(PooledStudent):
    adapter = None

    def __init__(self, **how):
        super().__init__()
        for name, value in how.items():
            setattr(self, name, value)


def chosen(masks, quality, min_quality=0.05, **how):
    sight = Sight([], [], torch.as_tensor(masks), torch.as_tensor(quality))
    return Seen(**how).choose(sight, min_quality, 0.4)


def test_a_student_shares_voxels_out_only_if_it_says_so():
    masks = [[0.9, 0.9, 0.6, 0.0], [0.0, 0.0, 0.8, 0.9]]
    _, inside, _ = chosen(masks, [0.9, 0.8])
    assert inside.int().tolist() == [[1, 1, 1, 0], [0, 0, 1, 1]]
    keep, inside, _ = chosen(masks, [0.9, 0.8], exclusive=True)
    assert keep.tolist() == [0, 1]
    assert inside.int().tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    _, inside, _ = chosen(masks, [0.9, SURE - 0.01], exclusive=True)
    assert inside.int().tolist() == [[1, 1, 1, 0], [0, 0, 1, 1]]  # one unsure takes nothing away


def test_a_mask_of_which_nothing_is_left_is_dropped():
    masks = [[0.9] * 5, [0.6, 0.6, 0.0, 0.0, 0.0]]
    assert chosen(masks, [0.9, 0.8])[0].tolist() == [0, 1]
    assert chosen(masks, [0.9, 0.8], exclusive=True)[0].tolist() == [0]
    assert len(chosen(torch.zeros(0, 5), torch.zeros(0), exclusive=True)[0]) == 0


def test_small_masks_are_doubted_and_large_ones_are_not():
    quality = torch.tensor([0.8, 0.8, 0.8, 0.8])
    voxels = torch.tensor([2 * LARGE, LARGE, LARGE / 2, 40])
    found = doubted(quality, voxels, 1.0)
    assert found.tolist() == pytest.approx([0.8, 0.8, 2 / 3, 0.327], abs=1e-3)
    assert doubted(quality, voxels, 0.0) is quality
    assert torch.isfinite(doubted(torch.tensor([0.0, 1.0]), torch.tensor([0, 0]), 1.0)).all()


def test_masks_doubted_too_much_go_and_the_rest_is_best_first():
    masks = torch.zeros(3, 800)
    masks[0, :20], masks[1, 100:500], masks[2, 600:700] = 0.9, 0.9, 0.9
    quality = torch.tensor([0.9, 0.7, 0.8])
    assert chosen(masks, quality, 0.45)[0].tolist() == [0, 2, 1]
    keep, _, left = chosen(masks, quality, 0.45, doubt_small=1.0)
    assert keep.tolist() == [1, 2]
    assert left.tolist() == doubted(quality[[1, 2]], torch.tensor([400, 100]), 1.0).tolist()
