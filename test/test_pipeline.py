from dataclasses import replace
import gc
import re
import weakref

import numpy as np
import pytest
import torch

from folk_ros.cli.demo_room import count_named_right, load_demo_room
from folk_ros.cli.segment import point_ids
from folk_ros.config import FolkConfig, SegmentConfig
from folk_ros.pipeline import choose_device, Folk
from folk_ros.structures import PointCloud


@pytest.fixture(scope='module')
def folk():
    return Folk.load()


@pytest.fixture(scope='module')
def scene(folk):
    return folk.segment(load_demo_room().cloud)


def test_most_objects_of_a_room_never_trained_on_are_found_and_named(folk, scene):
    names = {int(scene.ids[m.row]): m.text for m in folk.name(scene)}
    right, lines = count_named_right(load_demo_room(), point_ids(scene), names)
    assert right >= 8, lines


@pytest.mark.parametrize(
    ('words', 'name'),
    [('fridge', 'refrigerator'), ('wash basin', 'sink'), ('something to cook on', 'stove')],
)
def test_words_that_are_no_names_find_what_they_mean(folk, scene, words, name):
    room = load_demo_room()
    best = folk.query([words], scene=scene)[0]
    mine = np.zeros(len(room.cloud), bool)
    mine[scene.points_of(best.row)] = True
    wanted = [room.instance == row for row, known in enumerate(room.names) if known == name]
    assert max((mine & w).sum() / (mine | w).sum() for w in wanted) > 0.5


def test_something_that_is_not_there_matches_nothing(folk, scene):
    assert folk.query(['giraffe'], scene=scene) == []


def test_scenes_are_counted_and_ids_stay_with_their_objects(folk, scene):
    again = folk.segment(load_demo_room().cloud)
    assert again.scene_id == scene.scene_id + 1
    assert sorted(again.ids.tolist()) == sorted(scene.ids.tolist())


def tensors():
    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


def test_nothing_of_a_scene_is_left_after_a_reset():
    folk, room = Folk.load(), load_demo_room().cloud
    cloud = room.select(np.arange(0, len(room), 20))
    folk.segment(cloud)
    before = tensors()  # the weights, and what the engine keeps for the next cloud
    for _ in range(2):
        folk.reset()
        watched = [weakref.ref(folk.segment(cloud)), weakref.ref(cloud), weakref.ref(cloud.xyz)]
    assert tensors() <= before
    del cloud
    gc.collect()
    assert watched[0]() is not None
    folk.reset()
    gc.collect()
    assert [one() for one in watched] == [None] * 3


def test_an_empty_cloud_gives_zero_instances_not_an_error(folk):
    folk.reset()  # what was seen before would stay
    assert len(folk.segment(PointCloud(np.zeros((0, 3), np.float32)))) == 0


def test_a_cloud_without_colour_is_segmented(folk):
    cloud = replace(load_demo_room().cloud, rgb=None)
    assert len(folk.segment(cloud)) > 3


def test_a_handful_of_points_is_no_object_and_no_error(folk):
    folk.reset()
    points = np.random.default_rng(0).uniform(0, 1, (5, 3)).astype(np.float32)
    assert len(folk.segment(PointCloud(points))) == 0


def test_too_many_points_are_refused_with_both_numbers(folk):
    few = replace(folk.config, segment=SegmentConfig(max_points=1000))
    small = Folk(folk.student, folk.vocabulary, folk.text, few)
    with pytest.raises(ValueError, match='1001 points, expected at most 1000'):
        small.segment(PointCloud(np.zeros((1001, 3), np.float32)))


def test_a_question_before_the_first_cloud_says_so(folk):
    fresh = Folk(folk.student, folk.vocabulary, folk.text, FolkConfig())
    with pytest.raises(RuntimeError, match='no cloud was segmented yet'):
        fresh.query(['chair'])


def test_a_text_tower_of_another_clip_is_refused_with_both_names(folk):
    class Other:
        name = 'ViT-L-14/openai'

    with pytest.raises(ValueError, match="'folk-demo-clip-minilm-384'.*'ViT-L-14/openai'"):
        Folk(folk.student, folk.vocabulary, Other(), FolkConfig())


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="expected 'auto', 'cpu' or 'cuda'"):
        choose_device('gpu')


def test_a_room_as_it_should_be_raises_no_warning(folk):
    folk.segment(load_demo_room().cloud)
    assert folk.warnings == ()


def test_a_cloud_of_the_wrong_scale_or_with_other_axes_is_segmented_with_a_warning(folk, caplog):
    room = load_demo_room().cloud
    folk.segment(replace(room, xyz=room.xyz * np.float32(100)).select(slice(0, None, 50)))
    assert len(folk.warnings) == 1 and 'in millimetres or centimetres?' in folk.warnings[0]
    assert folk.warnings[0] in caplog.text
    folk.segment(replace(room, frame_id='camera_color_optical_frame'))
    assert len(folk.warnings) == 1 and 'optical frame' in folk.warnings[0]


def test_instances_left_out_are_told(folk):
    few = replace(folk.config, segment=SegmentConfig(max_instances=5))
    short = Folk(folk.student, folk.vocabulary, folk.text, few)
    short.segment(load_demo_room().cloud)
    assert re.match(r'\d+ instances were found, the 5 best are kept', short.warnings[0])


def test_another_voxel_size_than_asked_for_is_refused_with_both(folk):
    finer = replace(folk.config, segment=SegmentConfig(voxel_size=0.02))
    with pytest.raises(ValueError, match='voxels of 0.02 m, got one for 0.04 m'):
        Folk(folk.student, folk.vocabulary, folk.text, finer)


def test_a_cloud_that_takes_too_much_memory_is_segmented_in_tiles_with_a_warning(
    folk, monkeypatch
):
    room, look = load_demo_room().cloud, folk.student.look
    most = 40_000

    def hungry(voxels):
        if len(voxels) > most:
            raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 80.00 GiB')
        return look(voxels)

    monkeypatch.setattr(folk.student, 'look', hungry)
    fresh = Folk(folk.student, folk.vocabulary, folk.text, FolkConfig())
    assert len(fresh.segment(room)) > 10
    assert 'out of memory' in fresh.warnings[0] and 'voxels at once' in fresh.warnings[0]
    most = 0
    fresh.reset()  # the same cloud again would need no network
    with pytest.raises(ValueError, match='out of memory with .*; thin the cloud out'):
        fresh.segment(room)
