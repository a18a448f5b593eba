from __future__ import annotations

from dataclasses import replace
import sys

import numpy as np
import pytest
import torch

from folk_ros.structures import Boxes, Instances, PointCloud
from folk_ros.training.demo_clip.tower import DemoImageTower, IMAGE_WEIGHTS, save_image_tower
from folk_ros.training.scenes.scene import GroundTruth, load_scene, save_scene, Scene, View
from folk_ros.training.teacher import run
from folk_ros.training.teacher.run import as_predicted, teach_here, teach_on_ray, TeachJob
from folk_ros.training.teacher.teacher import TeacherConfig
from folk_ros.training.teacher.teacher_file import load_teacher_file, teacher_path


def wall(scene_id):
    """A wall at 2 m with one thing on it, seen in one view."""
    row, column = np.mgrid[10:30, 10:30].reshape(2, -1)
    xyz = np.stack([(column - 32) / 25, (row - 24) / 25, np.full(400, 2.0)], 1)
    k = np.array([[50, 0, 32], [0, 50, 24], [0, 0, 1]], np.float32)
    rgb = np.full((48, 64, 3), 90, np.uint8)
    view = View(rgb, np.full((48, 64), 2, np.float32), k, np.eye(4, dtype=np.float32))
    truth = GroundTruth(np.zeros(400, np.int32), ['box'], (('box',),), np.zeros(1, bool))
    return Scene(scene_id, PointCloud(xyz.astype(np.float32)), truth, [view])


@pytest.fixture
def job(tmp_path):
    clip = tmp_path / 'clip'
    clip.mkdir()
    torch.manual_seed(0)
    save_image_tower(DemoImageTower('tiny', 8), clip / IMAGE_WEIGHTS, {})
    return TeachJob(out=tmp_path / 'teacher', clip=clip, mixed=False)


@pytest.fixture
def folders(tmp_path):
    return [save_scene(wall(f'train_{k:05d}'), tmp_path / 'rooms') for k in range(3)]


def assert_same(one, other, folders):
    for folder in folders:
        a, b = (vars(load_teacher_file(teacher_path(j.out, folder.name))) for j in (one, other))
        for key, value in a.items():
            if key.endswith('seconds'):
                continue
            assert np.array_equal(value, b[key]), (folder, key)


def test_ready_files_are_kept_and_half_written_ones_made_again(job, folders):
    first = list(teach_here(job, folders, 1))
    assert [(o.scene_id, o.instances, o.kept) for o in first[:1]] == [('train_00000', 1, False)]
    path = teacher_path(job.out, 'train_00001')
    whole = load_teacher_file(path)
    path.write_bytes(path.read_bytes()[:100])
    again = list(teach_here(job, folders, 1))
    assert [o.kept for o in again] == [True, False, True]
    assert np.array_equal(load_teacher_file(path).embeddings, whole.embeddings)
    assert len(list(job.out.iterdir())) == 3  # nothing half-written is left


def test_a_bad_scene_is_told_and_the_others_are_taught(job, folders):
    (folders[1] / 'views.npz').write_bytes(b'torn')
    outcomes = {o.scene_id: o for o in teach_here(job, folders, 1)}
    assert 'train_00001' in outcomes['train_00001'].error
    assert not outcomes['train_00000'].error and not outcomes['train_00002'].error
    assert not teacher_path(job.out, 'train_00001').exists()


def test_files_taught_in_another_way_are_not_mixed_with_these(job, folders):
    list(teach_here(job, folders[:1], 1))
    other = replace(job, config=TeacherConfig(pooling='crops'))
    assert 'write to another folder' in next(teach_here(other, folders[:1], 1)).error
    faster = replace(job, config=TeacherConfig(batch=1))  # changes no number
    assert next(teach_here(faster, folders[:1], 1)).kept


def test_processes_give_the_same_files_as_one_program(job, folders):
    list(teach_here(job, folders, 1))
    apart = replace(job, out=job.out.with_name('apart'))
    assert len(list(teach_here(apart, folders, 2))) == 3
    assert_same(job, apart, folders)


def test_a_worker_tells_why_it_could_not_begin_when_it_gets_its_first_scene(job, tmp_path):
    lost = replace(job, clip=tmp_path / 'lost' / 'clip')
    with pytest.raises(ValueError, match='lost/clip'):
        next(teach_here(lost, [tmp_path], 1))
    try:
        run._begin(lost)
        with pytest.raises(ValueError, match='lost/clip'):
            run._teach(tmp_path)
    finally:
        run.TEACHER.clear()


def test_scenes_without_truth_need_predicted_instances(job, folders, tmp_path):
    bare = save_scene(replace(wall('unlabelled_00000'), truth=None), tmp_path / 'rooms')
    assert '--masks' in next(teach_here(job, [bare], 1)).error


def test_clusters_are_taught_where_no_student_is_asked_to_find_masks(job, folders):
    scene = load_scene(folders[0])
    beside = PointCloud(scene.cloud.xyz + np.array([0, 0, 9], np.float32))  # seen by no view
    both = PointCloud(np.concatenate([scene.cloud.xyz, beside.xyz]))
    truth = GroundTruth(np.zeros(800, np.int32), ['box'], (('box',),), np.zeros(1, bool))
    folder = save_scene(replace(scene, cloud=both, truth=truth), job.out.with_name('pair'))
    own = replace(job, masks='clusters')
    assert next(teach_here(own, [folder], 1)).error == ''
    taught = load_teacher_file(teacher_path(job.out, folder.name))
    assert taught.quality.tolist() == [1.0] * (taught.point_instance.max() + 1)
    assert len(set(taught.point_instance[:400]) & set(taught.point_instance[400:]) - {-1}) == 0


def test_without_ray_the_user_is_told_what_to_install(job, folders, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(ValueError, match='pip install'):
        next(teach_on_ray(job, folders, 'local'))


def test_scenes_taught_on_ray_are_the_same(job, folders):
    pytest.importorskip('ray')
    list(teach_here(job, folders, 1))
    apart = replace(job, out=job.out.with_name('apart'))
    assert {o.error for o in teach_on_ray(apart, folders, 'local')} == {''}
    assert_same(job, apart, folders)


def test_where_predicted_instances_overlap_the_better_one_has_the_point():
    found = Instances(
        starts=np.array([0, 3, 5]),
        points=np.array([0, 1, 2, 2, 3], np.int32),
        embeddings=np.zeros((2, 4), np.float32),
        quality=np.array([0.4, 0.9], np.float32),
        boxes=Boxes(np.zeros((2, 3), 'f4'), np.ones((2, 3), 'f4'), np.zeros(2, 'f4')),
        ids=np.array([1, 2], np.uint32),
        num_points=6,
    )
    assert as_predicted(found).owner.tolist() == [0, 0, 1, 1, -1, -1]
