"""Scans of ScanNet, from a folder made in its own formats out of a rendered room."""

from collections import Counter
import json

import numpy as np
from PIL import Image
import pytest

from folk_ros.cloud_files import write_ply
from folk_ros.structures import PointCloud
from folk_ros.training.evaluate.benchmark_files import read_truth, write_truth
from folk_ros.training.labels import load_labels
from folk_ros.training.scenes.datasets.scannet200 import (
    open_scannet,
    read_label_map,
    read_list,
    read_scan,
    split_scenes,
)
from folk_ros.training.scenes.ground_truth import ground_truth_ids, truth_from_ids
from folk_ros.training.scenes.scene import load_scene, save_scene
from folk_ros.training.scenes.synthetic import make_scene, RoomConfig

SCAN = 'scene9000_00'  # of no official split
HEADER = (
    'id raw_category category count nyu40id eigen13id nyuClass nyu40class eigen13class ModelNet40 '
    'ModelNet10 ShapeNetCore55 synsetoffset wnsynsetid wnsynsetkey mpcat40 mpcat40index'
).replace(' ', '\t')
WALL, STRANGE = 'wall', 'flux capacitor'


def alignment():
    """Turn by 30 degrees about z and move, as axisAlignment does."""
    matrix = np.eye(4)
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    matrix[:2, :2] = [[c, -s], [s, c]]
    matrix[:3, 3] = [-5.3, 2.1, -0.06]
    return matrix


def matrix_text(matrix):
    return '\n'.join(' '.join(f'{v:f}' for v in row) for row in matrix) + '\n'


def numbers(matrix):
    return ' '.join(f'{v:.9f}' for v in np.ravel(matrix))


def write_label_map(path):
    labels = load_labels('scannet200')
    rows = [(i, n, n) for i, n in zip(labels.ids, labels.names, strict=True)]
    rows += [(2, 'swivel thing', 'chair'), (5000, 'doorstop', 'doorstop')]
    lines = [HEADER]
    lines += ['\t'.join([str(i), raw, name, '9', *[''] * 13]) for i, raw, name in rows]
    path.write_text('\n'.join(lines) + '\n')


def write_annotation(folder, scan, owner, categories, **about):
    """Cut each object (-1: none) into segments of scattered numbers, as a mesh segmenter does."""
    rng = np.random.default_rng(5)
    segment = (owner + 1) * 3 + rng.integers(0, 3, len(owner))
    shuffled = rng.permutation(int(segment.max(initial=0)) + 1) * 7
    groups = [
        {
            'id': k,
            'objectId': k,
            'segments': shuffled[(k + 1) * 3 : (k + 2) * 3].tolist(),
            'label': category,
        }
        for k, category in enumerate(categories)
    ]
    name = f'{scan}_vh_clean_2.0.010000.segs.json'
    segs = {'sceneId': scan, 'segIndices': shuffled[segment].tolist()}
    (folder / name).write_text(json.dumps({'params': {'kThresh': '0.01'}, **segs}))
    stored = {'sceneId': f'scannet.{scan}', 'segmentsFile': f'scannet.{name}', 'segGroups': groups}
    (folder / f'{scan}.aggregation.json').write_text(json.dumps(stored | about))


def write_frames(folder, scene, T_scan_world):
    """Export every view ten frames apart, colour twice as large and a little off centre."""
    own = scene.views[0].intrinsics.astype(float)
    other = own.copy()
    other[:2] *= 2
    other[:2, 2] += (2.5, -1.5)
    for name in ('color', 'depth', 'pose', 'intrinsic'):
        (folder / name).mkdir()
    for kind, k in (('depth', own), ('color', other)):
        matrix = np.eye(4)
        matrix[:3, :3] = k
        (folder / 'intrinsic' / f'intrinsic_{kind}.txt').write_text(matrix_text(matrix))
    for k, view in enumerate(scene.views):
        large = Image.fromarray(view.rgb).resize((2 * view.rgb.shape[1], 2 * view.rgb.shape[0]))
        moved = large.transform(large.size, Image.Transform.AFFINE, (1, 0, -2, 0, 1, 2))
        moved.save(folder / 'color' / f'{10 * k}.jpg', quality=97)
        counts = np.rint(view.depth * 1000).astype(np.uint16)
        Image.fromarray(counts).save(folder / 'depth' / f'{10 * k}.png')
        pose = T_scan_world @ view.T_world_camera
        (folder / 'pose' / f'{10 * k}.txt').write_text(matrix_text(pose))


def write_scan(root, scene, *, scan=SCAN, frames=True, part='scans'):
    """Write a scene as ScanNet would have scanned it, with one wall and one odd thing."""
    folder = root / part / scan
    folder.mkdir(parents=True)
    T_scan_world = np.linalg.inv(alignment())
    xyz = scene.cloud.xyz.astype(float) @ T_scan_world[:3, :3].T + T_scan_world[:3, 3]
    cloud = PointCloud(xyz.astype(np.float32), scene.cloud.rgb)
    write_ply(cloud, folder / f'{scan}_vh_clean_2.ply')
    owner = scene.truth.point_instance.astype(int)
    free = np.flatnonzero(owner < 0)
    count = len(scene.truth.names)
    owner[free[:500]], owner[free[500:900]] = count, count + 1
    write_annotation(folder, scan, owner, [*scene.truth.names, WALL, STRANGE])
    height, width = scene.views[0].depth.shape
    (folder / f'{scan}.txt').write_text(
        f'axisAlignment = {numbers(alignment())} \ncolorHeight = {2 * height}\n'
        f'depthHeight = {height}\ndepthWidth = {width}\nsceneType = Bathroom\n'
    )
    if frames:
        write_frames(folder, scene, T_scan_world)
    write_label_map(root / 'scannetv2-labels.combined.tsv')
    return folder


@pytest.fixture(scope='module')
def room():
    return make_scene(3, RoomConfig(views=5, width=96, height=72))


@pytest.fixture(scope='module')
def small(room):
    """Return the room with a fiftieth of its points."""
    rows = np.arange(0, len(room.cloud), 50)
    truth = truth_from_ids(ground_truth_ids(room, load_labels('scannet200'))[rows], LABELS)
    return type(room)('small', room.cloud.select(rows), truth, room.views)


LABELS = load_labels('scannet200')


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


def change_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def cut(path, share=0.6):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


PLY, SEGS = f'{SCAN}_vh_clean_2.ply', f'{SCAN}_vh_clean_2.0.010000.segs.json'
GROUPS, INFO = f'{SCAN}.aggregation.json', f'{SCAN}.txt'


@pytest.mark.parametrize(
    ('spoil', 'says'),
    [
        (lambda f: cut(f / PLY), f'{PLY}: .*the file was cut off'),
        (lambda f: (f / PLY).unlink(), f'{PLY}: there is no such file'),
        (lambda f: (f / SEGS).unlink(), f'{SEGS}: cannot be read'),
        (lambda f: (f / GROUPS).unlink(), f'{SCAN}.aggregation.json: is missing beside'),
        (lambda f: cut(f / SEGS), f'{SEGS}: cannot be read'),
        (lambda f: change_json(f / SEGS, segIndices=[1, 2]), 'expected a segment for each of'),
        (lambda f: change_json(f / SEGS, segIndices=['a']), "whole numbers in 'segIndices'"),
        (
            lambda f: change_json(f / SEGS, segIndices=[9] * len(json_of(f / SEGS)['segIndices'])),
            'it is the annotation of another mesh',
        ),
        (lambda f: change_json(f / GROUPS, segGroups=[{'id': 1}]), "expected 'segGroups' with"),
        (lambda f: (f / GROUPS).write_text('[]'), f'{GROUPS}: expected a JSON object'),
        (lambda f: (f / INFO).unlink(), f'{INFO}: cannot be read'),
        (
            lambda f: (f / INFO).write_text('axisAlignment = 1 2 3\n'),
            'axisAlignment: expected 16 numbers',
        ),
        (
            lambda f: (f / INFO).write_text(f'axisAlignment = {numbers(2 * np.eye(4))}\n'),
            'axisAlignment: expected 16 numbers of a rigid motion',
        ),
        (lambda f: (f / 'pose/20.txt').write_text('1 2 3'), 'pose/20.txt: expected 16 numbers'),
        (lambda f: (f / 'pose/20.txt').write_text('a b'), 'pose/20.txt: expected 16 numbers'),
        (lambda f: (f / 'color/20.jpg').unlink(), r'color/20\.jpg: there is no such image'),
        (lambda f: (f / 'depth/20.png').unlink(), r'depth/20\.png: there is no such image'),
        (
            lambda f: Image.new('I;16', (640, 480)).save(f / 'depth/20.png'),
            'depth/20.png: expected a depth image of 96x72 pixels, got 640x480',
        ),
        (
            lambda f: [p.unlink() for p in (f / 'intrinsic').glob('*')],
            r'expected intrinsic/intrinsic_depth\.txt',
        ),
    ],
)
def test_a_bad_scan_names_the_file(tmp_path, small, spoil, says):
    folder = write_scan(tmp_path, small)
    source = open_scannet(tmp_path)
    read_scan(source, SCAN)
    spoil(folder)
    with pytest.raises(ValueError, match=says):
        read_scan(source, SCAN)


def json_of(path):
    return json.loads(path.read_text())


def test_the_annotation_of_the_full_mesh_is_refused(tmp_path, small):
    folder = write_scan(tmp_path, small, frames=False)
    wanted = read_scan(open_scannet(tmp_path), SCAN).truth.names
    other = folder / f'{SCAN}_vh_clean.aggregation.json'
    (folder / GROUPS).rename(other)
    assert read_scan(open_scannet(tmp_path), SCAN).truth.names == wanted
    change_json(other, segmentsFile=f'scannet.{SCAN}_vh_clean.segs.json')
    with pytest.raises(ValueError, match='the benchmark is scored on those of'):
        read_scan(open_scannet(tmp_path), SCAN)


def test_an_annotated_scan_without_annotation_is_an_error(tmp_path, small):
    scan = split_scenes('val')[0]
    folder = write_scan(tmp_path, small, scan=scan, frames=False)
    for path in folder.glob('*.json'):
        path.unlink()
    with pytest.raises(ValueError, match='the annotation of this scan is missing'):
        read_scan(open_scannet(tmp_path), scan)
    with pytest.raises(ValueError, match='scene0000_00: there is no such scan'):
        read_scan(open_scannet(tmp_path), 'scene0000_00')


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('id\tcategory\n1\twall\n', r"columns are missing: \['raw_category'\]"),
        ('id\traw_category\nx\twall\n', "line 2: expected a whole number as id, got 'x'"),
        ('', 'columns are missing'),
    ],
)
def test_a_wrong_label_map_is_named(tmp_path, text, says):
    path = tmp_path / 'scannetv2-labels.combined.tsv'
    path.write_text(text)
    with pytest.raises(ValueError, match=f'combined.tsv: .*{says}'):
        open_scannet(tmp_path)
    with pytest.raises(ValueError, match='combined.tsv: cannot be read'):
        open_scannet(tmp_path / 'nowhere' / 'at all')


def test_the_first_line_of_a_category_wins(tmp_path):
    path = tmp_path / 'map.tsv'
    path.write_text('id\traw_category\n2\tchair\n7\t"quoted" thing\n9\tchair\n')
    assert read_label_map(path) == {'chair': 2, '"quoted" thing': 7}


def test_a_list_without_scenes_is_refused(tmp_path):
    (tmp_path / 'list.txt').write_text('a\nb\n\na\n')
    assert read_list(tmp_path / 'list.txt') == ['a', 'b']
    (tmp_path / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match='expected one scene id a line'):
        read_list(tmp_path / 'list.txt')
    (tmp_path / 'list.txt').write_text('a\n../b\n')
    with pytest.raises(ValueError, match=r"expected plain scene ids, got '\.\./b'"):
        read_list(tmp_path / 'list.txt')
    with pytest.raises(ValueError, match="there is no split 'valid'"):
        split_scenes('valid')
