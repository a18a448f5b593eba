import pytest
import torch
from torch.nn import functional as F

from folk_ros.student.vl_adapter import VLAdapter
from folk_ros.training.distill.members import as_one
from folk_ros.training.distill.recipes import Recipe


def adapters(count=3, attended=0):
    torch.manual_seed(1)
    found = [VLAdapter(10, 8, 6, attended=attended).eval() for _ in range(count)]
    for adapter in found:
        adapter.norm.running_mean[:] = torch.arange(10.0)
        adapter.norm.running_var[:] = 4.0
    return found


@torch.no_grad()
def test_several_adapters_made_one_say_the_mean_of_what_they_say():
    own, features = adapters(), torch.randn(5, 10) * 3
    one = as_one(own)
    mean = torch.stack([adapter.mlp(adapter.norm(features)) for adapter in own]).mean(0)
    assert torch.allclose(one(features), F.normalize(mean, dim=1), atol=1e-6)
    assert one.mlp[0].out_features == 24 and not one.training
    assert as_one(own[:1]) is own[0]


def test_adapters_that_read_other_features_or_attend_are_not_made_one():
    own = adapters()
    own[1].norm.running_mean += 1
    with pytest.raises(ValueError, match='different features'):
        as_one(own)
    with pytest.raises(ValueError, match='members = 1'):
        as_one(adapters(2, attended=4))
    with pytest.raises(ValueError, match='members: expected at least 1'):
        Recipe(members=0)
    with pytest.raises(ValueError, match='1 where the pooling is attention, got 2'):
        Recipe(members=2, pooling='attention')
