"""Furnished rooms: nothing through anything, nothing novel in training."""

from functools import cache

import numpy as np
import pytest

from folk_ros.training.scenes.objects.catalog import CATEGORIES
from folk_ros.training.scenes.rendering.primitives import moved, turn
from folk_ros.training.scenes.rooms.placing import ONCE
from folk_ros.training.scenes.rooms.recipes import furnish, KINDS
from folk_ros.training.scenes.rooms.room import Room, TOUCH_M
from folk_ros.training.scenes.synthetic import RoomConfig


@cache
def furnished(kind, seed, novel=False):
    room = Room(np.random.default_rng(seed), (4.0, 3.4, 2.6), novel)
    furnish(room, kind)
    return room


def names_of(room):
    return [item.category.name for item in room.placed]


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


def test_training_rooms_hold_no_novel_category_and_test_rooms_hold_all_of_them():
    found, rooms = [], 0
    for kind in KINDS:
        for seed in range(5):
            assert not any(item.category.novel for item in furnished(kind, seed).placed)
            placed = furnished(kind, seed, novel=True).placed
            found += [item.category.name for item in placed if item.category.novel]
            rooms += 1
    novel = {name for name, category in CATEGORIES.items() if category.novel}
    assert len(novel) >= 12 and len(set(found)) >= len(novel) - 1
    assert len(found) >= 3 * rooms


def test_asking_a_training_room_for_a_novel_thing_is_refused():
    room = Room(np.random.default_rng(0), (3, 3, 2.5), novel=False)
    novel = next(name for name, category in CATEGORIES.items() if category.novel)
    with pytest.raises(ValueError, match='novel'):
        room.on_floor(novel)


def test_every_category_turns_up_in_some_room():
    seen = set()
    for seed in range(6):
        for kind in KINDS:
            for novel in (False, True):
                seen |= set(names_of(furnished(kind, seed, novel)))
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


@pytest.mark.parametrize(
    ('kind', 'must'),
    [
        ('office', {'desk', 'door', 'window'}),
        ('bedroom', {'bed', 'pillow', 'door', 'window'}),
        ('kitchen', {'sink', 'stove', 'kitchen counter', 'door'}),
        ('bathroom', {'toilet', 'sink', 'bathtub', 'door'}),
        ('living room', {'tv stand', 'door', 'window'}),
        ('classroom', {'table', 'chair', 'door'}),
        ('workshop', {'shelf', 'door'}),
    ],
)
def test_a_room_has_what_makes_its_kind(kind, must):
    for seed in range(6):
        missing = must - set(names_of(furnished(kind, seed)))
        assert not missing, (seed, missing)


@pytest.mark.parametrize('kind', KINDS)
def test_nothing_stands_in_the_way_through_the_door(kind):
    for seed in range(4):
        room = furnished(kind, seed, novel=True)
        door = next(item for item in room.placed if item.category.name == 'door')
        low, high = door.item.low, door.item.high
        for item in room.placed:
            if item is door or item.place[2] > 0.01:
                continue
            corners = np.concatenate([part.corners() for part in item.parts])
            back = turn('z', -door.yaw)
            own = (corners - door.place) @ back.T
            meets = (own.max(0)[:2] > low[:2] + (0, 0.02)) & (
                own.min(0)[:2] < high[:2] + (0.7, -0.02)
            )
            assert not meets.all(), item.category.name


HANGING = {'radiator', 'curtain', 'blinds', 'shower curtain', 'ceiling light'}


@pytest.mark.parametrize('kind', KINDS)
def test_nothing_floats(kind):
    for seed in range(4):
        room = furnished(kind, seed, novel=True)
        boxes = [box_of(item.parts) for item in room.placed]
        for k, item in enumerate(room.placed):
            low, high = boxes[k][0].min(0), boxes[k][1].max(0)
            at_wall = (low[:2] < 0.02).any() or (high[:2] > np.array(room.size[:2]) - 0.02).any()
            if low[2] < 0.005 or at_wall or item.category.name in HANGING:
                continue
            below = [
                (abs(other_high[:, 2] - low[2]) < 0.03)
                & (other_high[:, :2] > low[:2]).all(1)
                & (other_low[:, :2] < high[:2]).all(1)
                for j, (other_low, other_high) in enumerate(boxes)
                if j != k
            ]
            assert np.concatenate(below).any(), item.category.name


def test_the_same_seed_furnishes_the_same_room():
    for kind in KINDS:
        one = furnished(kind, 2, novel=True)
        two = furnished.__wrapped__(kind, 2, novel=True)
        assert one is not two
        assert names_of(one) == names_of(two)
        assert np.array_equal(one.low, two.low) and np.array_equal(one.high, two.high)
        assert [part.material for item in one.placed for part in item.parts] == [
            part.material for item in two.placed for part in item.parts
        ]


def test_small_things_lie_on_tables_and_shelves():
    small = 0
    for kind in KINDS:
        for seed in range(3):
            for item in furnished(kind, seed).placed:
                longest = (item.item.high - item.item.low).max()
                small += 0.05 < longest < 0.35 and item.place[2] > 0.3
    assert small >= 6 * 3 * len(KINDS)


def test_rooms_stay_cheap_to_film():
    solids = [
        sum(len(item.parts) for item in furnished(kind, seed, novel=True).placed)
        for kind in KINDS
        for seed in range(3)
    ]
    assert np.mean(solids) < 350 and max(solids) < 700


def test_kitchen_units_stand_side_by_side_with_fronts_of_one_style():
    gaps = []
    for seed in range(6):
        room = furnished('kitchen', seed)
        units = [i for i in room.placed if i.category.name in ('kitchen counter', 'sink', 'stove')]
        counters = [item for item in units if item.category.name == 'kitchen counter']
        assert len({counter.made.colour for counter in counters}) <= 1
        boxes = [box_of(item.parts) for item in units]
        for k, (low, high) in enumerate(boxes):
            apart = [
                np.maximum(
                    np.maximum(low.min(0) - other_high.max(0), other_low.min(0) - high.max(0)), 0
                ).max()
                for j, (other_low, other_high) in enumerate(boxes)
                if j != k
            ]
            gaps.append(min(apart))
    assert np.median(gaps) < 0.01


def test_desks_of_one_style_are_alike_and_others_are_not():
    room = Room(np.random.default_rng(0), (4, 4, 2.5), novel=False)
    style = room.style()
    one, two, other = room.make('desk', style), room.make('desk', style), room.make('desk')
    assert np.array_equal(one.corners, two.corners)
    assert one.corners.shape != other.corners.shape or not np.array_equal(
        one.corners, other.corners
    )


def test_the_space_before_an_object_can_be_kept_clear():
    room = Room(np.random.default_rng(0), (3, 3, 2.5), novel=False)
    door = room.on_wall('door', (0.0, 0.0))
    box = room.make('box')
    spot = (*door.to_world(door.item.high[0] + 0.4, 0.0), 0.0)
    assert room.put(box, spot, 0.0) is not None
    room.placed.pop()
    room.low, room.high = room.low[: -len(box.made.parts)], room.high[: -len(box.made.parts)]
    room.keep_clear(door, 0.8)
    assert room.put(box, spot, 0.0) is None
    assert room.put(box, spot, 0.0, anyway=True) is not None


def test_an_unknown_room_kind_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match='bedroom'):
        furnish(Room(np.random.default_rng(0), (3, 3, 2.5), False), 'cellar')
    with pytest.raises(ValueError, match='cellar'):
        RoomConfig(kinds=('cellar',))


def test_a_room_has_one_coffee_maker_at_most():
    for kind in ('kitchen', 'office'):
        for seed in range(6):
            names = names_of(furnished(kind, seed, novel=True))
            assert all(names.count(name) <= 1 for name in ONCE), (kind, seed)
