import numpy as np

from folk_ros.instances import expand_masks, fit_boxes
from folk_ros.structures import PointCloud
from folk_ros.voxels import voxelize


def random_masks(seed=0):
    rng = np.random.default_rng(seed)
    cloud = PointCloud(rng.uniform(0, 1, (500, 3)).astype(np.float32))
    voxels = voxelize(cloud, 0.2)
    inside = rng.random((4, len(voxels))) < 0.3
    owner, rows = inside.nonzero()
    return voxels, inside, owner, rows


def test_expanded_masks_hold_exactly_the_points_of_their_voxels():
    voxels, inside, owner, rows = random_masks()
    starts, points = expand_masks(owner, rows, 4, voxels)
    for mask in range(4):
        expected = np.flatnonzero(inside[mask][voxels.point_to_voxel])
        assert sorted(points[starts[mask] : starts[mask + 1]]) == expected.tolist()


def test_a_turned_box_is_found_with_its_size_and_direction():
    rng = np.random.default_rng(1)
    local = rng.uniform(-0.5, 0.5, (20_000, 3)) * [1.6, 0.6, 0.4]
    yaw = np.deg2rad(30)
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    cloud = PointCloud((local @ turn.T + [3, 2, 1]).astype(np.float32))
    voxels = voxelize(cloud, 0.02)
    rows = np.arange(len(voxels))
    boxes = fit_boxes(np.zeros(len(rows), np.int64), rows, 1, voxels)
    assert np.allclose(boxes.centre[0], [3, 2, 1], atol=0.02)
    assert np.allclose(boxes.size[0], [1.6, 0.6, 0.4], atol=0.04)
    assert abs(boxes.yaw[0] - yaw) < np.deg2rad(2.1)


def test_the_long_side_of_a_box_leads():
    voxels, _, owner, rows = random_masks()
    boxes = fit_boxes(owner, rows, 4, voxels)
    assert (boxes.size[:, 0] >= boxes.size[:, 1]).all()
    assert ((boxes.yaw > -np.pi / 2) & (boxes.yaw <= np.pi / 2)).all()


def test_no_masks_give_no_boxes():
    voxels, *_ = random_masks()
    none = np.zeros(0, np.int64)
    assert len(fit_boxes(none, none, 0, voxels)) == 0
