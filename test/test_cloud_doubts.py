"""Doubts about scale and axes: raised where they should be, and never about a good cloud."""

from pathlib import Path

import numpy as np
import pytest

from folk_ros.cli.demo_room import load_demo_room
from folk_ros.cloud_doubts import doubts_about, find_surface
from folk_ros.structures import PointCloud
from folk_ros.training.scenes.filming.lidar import LidarConfig
from folk_ros.training.scenes.synthetic import make_scene, RoomConfig
from folk_ros.voxels import voxelize

# z up to a camera's axes: x right, y down, z ahead, for one that looks along x
LEVEL_CAMERA = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
SCANS = Path(__file__).resolve().parents[2] / 'shared' / 'data' / 'mosd' / 'learn'


def doubts(xyz, frame_id='map', size=0.04, turned=False):
    cloud = PointCloud(np.ascontiguousarray(xyz, np.float32), None, frame_id)
    return {d.kind: d.text for d in doubts_about(cloud, voxelize(cloud, size), turned)}


def pitched(degrees):
    """Rotation of a level camera's axes that looks down."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ LEVEL_CAMERA


def in_view(xyz):
    across = np.abs(xyz[:, :2]).max(1)
    return xyz[(xyz[:, 2] > 0.3) & (across < 0.6 * xyz[:, 2])]


@pytest.fixture(scope='module')
def room():
    return load_demo_room().cloud.xyz


def tabletop(seed=0):
    """A table top of 1.2 x 0.8 m with boxes on it, z up, its middle at the origin."""
    rng = np.random.default_rng(seed)
    parts = [rng.uniform([-0.6, -0.4, 0], [0.6, 0.4, 0], (8000, 3))]
    for _ in range(6):
        corner = rng.uniform([-0.5, -0.3, 0], [0.3, 0.2, 0])
        size = rng.uniform(0.05, 0.2, 3)
        faces = rng.uniform(0, 1, (500, 3))
        faces[np.arange(500), rng.integers(0, 3, 500)] = 1.0
        parts.append(corner + faces * size)
    return np.concatenate(parts)


def test_a_room_and_a_table_as_they_should_be_raise_no_doubt(room):
    assert doubts(room) == {}
    assert doubts(tabletop(), size=0.01) == {}
    assert doubts(tabletop() + [0, 0, 0.8], size=0.01) == {}  # within a camera's view, yet z up


@pytest.mark.parametrize('lidar', [None, LidarConfig(scans=2)], ids=['rgbd', 'lidar'])
def test_generated_rooms_raise_no_doubt(lidar):
    config = RoomConfig(views=4, width=160, height=120, lidar=lidar)
    assert doubts(make_scene(1, config).cloud.xyz) == {}


@pytest.mark.skipif(not SCANS.is_dir(), reason='the real table scans are not on this machine')
def test_real_table_scans_raise_doubt_only_as_the_camera_sees_them():
    from folk_ros.training.scenes.datasets.osd import osd_files, read_osd

    for path in osd_files(SCANS)[::30]:
        scene = read_osd(path)
        T_camera_world = np.linalg.inv(scene.views[0].T_world_camera)
        optical = scene.cloud.xyz @ T_camera_world[:3, :3].T + T_camera_world[:3, 3]
        assert doubts(scene.cloud.xyz, size=0.01) == {}
        assert 'no level surface' in doubts(optical, size=0.01)['axes']


@pytest.mark.parametrize('factor', [100, 1000])
def test_a_table_in_millimetres_or_centimetres_is_doubted(factor):
    table = tabletop() * factor
    text = doubts(table)['scale']
    assert 'expected a cloud in metres' in text and 'in millimetres or centimetres?' in text


def test_a_room_in_centimetres_is_doubted_and_in_millimetres_refused(room):
    assert ' x 2' in doubts(room * 100)['scale']
    with pytest.raises(ValueError, match='is it in millimetres'):
        doubts(room * 1000)


@pytest.mark.parametrize('thing', ['room', 'table'])
def test_a_cloud_scaled_twice_is_doubted(room, thing):
    assert 'scaled twice' in doubts((room if thing == 'room' else tabletop()) / 1000)['scale']


def test_a_large_map_with_surfaces_is_not_doubted():
    rng = np.random.default_rng(0)
    ground = rng.uniform([0, 0, -0.01], [150, 3, 0.01], (400_000, 3))
    assert 'scale' not in doubts(ground)


@pytest.mark.parametrize('frame_id', ['camera_depth_optical_frame', 'head_optical'])
def test_the_name_of_an_optical_frame_is_enough(room, frame_id):
    text = doubts(room, frame_id)['axes']
    assert frame_id in text and 'x right, y down, z ahead' in text


def test_a_cloud_that_was_turned_upright_says_so():
    assert 'taken as level' in doubts(tabletop(), 'camera', turned=True)['axes']


@pytest.mark.parametrize('degrees', [25, 40, 55])
def test_what_a_camera_sees_looking_down_is_doubted_whatever_its_name(room, degrees):
    seen = (room - [-1.5, 0, 2.0]) @ pitched(degrees).T
    assert 'axes' in doubts(in_view(seen))


def test_what_a_level_camera_sees_is_doubted(room):
    seen = in_view((room - room.mean(0) - [-2.5, 0, 0]) @ LEVEL_CAMERA.T)
    assert 'axes' in doubts(seen)


def test_few_points_and_shapeless_ones_raise_no_doubt():
    rng = np.random.default_rng(0)
    assert doubts(rng.uniform(0, 1, (50, 3))) == {}
    assert doubts(rng.normal(0, 1, (20_000, 3))) == {}


def test_surface_is_found_with_its_direction():
    rng = np.random.default_rng(0)
    normal = np.array([0.6, 0.0, 0.8])
    flat = rng.uniform(-1, 1, (20_000, 2)) @ np.array([[0.8, 0, -0.6], [0, 1, 0]])
    surface = find_surface((flat + rng.normal(0, 0.002, flat.shape)).astype(np.float32))
    assert len(surface.normals) > 100
    assert (np.abs(surface.normals @ normal) > 0.99).mean() > 0.95
    assert np.abs(surface.places @ normal).max() < 0.02
