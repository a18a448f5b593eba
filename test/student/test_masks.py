import torch

from folk_ros.student.engine import build_levels
from folk_ros.student.mask_decoder import _outside
from folk_ros.student.mask_fields import EMBED, KERNEL, mask_logits, MaskFields, pick_seeds
from folk_ros.student.suppression import suppress
from folk_ros.student.vl_adapter import pool_masks


def random_fields(count=40, seed=0):
    torch.manual_seed(seed)
    return MaskFields(
        torch.randn(count, EMBED),
        torch.randn(count, 3),
        torch.randn(count, KERNEL),
        torch.randn(count),
        torch.randn(count),
    )


def slow_mask_logit(kernel, centre, fields, voxel):
    w, b, flat, tall = kernel[:EMBED], kernel[EMBED], kernel[EMBED + 1], kernel[EMBED + 2]
    d = fields.shifted[voxel] - centre
    value = w @ fields.embedding[voxel] + b
    value = (
        value
        - flat.clamp(-4, 6).exp() * (d[0] ** 2 + d[1] ** 2)
        - tall.clamp(-4, 6).exp() * d[2] ** 2
    )
    return value + 2 * torch.nn.functional.logsigmoid(fields.foreground[voxel])


def test_mask_logits_equal_the_formula_voxel_by_voxel():
    fields = random_fields()
    logits = mask_logits(fields.kernel[:3], fields.shifted[:3], fields)
    for q in range(3):
        for v in range(40):
            expected = slow_mask_logit(fields.kernel[q], fields.shifted[q], fields, v)
            assert torch.allclose(logits[q, v], expected, rtol=1e-4, atol=1e-3)


def test_a_picked_seed_silences_its_own_mask():
    fields = random_fields()
    seeds = pick_seeds(fields, 0.0, 100)
    for earlier, seed in enumerate(seeds.tolist()):
        for other in seeds[earlier + 1 :].tolist():
            row = slice(seed, seed + 1)
            inside = mask_logits(fields.kernel[row], fields.shifted[row], fields)[0] > 0
            assert not inside[other]


def test_without_seeds_nothing_is_picked():
    fields = random_fields()
    assert len(pick_seeds(fields, 1.1, 10)) == 0


def test_of_two_masks_of_one_thing_the_better_stays():
    inside = torch.zeros(3, 10, dtype=torch.bool)
    inside[0, :6] = inside[1, :5] = inside[2, 7:] = True
    kept = suppress(inside, torch.tensor([0.5, 0.9, 0.4]), 0.1, 0.4)
    assert kept.tolist() == [1, 2]


def test_masks_of_low_quality_and_empty_masks_go():
    inside = torch.zeros(3, 10, dtype=torch.bool)
    inside[0, :3] = inside[1, 5:] = True
    assert suppress(inside, torch.tensor([0.05, 0.9, 0.8]), 0.1, 0.4).tolist() == [1]


def test_attention_is_kept_to_the_mask_and_opened_for_an_empty_one():
    coords = torch.tensor([[0, 0, 0, 0], [0, 0, 0, 1], [0, 6, 0, 0]])
    levels = build_levels(coords, 2)
    logits = torch.tensor([[1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]])
    assert _outside(logits, levels, 1).tolist() == [[False, True], [False, False]]


def test_pooling_averages_each_level_over_the_mask():
    torch.manual_seed(0)
    coords = torch.nn.functional.pad((torch.rand(6, 6, 6) < 0.4).nonzero(), (1, 0))
    levels = build_levels(coords, 2)
    features = [torch.randn(len(level), 3) for level in levels]
    owner = torch.tensor([0, 0, 1])
    rows = torch.tensor([2, 5, 7])
    weight = torch.tensor([1.0, 3.0, 0.5])
    pooled = pool_masks(features, levels, owner, rows, weight)
    up = levels[0].parent
    fine = (features[0][2] + 3 * features[0][5]) / 4
    coarse = (features[1][up[2]] + 3 * features[1][up[5]]) / 4
    assert torch.allclose(pooled[0], torch.cat([fine, coarse]), atol=1e-6)
    assert torch.allclose(pooled[1], torch.cat([features[0][7], features[1][up[7]]]), atol=1e-6)
