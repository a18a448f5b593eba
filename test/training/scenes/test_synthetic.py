"""Whole synthetic rooms: views, cloud and truth belong together."""

from dataclasses import replace
import os

import numpy as np
import pytest

from folk_ros.training.scenes.filming.lidar import LidarConfig
from folk_ros.training.scenes.fusion.fuse import back_project
from folk_ros.training.scenes.generate import (
    generate_rooms,
    one_thread_each,
    plan,
    SPLITS,
    THREADS,
    UNLABELLED,
)
from folk_ros.training.scenes.objects.catalog import CATEGORIES
from folk_ros.training.scenes.scene import load_scene
from folk_ros.training.scenes.synthetic import make_scene, RoomConfig
from folk_ros.training.scenes.tabletops.tabletop import generate_tabletops
from folk_ros.training.scenes.views import view_arrays

SMALL = RoomConfig(views=6, width=80, height=60, cell_m=0.04)


@pytest.fixture(scope='module')
def scene():
    return make_scene(7, SMALL)


def nearest(points, cloud):
    """Return the distance [M] from points to a cloud, and the nearest point's index, slowly."""
    gaps = [np.linalg.norm(cloud - point, axis=1) for point in points]
    return np.array([gap.min() for gap in gaps]), np.array([gap.argmin() for gap in gaps])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_room(scene):
    again, other = make_scene(7, SMALL), make_scene(8, SMALL)
    assert np.array_equal(scene.cloud.xyz, again.cloud.xyz)
    assert np.array_equal(scene.cloud.rgb, again.cloud.rgb)
    assert scene.truth.captions == again.truth.captions
    a, b = view_arrays(scene.views), view_arrays(again.views)
    assert all(np.array_equal(a[key], b[key]) for key in a)
    assert len(other.cloud) != len(scene.cloud)


def test_what_a_view_measured_lies_on_the_fused_cloud(scene):
    for view in scene.views[:3]:
        points, _ = back_project(view)
        gap, _ = nearest(points[::40], scene.cloud.xyz)
        assert np.median(gap) < 0.03 and np.quantile(gap, 0.9) < 2 * SMALL.cell_m


def test_pixels_and_the_points_they_fell_on_show_the_same_instance(scene):
    agree = []
    for view in scene.views:
        points, pixels = back_project(view)
        rows = np.arange(0, len(points), 60)
        gap, index = nearest(points[rows], scene.cloud.xyz)
        shown = view.instance.reshape(-1)[pixels[rows]]
        agree += list((scene.truth.point_instance[index] == shown)[gap < 0.04])
    assert np.mean(agree) > 0.93


def test_instances_lie_where_a_camera_saw_them_and_walls_are_none(scene):
    counts = np.bincount(scene.truth.point_instance + 1)
    assert counts[0] > 0.2 * len(scene.cloud)  # walls and floor
    assert (counts[1:] > 0).sum() >= 8
    low = scene.cloud.xyz.min(0)
    assert (low > -0.25).all()
    assert (scene.cloud.xyz.max(0) < np.array(scene.facts['size_m']) + 0.25).all()


def test_a_scanned_room_has_no_colour_but_the_same_objects_and_views(scene):
    config = replace(SMALL, lidar=LidarConfig(rings=16, columns=256, scans=2))
    scanned = make_scene(7, config)
    assert scanned.cloud.rgb is None and scanned.facts['sensor'] == 'lidar'
    assert scanned.truth.names == scene.truth.names
    assert np.array_equal(scanned.views[3].depth, scene.views[3].depth)
    assert (np.bincount(scanned.truth.point_instance + 1)[1:] > 0).sum() >= 8


def test_the_room_is_the_same_however_it_is_looked_at(scene):
    other = make_scene(7, replace(SMALL, views=2, width=40, height=30))
    assert other.truth.names == scene.truth.names and other.facts['kind'] == scene.facts['kind']


def test_rooms_do_not_depend_on_the_number_of_workers_and_ready_ones_are_kept(tmp_path):
    splits = {'train': 2, 'val': 1}
    calls = []
    config = RoomConfig(views=2, width=40, height=30, cell_m=0.05)
    one = generate_rooms(
        tmp_path / 'one', splits, 3, 1, config, lambda *progress: calls.append(progress)
    )
    assert calls == [(1, 3, 'train_00000'), (2, 3, 'train_00001'), (3, 3, 'val_00000')]
    two = generate_rooms(tmp_path / 'two', splits, 3, 2, config)
    assert [path.name for path in one] == ['train_00000', 'train_00001', 'val_00000']
    for a, b in zip(one, two, strict=True):
        for name in ('cloud.npz', 'views.npz', 'truth.json'):
            assert (a / name).read_bytes() == (b / name).read_bytes()
    generate_rooms(tmp_path / 'one', splits, 3, 1, config, lambda *args: calls.append(args))
    assert len(calls) == 3
    assert not any(load_scene(path).truth.novel.any() for path in one[:2])


def test_what_a_robot_brings_home_holds_nothing_of_the_truth(tmp_path):
    config = RoomConfig(views=2, width=64, height=48, cell_m=0.05)
    labelled, bare = (
        generate_rooms(tmp_path / name, {split: 1}, 3, 1, config)[0]
        for name, split in (('a', 'val'), ('b', 'unlabelled'))
    )
    truth = load_scene(labelled).truth
    assert bare.name == 'unlabelled_00000'
    assert sorted(p.name for p in bare.iterdir()) == ['cloud.npz', 'facts.json', 'views.npz']
    scene = load_scene(bare)
    assert scene.truth is None and len(scene.views) == 2 and len(scene.cloud) > 1000
    assert all(view.instance is None for view in scene.views)
    with np.load(bare / 'cloud.npz') as cloud, np.load(bare / 'views.npz') as views:
        assert set(cloud.files) == {'xyz', 'rgb'}
        kinds = {key.rsplit('_', 1)[0] for key in views.files} - {'count'}
    assert kinds == {'rgb', 'depth', 'intrinsics', 'T_world_camera'}
    # with the seed the room could be built again, names and all
    assert set(scene.facts) == {'kind', 'made'} and scene.facts['kind'] == 'unlabelled'
    told = b''.join(p.read_bytes() for p in bare.iterdir())
    names = {name for name in (*truth.names, *CATEGORIES) if len(name) > 5}
    assert not any(name.encode() in told for name in names)


def test_unlabelled_rooms_are_kept_and_rooms_of_another_seed_refused(tmp_path):
    config = RoomConfig(views=1, width=16, height=12, cell_m=0.1)
    generate_rooms(tmp_path, {'unlabelled': 1}, 0, 1, config)
    calls = []
    generate_rooms(tmp_path, {'unlabelled': 1}, 0, 1, config, lambda *args: calls.append(args))
    assert calls == []
    with pytest.raises(ValueError, match='another seed or with other settings'):
        generate_rooms(tmp_path, {'unlabelled': 1}, 1, 1, config)


def test_unlabelled_rooms_hold_all_categories_and_are_no_other_split_again(tmp_path):
    known = (*SPLITS, UNLABELLED)
    jobs = plan(tmp_path, dict.fromkeys(known, 3), 0, RoomConfig(), known)
    assert [job.config.novel for job in jobs] == [False] * 3 + [True] * 9
    assert len({job.seed for job in jobs}) == 12


def test_tabletops_cannot_be_made_without_truth(tmp_path):
    with pytest.raises(ValueError, match="no split 'unlabelled'"):
        generate_tabletops(tmp_path, {'unlabelled': 1})


def test_more_rooms_of_a_split_leave_the_first_ones_as_they_were(tmp_path):
    few, many = (plan(tmp_path, {'train': n, 'val': 2}, 0, RoomConfig()) for n in (2, 5))
    assert few[:2] == many[:2] and few[2:] == many[5:]
    seeds = [job.seed for job in many]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ('splits', 'workers', 'says'),
    [({'train': -1}, 1, '0 or more'), ({'dev': 1}, 1, 'no split'), ({'train': 1}, 0, 'workers')],
)
def test_bad_orders_are_refused(tmp_path, splits, workers, says):
    with pytest.raises(ValueError, match=says):
        generate_rooms(tmp_path, splits, 0, workers)


def test_a_room_made_from_another_seed_or_with_other_settings_is_not_taken_for_ready(tmp_path):
    config = RoomConfig(views=1, width=16, height=12, cell_m=0.1)
    generate_rooms(tmp_path, {'train': 1}, 0, 1, config)
    for seed, other in ((1, config), (0, replace(config, cell_m=0.09))):
        with pytest.raises(ValueError, match='another seed or with other settings'):
            generate_rooms(tmp_path, {'train': 1}, seed, 1, other)
    generate_rooms(tmp_path, {'train': 1}, 0, 1, config)


def test_workers_start_with_one_thread_and_the_program_keeps_its_own(monkeypatch):
    monkeypatch.setenv(THREADS[0], '7')
    monkeypatch.delenv(THREADS[1], raising=False)
    with one_thread_each():
        assert all(os.environ[name] == '1' for name in THREADS)
    assert os.environ[THREADS[0]] == '7' and THREADS[1] not in os.environ
