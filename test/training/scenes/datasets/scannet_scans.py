"""Scans of ScanNet, written in its own formats out of a rendered room."""

import json

import numpy as np
from PIL import Image

from folk_ros.cloud_files import write_ply
from folk_ros.structures import PointCloud
from folk_ros.training.labels import load_labels
from folk_ros.training.scenes.ground_truth import ground_truth_ids, truth_from_ids
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


LABELS = load_labels('scannet200')


def change_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def rendered_room():
    return make_scene(3, RoomConfig(views=5, width=96, height=72))


def thinned(room):
    """Return the room with a fiftieth of its points."""
    rows = np.arange(0, len(room.cloud), 50)
    truth = truth_from_ids(ground_truth_ids(room, LABELS)[rows], LABELS)
    return type(room)('small', room.cloud.select(rows), truth, room.views)
