"""What becomes of objects that a cloud does not show again."""

from __future__ import annotations

from dataclasses import replace

from memory_support import A, B, C, D, floor, ids_of, make_scene, seen_often
import numpy as np
import pytest

from folk_ros.scene_memory import PATIENCE, SceneMemory
from folk_ros.tracks import MAX_MISSED, MISSES


def test_what_is_out_of_view_stays_in_the_scene_without_points():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()])
    scene = memory.update(*make_scene(A, more=[floor(high=(0.8, 4))]))
    assert scene.ids.tolist() == [1, 2]
    assert scene.point_counts.tolist() == [400, 0]
    np.testing.assert_allclose(scene.boxes.centre[1], B)
    assert ids_of(memory, B, A, more=[floor()]) == [2, 1]


def test_what_was_seen_once_is_remembered_but_not_shown():
    memory = SceneMemory()
    ids_of(memory, A, B, more=[floor()])
    assert ids_of(memory, A, more=[floor(high=(0.8, 4))]) == [1]
    assert ids_of(memory, B, more=[floor()])[0] == 2


def test_a_cloud_without_a_frame_gets_nothing_that_it_does_not_show():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()], frame_id='')
    assert ids_of(memory, A, more=[floor(high=(0.8, 4))], frame_id='') == [1]
    assert ids_of(memory, B, A, more=[floor()], frame_id='') == [2, 1]


def test_what_is_gone_leaves_the_scene_at_once_and_another_thing_there_is_not_it():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()], looks=[0, 1])
    for _ in range(2):
        assert ids_of(memory, A, more=[floor()], looks=[0]) == [1]
    assert ids_of(memory, A, B, more=[floor()], looks=[0, 2]) == [1, 3]


def test_what_was_gone_for_long_and_comes_back_is_known_by_its_looks():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()], looks=[0, 1])
    for _ in range(4):
        assert ids_of(memory, A, more=[floor()], looks=[0]) == [1]
    assert ids_of(memory, A, B, more=[floor()], looks=[0, 1]) == [1, 2]


def test_what_is_gone_for_very_long_is_forgotten():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()])
    for _ in range(MAX_MISSED // MISSES['gone'] + 1):
        ids_of(memory, A, more=[floor()])
    assert ids_of(memory, A, B, more=[floor()]) == [1, 3]


def test_what_is_gone_leaves_the_scene_though_but_half_of_its_surroundings_show():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()])
    half = [floor(high=(2.0, 4))]
    assert ids_of(memory, A, more=half) == [1]
    assert ids_of(memory, A, B, more=half) == [1, 2]


def test_one_cloud_with_a_hole_does_not_cost_an_id():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()])
    ids_of(memory, A, more=[floor()])
    assert ids_of(memory, A, B, more=[floor()]) == [1, 2]


def test_a_drift_of_the_map_makes_nothing_go():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()])
    instances, cloud = make_scene(A, B, more=[floor()])
    shifted = replace(cloud, xyz=cloud.xyz + np.float32(0.03))
    scene = memory.update(instances.select(np.array([0])), shifted)  # B is missed
    assert scene.ids.tolist() == [1, 2]


def test_what_a_student_misses_stays_for_a_while_with_its_points():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()])
    instances, cloud = make_scene(A, B, more=[floor()])
    only = instances.select(np.array([0]))
    shown = [memory.update(only, cloud) for _ in range(PATIENCE + 2)]
    assert [len(scene) for scene in shown] == [2] * PATIENCE + [1, 1]
    points = shown[0].points_of(1)
    assert set(range(400, 800)) <= set(points.tolist())
    assert memory.update(instances, cloud).ids.tolist() == [1, 2]


def test_what_is_missed_for_long_is_forgotten():
    memory = SceneMemory()
    seen_often(memory, A, B, more=[floor()])
    instances, cloud = make_scene(A, B, more=[floor()])
    for _ in range(MAX_MISSED + 1):
        memory.update(instances.select(np.array([0])), cloud)
    assert memory.update(instances, cloud).ids.tolist() == [1, 3]


def test_a_lone_object_is_gone_when_the_others_are_all_there():
    memory = SceneMemory()
    seen_often(memory, A, B, C, D)
    assert ids_of(memory, A, B, C) == [1, 2, 3]
    assert ids_of(memory, A) == [1, 2, 3]  # another view: what else is missing is hidden


def test_what_moved_keeps_its_id_by_its_looks():
    memory = SceneMemory()
    seen_often(memory, A, B, looks=[0, 1], more=[floor()])
    assert ids_of(memory, A, (1.0, 1.5, 0), looks=[0, 1], more=[floor()], seed=1) == [1, 2]
    assert ids_of(memory, A, (3.5, 3.5, 0), looks=[0, 2], more=[floor()], seed=2) == [1, 3]


def test_what_stands_where_it_was_is_not_what_looks_the_same_elsewhere():
    memory = SceneMemory()
    seen_often(memory, A, B, looks=[0, 0], more=[floor()])
    assert ids_of(memory, A, C, B, looks=[0, 0, 0], more=[floor()]) == [1, 3, 2]


def painted(scene, *colours):
    """A scene of cubes with these colours, on a grey floor."""
    instances, cloud = scene
    rgb = np.full((len(cloud), 3), 128, np.uint8)
    for row, colour in enumerate(colours):
        rgb[instances.points_of(row)] = colour
    return instances, replace(cloud, rgb=rgb)


RED, GREEN = (200, 30, 30), (30, 200, 30)


def pushed(look, colour, to):
    """The ids of two cubes after one of them was pushed aside and looks and is painted so."""
    memory, look = SceneMemory(), np.deg2rad(look)
    for _ in range(2):
        scene = make_scene(A, B, looks=[0, 1], more=[floor()])
        memory.update(*painted(scene, GREEN, RED))
    instances, cloud = make_scene(A, to, looks=[0, 1], more=[floor()], seed=1)
    instances.embeddings[1, 1:3] = np.cos(look), np.sin(look)
    return memory.update(*painted((instances, cloud), GREEN, colour)).ids.tolist()


def test_what_was_pushed_aside_may_look_less_like_it_was_if_it_has_its_colour():
    aside, away = (2.0, 0.9, 0), (2.0, 2.0, 0)
    assert pushed(70, RED, aside) == [1, 2]
    assert pushed(70, (200, 80, 30), aside) == [1, 3]
    assert pushed(80, RED, aside) == [1, 3]
    assert pushed(70, RED, away) == [1, 3]
    assert pushed(40, (200, 60, 30), away) == [1, 2]


@pytest.mark.parametrize(('look', 'colour', 'ids'), [(1, GREEN, [1, 2]), (2, GREEN, [1, 3]),
                                                     (2, RED, [1, 2])])  # fmt: skip
def test_what_leans_at_a_place_that_is_empty_now_is_not_what_was_there(look, colour, ids):
    memory, slab = SceneMemory(), (2.2, 0, 0)
    for _ in range(2):
        memory.update(*painted(make_scene(A, B, looks=[0, 1], more=[floor()]), RED, RED))
    thin, _ = make_scene(A, slab, looks=[0, look], more=[floor()], count=400)
    _, cloud = make_scene(A, slab, more=[floor()])
    xyz = cloud.xyz.copy()
    xyz[400:800, 0] = 2.22 + 0.1 * (xyz[400:800, 0] - 2.2)  # a slab at the side of where B was
    scene = painted((thin, replace(cloud, xyz=xyz)), RED, colour)
    assert memory.update(*scene).ids.tolist() == ids


def test_what_comes_where_a_lost_thing_was_in_another_colour_is_not_it():
    for colour, ids in ((RED, [1, 2]), (GREEN, [1, 3])):
        memory = SceneMemory()
        for _ in range(2):
            memory.update(*painted(make_scene(A, B, more=[floor()]), RED, RED))
        for _ in range(2):
            memory.update(*painted(make_scene(A, more=[floor()]), RED))
        scene = painted(make_scene(A, B, more=[floor()]), RED, colour)
        assert memory.update(*scene).ids.tolist() == ids
