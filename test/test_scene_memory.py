from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from memory_support import A, B, C, floor, ids_of, make_scene
import numpy as np
import pytest

from folk_ros.scene_memory import SceneMemory
from folk_ros.structures import PointCloud


def test_new_objects_count_from_one():
    assert ids_of(SceneMemory(), A, B) == [1, 2]


def test_ids_follow_the_objects_not_their_order():
    memory = SceneMemory()
    ids_of(memory, A, B)
    assert ids_of(memory, B, C, A, seed=1) == [2, 3, 1]


def test_an_object_that_moved_a_little_keeps_its_id():
    memory = SceneMemory()
    ids_of(memory, A, B)
    assert ids_of(memory, (2.05, 0.03, 0), (0.04, -0.05, 0), seed=1) == [2, 1]


def test_an_object_that_moved_within_its_box_keeps_its_id_without_overlap_enough():
    memory = SceneMemory()
    ids_of(memory, A)
    assert ids_of(memory, (0.21, 0.21, 0.0), seed=1) == [1]


def test_an_object_elsewhere_is_a_new_one():
    memory = SceneMemory()
    ids_of(memory, A)
    assert ids_of(memory, (0.6, 0, 0), seed=1) == [2]


def test_a_cup_on_a_table_that_is_gone_is_not_the_table():
    memory = SceneMemory()
    memory.update(*make_scene((0, 0, 0.5), size=1.2))
    assert ids_of(memory, (0.4, 0.4, 1.2), size=0.1) == [2]


def test_two_objects_never_share_an_id():
    memory = SceneMemory()
    ids_of(memory, A)
    assert sorted(ids_of(memory, (0.02, 0, 0), (-0.02, 0, 0), seed=1)) == [1, 2]


def test_the_better_overlap_wins_whatever_the_order():
    memory = SceneMemory()
    ids_of(memory, A, (0.25, 0, 0))
    assert ids_of(memory, (0.26, 0, 0), (0.01, 0, 0), seed=1) == [2, 1]


grids = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=6, unique=True
)


@settings(max_examples=30, deadline=None)
@given(grids, st.randoms(), st.integers(0, 3))
def test_in_another_order_every_object_has_the_id_it_had(spots, random, seed):
    places = [(0.7 * x, 0.7 * y, 0) for x, y in spots]
    memory = SceneMemory()
    first = dict(zip(places, ids_of(memory, *places, count=150), strict=True))
    mixed = random.sample(places, len(places))
    second = ids_of(memory, *mixed, count=150, seed=seed)
    assert second == [first[place] for place in mixed]


@settings(max_examples=20, deadline=None)
@given(grids)
def test_the_same_cloud_again_changes_nothing(spots):
    memory = SceneMemory()
    scene = make_scene(*((0.4 * x, 0.4 * y, 0) for x, y in spots), count=100)
    first = memory.update(*scene)
    for _ in range(3):
        again = memory.update(*scene)
        assert again.ids.tolist() == first.ids.tolist()
        assert again.points.tolist() == first.points.tolist()


# --- merges and splits ---


def one_of_two(instances, rows):
    """Make one instance of several."""
    points = np.concatenate([instances.points_of(row) for row in rows])
    merged = instances.select(np.array(rows[:1]))
    return replace(merged, starts=np.array([0, len(points)]), points=points)


def test_a_merge_takes_the_id_of_the_larger_and_parts_have_theirs_back():
    memory = SceneMemory()
    small, cloud = make_scene((0, 0, 0), (0.2, 0, 0), (0.4, 0, 0), size=0.2)
    large = one_of_two(small, [1, 2])
    two = small.select(np.array([0])).joined(large)
    for _ in range(2):
        assert memory.update(two, cloud).ids.tolist() == [1, 2]
    for _ in range(3):
        assert memory.update(one_of_two(small, [0, 1, 2]), cloud).ids.tolist() == [2]
    assert memory.update(two, cloud).ids.tolist() == [1, 2]


def test_of_a_thing_that_falls_into_parts_the_largest_keeps_the_id():
    memory = SceneMemory()
    small, cloud = make_scene((0, 0, 0), (0.2, 0, 0), (0.4, 0, 0), size=0.2)
    whole = one_of_two(small, [0, 1, 2])
    assert memory.update(whole, cloud).ids.tolist() == [1]
    parts = small.select(np.array([0])).joined(one_of_two(small, [1, 2]))
    assert memory.update(parts, cloud).ids.tolist() == [2, 1]


def overlapping(qualities):
    """Three cubes side by side, as two masks that both claim the middle one."""
    small, cloud = make_scene((0, 0, 0), (0.2, 0, 0), (0.4, 0, 0), size=0.2)
    both = one_of_two(small, [0, 1]).joined(one_of_two(small, [1, 2]))
    return replace(both, quality=np.array(qualities, np.float32)), cloud


def test_the_masks_of_a_first_cloud_stay_as_they_are():
    scene, cloud = overlapping([0.5, 0.6])
    found = SceneMemory().update(scene, cloud)
    assert found.points.tolist() == scene.points.tolist()
    assert found.quality.tolist() == scene.quality.tolist()


def test_what_two_masks_claim_stays_with_the_object_that_had_it():
    memory = SceneMemory()
    small, cloud = make_scene((0, 0, 0), (0.2, 0, 0), (0.4, 0, 0), size=0.2)
    apart = one_of_two(small, [0, 1]).joined(small.select(np.array([2])))
    assert memory.update(apart, cloud).ids.tolist() == [1, 2]
    for _ in range(3):
        found = memory.update(*overlapping([0.5, 0.6]))
        assert found.ids.tolist() == [1, 2]
        assert found.point_counts.tolist() == [800, 400]


def test_a_piece_of_another_mask_is_no_object_and_says_so():
    memory = SceneMemory()
    small, cloud = make_scene((0, 0, 0), (0.2, 0, 0), (0.4, 0, 0), size=0.2)
    assert memory.update(small, cloud).ids.tolist() == [1, 2, 3]
    whole = one_of_two(small, [0, 1]).joined(small.select(np.array([0, 2])))
    pieces = replace(whole, quality=np.array([0.9, 0.5, 0.5], np.float32))
    found = memory.update(pieces, cloud)
    assert len(found) == 2
    assert memory.ids.tolist() == [found.ids[0], 0, 3]
    assert memory.update(small, cloud).ids.tolist() == [1, 2, 3]


def grey(scene):
    instances, cloud = scene
    return instances, replace(cloud, rgb=np.full((len(cloud), 3), 128, np.uint8))


def cut_in_two(size, more=()):
    """Three cubes in a row as two objects, cut before the last of them, or after the first."""
    cubes = [(k * size, 0, 0) for k in range(3)]
    small, cloud = grey(make_scene(*cubes, size=size, more=more))
    late = one_of_two(small, [0, 1]).joined(small.select(np.array([2])))
    early = small.select(np.array([0])).joined(one_of_two(small, [1, 2]))
    return late, early, cloud


def test_a_thing_that_is_cut_elsewhere_than_before_is_one_by_one_id():
    memory = SceneMemory()
    late, early, cloud = cut_in_two(0.2)
    assert memory.update(late, cloud).ids.tolist() == [1, 2]
    for parts in (early, late):
        found = memory.update(parts, cloud)
        assert len(found) == 1 and found.point_counts.tolist() == [1200]
        assert sorted(memory.ids.tolist()) == [1, 2]  # they are known apart still
    part = grey(make_scene((0.4, 0, 0), size=0.2))  # the smaller one alone
    assert memory.update(*part).ids.tolist() == found.ids.tolist()


def test_a_part_that_is_taken_away_was_another_thing():
    memory, ground = SceneMemory(), [floor()]
    late, early, cloud = cut_in_two(0.4, ground)
    assert memory.update(late, cloud).ids.tolist() == [1, 2]
    assert len(memory.update(early, cloud)) == 1
    assert len(memory.update(late, cloud)) == 1
    rest, room = grey(make_scene((0, 0, 0), (0.4, 0, 0), size=0.4, more=ground))
    for _ in range(3):
        left = memory.update(one_of_two(rest, [0, 1]), room)
    assert left.ids.tolist() == [1]
    assert memory.update(late, cloud).ids.tolist() == [1, 2]


def bars(long_to, crossed):
    """A bar along x, as one mask, and if so said a shorter one across its end, as another."""
    rng = np.random.default_rng(1)
    along = rng.uniform((long_to[0], 0, 0), (long_to[1], 0.1, 0.1), (2000, 3))
    across = rng.uniform((1.8, 0, 0), (2, 0.4, 0.1), (1600, 3))
    cloud = PointCloud(np.concatenate([along, across]).astype(np.float32), frame_id='map')
    instances, _ = make_scene((1, 0, 0), (1.9, 0.2, 0), size=0.2, count=1)
    both = replace(
        instances,
        starts=np.array([0, 2000, 3600]),
        points=np.arange(3600, dtype=np.int32),
        num_points=3600,
    )
    return both.select(np.arange(1 + crossed)), cloud


def test_a_part_is_of_the_object_whose_rest_is_out_of_view():
    memory = SceneMemory()
    for _ in range(2):
        assert memory.update(*bars((0, 2), True)).ids.tolist() == [1, 2]
    assert memory.update(*bars((1.8, 2), False)).ids[0] == 1


def test_an_object_seen_in_part_is_whole_in_the_memory():
    memory = SceneMemory()
    small, cloud = make_scene((0, 0, 0), (0.2, 0, 0), (0.4, 0, 0), size=0.2)
    whole = one_of_two(small, [0, 1, 2])
    assert memory.update(whole, cloud).ids.tolist() == [1]
    part, partial = make_scene((0, 0, 0), size=0.2)
    assert memory.update(part, partial).ids.tolist() == [1]
    other, elsewhere = make_scene((0.4, 0, 0), size=0.2)
    assert memory.update(other, elsewhere).ids.tolist() == [1]


# --- bounds and resets ---


def test_a_reset_forgets_everything():
    memory = SceneMemory()
    ids_of(memory, A, B)
    memory.reset()
    assert ids_of(memory, B, C) == [1, 2]


def test_another_frame_is_another_place_but_ids_are_not_used_again():
    memory = SceneMemory()
    ids_of(memory, A)
    assert ids_of(memory, A, frame_id='odom') == [2]


def test_embeddings_of_another_width_are_other_objects():
    memory = SceneMemory()
    ids_of(memory, A)
    assert ids_of(memory, A, looks=[0]) == [2]


@pytest.mark.parametrize('limit', [0, 5, 200])
def test_memory_stays_bounded_however_many_objects_come_and_go(limit):
    memory = SceneMemory(max_unseen=limit)
    for step in range(30):
        ids_of(memory, *[(5 * step, 3 * i, 0) for i in range(20)], count=20)
        assert len(memory._known) <= 20 + limit
    assert ids_of(memory, (0, 0, 0), count=20)[0] == 601  # forgotten: too many came since


def test_a_saved_scene_goes_on_where_it_was():
    instances, cloud = make_scene(A, B)
    instances = replace(instances, ids=np.array([7, 4], np.uint32))
    memory = SceneMemory()
    memory.resume(instances, cloud, last_id=9)
    assert ids_of(memory, B, A, C, seed=1) == [4, 7, 10]


def test_masks_of_another_cloud_are_refused():
    instances, _ = make_scene(A)
    with pytest.raises(ValueError, match='masks over 400'):
        SceneMemory().update(instances, PointCloud(np.zeros((3, 3), np.float32)))


def test_the_instances_given_are_left_alone():
    memory = SceneMemory()
    ids_of(memory, A, B)
    instances, cloud = make_scene(B)
    memory.update(instances, cloud)
    assert instances.ids.tolist() == [1]


def test_an_object_without_points_does_no_harm():
    memory = SceneMemory()
    instances, cloud = make_scene(A)
    nothing = replace(instances, starts=np.zeros(2, np.int64), points=np.empty(0, np.int32))
    for _ in range(3):
        assert len(memory.update(nothing, cloud)) >= 1


def test_points_at_the_end_of_the_world_do_no_harm():
    instances, cloud = make_scene((1e30, -1e30, 0))
    assert SceneMemory().update(instances, cloud).ids.tolist() == [1]
