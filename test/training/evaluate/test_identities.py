from __future__ import annotations

import numpy as np

from folk_ros.structures import Boxes, Instances
from folk_ros.training.evaluate.identities import IdentityCounts, IdentityJudge, objects_found

SIZE = 40  # points of each object


def truth(count=3):
    """Points of objects one after another, and some of none."""
    return np.repeat(np.arange(-1, count), SIZE).astype(np.int32)


def scene(masks, ids, num_points=4 * SIZE):
    zero = np.zeros((len(ids), 3), np.float32)
    return Instances(
        starts=np.cumsum([0, *map(len, masks)]).astype(np.int64),
        points=np.concatenate([np.empty(0, np.int32), *masks]).astype(np.int32),
        embeddings=np.ones((len(ids), 1), np.float32),
        quality=np.ones(len(ids), np.float32),
        boxes=Boxes(zero, zero, zero[:, 0].copy()),
        ids=np.array(ids, np.uint32),
        num_points=num_points,
    )


def whole(*objects):
    return [np.flatnonzero(truth() == one) for one in objects]


def see(judge, objects, ids, **more):
    judge.see(scene(whole(*objects), ids), truth(), **more)


def test_an_object_is_found_by_a_mask_of_half_of_it_and_no_less():
    more, less = np.arange(SIZE, SIZE + 21), np.arange(2 * SIZE, 2 * SIZE + 20)
    assert objects_found(scene([more, less], [1, 2]), truth()) == {0: 0}


def test_the_better_of_two_masks_is_the_object():
    half, all_of_it = np.arange(SIZE, SIZE + 30), np.arange(SIZE, 2 * SIZE)
    assert objects_found(scene([half, all_of_it], [1, 2]), truth()) == {0: 1}


def test_ids_that_stay_are_no_switch_whatever_the_order():
    judge = IdentityJudge()
    see(judge, [0, 1, 2], [1, 2, 3])
    see(judge, [2, 0, 1], [3, 1, 2])
    assert (judge.counts.matched, judge.counts.switched) == (3, 0)


def test_two_objects_that_exchange_ids_are_two_switches():
    judge = IdentityJudge()
    see(judge, [0, 1], [1, 2], phase='growing')
    see(judge, [0, 1], [2, 1], phase='growing')
    see(judge, [0, 1], [2, 1], phase='window')
    assert (judge.counts.matched, judge.counts.switched) == (4, 2)
    assert judge.counts.by_phase == {'growing': (2, 2), 'window': (2, 0)}
    assert judge.counts.switch_share == 0.5


def test_an_object_that_comes_back_is_compared_with_when_it_was_last_seen():
    judge = IdentityJudge()
    see(judge, [0, 1], [1, 2])
    see(judge, [0], [1])
    see(judge, [0, 1], [1, 9])
    assert (judge.counts.matched, judge.counts.switched) == (3, 1)
    assert (judge.counts.visible, judge.counts.dropped) == (4, 2)


def test_a_moved_object_counts_as_moved_once():
    judge = IdentityJudge()
    see(judge, [0], [1])
    for _ in range(2):
        see(judge, [0], [5], moved=frozenset({0}))
    assert (judge.counts.moved_matched, judge.counts.moved_switched) == (1, 1)


def test_what_is_seen_gone_is_counted_until_its_id_is_gone():
    judge = IdentityJudge()
    see(judge, [0, 1], [1, 2])
    nothing = truth()[:0]
    for ids in ([1, 2], [1, 2], [1]):
        masks = [nothing] * len(ids)
        judge.see(scene(masks, ids), truth(), seen_empty=frozenset({1, 2}))
    assert (judge.counts.removed, judge.counts.lingered) == (1, 2)


def test_sequences_add_up_and_the_most_stubborn_counts():
    one = IdentityCounts(matched=4, switched=1, lingered=3, by_phase={'a': (4, 1)})
    both = one.plus(IdentityCounts(matched=6, lingered=1, by_phase={'a': (5, 0), 'b': (1, 0)}))
    assert (both.matched, both.switched, both.lingered) == (10, 1, 3)
    assert both.by_phase == {'a': (9, 1), 'b': (1, 0)}
    assert IdentityCounts().switch_share == IdentityCounts().dropout_share == 0
