from __future__ import annotations

import numpy as np
import pytest

from folk_ros.scene_memory import _overlap, SceneMemory
from folk_ros.structures import Boxes, Instances, PointCloud


def make_scene(*places, size=0.5, frame_id='map', seed=0, count=400):
    """A cloud with one cube of points per place (x, y, z), and its instances in that order."""
    rng = np.random.default_rng(seed)
    xyz = [rng.uniform(-size / 2, size / 2, (count, 3)) + place for place in places]
    cloud = PointCloud(
        np.concatenate([*xyz, np.empty((0, 3))]).astype(np.float32), frame_id=frame_id
    )
    number = len(places)
    instances = Instances(
        starts=np.arange(number + 1) * count,
        points=np.arange(number * count, dtype=np.int32),
        embeddings=np.ones((number, 1), np.float32),
        quality=np.ones(number, np.float32),
        boxes=Boxes(
            np.array(places, np.float32).reshape(-1, 3),
            np.full((number, 3), size, np.float32),
            np.zeros(number, np.float32),
        ),
        ids=np.arange(1, number + 1, dtype=np.uint32),
        num_points=number * count,
        frame_id=frame_id,
    )
    return instances, cloud


def ids_of(memory, *places, **changes):
    return memory.update(*make_scene(*places, **changes)).ids.tolist()


A, B, C = (0, 0, 0), (2, 0, 0), (0, 2, 0)


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
    assert ids_of(memory, (0.4, 0.4, 0.9), size=0.1) == [2]


def test_an_object_that_was_hidden_for_some_clouds_comes_back_with_its_id():
    memory = SceneMemory()
    ids_of(memory, A, B)
    for _ in range(5):
        assert ids_of(memory, A) == [1]
    assert ids_of(memory) == []
    assert ids_of(memory, B, A, C) == [2, 1, 3]


def test_two_objects_never_share_an_id():
    memory = SceneMemory()
    ids_of(memory, A)
    assert sorted(ids_of(memory, (0.02, 0, 0), (-0.02, 0, 0), seed=1)) == [1, 2]


def test_the_better_overlap_wins_whatever_the_order():
    memory = SceneMemory()
    ids_of(memory, A, (0.25, 0, 0))
    assert ids_of(memory, (0.26, 0, 0), (0.01, 0, 0), seed=1) == [2, 1]


def test_a_reset_forgets_everything():
    memory = SceneMemory()
    ids_of(memory, A, B)
    memory.reset()
    assert ids_of(memory, B, C) == [1, 2]


def test_another_frame_is_another_place_but_ids_are_not_used_again():
    memory = SceneMemory()
    ids_of(memory, A)
    assert ids_of(memory, A, frame_id='odom') == [2]


def test_memory_stays_bounded_however_many_objects_come_and_go():
    memory = SceneMemory()
    for step in range(30):
        ids_of(memory, *[(5 * step, 3 * i, 0) for i in range(20)], count=20)
    assert len(memory._known) == 220
    assert ids_of(memory, (0, 0, 0), count=20) == [601]  # forgotten: too many came since


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


def test_the_overlap_is_that_of_sets():
    rng = np.random.default_rng(0)
    known = [np.unique(rng.integers(0, 60, rng.integers(0, 40))) for _ in range(7)]
    cells = [np.unique(rng.integers(0, 60, rng.integers(0, 40))) for _ in range(5)]
    for k, old in enumerate(known):
        for i, new in enumerate(cells):
            union = len(set(old) | set(new))
            slow = len(set(old) & set(new)) / union if union else 0.0
            assert _overlap(known, cells)[k, i] == pytest.approx(slow)


def test_points_at_the_end_of_the_world_do_no_harm():
    instances, cloud = make_scene((1e30, -1e30, 0))
    assert SceneMemory().update(instances, cloud).ids.tolist() == [1]
