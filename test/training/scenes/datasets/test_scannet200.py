"""Scans of ScanNet become scenes with their views and their truth."""

from collections import Counter
import json

import numpy as np
import pytest
from scannet_scans import (
    LABELS,
    matrix_text,
    rendered_room,
    SCAN,
    thinned,
    write_annotation,
    write_scan,
)

from folk_ros.training.evaluate.benchmark_files import read_truth, write_truth
from folk_ros.training.scenes.datasets.scannet200 import (
    open_scannet,
    read_scan,
    split_scenes,
)
from folk_ros.training.scenes.ground_truth import ground_truth_ids, truth_from_ids
from folk_ros.training.scenes.scene import load_scene, save_scene


@pytest.fixture(scope='module')
def room():
    return rendered_room()


@pytest.fixture(scope='module')
def small(room):
    return thinned(room)


def test_a_scan_is_the_room_it_was_made_of(tmp_path, room):
    write_scan(tmp_path, room)
    scene = read_scan(open_scannet(tmp_path), SCAN)
    np.testing.assert_allclose(scene.cloud.xyz, room.cloud.xyz, atol=2e-5)
    np.testing.assert_array_equal(scene.cloud.rgb, room.cloud.rgb)
    wanted = room.truth
    kept = np.unique(wanted.point_instance)
    kept = kept[kept >= 0]
    assert scene.truth.names == [wanted.names[k] for k in kept]
    rows = np.full(len(wanted.names) + 1, -1)
    rows[kept] = np.arange(len(kept))
    np.testing.assert_array_equal(scene.truth.point_instance, rows[wanted.point_instance])
    assert scene.facts['kind'] == 'Bathroom' and scene.facts['unknown_categories'] == 1
    assert [len(scene.views), scene.facts['frames_without_pose']] == [5, 0]


def test_depth_of_the_views_lands_on_the_cloud(tmp_path, room):
    write_scan(tmp_path, room)
    scene = read_scan(open_scannet(tmp_path), SCAN)
    rng = np.random.default_rng(0)
    for view, wanted in zip(scene.views[::2], room.views[::2], strict=True):
        np.testing.assert_allclose(view.T_world_camera, wanted.T_world_camera, atol=2e-5)
        pixels = rng.choice(np.flatnonzero((view.depth > 0.3) & (view.depth < 2.5)), 30)
        v, u = np.divmod(pixels, view.depth.shape[1])
        rays = np.linalg.inv(view.intrinsics) @ np.stack([u, v, np.ones(30)])
        points = rays * view.depth[v, u]
        turn, move = view.T_world_camera[:3, :3], view.T_world_camera[:3, 3]
        world = (turn @ points).T + move
        gap = np.linalg.norm(world[:, None] - scene.cloud.xyz[None], axis=2).min(axis=1)
        assert np.median(gap) < 0.02 and (gap < 0.06).mean() > 0.85


def test_colour_is_brought_to_the_pixels_of_depth(tmp_path, room):
    write_scan(tmp_path, room)
    views = read_scan(open_scannet(tmp_path), SCAN).views
    off = dict.fromkeys([(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)], 0.0)
    for view, wanted in zip(views, room.views, strict=True):
        inner = (slice(3, -3), slice(3, -3))  # the colour camera looks a little aside
        for shift in off:
            moved = np.roll(view.rgb, shift, (0, 1))[inner].astype(int)
            off[shift] += np.abs(moved - wanted.rgb[inner]).mean()
    assert off.pop((0, 0)) < 0.7 * min(off.values())


def test_an_imported_scan_is_loaded_with_its_views(tmp_path, small):
    write_scan(tmp_path, small)
    scene = read_scan(open_scannet(tmp_path), SCAN)
    loaded = load_scene(save_scene(scene, tmp_path / 'scenes'))
    assert loaded.facts == scene.facts and loaded.truth.names == scene.truth.names
    np.testing.assert_array_equal(loaded.cloud.xyz, scene.cloud.xyz)
    np.testing.assert_array_equal(loaded.truth.point_instance, scene.truth.point_instance)
    np.testing.assert_array_equal(loaded.views[2].rgb, scene.views[2].rgb)
    np.testing.assert_array_equal(loaded.views[2].depth, scene.views[2].depth)


def test_raw_categories_become_benchmark_ids(tmp_path, small):
    folder = write_scan(tmp_path, small, frames=False)
    owner = np.repeat(np.arange(4), (len(small.cloud) + 3) // 4)[: len(small.cloud)]
    raw = ['swivel thing', 'doorstop', 'floor', 'couch']  # doorstop is none of the 200
    write_annotation(folder, SCAN, owner, raw)
    scene = read_scan(open_scannet(tmp_path), SCAN)
    assert scene.truth.names == ['chair', 'couch']
    assert scene.truth.captions == (('chair', 'swivel thing'), ('couch',))
    ids = ground_truth_ids(scene, LABELS)
    wanted = np.array([2001, 0, 0, 6002])
    np.testing.assert_array_equal(ids, wanted[owner])


def test_a_vertex_of_two_objects_belongs_to_the_last(tmp_path, small):
    folder = write_scan(tmp_path, small, frames=False)
    path = folder / f'{SCAN}.aggregation.json'
    write_annotation(folder, SCAN, np.zeros(len(small.cloud), int), ['chair'])
    stored = json.loads(path.read_text())
    stored['segGroups'].append(stored['segGroups'][0] | {'id': 1, 'label': 'table'})
    path.write_text(json.dumps(stored))
    scene = read_scan(open_scannet(tmp_path), SCAN)
    assert scene.truth.names == ['table'] and (scene.truth.point_instance == 0).all()


def test_frames_without_a_pose_are_left_out_and_counted(tmp_path, small):
    folder = write_scan(tmp_path, small)
    for number in (10, 40):
        lost = np.full((4, 4), -np.inf)
        (folder / 'pose' / f'{number}.txt').write_text(matrix_text(lost))
    scene = read_scan(open_scannet(tmp_path), SCAN)
    assert [f.rgb.stem for f in scene.views.files] == ['0', '20', '30']
    assert scene.facts['frames_without_pose'] == 2
    assert [f.rgb.stem for f in read_scan(open_scannet(tmp_path), SCAN, 20).views.files] == [
        '0',
        '20',
    ]


@pytest.mark.parametrize('place', ['data', 'frames', 'elsewhere', 'compressed'])
def test_frames_may_lie_elsewhere(tmp_path, small, place):
    folder = write_scan(tmp_path, small)
    own = {'data': folder / 'data', 'frames': folder / 'frames', 'compressed': folder / 'data'}
    target = own.get(place, tmp_path / 'exported' / SCAN)
    for name in ('color', 'depth', 'pose', 'intrinsic'):
        image = place == 'compressed' and name in ('color', 'depth')
        to = folder / 'data_compressed' if image else target
        to.mkdir(parents=True, exist_ok=True)
        (folder / name).rename(to / name)
    frames = tmp_path / 'exported' if place == 'elsewhere' else None
    assert len(read_scan(open_scannet(tmp_path, frames), SCAN).views) == 5


def test_a_test_scan_has_no_truth(tmp_path, small):
    scan = split_scenes('test')[0]
    folder = write_scan(tmp_path, small, scan=scan, part='scans_test', frames=False)
    for path in folder.glob('*.json'):
        path.unlink()
    (folder / f'{scan}.txt').write_text('colorHeight = 968\n')  # as there: no axisAlignment
    scene = read_scan(open_scannet(tmp_path), scan)
    assert scene.truth is None and len(scene.views) == 0
    loaded = load_scene(save_scene(scene, tmp_path / 'scenes'))
    assert loaded.truth is None and loaded.facts['T_world_scan'] == np.eye(4).tolist()
    with pytest.raises(ValueError, match='this scene has no ground truth'):
        ground_truth_ids(loaded, LABELS)


def test_truth_follows_when_a_vertex_is_not_finite(tmp_path, small, caplog):
    folder = write_scan(tmp_path, small, frames=False)
    whole = read_scan(open_scannet(tmp_path), SCAN)
    ply = folder / f'{SCAN}_vh_clean_2.ply'
    data = bytearray(ply.read_bytes())
    first = data.index(b'end_header\n') + len(b'end_header\n')
    for row in (0, 17):
        data[first + 15 * row : first + 15 * row + 4] = np.float32(np.nan).tobytes()
    ply.write_bytes(data)
    scene = read_scan(open_scannet(tmp_path), SCAN)
    kept = np.delete(np.arange(len(small.cloud)), [0, 17])
    assert scene.facts['vertices_left_out'] == 2 and '2 vertices are not finite' in caplog.text
    np.testing.assert_array_equal(scene.cloud.xyz, whole.cloud.xyz[kept])
    named = np.array([*whole.truth.names, ''])[whole.truth.point_instance[kept]]
    got = np.array([*scene.truth.names, ''])[scene.truth.point_instance]
    np.testing.assert_array_equal(got, named)


def test_ground_truth_files_are_read_back(tmp_path, small):
    ids = ground_truth_ids(small, LABELS)
    write_truth(tmp_path / 'room.txt', ids)
    again = truth_from_ids(read_truth(tmp_path / 'room.txt'), LABELS)
    assert sorted(again.names) == sorted(small.truth.names)
    same = small.truth.point_instance[:, None] == small.truth.point_instance[None, ::7]
    got = again.point_instance[:, None] == again.point_instance[None, ::7]
    np.testing.assert_array_equal(got, same)
    names = np.array([*again.names, ''])[again.point_instance]
    np.testing.assert_array_equal(
        names, np.array([*small.truth.names, ''])[small.truth.point_instance]
    )


def test_walls_and_unknown_labels_of_ground_truth_files_are_no_instances():
    truth = truth_from_ids(np.array([0, 1001, 3002, 12001, 2005, 2007, 500]), LABELS)
    assert truth.names == ['chair', 'chair']
    assert truth.point_instance.tolist() == [-1, -1, -1, -1, 0, 1, -1]


def test_the_official_splits_are_whole_and_apart():
    splits = {split: split_scenes(split) for split in ('train', 'val', 'test')}
    assert {k: len(v) for k, v in splits.items()} == {'train': 1201, 'val': 312, 'test': 100}
    spaces = {k: {scan[:9] for scan in v} for k, v in splits.items()}
    assert not spaces['train'] & spaces['val'] and not spaces['train'] & spaces['test']
    assert 'scene0011_00' in splits['val'] and 'scene0000_00' in splits['train']
    assert max(Counter(sum(splits.values(), [])).values()) == 1
