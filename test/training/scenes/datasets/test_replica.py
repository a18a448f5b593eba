"""Scenes of Replica, from small folders in the layouts of those who scored on it."""

import json

import numpy as np
from PIL import Image
import pytest

from folk_ros.cloud_files import write_ply
from folk_ros.structures import PointCloud
from folk_ros.training.scenes.datasets.replica import open_replica, read_replica, SCENES
from folk_ros.training.scenes.scene import load_scene, save_scene

WIDTH, HEIGHT = 60, 34
CAMERA = {'w': WIDTH, 'h': HEIGHT, 'fx': 30.0, 'fy': 30.0, 'cx': 29.5, 'cy': 16.5}
IDS = np.repeat([20001, 93002, 0, 80004, 20007], 8)  # chair, wall, nothing, table, chair


def make_cloud():
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(len(IDS), 3)).astype(np.float32)
    return PointCloud(xyz, rng.integers(0, 256, (len(IDS), 3)).astype(np.uint8))


def pose(k):
    matrix = np.eye(4)
    matrix[:3, 3] = (k, 0.5, 1.25)
    return matrix


def line(matrix):
    return ' '.join(f'{value:.9f}' for value in np.ravel(matrix))


def write_images(rgb, depth, size=(WIDTH, HEIGHT)):
    for path in (rgb, depth):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, (10, 200, 30)).save(rgb)
    Image.fromarray(np.full((HEIGHT, WIDTH), 13107, np.uint16)).save(depth)


def write_slam(root, scene='room0', frames=21):
    """Write the layout of nice-slam."""
    write_ply(make_cloud(), root / f'{scene}_mesh.ply')
    folder = root / scene
    for k in range(frames):
        results = folder / 'results'
        write_images(results / f'frame{k:06d}.jpg', results / f'depth{k:06d}.png')
    lines = [line(pose(k)) for k in range(frames)]
    (folder / 'traj.txt').write_text('\n'.join(lines) + '\n')
    camera = {'camera': {**CAMERA, 'scale': 6553.5}}
    (root / 'cam_params.json').write_text(json.dumps(camera))
    return folder


def write_yolo(root, scene='office3', size=(WIDTH, HEIGHT)):
    """Write the layout of OpenYOLO3D."""
    folder = root / scene
    for k in range(11):
        write_images(folder / f'color/{k}.jpg', folder / f'depth/{k}.png', size)
        (folder / 'poses').mkdir(exist_ok=True)
        (folder / f'poses/{k}.txt').write_text(line(pose(k)).replace(' ', '\n'))
    k = np.eye(4)
    k[:2] *= 30 * size[0] / WIDTH
    k[:2, 2] = (size[0] / 2 - 0.5, size[1] / 2 - 0.5)
    (folder / 'intrinsics.txt').write_text(line(k))
    write_ply(make_cloud(), folder / f'{scene}_mesh.ply')
    return folder


def write_truth_file(root, scene, ids=IDS):
    (root / 'ground_truth').mkdir(parents=True, exist_ok=True)
    text = '\n'.join(str(value) for value in ids) + '\n'
    (root / 'ground_truth' / f'{scene}.txt').write_text(text)


def write_habitat(root, scene='room_0', sides=4):
    """Write quads over the points, eight points an object, with what stands there as habitat."""
    folder = root / scene / 'habitat'
    folder.mkdir(parents=True)
    cloud = make_cloud()
    vertices = np.zeros(len(cloud), [('xyz', '<f4', 3), ('n', '<f4', 3), ('rgb', 'u1', 3)])
    vertices['xyz'], vertices['rgb'] = cloud.xyz, cloud.rgb
    quads = np.zeros(
        len(cloud) // sides, [('count', 'u1'), ('v', '<i4', (sides,)), ('object', '<i4')]
    )
    quads['count'] = sides
    quads['v'] = np.arange(len(quads) * sides).reshape(-1, sides)
    quads['object'] = quads['v'][:, 0] // 8 + 10
    names = [f'property float {name}' for name in ('x', 'y', 'z', 'nx', 'ny', 'nz')]
    names += [f'property uchar {name}' for name in ('red', 'green', 'blue')]
    header = ['ply', 'format binary_little_endian 1.0', f'element vertex {len(cloud)}', *names]
    header += [f'element face {len(quads)}', 'property list uchar int vertex_indices']
    header += ['property int object_id', 'end_header\n']
    data = '\n'.join(header).encode() + vertices.tobytes() + quads.tobytes()
    (folder / 'mesh_semantic.ply').write_bytes(data)
    classes = ['chair', 'wall', 'undefined', 'table', 'tv-screen']
    objects = [{'id': k + 10, 'class_id': 0, 'class_name': n} for k, n in enumerate(classes)]
    about = {'objects': [*objects, {'id': 99, 'class_id': 20, 'class_name': 'chair'}]}
    (folder / 'info_semantic.json').write_text(json.dumps(about))
    return folder


def check_truth(truth):
    assert truth.names == ['chair', 'chair', 'table']
    wanted = np.repeat([0, -1, -1, 2, 1], 8)
    np.testing.assert_array_equal(truth.point_instance, wanted)


def test_nice_slams_layout_with_ground_truth_files(tmp_path):
    write_slam(tmp_path)
    write_truth_file(tmp_path, 'room0')
    scene = read_replica(open_replica(tmp_path), 'room0')
    check_truth(scene.truth)
    np.testing.assert_array_equal(scene.cloud.xyz, make_cloud().xyz)
    assert [f.rgb.name for f in scene.views.files] == [f'frame{k:06d}.jpg' for k in (0, 10, 20)]
    view = scene.views[1]
    np.testing.assert_allclose(view.T_world_camera, pose(10))
    np.testing.assert_allclose(view.depth, 2.0)  # 13107 / 6553.5
    assert view.intrinsics[0].tolist() == [30, 0, 29.5]
    loaded = load_scene(save_scene(scene, tmp_path / 'scenes'))
    check_truth(loaded.truth)
    np.testing.assert_array_equal(loaded.views[1].rgb, view.rgb)


def test_open_yolo_3ds_layout(tmp_path):
    write_yolo(tmp_path)
    write_truth_file(tmp_path / 'apart', 'office3')
    scene = read_replica(open_replica(tmp_path, tmp_path / 'apart' / 'ground_truth'), 'office3', 5)
    check_truth(scene.truth)
    assert [f.rgb.name for f in scene.views.files] == ['0.jpg', '5.jpg', '10.jpg']
    np.testing.assert_allclose(scene.views[2].T_world_camera, pose(10))
    np.testing.assert_allclose(scene.views[2].depth, 2.0)


def test_intrinsics_of_a_larger_colour_image_are_brought_to_depth(tmp_path):
    write_yolo(tmp_path, size=(2 * WIDTH, 2 * HEIGHT))
    view = read_replica(open_replica(tmp_path), 'office3').views[0]
    np.testing.assert_allclose(view.intrinsics[:2], [[30, 0, 29.5], [0, 30, 16.5]])
    assert np.abs(view.rgb.astype(int) - (10, 200, 30)).max() <= 2


def test_habitats_annotation_is_read_where_there_is_no_ground_truth_file(tmp_path):
    write_slam(tmp_path)
    write_habitat(tmp_path)
    scene = read_replica(open_replica(tmp_path), 'room0')
    assert scene.facts['mesh'] == 'mesh_semantic.ply' and len(scene.views) == 3
    assert scene.truth.names == ['chair', 'table', 'tv-screen']
    wanted = np.repeat([0, -1, -1, 1, 2], 8)
    np.testing.assert_array_equal(scene.truth.point_instance, wanted)
    write_truth_file(tmp_path, 'room0')
    scene = read_replica(open_replica(tmp_path), 'room0')
    assert scene.facts['mesh'] == 'room0_mesh.ply'
    check_truth(scene.truth)


def test_a_mesh_alone_is_a_scene_without_truth(tmp_path):
    write_ply(make_cloud(), tmp_path / 'room2_mesh.ply')
    scene = read_replica(open_replica(tmp_path), 'room2')
    assert scene.truth is None and len(scene.views) == 0


def test_lost_poses_are_counted(tmp_path):
    folder = write_slam(tmp_path)
    lines = (folder / 'traj.txt').read_text().splitlines()
    lines[10] = line(np.full((4, 4), np.inf))
    (folder / 'traj.txt').write_text('\n'.join(lines) + '\n')
    scene = read_replica(open_replica(tmp_path), 'room0')
    assert len(scene.views) == 2 and scene.facts['frames_without_pose'] == 1


@pytest.mark.parametrize(
    ('spoil', 'says'),
    [
        (lambda r: (r / 'room0_mesh.ply').unlink(), 'room0_mesh.ply: there is no such mesh'),
        (lambda r: write_truth_file(r, 'room0', IDS[:-1]), 'a line for each of the 40 vertices'),
        (lambda r: write_truth_file(r, 'room0', [-5, *IDS[1:]]), 'room0.txt: expected ids from 0'),
        (lambda r: write_truth_file(r, 'room0', ['x', *IDS[1:]]), 'room0.txt, line 1'),
        (lambda r: (r / 'room0/traj.txt').write_text('1 2\n'), 'line 1: expected 16 numbers'),
        (lambda r: (r / 'room0/traj.txt').write_text(line(pose(0))), 'a line for frame000010.jpg'),
        (lambda r: (r / 'room0/results/depth000010.png').unlink(), 'depth000010.png: there is no'),
        (
            lambda r: Image.new('I;16', (5, 5)).save(r / 'room0/results/depth000010.png'),
            'depth000010.png: expected a depth image of 60x34 pixels, got 5x5',
        ),
        (lambda r: (r / 'cam_params.json').write_text('{}'), "cam_params.json: expected 'camera'"),
        (
            lambda r: (r / 'cam_params.json').write_text(
                json.dumps({'camera': {**CAMERA, 'fx': 'wide'}})
            ),
            'cam_params.json: expected numbers',
        ),
        (lambda r: (r / 'cam_params.json').unlink(), 'expected a depth image of 1200x680'),
    ],
)
def test_a_bad_scene_names_the_file(tmp_path, spoil, says):
    write_slam(tmp_path)
    write_truth_file(tmp_path, 'room0')
    read_replica(open_replica(tmp_path), 'room0')
    spoil(tmp_path)
    with pytest.raises(ValueError, match=says):
        read_replica(open_replica(tmp_path), 'room0')


def test_habitats_objects_need_names(tmp_path):
    folder = write_habitat(tmp_path)
    (folder / 'info_semantic.json').write_text('{"objects": [{"id": 1}]}')
    with pytest.raises(ValueError, match="info_semantic.json: expected 'objects' with"):
        read_replica(open_replica(tmp_path), 'room0')


def test_there_are_eight_scenes():
    assert len(SCENES) == 8
