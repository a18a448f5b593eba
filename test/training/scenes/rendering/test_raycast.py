"""Fast ray casting against slow, obvious twins."""

import numpy as np
import pytest

from folk_ros.training.scenes.rendering import primitives as p
from folk_ros.training.scenes.rendering.raycast import Camera, cast, pack

RED = p.Material((0.8, 0.1, 0.1))


def camera(width=48, height=36, eye=(2.5, 0.3, 0.4)):
    """Look at the origin from a place, the picture upright."""
    eye = np.array(eye, float)
    forward = -eye / np.linalg.norm(eye)
    right = np.cross(forward, (0, 0, 1.0))
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = eye
    k = np.array([[60.0, 0, (width - 1) / 2], [0, 60, (height - 1) / 2], [0, 0, 1]])
    return Camera(width, height, k, pose)


def inside(part, points):
    """Tell which points [M, 3] lie in a closed solid, from its definition."""
    q = (points - part.centre) @ part.rotation / part.half
    if part.kind == p.BOX:
        return (np.abs(q) <= 1).all(1)
    if part.kind == p.FRUSTUM:
        radius = 1 + (part.taper - 1) * (q[:, 2] + 1) / 2
        return (np.abs(q[:, 2]) <= 1) & (np.hypot(q[:, 0], q[:, 1]) <= radius)
    power = {p.ELLIPSOID: 2, p.SOFT: 4, p.FIRM: 8}[part.kind]
    return (np.abs(q) ** power).sum(1) <= 1


def march(part, cam, step=0.002, reach=4.0):
    """Walk along each ray in small steps until it is inside: the slow twin of `cast`."""
    rays = cam.rays().astype(float) @ cam.T_world_camera[:3, :3].T
    depth = np.zeros(len(rays))
    for t in np.arange(step, reach, step):
        rows = np.flatnonzero(depth == 0)
        hit = inside(part, cam.T_world_camera[:3, 3] + t * rays[rows])
        depth[rows[hit]] = t
    return depth.reshape(cam.height, cam.width)


TURNED = p.turn('z', 0.7) @ p.turn('x', 0.5)
SOLIDS = {
    'box': p.box(RED, (0.1, 0, 0), (0.6, 0.9, 0.4), TURNED),
    'thin box': p.box(RED, (0, 0, 0), (0.02, 1.2, 0.8), TURNED),
    'cylinder': p.cone(RED, (0, 0, -0.4), 0.8, 0.3),
    'oval frustum': p.cone(RED, (0, 0, -0.3), 0.6, (0.4, 0.25), 0.4).moved(TURNED, (0, 0, 0)),
    'widening frustum': p.cone(RED, (0, 0, -0.3), 0.6, 0.2, 2.0),
    'pointed cone': p.cone(RED, (0, 0, -0.3), 0.6, 0.4, 0.0),
    'rod': p.rod(RED, (-0.3, -0.5, -0.2), (0.2, 0.5, 0.3), 0.04),
    'ellipsoid': p.ball(RED, (0, 0.1, 0), (0.5, 0.3, 0.2), TURNED),
    'cushion': p.soft(RED, (0, 0, 0), (0.5, 0.8, 0.4), TURNED),
    'mattress': p.firm(RED, (0, 0, 0), (0.5, 0.9, 0.3), TURNED),
}


@pytest.mark.parametrize('name', SOLIDS)
def test_depth_of_a_solid_equals_that_of_a_ray_walked_in_small_steps(name):
    cam = camera()
    depth, index = cast(pack([SOLIDS[name]]), cam)
    slow = march(SOLIDS[name], cam)
    both = (depth > 0) & (slow > 0)
    assert both.sum() > 20
    # rays that just touch an edge may differ; nothing else may
    assert ((depth > 0) != (slow > 0)).sum() <= 0.12 * both.sum() + 2
    gap = np.abs(depth - slow)[both]
    assert np.quantile(gap, 0.98) < 0.004
    assert (index[depth > 0] == 0).all() and (index[depth == 0] == -1).all()


def test_an_open_tube_shows_its_far_inside_where_a_closed_one_shows_its_lid():
    cam = camera(eye=(1.0, 0.0, 2.0))
    closed, _ = cast(pack([p.cone(RED, (0, 0, -0.3), 0.6, 0.3)]), cam)
    cup, _ = cast(pack([p.cone(RED, (0, 0, -0.3), 0.6, 0.3, caps=p.BOTTOM)]), cam)
    middle = (cam.height // 2 - 5, cam.width // 2)
    assert cup[middle] > closed[middle] + 0.1
    assert ((cup > 0) == (closed > 0)).all()


def test_the_nearest_of_overlapping_solids_is_seen_at_every_pixel():
    cam = camera()
    parts = list(SOLIDS.values())
    depth, index = cast(pack(parts), cam)
    alone = np.stack([cast(pack([part]), cam)[0] for part in parts])
    nearest = np.where(alone > 0, alone, np.inf).min(0)
    assert np.allclose(np.where(depth > 0, depth, np.inf), nearest, atol=1e-5)
    rows, columns = np.nonzero(depth)
    assert np.allclose(alone[index[rows, columns], rows, columns], depth[rows, columns], atol=1e-5)


def test_a_solid_that_reaches_behind_the_camera_is_still_seen_in_front():
    cam = camera()
    floor = p.slab(RED, (-9, -9, -1.1), (9, 9, -1.0))
    depth, _ = cast(pack([floor]), cam)
    rays = cam.rays().reshape(cam.height, cam.width, 3) @ cam.T_world_camera[:3, :3].T
    down = rays[..., 2]
    expected = np.where(down < 0, (-1.0 - cam.T_world_camera[2, 3]) / down, 0)
    inside_floor = (expected > 0) & (expected < 6)
    assert inside_floor.sum() > 300
    assert np.allclose(depth[inside_floor], expected[inside_floor], rtol=1e-4)


def test_a_rod_runs_between_its_two_ends():
    part = p.rod(RED, (0.1, 0.2, 0.3), (0.6, -0.4, 1.0), 0.02)
    ends = part.centre + np.outer((-1, 1), part.rotation[:, 2]) * part.half[2]
    assert np.allclose(ends, [(0.1, 0.2, 0.3), (0.6, -0.4, 1.0)])


def test_a_widening_frustum_keeps_its_open_end():
    part = p.cone(RED, (0, 0, 0), 1.0, 0.5, 2.0, caps=p.BOTTOM)
    assert part.taper == 0.5
    open_end = part.rotation @ (0, 0, -1.0)  # own -z, which is the wide end
    assert open_end[2] == 1.0 and part.caps == p.TOP


def test_a_solid_without_extent_is_refused():
    with pytest.raises(ValueError, match='positive extents'):
        p.box(RED, (0, 0, 0), (1, 0, 1))
