"""
Pictures for the demo CLIP alone: portraits of things in furnished rooms, of all categories.

The demo CLIP plays the part of a CLIP that learnt from the web, which has seen everything. So it
needs pictures of the categories that training rooms never hold. They come from rooms of their own
seeds, are stored without a cloud, and are called `portraits_*`: nothing else learns from them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folk_ros.structures import PointCloud
from folk_ros.training.demo_clip.data import PORTRAITS
from folk_ros.training.scenes.filming.camera_path import pose_of
from folk_ros.training.scenes.filming.film import film, Lens
from folk_ros.training.scenes.filming.floor_walk import free_floor, GRID_M
from folk_ros.training.scenes.generate import (
    digest,
    Job,
    plan,
    Progress,
    run_jobs,
    SPLITS,
    UNLABELLED,
)
from folk_ros.training.scenes.objects.blueprint import Rng
from folk_ros.training.scenes.rendering.raycast import cast
from folk_ros.training.scenes.rooms.room import Placed
from folk_ros.training.scenes.scene import GroundTruth, save_scene, Scene
from folk_ros.training.scenes.synthetic import build_room, Built, RoomConfig

FRAME = (40, 30)  # pixels of the look that tells whether a thing is in view
EYE_M = (1.1, 1.7)  # height of the camera
APPROACH_M = (0.6, 3.0)  # distance of the camera over the floor
TRIES = 8


def make_portraits(
    out: Path,
    rooms: int,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
    pictures: int = 6,
) -> list[Path]:
    """
    Make folders `<out>/portraits_<number>/` with images and truth; ready ones are kept.

    Every novel thing of a room is portrayed first, then others, at most `pictures` in all. The
    seeds are not those of any room that `generate_rooms` makes.
    """
    splits = (*SPLITS, UNLABELLED, PORTRAITS)
    jobs = plan(out, {PORTRAITS: rooms}, seed, RoomConfig(views=pictures), splits)
    return run_jobs(jobs, make_pictures, workers, progress)


def make_pictures(job: Job[RoomConfig]) -> str:
    """Furnish a room, portray things in it, save the images; return the id."""
    build, stroll, sense = np.random.default_rng(job.seed).spawn(3)
    built = build_room(build, job.config)
    lens = Lens(job.config.width, job.config.height, job.config.field_of_view_deg)
    poses = portrait_poses(stroll, built, lens, job.config.views)
    placed = built.room.placed
    truth = GroundTruth(
        point_instance=np.zeros(0, np.int32),
        names=[item.category.name for item in placed],
        captions=tuple(item.category.captions(item.made) for item in placed),
        novel=np.array([item.category.novel for item in placed], np.bool_),
    )
    views = film(sense, built.stage, lens, poses, job.config.sensor)
    facts = {'kind': PORTRAITS, 'seed': job.seed, 'settings': digest(job.config)}
    cloud = PointCloud(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), 'world')
    save_scene(Scene(job.scene_id, cloud, truth, views, facts), job.out)
    return job.scene_id


def portrait_poses(rng: Rng, built: Built, lens: Lens, count: int) -> list[NDArray[np.float64]]:
    """Return at most `count` poses [4, 4], each with another thing in view, novel ones first."""
    placed = built.room.placed
    order = rng.permutation(len(placed))
    order = order[np.argsort([not placed[k].category.novel for k in order], kind='stable')]
    free = np.argwhere(free_floor(built.room.size, built.around.low, built.around.high))
    floor = ((free + 0.5) * GRID_M).astype(np.float64)
    poses = []
    for thing in order:
        pose = _portrait(rng, built, int(thing), floor, lens)
        if pose is not None:
            poses.append(pose)
        if len(poses) == count:
            break
    return poses


def _portrait(
    rng: Rng, built: Built, thing: int, floor: NDArray[np.float64], lens: Lens
) -> NDArray[np.float64] | None:
    """Return a pose that has a thing well in view, or none if no try has."""
    target = _middle(built.room.placed[thing])
    away = np.linalg.norm(floor - target[:2], axis=1)
    near = floor[(away > APPROACH_M[0]) & (away < APPROACH_M[1])]
    best, most = None, 0.004  # share of the picture
    for _ in range(TRIES if len(near) else 0):
        eye = np.array([*near[int(rng.integers(len(near)))], rng.uniform(*EYE_M)])
        line = target - eye
        yaw = np.arctan2(line[1], line[0]) + rng.normal(0, 0.15)
        pitch = np.arctan2(-line[2], np.hypot(*line[:2])) + rng.normal(0, 0.1)
        pose = pose_of(eye, float(yaw), float(pitch), rng.normal(0, 0.035))
        share = _share_in_view(built, thing, pose, lens)
        if share > most:
            best, most = pose, share
        if share > 0.03:
            break
    return best


def _share_in_view(built: Built, thing: int, pose: NDArray[np.float64], lens: Lens) -> float:
    camera = Lens(*FRAME, lens.field_of_view_deg).at(pose)
    _, solid = cast(built.stage.solids, camera)
    return float((np.where(solid >= 0, built.stage.owner[solid], -1) == thing).mean())


def _middle(placed: Placed) -> NDArray[np.float64]:
    corners = np.stack([part.corners() for part in placed.parts]).reshape(-1, 3)
    return (corners.min(0) + corners.max(0)) / 2
