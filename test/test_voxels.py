from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.structures import PointCloud
from folk_ros.voxels import voxelize


def slow_voxelize(cloud, size):
    """Group points by cell in a dictionary: cell -> (point rows)."""
    origin = np.floor(cloud.xyz.min(0).astype(np.float64) / size) * size
    cells = {}
    for row, point in enumerate(cloud.xyz):
        cell = tuple(np.floor((point - origin) / size).astype(int))
        cells.setdefault(cell, []).append(row)
    return cells


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(0, 10_000))
def test_voxels_equal_the_slow_grouping(count, seed):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (count, 3)).astype(np.uint8)
    cloud = PointCloud(rng.uniform(-0.3, 0.3, (count, 3)).astype(np.float32), rgb)
    voxels = voxelize(cloud, 0.1)
    cells = slow_voxelize(cloud, 0.1)
    assert [tuple(c) for c in voxels.coords] == sorted(cells)
    for row, cell in enumerate(sorted(cells)):
        assert np.flatnonzero(voxels.point_to_voxel == row).tolist() == cells[cell]
        assert np.allclose(voxels.rgb[row], rgb[cells[cell]].mean(0) / 255, atol=1e-6)
        assert np.allclose(voxels.centres[row], cloud.xyz[cells[cell]].mean(0), atol=1e-6)


def test_a_cloud_without_colour_is_grey_and_says_so():
    voxels = voxelize(PointCloud(np.zeros((2, 3), np.float32)), 0.04)
    assert not voxels.has_colour
    assert (voxels.rgb == 0.5).all()


def test_an_empty_cloud_gives_no_voxels():
    assert len(voxelize(PointCloud(np.zeros((0, 3), np.float32)), 0.04)) == 0


@pytest.mark.parametrize('far', [1e5, 1e30, -3e38])
def test_a_stray_point_far_away_is_refused_with_the_extent(far):
    cloud = PointCloud(np.array([[0, 0, 0], [far, 0, 0]], np.float32))
    with pytest.raises(ValueError, match='millimetres'):
        voxelize(cloud, 0.04)


def test_a_small_cloud_very_far_from_the_origin_is_refused_as_georeferenced():
    with pytest.raises(ValueError, match='1000 km from the origin.*georeferenced'):
        voxelize(PointCloud(np.full((2, 3), 1e7, np.float32)), 0.04)


def test_voxelizing_leaves_its_input_untouched():
    xyz = np.random.default_rng(0).uniform(-1, 1, (50, 3)).astype(np.float32)
    cloud = PointCloud(xyz.copy())
    voxelize(cloud, 0.1)
    assert (cloud.xyz == xyz).all()


def test_millimetres_survive_far_from_the_origin():
    near = np.random.default_rng(0).uniform(0, 0.02, (100, 3))
    voxels = voxelize(PointCloud((near + [4000.0, 0, 0]).astype(np.float32)), 0.04)
    assert np.abs(voxels.centres[:, 0] - 4000.0).max() < 0.03
