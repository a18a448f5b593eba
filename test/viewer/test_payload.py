import json
import struct

import numpy as np

from folk_ros.structures import Boxes, Instances, Match, PointCloud
from folk_ros.viewer.payload import answers_json, cloud_bytes, owners, scene_json

FAR = np.array([500_000.0, 5_000_000.0, 100.0])  # a map in UTM metres


def cloud_of(count, colour=True):
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (count, 3), np.uint8) if colour else None
    return PointCloud((FAR + rng.uniform(0, 4, (count, 3))).astype(np.float32), rgb, 'map')


def scene_of(cloud):
    """Two instances that share point 2; the second is the better one."""
    return Instances(
        starts=np.array([0, 3, 5]),
        points=np.array([0, 1, 2, 2, 3], np.int32),
        embeddings=np.eye(2, 4, dtype=np.float32),
        quality=np.array([0.4, 0.9], np.float32),
        boxes=Boxes(
            np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32), np.zeros(2, np.float32)
        ),
        ids=np.array([7, 9], np.uint32),
        num_points=len(cloud),
    )


def unpack(data):
    assert data[:8] == b'FOLKVIEW'
    count, coloured, *origin = struct.unpack_from('<II3d', data, 8)
    xyz = np.frombuffer(data, '<f4', 3 * count, 40).reshape(-1, 3)
    rest = 40 + xyz.nbytes
    rgb = np.frombuffer(data, np.uint8, 3 * count, rest).reshape(-1, 3) if coloured else None
    owner = np.frombuffer(data[rest + (-(-3 * count // 4) * 4 if coloured else 0) :], '<u4')
    return np.array(origin), xyz, rgb, owner


def test_the_page_gets_the_points_back_with_their_colours_and_owners():
    cloud = cloud_of(5)
    origin, xyz, rgb, owner = unpack(cloud_bytes(cloud, scene_of(cloud)))
    np.testing.assert_allclose(xyz + origin, cloud.xyz, atol=1e-6 * FAR.max())
    np.testing.assert_array_equal(rgb, cloud.rgb)
    assert owner.tolist() == [1, 1, 2, 2, 0]


def test_a_cloud_without_colour_has_no_colour_bytes():
    cloud = cloud_of(5, colour=False)
    _, xyz, rgb, owner = unpack(cloud_bytes(cloud, scene_of(cloud)))
    assert rgb is None and len(xyz) == len(owner) == 5


def test_a_large_cloud_is_thinned_evenly_and_owners_stay_with_their_points():
    cloud = cloud_of(1001)
    _, xyz, rgb, owner = unpack(cloud_bytes(cloud, scene_of(cloud), limit=100))
    assert len(xyz) == len(rgb) == len(owner) <= 100
    np.testing.assert_array_equal(rgb, cloud.rgb[::11])
    assert owner[0] == owners(scene_of(cloud))[0]


def test_an_empty_cloud_is_packed():
    cloud = PointCloud(np.zeros((0, 3), np.float32))
    _, xyz, _, owner = unpack(cloud_bytes(cloud, Instances.empty(4, cloud)))
    assert len(xyz) == len(owner) == 0


def test_objects_and_answers_are_described_by_their_rows():
    cloud = cloud_of(5)
    scene = scene_of(cloud)
    names = [Match(0, 'a\x00cup', 0.5, 0.3), Match(1, 'chair', 0.9, 0.6)]
    facts = json.loads(scene_json(cloud, scene, names, 'room'))
    assert [(o['row'], o['id'], o['name'], o['points']) for o in facts['objects']] == [
        (0, 7, 'a cup', 3),
        (1, 9, 'chair', 2),
    ]
    assert json.loads(answers_json(names[1:])) == {
        'answers': [{'row': 1, 'text': 'chair', 'score': 0.9}]
    }
