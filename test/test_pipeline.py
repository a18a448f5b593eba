from dataclasses import replace

import numpy as np
import pytest

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
    [('screen', 'monitor'), ('swivel chair', 'office chair'), ('desk lamp', 'lamp')],
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


def test_an_empty_cloud_gives_zero_instances_not_an_error(folk):
    assert len(folk.segment(PointCloud(np.zeros((0, 3), np.float32)))) == 0


def test_a_cloud_without_colour_is_segmented(folk):
    cloud = replace(load_demo_room().cloud, rgb=None)
    assert len(folk.segment(cloud)) > 3


def test_a_handful_of_points_is_no_object_and_no_error(folk):
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
