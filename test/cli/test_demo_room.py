import json

import numpy as np
import pytest

from folk_ros.cli.demo_room import best_overlap, count_named_right, DemoRoom, load_demo_room
from folk_ros.structures import PointCloud


def room(instance, names):
    xyz = np.zeros((len(instance), 3), np.float32)
    return DemoRoom(PointCloud(xyz), np.array(instance, np.int32), tuple(names), ('bed',))


def test_an_object_counts_only_with_the_right_name():
    here = room([0, 0, 1, 1, -1], ['bed', 'chair'])
    ids = np.array([7, 7, 9, 9, 0], np.uint32)
    assert count_named_right(here, ids, {7: 'bed', 9: 'lamp'})[0] == 1
    assert count_named_right(here, ids, {7: 'bed', 9: 'chair'})[0] == 2
    assert count_named_right(here, ids, {})[0] == 0


def test_a_mask_that_covers_too_much_does_not_count():
    here = room([0, -1, -1], ['bed'])
    assert count_named_right(here, np.array([7, 7, 7], np.uint32), {7: 'bed'})[0] == 0
    assert count_named_right(here, np.array([7, 7, 0], np.uint32), {7: 'bed'})[0] == 1


def test_points_of_nothing_are_no_overlap():
    mask = np.array([True, True, False])
    assert best_overlap(mask, np.zeros(3, np.uint32)) == (0, 0.0)


def test_best_overlap_agrees_with_sets():
    rng = np.random.default_rng(0)
    for _ in range(30):
        ids = rng.integers(0, 5, 40).astype(np.uint32)
        mask = rng.random(40) < 0.4
        want = max(
            (
                len(set(np.flatnonzero(mask)) & set(np.flatnonzero(ids == k)))
                / len(set(np.flatnonzero(mask)) | set(np.flatnonzero(ids == k)))
                for k in range(1, 5)
            ),
            default=0.0,
        )
        assert best_overlap(mask, ids)[1] == pytest.approx(want)


def test_an_object_without_points_is_no_object_of_the_room():
    assert room([0, 0, -1], ['bed', 'chair']).objects() == [0]


def test_an_instance_without_a_name_is_refused():
    with pytest.raises(ValueError, match='instance 1 has no name'):
        room([0, 1], ['bed'])


def test_a_room_is_read_from_its_two_files(tmp_path):
    xyz = np.eye(3, dtype=np.float32)
    rgb = np.full((3, 3), 9, np.uint8)
    np.savez(tmp_path / 'room.npz', xyz=xyz, rgb=rgb, instance=np.array([0, -1, 1], np.int32))
    (tmp_path / 'room.json').write_text(json.dumps({'names': ['a', 'b'], 'questions': ['a']}))
    here = load_demo_room(tmp_path)
    assert len(here.cloud) == 3
    assert here.cloud.rgb is not None
    assert here.objects() == [0, 1]
    assert here.questions == ('a',)
