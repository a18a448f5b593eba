"""Picking seeds against the slow form, which looks at every voxel for each seed."""

import pytest
import torch

from folk_ros.student.mask_fields import mask_logits, MaskFields, pick_seeds


def slow_pick_seeds(fields, minimum, limit):
    scores = (fields.seed.sigmoid() * fields.foreground.sigmoid()).clone()
    chosen = []
    while len(chosen) < limit:
        best = int(scores.argmax())
        if float(scores[best]) <= minimum:
            break
        chosen.append(best)
        inside = mask_logits(*fields.start(slice(best, best + 1)), fields)[0] > 0
        scores[inside] = 0.0
        scores[best] = 0.0
    return chosen


def fields_of(seed, spatial, count=300, embed=4):
    torch.manual_seed(seed)
    place = torch.rand(count, 3) * 3
    return MaskFields(
        embedding=torch.randn(count, embed, dtype=torch.float64),
        place=place.double(),
        shifted=(place + 0.1 * torch.randn(count, 3)).double() if spatial else None,
        kernel=torch.randn(count, embed + (3 if spatial else 1), dtype=torch.float64),
        seed=torch.randn(count, dtype=torch.float64),
        foreground=torch.randn(count, dtype=torch.float64) + 1,
    )


@pytest.mark.parametrize('spatial', [False, True])
@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize(('minimum', 'limit'), [(0.1, 150), (0.4, 150), (0.1, 3), (1.0, 150)])
def test_seeds_are_those_of_the_slow_form(seed, spatial, minimum, limit):
    fields = fields_of(seed, spatial)
    expected = slow_pick_seeds(fields, minimum, limit)
    assert pick_seeds(fields, minimum, limit).tolist() == expected
    assert minimum == 1.0 or len(expected) >= min(limit, 3)


def test_a_cloud_of_no_voxels_has_no_seeds():
    assert len(pick_seeds(fields_of(0, True, count=0), 0.1, 10)) == 0
