import numpy as np
import pytest

from folk_ros.structures import PointCloud
from folk_ros.student.surface import spread_around, SURFACE, surface_input, surface_of
from folk_ros.voxels import voxelize


def cloud(seed, count=600):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 0.08, (count, 3)).astype(np.float32)


@pytest.mark.parametrize('seed', range(3))
def test_spread_equals_that_of_the_neighbours_one_by_one(seed):
    voxels = voxelize(PointCloud(cloud(seed, 150)), 0.01)
    places = (voxels.centres - voxels.origin) / 0.01
    spread = spread_around(voxels.coords, places)
    for row, coords in enumerate(voxels.coords):
        near = np.abs(voxels.coords - coords).max(1) <= 1
        wanted = np.cov(places[near].T, bias=True) if near.sum() > 1 else np.zeros((3, 3))
        np.testing.assert_allclose(spread[row], wanted, atol=1e-9)


def test_the_normal_of_a_tilted_plane_is_found_to_a_degree_whatever_the_grid():
    rng = np.random.default_rng(0)
    flat = np.c_[rng.uniform(0, 0.3, (20_000, 2)), np.zeros(20_000)]
    angle = np.deg2rad(17)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    x = surface_of(voxelize(PointCloud((flat @ turn.T).astype(np.float32)), 0.01)).numpy()
    normal = turn[:, 2]
    wanted = np.outer(normal, normal)[np.triu_indices(3)]
    np.testing.assert_allclose(np.median(x[:, 3:9], 0), wanted, atol=0.02)
    assert np.median(x[:, 9]) < 0.2  # thin


def test_a_solid_is_thick_and_has_no_normal():
    x = surface_of(voxelize(PointCloud(cloud(0, 20_000)), 0.01)).numpy()
    inner = np.abs(x[:, 3:9]).max(1)
    assert np.median(inner) < 0.5
    assert np.median(x[:, 9]) > 1.5


def test_the_place_in_the_voxel_is_told():
    points = np.array([[0.001, 0.005, 0.009], [0.031, 0.032, 0.033]], np.float32)
    voxels = voxelize(PointCloud(points), 0.01)
    x = surface_of(voxels).numpy()
    inside = (voxels.centres - voxels.origin) / 0.01 - voxels.coords - 0.5
    np.testing.assert_allclose(x[:, :3], 2 * inside, atol=1e-4)
    assert not x[:, 3:].any()  # alone, a voxel spans no plane


def test_no_voxels_have_no_surface():
    assert surface_input(np.zeros((0, 3), np.int32), np.zeros((0, 3))).shape == (0, SURFACE)
