from __future__ import annotations

import numpy as np

from folk_ros.training.demo_clip.portraits import make_portraits
from folk_ros.training.scenes.generate import plan, SPLITS, UNLABELLED
from folk_ros.training.scenes.scene import load_scene
from folk_ros.training.scenes.splits import split_folders
from folk_ros.training.scenes.synthetic import RoomConfig


def test_portraits_show_novel_things_and_no_student_learns_from_them(tmp_path):
    folder = make_portraits(tmp_path, 1, seed=0)[0]
    scene = load_scene(folder)
    assert folder.name == 'portraits_00000' and not len(scene.cloud)
    assert scene.truth.novel.any()
    shown = [set(np.unique(view.instance)) for view in scene.views]
    novel = set(np.flatnonzero(scene.truth.novel))
    assert 1 <= len(shown) <= 6 and shown[0] & novel
    for split in SPLITS:
        try:
            found = split_folders(tmp_path, split)
        except ValueError:
            found = []
        assert found == []


def test_a_room_has_no_more_portraits_than_asked(tmp_path):
    scene = load_scene(make_portraits(tmp_path, 1, seed=0, pictures=2)[0])
    assert len(scene.views) == 2


def test_no_room_has_the_seed_of_a_portrait(tmp_path):
    splits = (*SPLITS, UNLABELLED, 'portraits')
    jobs = plan(tmp_path, dict.fromkeys(splits, 40), 0, RoomConfig(), splits)
    assert len({job.seed for job in jobs}) == len(jobs)
