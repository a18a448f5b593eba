from __future__ import annotations

from dataclasses import replace

import numpy as np

from folk_ros.joining import FEW, parts_of_one, SAME_COLOUR, Wholes
from folk_ros.scene_memory import SceneMemory
from folk_ros.structures import Boxes, Instances, PointCloud

COUNT = 400


def a_line(paint=()):
    """A cloud of points every centimetre, grey, but for some (first, last, colour)."""
    xyz = np.zeros((COUNT, 3), np.float32)
    xyz[:, 0] = np.arange(COUNT) * 0.01
    rgb = np.full((COUNT, 3), 100, np.uint8)
    for first, last, colour in paint:
        rgb[first:last] = colour
    return PointCloud(xyz, rgb, frame_id='map')


def masks_of(*ranges, looks=None, ids=None, quality=0.5):
    """Instances with these points, as ranges or sets; looks are angles between embeddings."""
    masks, count = [sorted(one) for one in ranges], len(ranges)
    angles = np.zeros(count) if looks is None else np.array(looks, float)
    return Instances(
        starts=np.cumsum([0, *map(len, masks)]).astype(np.int64),
        points=np.concatenate([np.empty(0), *masks]).astype(np.int32),
        embeddings=np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32),
        quality=np.full(count, quality, np.float32),
        boxes=Boxes(
            np.zeros((count, 3), np.float32),
            np.ones((count, 3), np.float32),
            np.zeros(count, np.float32),
        ),
        ids=np.arange(1, count + 1, dtype=np.uint32) if ids is None else np.uint32(ids),
        num_points=COUNT,
    )


def parts(was, now, paint=(), colours=True, looks=None):
    """What is said of instances that have these points now, and had those before."""
    cloud = a_line(paint)
    cloud = cloud if colours else replace(cloud, rgb=None)
    cells = [
        {row: np.array(sorted(own), np.int64) for row, own in enumerate(side) if own is not None}
        for side in (was, now)
    ]
    return parts_of_one(masks_of(*now, looks=looks), cloud, *cells)


# --- which instances are parts of one thing ---

CUT, MOVED_CUT = (range(200), range(200, 400)), (range(240), range(240, 400))


def test_what_is_cut_elsewhere_than_before_is_one_thing():
    assert parts(CUT, MOVED_CUT) == [(0, 1)]
    assert parts(MOVED_CUT, CUT) == [(0, 1)]


def test_what_is_cut_as_before_is_two_things():
    assert parts(CUT, CUT) == []
    both = range(240), range(160, 400)  # also where both claim the same
    assert parts(both, both) == []


def test_a_new_piece_where_the_other_was_is_a_part_of_it():
    assert parts((range(400), None), CUT) == [(0, 1)]
    assert parts((range(200), None), CUT) == []
    assert parts((None, None), CUT) == []


def test_a_little_taken_over_says_nothing():
    assert parts(CUT, (range(200 + 36), range(236, 400))) == [(0, 1)]  # 36 of 236 are 15 %
    assert parts(CUT, (range(200 + 35), range(235, 400))) == []


def test_what_looks_different_is_not_one_thing():
    assert parts(CUT, MOVED_CUT, looks=[0, 0.8]) == [(0, 1)]
    assert parts(CUT, MOVED_CUT, looks=[0, 0.9]) == []


def test_what_has_another_colour_is_not_one_thing():
    near, far = 100 + int(SAME_COLOUR), 130 + int(SAME_COLOUR)
    assert parts(CUT, MOVED_CUT, paint=[(240, 400, near)]) == [(0, 1)]
    assert parts(CUT, MOVED_CUT, paint=[(240, 400, far)]) == []


def test_nothing_is_said_without_colours():
    assert parts(CUT, MOVED_CUT, colours=False) == []


def test_nothing_is_said_of_few_points():
    assert parts((range(100), None), (range(40), range(40, 40 + FEW))) == []
    assert parts((range(160), None), (range(FEW), range(FEW, 2 * FEW))) == [(0, 1)]


# --- what is known as one thing ---


def test_a_thing_is_called_by_its_larger_part():
    wholes = Wholes()
    wholes.join(1, 2, {1: 10, 2: 30})
    wholes.join(2, 3, {1: 10, 2: 30, 3: 35})  # together they are larger
    assert [wholes.of(one) for one in (1, 2, 3, 4)] == [2, 2, 2, 4]


def test_of_parts_as_large_as_each_other_the_older_one_counts():
    wholes = Wholes()
    wholes.join(7, 4, {4: 10, 7: 10})
    assert wholes.of(7) == wholes.of(4) == 4


def test_two_things_that_are_one_take_all_their_parts_along():
    wholes, sizes = Wholes(), {1: 5, 2: 4, 3: 9, 4: 8}
    wholes.join(1, 2, sizes)
    wholes.join(3, 4, sizes)
    wholes.join(2, 4, sizes)
    assert [wholes.of(one) for one in (1, 2, 3, 4)] == [3, 3, 3, 3]


def test_a_part_that_goes_its_own_way_is_itself_again():
    wholes = Wholes()
    for part in (2, 3):
        wholes.join(1, part, {1: 10, 2: 1, 3: 1})
    wholes.part([3])
    assert [wholes.of(one) for one in (1, 2, 3)] == [1, 1, 3]


def test_without_the_part_that_it_is_called_by_a_thing_ends():
    wholes = Wholes()
    for part in (2, 3):
        wholes.join(1, part, {1: 10, 2: 1, 3: 1})
    wholes.part([1])
    assert [wholes.of(one) for one in (1, 2, 3)] == [1, 2, 3]


def test_a_thing_keeps_its_name_when_that_part_is_but_forgotten():
    wholes = Wholes()
    for part in (2, 3):
        wholes.join(1, part, {1: 10, 2: 1, 3: 1})
    wholes.keep([2])
    assert [wholes.of(one) for one in (2, 3)] == [1, 3]


# --- how it is answered ---


def joined(*pairs):
    wholes = Wholes()
    for one, other in pairs:
        wholes.join(one, other, {})
    return wholes


def test_parts_are_answered_as_one_instance_where_the_first_of_them_was():
    scene = masks_of(range(100), range(100, 150), range(150, 300), ids=[5, 1, 3])
    answer = joined((3, 5)).answered(scene, a_line())
    assert answer.ids.tolist() == [3, 1]
    assert answer.points_of(0).tolist() == [*range(100), *range(150, 300)]
    assert answer.points_of(1).tolist() == [*range(100, 150)]


def test_a_point_of_two_parts_counts_once():
    scene = masks_of(range(100), range(50, 150))
    assert joined((1, 2)).answered(scene, a_line()).points.tolist() == [*range(150)]


def test_the_box_of_a_thing_holds_its_parts():
    scene = masks_of(range(100), range(100, 300))
    box = joined((1, 2)).answered(scene, a_line()).boxes
    np.testing.assert_allclose(box.centre, [[1.495, 0, 0]], atol=0.01)
    np.testing.assert_allclose(box.size, [[2.93, 0, 0]], atol=0.01)


def test_a_thing_looks_and_is_as_good_as_its_parts_on_average():
    scene = masks_of(range(100), range(100, 400), looks=[0, 0.8])
    scene = replace(scene, quality=np.array([0.9, 0.5], np.float32))
    answer = joined((1, 2)).answered(scene, a_line())
    np.testing.assert_allclose(answer.quality, [0.6])
    np.testing.assert_allclose(np.linalg.norm(answer.embeddings), 1, rtol=1e-6)
    toward = answer.embeddings[0] @ scene.embeddings.T
    assert np.cos(0.4) < toward[1] < 1 and toward[0] < toward[1]


def test_a_part_out_of_view_is_not_shown_beside_the_one_in_view():
    scene = masks_of(range(100), (), ids=[4, 2])
    answer = joined((4, 2)).answered(scene, a_line())
    assert answer.ids.tolist() == [2]
    assert answer.points.tolist() == [*range(100)]
    np.testing.assert_allclose(answer.embeddings, scene.embeddings[:1])


def test_a_thing_of_which_nothing_is_in_view_keeps_its_box():
    scene = masks_of((), ())
    answer = joined((1, 2)).answered(scene, a_line())
    assert (answer.ids.tolist(), answer.boxes.size.tolist()) == ([1], [[1, 1, 1]])


def test_the_scene_given_is_not_changed():
    scene = masks_of(range(100), range(100, 300))
    before = scene.embeddings.copy(), scene.quality.copy(), scene.boxes.size.copy()
    joined((1, 2)).answered(scene, a_line())
    after = scene.embeddings, scene.quality, scene.boxes.size
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert scene.ids.tolist() == [1, 2]


def test_only_parts_that_are_cut_elsewhere_are_joined():
    memory, cloud = SceneMemory(), a_line()
    one, other = masks_of(*CUT), masks_of(range(280), range(280, 400))
    assert memory.update(one, cloud).ids.tolist() == [1, 2]
    assert memory.update(one, cloud).ids.tolist() == [1, 2]
    assert memory.update(other, cloud).ids.tolist() == [1]
    assert memory.update(one, cloud).ids.tolist() == [1]
