"""Fusing depth images: against a slow dense twin, and where the surface is known."""

import numpy as np
import pytest

from folk_ros.training.scenes.fusion import tsdf
from folk_ros.training.scenes.fusion.depth_image import NEAREST
from folk_ros.training.scenes.fusion.tsdf import (
    build,
    CELLS,
    EDGE,
    pack,
    touched,
    TsdfConfig,
    unpack,
)
from folk_ros.training.scenes.views import View


def look_at(eye, target):
    forward = np.asarray(target, float) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0, 0, 1.0))
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = eye
    return pose.astype(np.float32)


def view_of(pose, distance, width=80, height=60, focal=70.0):
    """A view whose depth along each world ray [.., 3] from an eye a function gives, 0 for none."""
    k = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    v, u = np.mgrid[0:height, 0:width]
    rays = np.stack([(u - k[0, 2]) / focal, (v - k[1, 2]) / focal, np.ones_like(u)], -1)
    pose64 = pose.astype(np.float64)
    depth = distance(pose64[:3, 3], rays @ pose64[:3, :3].T).astype(np.float32)
    rgb = np.zeros((height, width, 3), np.uint8)
    return View(rgb, depth, k.astype(np.float32), pose, None)


def plane(height):
    """What is measured of the plane z = height from above."""

    def distance(eye, ray):
        down = ray[..., 2]
        t = (height - eye[2]) / np.where(np.abs(down) < 1e-9, 1e-9, down)
        return np.where((t > 0) & (t < 6), t, 0)

    return distance


def ball(centre, radius):
    """What is measured of a ball."""

    def distance(eye, ray):
        a, b = (ray * ray).sum(-1), (ray * (eye - centre)).sum(-1)
        c = ((eye - centre) ** 2).sum() - radius**2
        root = b * b - a * c
        return np.where(root > 0, (-b - np.sqrt(np.maximum(root, 0))) / a, 0)

    return distance


def points_of(views, config):
    return np.concatenate([np.zeros((0, 3)), *build(views, config).crossings()])


def dense_twin(views, volume):
    """All voxels of the same blocks, one by one, from the definition."""
    config = volume.config
    distance, weight = np.zeros(volume.distance.shape), np.zeros(volume.distance.shape)
    front, behind = config.front * config.voxel_m, config.behind * config.voxel_m
    for b in range(len(volume.keys)):
        for cell in range(CELLS):
            place = (volume.corner[b] + tsdf.OFFSETS[cell]) * config.voxel_m
            for view in views:
                T, k = view.T_world_camera.astype(float), view.intrinsics.astype(float)
                x, y, z = T[:3, :3].T @ (place - T[:3, 3])
                u, v = round(k[0, 0] * x / z + k[0, 2]), round(k[1, 1] * y / z + k[1, 2])
                if not (z > 0 and 0 <= u < view.depth.shape[1] and 0 <= v < view.depth.shape[0]):
                    continue
                depth = float(view.depth[v, u])
                gap = depth - z
                if depth == 0 or gap <= -behind:
                    continue
                w = 1 / max(depth, NEAREST) ** 2 * (1 + min(gap, 0) / behind)
                old = weight[b, cell]
                distance[b, cell] = (distance[b, cell] * old + min(gap, front) * w) / (old + w)
                weight[b, cell] = old + w
    return distance, weight


def twin_points(volume):
    """Changes of sign between all pairs of neighbours, one by one."""
    config = volume.config
    value = {}
    for b in range(len(volume.keys)):
        for cell in range(CELLS):
            if volume.weight[b, cell] > 0:
                key = tuple((volume.corner[b] + tsdf.OFFSETS[cell]).tolist())
                value[key] = float(volume.distance[b, cell])
    free = tsdf.RIM * config.front * config.voxel_m
    for key, a in value.items():
        for axis in range(3):
            step = np.eye(3, dtype=int)[axis]
            other = value.get(tuple((np.array(key) + step).tolist()))
            if other is not None and (a > 0) != (other > 0) and max(a, other) < free:
                yield (np.array(key) + step * a / (a - other)) * config.voxel_m


@pytest.fixture(scope='module')
def noisy():
    rng = np.random.default_rng(0)
    views = []
    for eye in ((0.9, 0.2, 1.3), (-0.7, 0.8, 1.2)):
        view = view_of(look_at(eye, (0, 0, 0.1)), ball(np.array([0, 0, 0.1]), 0.3), 30, 24, 24.0)
        holes = rng.random(view.depth.shape) < 0.1
        depth = np.where(holes, 0, view.depth * rng.normal(1, 0.02, view.depth.shape))
        views.append(
            View(view.rgb, depth.astype(np.float32), view.intrinsics, view.T_world_camera)
        )
    return views


def test_blocks_hold_what_a_walk_over_every_voxel_gives(noisy):
    volume = build(noisy, TsdfConfig(0.05))
    distance, weight = dense_twin(noisy, volume)
    assert (weight > 0).sum() > 1000
    differ = ~np.isclose(volume.weight, weight, rtol=1e-3)  # half-way between two pixels
    assert differ.mean() < 0.002
    assert np.allclose(volume.distance[~differ], distance[~differ], atol=1e-4)


def test_the_surface_is_every_change_of_sign_between_neighbours(noisy):
    volume = build(noisy, TsdfConfig(0.05))
    fast = np.concatenate(list(volume.crossings()))
    slow = np.array(list(twin_points(volume)))
    assert len(fast) == len(slow) > 200
    assert np.allclose(fast[np.lexsort(fast.T)], slow[np.lexsort(slow.T)], atol=1e-6)


def test_a_plane_seen_without_noise_lies_within_a_tenth_of_a_voxel():
    fine = {'width': 400, 'height': 300, 'focal': 350.0}
    poses = [look_at(eye, (0, 0, 0.011)) for eye in ((1, 0, 1.2), (-0.8, 1, 1.3))]
    views = [view_of(pose, plane(0.011), **fine) for pose in poses]
    points = points_of(views, TsdfConfig(0.02))
    inner = points[np.abs(points[:, :2]).max(1) < 0.5]
    assert len(inner) > 2400  # of 2500 cells
    assert np.abs(inner[:, 2] - 0.011).max() < 0.002


def test_a_ball_seen_from_all_sides_has_its_radius():
    centre = np.array([0.1, -0.2, 0.3])
    eyes = [(2 * np.cos(a), 2 * np.sin(a), z) for z in (1.0, -0.6) for a in np.arange(0, 6.2, 0.8)]
    views = [view_of(look_at(eye, centre), ball(centre, 0.4), focal=130.0) for eye in eyes]
    radius = np.linalg.norm(points_of(views, TsdfConfig(0.02)) - centre, axis=1)
    assert np.abs(np.median(radius) - 0.4) < 0.004
    assert np.quantile(np.abs(radius - 0.4), 0.95) < 0.01


def test_a_pixel_that_flies_before_a_wall_is_wiped_out_by_a_look_through_it():
    good = [view_of(look_at((x, 0, 1.2), (0, 0, 0)), plane(0.0)) for x in (0.5, -0.5)]
    depth = good[0].depth.copy()
    depth[28:31, 40:43] -= 0.4
    flying = View(good[0].rgb, depth, good[0].intrinsics, good[0].T_world_camera)
    config = TsdfConfig(0.02)
    assert (points_of([flying], config)[:, 2] > 0.2).any()
    assert not (points_of([flying, good[1]], config)[:, 2] > 0.2).any()


def test_a_thin_board_seen_from_both_sides_keeps_both_its_sides():
    above = [view_of(look_at((x, 0.1, 1.2), (0, 0, 0.02)), plane(0.02)) for x in (0.4, -0.4)]
    below = [view_of(look_at((x, 0.1, -1.2), (0, 0, -0.02)), plane(-0.02)) for x in (0.4, -0.4)]
    points = points_of([*above, *below], TsdfConfig(0.02))
    z = points[np.abs(points[:, :2]).max(1) < 0.3][:, 2]
    top, bottom = z[z > 0], z[z < 0]
    assert len(top) > 800 and len(bottom) > 800
    assert 0.015 < np.median(top) < 0.035 and -0.035 < np.median(bottom) < -0.015


def test_what_no_view_sees_gives_no_points_and_the_rim_of_what_one_sees_none_either():
    def board(eye, ray):
        down = plane(0.5)(eye, ray)
        place = eye + ray * down[..., None]
        on_board = (np.abs(place[..., :2]) < 0.2).all(-1)
        return np.where(on_board, down, plane(0.0)(eye, ray))

    points = points_of([view_of(look_at((0.3, 0, 1.6), (0, 0, 0)), board)], TsdfConfig(0.02))
    level = (np.abs(points[:, 2]) < 0.01) | (np.abs(points[:, 2] - 0.5) < 0.01)
    assert level.mean() > 0.995  # nothing hangs down from the board's edges
    eye = np.array([0.3, 0, 1.6])
    through = eye + (points - eye) * ((0.5 - 1.6) / (points[:, 2:] - 1.6))  # at the board's height
    shaded = (np.abs(through[:, :2]) < 0.17).all(1) & (points[:, 2] < 0.4)
    assert not shaded.any()


def test_memory_is_what_the_surface_needs_and_too_much_is_refused(monkeypatch):
    view = view_of(look_at((1, 0, 1.2), (0, 0, 0)), plane(0.0))
    config = TsdfConfig(0.02)
    blocks = len(build([view], config).keys)
    measured = touched(view, config)
    assert blocks == len(measured) == len(build([view, view], config).keys)
    middles = (unpack(measured) + 0.5) * EDGE * config.voxel_m
    assert np.abs(middles[:, 2]).max() < 0.25  # around the plane alone
    monkeypatch.setattr(tsdf, 'MAX_BLOCKS', blocks - 1)
    with pytest.raises(ValueError, match='coarser grid'):
        build([view], config)


def test_block_numbers_sort_like_their_places():
    rng = np.random.default_rng(0)
    blocks = rng.integers(-300, 300, (200, 3))
    assert np.array_equal(unpack(pack(blocks)), blocks)
    order = np.lexsort(blocks.T[::-1])
    assert np.array_equal(np.argsort(pack(blocks), kind='stable'), order)


@pytest.mark.parametrize('wrong', [{'voxel_m': 0.0}, {'front': np.nan}, {'behind': -1.0}])
def test_lengths_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match='above 0'):
        TsdfConfig(**wrong)
