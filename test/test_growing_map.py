from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from folk_ros.config import SegmentConfig
from folk_ros.growing_map import GrowingMap, REFRESH
from folk_ros.instances import assemble
from folk_ros.scene_memory import SceneMemory
from folk_ros.structures import PointCloud
from folk_ros.upright import camera_above
from folk_ros.voxels import voxelize

VOXEL = 0.04
CONFIG = SegmentConfig(incremental_points=1000)


class Finder:
    """A network that finds what is red, one thing per square metre, and counts its points."""

    def __init__(self):
        self.asked, self.turns = [], []

    def __call__(self, cloud, turn=None):
        self.asked.append(len(cloud))
        self.turns.append(turn)
        voxels = voxelize(cloud, VOXEL)
        red = np.flatnonzero(voxels.rgb[:, 0] > 0.6)
        square = np.floor(voxels.centres[red, :2]).astype(np.int64) @ [1000, 1]
        owner = np.unique(square, return_inverse=True)[1].reshape(-1)
        order = np.argsort(owner, kind='stable')
        count = int(owner.max(initial=-1)) + 1
        looks = np.ones((count, 1), np.float32)
        quality = np.full(count, 0.9, np.float32)
        return assemble(owner[order], red[order], quality, looks, cloud, voxels)


def plane(width=12, red=(), seed=0, per_m2=900):
    """A grey floor with red blocks 0.4 m wide in the middle of some square metres."""
    rng = np.random.default_rng(seed)
    xyz = np.zeros((width * width * per_m2, 3))
    xyz[:, :2] = rng.uniform(0, width, (len(xyz), 2))
    rgb = np.full((len(xyz), 3), 100, np.uint8)
    blocks = [
        np.random.default_rng([seed, x, y]).uniform(
            (x + 0.3, y + 0.3, 0.1), (x + 0.7, y + 0.7, 0.4), (500, 3)
        )
        for x, y in red
    ]
    together = np.concatenate([xyz, *blocks]).astype(np.float32)
    colours = np.concatenate([rgb, np.tile(np.uint8([250, 0, 0]), (500 * len(blocks), 1))])
    return PointCloud(together, colours, 'map')


def masks_by_place(scene):
    """Masks as sets of points, by the square metre that their box is in."""
    places = np.floor(scene.boxes.centre[:, :2]).astype(int).tolist()
    return {tuple(place): set(scene.points_of(row).tolist()) for row, place in enumerate(places)}


RED = [(1, 1), (4, 8), (9, 2), (10, 10)]


def test_a_map_that_comes_again_costs_the_network_nothing():
    finder, growing, cloud = Finder(), GrowingMap(VOXEL), plane(red=RED)
    first = growing.segment(cloud, finder, CONFIG)
    again = growing.segment(replace(cloud, stamp_ns=5), finder, CONFIG)
    assert len(finder.asked) == 1
    assert again.stamp_ns == 5
    assert masks_by_place(again) == masks_by_place(first)
    np.testing.assert_array_equal(again.boxes.centre, first.boxes.centre)


def test_masks_follow_the_points_into_another_order():
    finder, growing, cloud = Finder(), GrowingMap(VOXEL), plane(red=RED)
    first = growing.segment(cloud, finder, CONFIG)
    order = np.random.default_rng(1).permutation(len(cloud))
    again = growing.segment(cloud.select(order), finder, CONFIG)
    assert len(finder.asked) == 1
    back = {p: set(order[list(m)].tolist()) for p, m in masks_by_place(again).items()}
    assert back == masks_by_place(first)


def changed_and_whole(before, after):
    """What is found step by step, what is found at once, and what share was looked at."""
    finder, growing = Finder(), GrowingMap(VOXEL)
    growing.segment(before, finder, CONFIG)
    part = growing.segment(after, finder, CONFIG)
    return part, Finder()(after), finder.asked[1:], growing


def test_something_new_is_found_by_looking_at_a_small_part():
    before, after = plane(red=RED), plane(red=[*RED, (6, 5)])
    part, whole, asked, growing = changed_and_whole(before, after)
    assert len(asked) == 1 and asked[0] < 0.1 * len(after)
    assert masks_by_place(part) == masks_by_place(whole)
    assert growing.part.kept.sum() == 4


def test_what_is_gone_is_not_found_again():
    before, after = plane(red=RED), plane(red=RED[1:])
    part, whole, asked, _ = changed_and_whole(before, after)
    assert asked and sum(asked) < 0.1 * len(after)
    assert masks_by_place(part) == masks_by_place(whole)
    assert len(part) == 3


def test_an_object_across_the_border_of_the_change_is_looked_for_whole():
    before = plane(red=RED)
    cut = ~((before.xyz[:, 0] > 4.5) & (before.xyz[:, 0] < 4.9) & (before.xyz[:, 1] > 8))
    after = before.select(cut)  # half of the block at (4, 8) is gone
    part, whole, asked, growing = changed_and_whole(before, after)
    assert masks_by_place(part) == masks_by_place(whole)
    assert growing.part.kept.sum() == 3


def test_a_map_that_grows_is_looked_at_where_it_grew():
    cloud = plane(red=RED)
    before = cloud.select(cloud.xyz[:, 0] < 10.5)  # through the block at (10, 10)
    part, whole, asked, _ = changed_and_whole(before, cloud)
    assert asked[0] < 0.3 * len(cloud)
    assert masks_by_place(part) == masks_by_place(whole)


def test_too_much_that_changed_is_a_new_map():
    before, after = plane(red=RED), plane(red=RED, seed=7, per_m2=400)
    after = replace(after, xyz=after.xyz + np.float32([0, 0, 0.5]))
    part, whole, asked, growing = changed_and_whole(before, after)
    assert asked == [len(after)] and growing.part is None
    assert masks_by_place(part) == masks_by_place(whole)


def test_another_sample_of_the_same_surfaces_is_no_change():
    before, after = plane(red=RED, per_m2=9000), plane(red=RED, seed=7, per_m2=9000)
    finder, growing = Finder(), GrowingMap(VOXEL)
    keep = np.arange(len(before)) < len(before) - 500 * len(RED)  # blocks are sampled too thinly
    growing.segment(before.select(keep), finder, CONFIG)
    growing.segment(after.select(keep), finder, CONFIG)
    assert len(finder.asked) == 1


@pytest.mark.parametrize('what', ['settings', 'frame', 'colour', 'forgotten', 'small', 'off'])
def test_what_cannot_be_compared_is_segmented_anew(what):
    finder, growing, cloud = Finder(), GrowingMap(VOXEL), plane(width=4, red=RED[:1])
    growing.segment(cloud, finder, CONFIG)
    config = CONFIG
    if what == 'settings':
        config = replace(CONFIG, min_quality=0.1)
    if what == 'frame':
        cloud = replace(cloud, frame_id='odom')
    if what == 'colour':
        cloud = replace(cloud, rgb=None)
    if what == 'forgotten':
        growing.forget()
    if what == 'small':
        cloud = cloud.select(np.arange(999))
    if what == 'off':
        config = replace(CONFIG, incremental_points=0)
    growing.segment(cloud, finder, config)
    assert finder.asked[1:] == [len(cloud)]


def test_after_many_parts_all_is_looked_at_again():
    finder, growing = Finder(), GrowingMap(VOXEL)
    clouds = [plane(width=6, red=[(2, 2), *more]) for more in ([], [(4, 4)])]
    rounds = 0
    growing.segment(clouds[0], finder, CONFIG)
    while len(clouds[1 - rounds % 2]) not in finder.asked[1:]:
        rounds += 1
        growing.segment(clouds[rounds % 2], finder, CONFIG)
        assert rounds < 200
        if growing.part is None:
            break
    assert growing.part is None
    assert sum(finder.asked[1:-1]) / len(clouds[0]) > REFRESH - 1


def test_a_network_that_fails_leaves_nothing_half_done():
    finder, growing, cloud = Finder(), GrowingMap(VOXEL), plane(red=RED)
    growing.segment(cloud, finder, CONFIG)

    def fails(part, turn):
        raise ValueError('no memory')

    with pytest.raises(ValueError, match='no memory'):
        growing.segment(plane(red=RED[1:]), fails, CONFIG)
    again = growing.segment(cloud, finder, CONFIG)
    assert finder.asked == [len(cloud)] * 2
    assert len(again) == 4


def test_ids_stay_with_what_was_kept_and_what_was_looked_for():
    finder, growing, memory = Finder(), GrowingMap(VOXEL), SceneMemory()

    def scene_of(cloud):
        found = growing.segment(cloud, finder, CONFIG)
        scene = memory.update(found, cloud, growing.part)
        growing.call(memory.ids)
        places = np.floor(scene.boxes.centre[:, :2]).astype(int).tolist()
        return dict(zip(map(tuple, places), scene.ids.tolist(), strict=True))

    first = scene_of(plane(red=RED))
    more = scene_of(plane(red=[*RED, (6, 5)]))
    assert more == first | {(6, 5): 5}
    fewer = scene_of(plane(red=[*RED[1:], (6, 5)]))
    assert fewer == {place: one for place, one in more.items() if place != RED[0]}
    assert scene_of(plane(red=[*RED[1:], (6, 5)])) == fewer
    assert len(finder.asked) == 3 and max(finder.asked[1:]) < 0.1 * finder.asked[0]


def test_what_is_no_object_any_more_is_not_kept():
    finder, growing, cloud = Finder(), GrowingMap(VOXEL), plane(red=RED)
    first = growing.segment(cloud, finder, CONFIG)
    growing.call(np.array([7, 0, 9, 8], np.uint32))
    again = growing.segment(cloud, finder, CONFIG)
    assert again.ids.tolist() == [7, 9, 8]
    masks = [set(first.points_of(row).tolist()) for row in (0, 2, 3)]
    assert [set(again.points_of(row).tolist()) for row in range(3)] == masks


def test_which_way_is_up_is_judged_by_the_map_not_by_its_parts():
    T = camera_above(np.array([0.0, -np.cos(0.6), -np.sin(0.6)]), 8.0)
    finder, growing = Finder(), GrowingMap(VOXEL)
    for red in (RED, RED[:-1]):  # seen by a camera at a slant; then one block is gone
        floor = plane(red=red)
        xyz = (floor.xyz + [6, -6, 0] - T[:3, 3]) @ T[:3, :3]
        growing.segment(replace(floor, xyz=xyz.astype(np.float32)), finder, CONFIG)
    whole, part = finder.turns
    assert finder.asked[1] < 0.5 * finder.asked[0]
    assert whole is not None and np.array_equal(part, whole)
