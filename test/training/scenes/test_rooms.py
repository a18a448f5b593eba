"""Furnished rooms: nothing through anything, nothing novel in training."""

import numpy as np
import pytest

from folk_ros.training.scenes.objects.catalog import CATEGORIES
from folk_ros.training.scenes.primitives import moved
from folk_ros.training.scenes.recipes import furnish, KINDS
from folk_ros.training.scenes.rooms import Room, TOUCH_M
from folk_ros.training.scenes.synthetic import RoomConfig


def furnished(kind, seed, novel=False):
    room = Room(np.random.default_rng(seed), (4.0, 3.4, 2.6), novel)
    furnish(room, kind)
    return room


def box_of(parts):
    corners = np.stack([part.corners() for part in parts])
    return corners.min(1), corners.max(1)


@pytest.mark.parametrize('kind', KINDS)
def test_no_two_objects_of_a_room_share_space(kind):
    for seed in range(3):
        room = furnished(kind, seed, novel=True)
        boxes = [box_of(item.parts) for item in room.placed]
        for i, (low, high) in enumerate(boxes):
            for other_low, other_high in boxes[:i]:
                share = np.minimum(high[:, None], other_high[None]) - np.maximum(
                    low[:, None], other_low[None]
                )
                thin = np.minimum(high - low, 2 * TOUCH_M)[:, None] / 2
                assert not (share > 1.01 * thin + TOUCH_M).all(2).any()


@pytest.mark.parametrize('kind', KINDS)
def test_all_objects_stand_within_the_walls_and_most_rooms_are_well_filled(kind):
    counts = []
    for seed in range(4):
        room = furnished(kind, seed)
        for item in room.placed:
            low, high = box_of(item.parts)
            assert (low.min(0) > -0.005).all()
            assert (high.max(0) < np.array(room.size) + 0.005).all()
        counts.append(len(room.placed))
    assert np.mean(counts) >= 12


def test_training_rooms_hold_no_novel_category_and_test_rooms_do():
    found, rooms = [], 0
    for kind in KINDS:
        for seed in range(2):
            assert not any(item.category.novel for item in furnished(kind, seed).placed)
            placed = furnished(kind, seed, novel=True).placed
            found += [item.category.name for item in placed if item.category.novel]
            rooms += 1
    assert len(found) >= 2 * rooms and len(set(found)) >= 8


def test_asking_a_training_room_for_a_novel_thing_is_refused():
    room = Room(np.random.default_rng(0), (3, 3, 2.5), novel=False)
    novel = next(name for name, category in CATEGORIES.items() if category.novel)
    with pytest.raises(ValueError, match='novel'):
        room.on_floor(novel)


def test_every_category_turns_up_in_some_room():
    seen = set()
    for seed in range(8):
        for kind in KINDS:
            size = (4.6, 4.2, 2.6)
            room = Room(np.random.default_rng([seed, len(kind)]), size, novel=True)
            furnish(room, kind)
            seen |= {item.category.name for item in room.placed}
    missing = set(CATEGORIES) - seen
    assert len(missing) <= 4, missing


def test_an_object_is_not_put_where_another_stands():
    room = Room(np.random.default_rng(0), (3, 3, 2.5), novel=False)
    item = room.make('cabinet')
    assert room.put(item, (1.5, 1.5, 0), 0.3) is not None
    assert room.put(item, (1.6, 1.5, 0), 0.3) is None
    assert len(room.placed) == 1


def test_a_cup_on_a_table_stands_on_its_top():
    for seed in range(10):
        room = Room(np.random.default_rng(seed), (3, 3, 2.5), novel=False)
        table = room.on_floor('table')
        cup = room.on_top('cup', table)
        assert cup.place[2] == pytest.approx(table.made.supports[0].z)
        low, high = box_of(moved(table.made.parts, table.place, table.yaw))
        assert (cup.place[:2] > low.min(0)[:2]).all() and (cup.place[:2] < high.max(0)[:2]).all()


def test_things_against_a_wall_face_the_room():
    for seed in range(12):
        room = Room(np.random.default_rng(seed), (4, 3.5, 2.5), novel=False)
        item = room.against_wall('bookshelf')
        ahead = item.place[:2] + 0.6 * np.array([np.cos(item.yaw), np.sin(item.yaw)])
        assert (ahead > 0).all() and (ahead < room.size[:2]).all()


def test_an_unknown_room_kind_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match='bedroom'):
        furnish(Room(np.random.default_rng(0), (3, 3, 2.5), False), 'cellar')
    with pytest.raises(ValueError, match='cellar'):
        RoomConfig(kinds=('cellar',))
