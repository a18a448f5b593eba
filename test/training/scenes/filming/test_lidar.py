"""A spinning scanner: its rays, and what it makes of a room."""

import numpy as np
import pytest

from folk_ros.training.scenes.filming.film import Stage
from folk_ros.training.scenes.filming.lidar import LidarConfig, scan, Scanner
from folk_ros.training.scenes.rendering import primitives as p
from folk_ros.training.scenes.rendering.raycast import cast, pack
from folk_ros.training.scenes.rendering.shading import pack_looks
from folk_ros.training.scenes.rooms.shell import shell

GREY = p.Material((0.5, 0.5, 0.5), gloss=0.0)
MIRROR = p.Material((0.5, 0.5, 0.5), gloss=1.0)
SIZE = (4.0, 3.0, 2.5)
POSE = np.eye(4)
POSE[:3, 3] = (2.0, 1.5, 1.2)


def stage_of(*things):
    parts = [*shell(SIZE, [GREY] * 4, GREY, GREY)]
    owner = np.array([-1] * len(parts) + list(range(len(things))), np.int32)
    parts += things
    return Stage(pack(parts), pack_looks(parts), owner, [])


def scanner(pose=POSE, width=96, rings=16):
    return Scanner(width, np.deg2rad(np.linspace(35, -45, rings)), pose)


def test_rays_have_unit_length_begin_behind_and_go_down_row_by_row():
    rays = scanner().rays().reshape(16, 96, 3)
    assert np.allclose(np.linalg.norm(rays, axis=2), 1, atol=1e-6)
    assert np.allclose(rays[0, 0], (-np.cos(np.deg2rad(35)), 0, np.sin(np.deg2rad(35))), atol=1e-6)
    assert (np.diff(rays[..., 2], axis=0) < 0).all()


def test_ranges_in_an_empty_room_are_those_to_its_walls():
    pose = POSE.copy()
    pose[:3, :3] = p.turn('z', 0.4) @ p.turn('x', 0.1)
    look = scanner(pose)
    distance, solid = cast(stage_of().solids, look)
    rays = look.rays() @ pose[:3, :3].T
    with np.errstate(divide='ignore'):
        to_walls = np.maximum((0 - pose[:3, 3]) / rays, (np.array(SIZE) - pose[:3, 3]) / rays)
    assert (solid >= 0).all()
    # skirting boards stand before the walls
    assert np.quantile(np.abs(distance.reshape(-1) - to_walls.min(1)), 0.9) < 1e-3
    assert np.abs(distance.reshape(-1) - to_walls.min(1)).max() < 0.1


def test_no_solid_is_met_outside_the_rays_that_may_meet_it():
    rng = np.random.default_rng(0)
    boxes = [
        p.box(GREY, rng.uniform(-1.5, 1.5, 3), rng.uniform(0.1, 0.8, 3), p.turn('x', k))
        for k in range(25)
    ]
    solids = pack(boxes)
    look = scanner(np.eye(4), 60, 24)

    class Everywhere(Scanner):
        def boxes(self, solids):
            return np.tile([0, 0, self.width, self.height], (len(solids.kind), 1))

    slow = cast(solids, Everywhere(look.width, look.elevation, look.T_world_camera))
    fast = cast(solids, look)
    assert (slow[1] >= 0).mean() > 0.3
    assert np.array_equal(fast[0], slow[0]) and np.array_equal(fast[1], slow[1])


def test_a_scanned_room_has_no_colour_and_its_points_lie_on_what_they_belong_to():
    table = p.slab(GREY, (0.4, 0.4, 0.6), (1.4, 1.2, 0.7))
    config = LidarConfig(rings=48, columns=512, noise_m=0.005, scans=2)
    cloud, instance = scan(np.random.default_rng(0), stage_of(table), [POSE] * 5, config, 0.02)
    assert cloud.rgb is None and len(cloud) == len(instance)
    low, high = np.array([0.4, 0.4, 0.6]) - 0.03, np.array([1.4, 1.2, 0.7]) + 0.03
    on_table = ((cloud.xyz > low) & (cloud.xyz < high)).all(1)
    assert (instance == 0).sum() > 200
    assert np.array_equal(instance == 0, on_table)
    cells = np.unique(np.floor(cloud.xyz.astype(np.float64) / 0.02), axis=0)
    assert len(cells) > 0.99 * len(cloud)  # one point a cell, up to rounding


def test_a_mirror_sends_most_rays_elsewhere():
    shares = []
    for material in (GREY, MIRROR):
        board = p.slab(material, (0.02, 0.5, 0.5), (0.05, 2.5, 2.0))
        config = LidarConfig(columns=512, scans=1)
        _, instance = scan(np.random.default_rng(0), stage_of(board), [POSE], config, 0.01)
        shares.append((instance == 0).sum())
    assert shares[1] < 0.3 * shares[0]


@pytest.mark.parametrize('wrong', [{'rings': 2}, {'scans': 0}, {'lowest_deg': 50.0}])
def test_a_scanner_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match='got'):
        LidarConfig(**wrong)
