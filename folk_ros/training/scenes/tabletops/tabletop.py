"""
Synthetic tabletop scans: things in heaps on a table, seen once by a depth camera.

What is kept is what the camera measured of the table and of the things on it; nothing is fused.
The world stands on the table: z up, z = 0 the top, origin below the camera, x where it looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.filming.film import Stage
from folk_ros.training.scenes.filming.sensor import Eye, measure, Reflection, SensorConfig
from folk_ros.training.scenes.generate import digest, Job, plan, Progress, run_jobs
from folk_ros.training.scenes.objects.blueprint import Rng
from folk_ros.training.scenes.rendering.primitives import box, Part, turn
from folk_ros.training.scenes.rendering.raycast import Camera, cast, pack
from folk_ros.training.scenes.rendering.shading import Light, pack_looks, shade, ShadowMap
from folk_ros.training.scenes.rooms.surfaces import floor_material
from folk_ros.training.scenes.scene import GroundTruth, save_scene, Scene, View
from folk_ros.training.scenes.tabletops.heaps import heap_up, Thing

FOCAL = 525 / 640  # of the image width, as a Kinect has it
KINECT = SensorConfig(
    noise_m=0.0018, step_m=0.0027, range_m=2.5, edge_loss=0.3, edge_mix=0.05, lateral_px=0.4
)


@dataclass(frozen=True)
class TabletopConfig:
    """How synthetic tabletops are made."""

    width: int = 480
    """Columns of the image."""
    height: int = 360
    """Rows of the image."""
    most: int = 16
    """Things on a table, at most."""
    distance_m: tuple[float, float] = (0.75, 1.3)
    """From the camera to the middle of the things."""
    tilt_deg: tuple[float, float] = (25.0, 60.0)
    """How far the camera looks down."""
    baseline_m: float = 0.075
    """Between the projector of the pattern and the camera; what one does not see has no depth."""
    novel: bool = False
    """Whether categories kept out of training may lie there."""
    sensor: SensorConfig = field(default_factory=lambda: KINECT)
    """How the camera errs."""


def make_tabletop(seed: int, config: TabletopConfig, scene_id: str = 'tabletop') -> Scene:
    """Make one scan: the same seed and config give the same bytes."""
    build, look, sense = np.random.default_rng(seed).spawn(3)
    camera = place_camera(look, config)
    things = heap_up(build, camera.T_world_camera[:2, 3], config.most, config.novel)
    parts, owners = _table(look)
    for number, thing in enumerate(things):
        own = thing.placed.parts()
        parts += own
        owners += [number] * len(own)
    stage = Stage(pack(parts), pack_looks(parts), np.array(owners, np.int32), [])
    view = _take(sense, stage, camera, config)
    return _scene(seed, scene_id, view, things)


def place_camera(rng: Rng, config: TabletopConfig) -> Camera:
    """Stand a camera somewhere around the origin, looking down at about there."""
    distance, tilt = rng.uniform(*config.distance_m), np.deg2rad(rng.uniform(*config.tilt_deg))
    R = turn('z', rng.uniform(0, 2 * np.pi)) @ turn('y', tilt) @ turn('x', rng.normal(0, 0.04))
    pose = np.eye(4)
    pose[:3, :3] = R @ [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]  # z looks ahead, x to the right
    aim = np.array([*rng.normal(0, 0.05, 2), rng.uniform(0, 0.1)])
    pose[:3, 3] = aim - distance * pose[:3, 2]
    f = FOCAL * config.width
    k = np.array([[f, 0, (config.width - 1) / 2], [0, f, (config.height - 1) / 2], [0, 0, 1]])
    return Camera(config.width, config.height, k, pose)


def _table(rng: Rng) -> tuple[list[Part], list[int]]:
    """Make the slab that all stands on, now and then as large as a floor."""
    size = rng.uniform((1.25, 1.0), (2.2, 1.5)) if rng.random() < 0.85 else np.array([4.0, 4.0])
    material = floor_material(rng, wet=rng.random() < 0.2)
    middle = np.array([*rng.uniform(-0.08, 0.08, 2) * size, -0.015])
    rotation = turn('z', rng.uniform(0, 2 * np.pi))
    return [box(material, middle, (*size, 0.03), rotation)], [-1]


def _take(rng: Rng, stage: Stage, camera: Camera, config: TabletopConfig) -> View:
    depth, solid = cast(stage.solids, camera)
    light, cosine = shade(stage.solids, stage.looks, camera, (depth, solid), _lights(rng, stage))
    gloss = np.where(solid >= 0, stage.looks.gloss[solid], np.float32(0))
    eye = Eye.of(rng, config.sensor)
    measured = measure(rng, depth, Reflection(cosine, gloss, light), config.sensor)
    lit = projector_sees(depth, camera.intrinsics[0, 0] * config.baseline_m)
    return View(
        rgb=eye.photograph(rng, light, config.sensor),
        depth=np.where(lit, measured, np.float32(0)),
        intrinsics=camera.intrinsics.astype(np.float32),
        T_world_camera=camera.T_world_camera.astype(np.float32),
        instance=np.where(solid >= 0, stage.owner[solid], -1).astype(np.int32),
    )


def _lights(rng: Rng, stage: Stage) -> list[Light]:
    """Hang a lamp that casts shadows over the table and let daylight in from one side."""
    place = np.array([*rng.normal(0, 0.7, 2), rng.uniform(1.2, 2.2)])
    focal, side = 160.0, 201  # a lamp sees the table alone, a centimetre a pixel
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[:3, 3] = place
    k = np.array([[focal, 0, (side - 1) / 2], [0, focal, (side - 1) / 2], [0, 0, 1]])
    above = Camera(side, side, k, pose)
    shadow = ShadowMap(above, cast(stage.solids, above)[0])
    angle = rng.uniform(0, 2 * np.pi)
    far = np.array([100 * np.cos(angle), 100 * np.sin(angle), rng.uniform(30, 90)])
    lamp = rng.uniform(0.4, 1.0) * np.array([1.0, 0.95, 0.88])
    return [
        Light(place, lamp, 3.0, shadow),
        Light(far, rng.uniform(0.1, 0.5) * np.ones(3), np.inf),
    ]


def projector_sees(depth: NDArray[np.float32], factor: float) -> NDArray[np.bool_]:
    """
    Return which pixels [H, W] a projector to the right of the camera lights.

    `factor` is focal length (pixels) times baseline. A pixel stays dark where one to its right
    is lit by rays that pass further to the left: something stands in the way.
    """
    column = np.arange(depth.shape[1])[None]
    reached = column - factor / np.where(depth > 0, depth, np.inf)  # column of the pattern
    nearest = np.minimum.accumulate(reached[:, ::-1], axis=1)[:, ::-1]
    return reached <= nearest + 1.0


def _scene(seed: int, scene_id: str, view: View, things: list[Thing]) -> Scene:
    """Back-project the view into a frame below the camera."""
    assert view.instance is not None
    pose = view.T_world_camera.astype(np.float64)
    yaw = float(np.arctan2(pose[1, 2], pose[0, 2]))
    home = np.eye(4)
    home[:3, :3] = turn('z', -yaw)
    home[:2, 3] = -(home[:3, :3] @ pose[:3, 3])[:2]
    pose = home @ pose
    seen = view.depth > 0
    row, column = np.nonzero(seen)
    k, z = view.intrinsics.astype(np.float64), view.depth[seen].astype(np.float64)
    rays = np.stack([(column - k[0, 2]) / k[0, 0], (row - k[1, 2]) / k[1, 1], np.ones(len(z))], 1)
    xyz = (rays * z[:, None]) @ pose[:3, :3].T + pose[:3, 3]
    truth = GroundTruth(
        point_instance=view.instance[seen],
        names=[thing.category.name for thing in things],
        captions=tuple(thing.category.captions(thing.made) for thing in things),
        novel=np.array([thing.category.novel for thing in things], np.bool_),
    )
    moved = View(view.rgb, view.depth, view.intrinsics, pose.astype(np.float32), view.instance)
    cloud = PointCloud(xyz.astype(np.float32), view.rgb[seen], 'world')
    facts = {'kind': 'tabletop', 'seed': seed, 'camera_height_m': round(float(pose[2, 3]), 4)}
    return Scene(scene_id, cloud, truth, (moved,), facts)


def generate_tabletops(
    out: Path | str,
    splits: Mapping[str, int],
    seed: int = 0,
    workers: int = 1,
    config: TabletopConfig | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Make scans `<out>/<split>_<number>/` as `generate_rooms` makes rooms; return all folders."""
    jobs = plan(Path(out), splits, seed, config or TabletopConfig())
    return run_jobs(jobs, make_one, workers, progress)


def make_one(job: Job[TabletopConfig]) -> str:
    """Make and save one scan; return its id."""
    scene = make_tabletop(job.seed, job.config, job.scene_id)
    save_scene(replace(scene, facts={**scene.facts, 'settings': digest(job.config)}), job.out)
    return job.scene_id
