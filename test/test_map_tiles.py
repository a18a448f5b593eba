from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from folk_ros.map_tiles import (
    changed,
    COLUMN_BITS,
    differing,
    grown,
    hashes,
    into_tiles,
    moved,
    tiles_at,
    voxel_set,
)
from folk_ros.structures import PointCloud

VOXEL = 0.04
TILE = 8 * VOXEL


def floor_cloud(seed=0, count=80_000, width=2.0):
    rng = np.random.default_rng(seed)
    xyz = np.concatenate([rng.uniform(-width, width, (count, 2)), np.zeros((count, 1))], 1)
    rgb = np.full((count, 3), 120, np.uint8)
    return PointCloud(xyz.astype(np.float32), rgb, 'map')


def content(cloud):
    return into_tiles(cloud, VOXEL).content


def voxels(cloud):
    return voxel_set(cloud, into_tiles(cloud, VOXEL).point_voxel)


def test_tiles_are_where_the_points_are():
    cloud = floor_cloud(count=500)
    tiled = into_tiles(cloud, VOXEL)
    slow = np.floor(cloud.xyz[:, :2].astype(np.float64) / TILE).astype(int)
    assert len(tiled.tiles) == len({tuple(place) for place in slow.tolist()})
    by_tile = {}
    for tile, place in zip(tiled.point_tile.tolist(), slow.tolist(), strict=True):
        by_tile.setdefault(tile, set()).add(tuple(place))
    assert all(len(places) == 1 for places in by_tile.values())
    assert (tiles_at(cloud.xyz[:, :2], VOXEL) == tiled.tiles[tiled.point_tile]).all()
    assert (tiled.point_voxel >> COLUMN_BITS == tiled.tiles[tiled.point_tile]).all()


def test_far_apart_points_have_the_tiles_of_the_slow_way():
    xyz = np.array([[-9000, -9000, 0], [9000, 9000, 0], [9000.1, 9000, 0]], np.float32)
    tiled = into_tiles(PointCloud(xyz), VOXEL)
    assert len(tiled.tiles) == 2 and (np.diff(tiled.tiles) > 0).all()


def test_a_cloud_out_of_reach_is_refused():
    with pytest.raises(ValueError, match='reaches 100000 m'):
        into_tiles(PointCloud(np.full((1, 3), 1e5, np.float32)), VOXEL)


def test_the_order_of_the_points_does_not_matter():
    cloud = floor_cloud()
    mixed = cloud.select(np.random.default_rng(1).permutation(len(cloud)))
    assert len(differing(content(cloud), content(mixed))) == 0


@pytest.mark.parametrize('what', ['moved', 'painted', 'doubled', 'gone'])
def test_one_point_makes_its_tile_differ_and_no_other(what):
    cloud, row = floor_cloud(), 777
    xyz, rgb = cloud.xyz.copy(), cloud.rgb.copy()
    if what == 'moved':
        xyz[row, 2] = np.nextafter(np.float32(0), np.float32(1))
    if what == 'painted':
        rgb[row, 1] += 1
    later = PointCloud(xyz, rgb, 'map')
    rows = np.arange(len(cloud))
    if what == 'doubled':
        later = later.select(np.append(rows, row))
    if what == 'gone':
        later = later.select(np.delete(rows, row))
    tiles = differing(content(cloud), content(later))
    assert tiles.tolist() == tiles_at(cloud.xyz[row : row + 1, :2], VOXEL).tolist()


def test_points_do_not_stand_for_each_other():
    numbers = hashes(floor_cloud(count=200_000))
    assert len(np.unique(numbers)) == len(np.unique(floor_cloud(count=200_000).xyz, axis=0))


def test_what_is_new_or_lost_as_a_whole_differs():
    cloud = floor_cloud()
    part = cloud.select(cloud.xyz[:, 0] < 0)
    assert (
        differing(content(part), content(cloud)) == differing(content(cloud), content(part))
    ).all()
    lost = differing(content(cloud), content(part))
    assert len(lost) >= 0.45 * len(content(cloud)[0])


def test_jitter_is_no_change():
    cloud = floor_cloud()
    noise = np.random.default_rng(3).normal(0, 0.004, cloud.xyz.shape)
    later = replace(cloud, xyz=(cloud.xyz + noise).astype(np.float32))
    assert len(differing(content(cloud), content(later))) > 100
    assert len(changed(voxels(cloud), voxels(later))) == 0


@pytest.mark.parametrize('what', ['box', 'hole', 'paint'])
def test_a_real_change_is_one_and_only_where_it_is(what):
    cloud = floor_cloud()
    inside = (cloud.xyz[:, :2] >= 0).all(1) & (cloud.xyz[:, :2] < 2 * TILE).all(1)
    later = cloud
    if what == 'box':
        raised = cloud.xyz + 0.3 * inside[:, None] * np.array([0, 0, 1])
        later = replace(cloud, xyz=raised.astype(np.float32))
    if what == 'hole':
        later = cloud.select(~inside)
    if what == 'paint':
        rgb = np.where(inside[:, None], 250, cloud.rgb).astype(np.uint8)
        later = replace(cloud, rgb=rgb)
    expected = np.unique(tiles_at(cloud.xyz[inside, :2], VOXEL))
    assert changed(voxels(cloud), voxels(later)).tolist() == expected.tolist()


def test_voxels_move_over_the_borders_of_tiles():
    rng = np.random.default_rng(0)
    xyz = rng.uniform(-3, 3, (500, 3)).astype(np.float32)
    xyz = (np.floor(xyz / VOXEL) * VOXEL + VOXEL / 2).astype(np.float32)
    keys = into_tiles(PointCloud(xyz), VOXEL).point_voxel
    for step in ((1, 0, 0), (-1, 0, 0), (0, 9, 0), (-2, -2, 0), (0, 0, -1)):
        there = PointCloud((xyz + np.array(step) * VOXEL).astype(np.float32))
        assert (moved(keys, step) == into_tiles(there, VOXEL).point_voxel).all()


def test_tiles_grow_in_all_directions():
    one = tiles_at(np.zeros((1, 2)), VOXEL)
    around = (np.mgrid[-2:3, -2:3].reshape(2, -1).T + 0.5) * TILE
    assert grown(one, 2).tolist() == np.unique(tiles_at(around, VOXEL)).tolist()


def test_colours_of_voxels_are_means():
    cloud = floor_cloud(count=3000, width=0.3)
    rgb = np.random.default_rng(0).integers(0, 256, (3000, 3)).astype(np.uint8)
    tiled = into_tiles(cloud, VOXEL)
    found = voxel_set(replace(cloud, rgb=rgb), tiled.point_voxel)
    for key, colour in list(zip(found.keys, found.rgb, strict=True))[::7]:
        mean = rgb[tiled.point_voxel == key].mean(0)
        assert np.abs(colour - mean).max() <= 0.5
