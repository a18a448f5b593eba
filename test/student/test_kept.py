import gc
import weakref

import pytest
import torch
from torch import nn

from folk_ros.student.engines import kept as module
from folk_ros.student.engines.kept import forget, kept, narrowed


@pytest.fixture
def weight():
    return nn.Parameter(torch.ones(3, 4))


def test_what_is_made_of_unchanged_weights_is_made_once(weight):
    assert narrowed(weight, torch.bfloat16) is narrowed(weight, torch.bfloat16)
    assert narrowed(weight, torch.float16).dtype == torch.float16
    with torch.inference_mode():
        made = narrowed(weight, torch.bfloat16)
    assert not made.is_inference() and not made.requires_grad


def moved(weight):
    weight.data = weight.data * 2


def loaded(weight):
    with torch.no_grad():
        weight.copy_(weight * 2)


def learnt(weight):
    (-weight).sum().backward()
    torch.optim.SGD([weight], lr=1.0).step()


@pytest.mark.parametrize('change', [moved, loaded, learnt])
def test_what_was_made_of_weights_that_changed_since_is_made_anew(weight, change):
    assert float(narrowed(weight, torch.bfloat16).sum()) == 12
    change(weight)
    assert float(narrowed(weight, torch.bfloat16).sum()) == 24


def test_any_of_several_weights_counts(weight):
    other = torch.ones(4)

    def total():
        return float(kept('sum', lambda a, b: ((a + b).sum(),), weight, other)[0])

    assert total() == 24
    other += 1
    assert total() == 36


def test_memory_used_again_for_other_weights_is_not_taken_for_the_first(weight):
    for value in (1.0, 2.0, 3.0):  # most allocators give the same address again and again
        weight.data = torch.empty(0)
        weight.data = torch.full((3, 4), value)
        assert float(narrowed(weight, torch.bfloat16)[0, 0]) == value


def test_weights_of_inference_mode_are_not_kept_for_their_changes_are_not_counted():
    with torch.inference_mode():
        weight = torch.ones(2)
        assert float(narrowed(weight, torch.bfloat16).sum()) == 2
        weight += 1
        assert float(narrowed(weight, torch.bfloat16).sum()) == 4


def test_nothing_outlives_its_weight_or_is_left_once_forgotten(weight):
    gone = weakref.ref(narrowed(weight, torch.bfloat16))
    forget()
    assert gone() is None
    gone = weakref.ref(narrowed(weight, torch.bfloat16))
    before = len(module._MADE)
    del weight
    gc.collect()
    assert len(module._MADE) <= before
