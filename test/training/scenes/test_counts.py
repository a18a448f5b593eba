"""Counting what is in scenes."""

import numpy as np

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.counts import Counts
from folk_ros.training.scenes.scene import GroundTruth, Scene


def scene(sizes, names, novel=None, kind='office', loose=10):
    owner = np.repeat(np.arange(-1, len(sizes)), [loose, *sizes]).astype(np.int32)
    cloud = PointCloud(np.zeros((len(owner), 3), np.float32), None, 'map')
    novel = np.array(novel or [False] * len(names))
    truth = GroundTruth(owner, list(names), tuple(('a',) for _ in names), novel)
    return Scene('s', cloud, truth, facts={'kind': kind})


def test_objects_are_counted_by_category_with_their_points():
    counts = Counts()
    counts.add(scene([50, 150, 0], ['cup', 'chair', 'chair'], [True, False, False]))
    counts.add(scene([300], ['chair'], kind='kitchen'))
    totals = counts.totals()
    assert totals['scenes'] == 2 and totals['points'] == 520
    assert totals['objects'] == 3 and totals['objects_without_points'] == 1
    assert totals['categories'] == 2 and totals['novel_categories'] == 1
    assert totals['share_of_objects_with_100_points'] == 2 / 3
    assert totals['points_per_object_p50'] == 150
    assert (totals['objects_per_scene_p5'], totals['objects_per_scene_p95']) == (1, 2)
    assert counts.kinds == {'office': 1, 'kitchen': 1}
    assert counts.by_category() == [
        {'name': 'chair', 'objects': 2, 'points_median': 225, 'with_100_points': 2,
         'novel': False},
        {'name': 'cup', 'objects': 1, 'points_median': 50, 'with_100_points': 0, 'novel': True},
    ]  # fmt: skip


def test_a_scene_without_truth_counts_its_points_alone():
    counts = Counts()
    counts.add(Scene('s', PointCloud(np.zeros((7, 3), np.float32), None, 'map')))
    totals = counts.totals()
    assert (totals['scenes'], totals['points'], totals['objects']) == (1, 7, 0)
    assert 'points_per_object_p50' not in totals and counts.by_category() == []
    assert counts.kinds == {'unknown': 1}
