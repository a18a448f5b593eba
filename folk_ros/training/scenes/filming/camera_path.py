"""
A hand-held camera on a walk through a furnished room.

The walker keeps clear of the furniture, and at each stop turns to where most is to be seen that
was not seen well before: small things weigh more than walls, and big turns cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.filming.floor_walk import along, free_floor, GRID_M, HIGHEST_M, tour
from folk_ros.training.scenes.rendering import primitives as p
from folk_ros.training.scenes.rendering.raycast import Camera, cast, Solids

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

LOWEST_M = 1.1  # of the camera
YAWS = np.deg2rad(np.arange(0, 360, 15))
PITCHES = np.deg2rad((-18, 4, 22, 42, 62))  # down
LONGEST_TURN = np.deg2rad(100)  # between two views
LAZINESS = 0.3  # share of what is to be seen that the longest turn is worth
SHELL = 0.3  # what a piece of wall or floor is worth, over one of furniture
FADING = 0.15  # what a second look is worth, over the first
FAR_LOOK = 0.7  # how much of a look one from afar is


@dataclass(frozen=True)
class Surroundings:
    """What the walker walks through."""

    size: tuple[float, float, float]  # of the room, which begins at the origin
    low: Floats  # [M, 3] boxes of all parts of furniture
    high: Floats  # [M, 3]
    solids: Solids
    owner: NDArray[np.int32]  # [P] instance of each solid, -1 for the room's shell
    interest: Floats  # [I] how much a piece of each instance's surface is worth seeing


def walk(
    rng: np.random.Generator, around: Surroundings, views: int, tangents: tuple[float, float]
) -> list[Floats]:
    """
    Return the poses [4, 4] of some views, evenly spaced along a walk.

    `tangents` are of half the camera's opening, across and down. No eye lies in furniture.
    """
    floor = free_floor(around.size, around.low, around.high)
    eyes = _heights(rng, along(rng, tour(rng, floor), floor, views))
    seen = np.zeros(np.ceil(np.array(around.size) / GRID_M).astype(int) + 2, np.float32)
    poses: list[Floats] = []
    yaw = None
    for eye in eyes:
        panorama = Panorama.at(around, eye)
        yaw, pitch = panorama.best_direction(seen, yaw, tangents)
        panorama.mark_seen(seen, yaw, pitch, tangents)
        shaken = eye + rng.normal(0, 0.005, 3)
        turned = (yaw + rng.normal(0, 0.03), pitch + rng.normal(0, 0.03))
        poses.append(pose_of(shaken, *turned, rng.normal(0, 0.035)))
    return poses


def _heights(rng: np.random.Generator, places: Floats) -> Floats:
    """Carry the camera over places [K, 2], now a little higher, now lower."""
    turns = np.linspace(0, 2 * np.pi * rng.uniform(0.7, 2.0), len(places)) + rng.uniform(0, 6.3)
    height = rng.uniform(1.35, 1.6) + rng.uniform(0.05, 0.2) * np.sin(turns)
    return np.concatenate([places, np.clip(height, LOWEST_M, HIGHEST_M)[:, None]], 1)


@dataclass(frozen=True)
class Panorama:
    """What is to be seen all around from one place."""

    direction: NDArray[np.float32]  # [P, 3] world, of unit length
    distance: NDArray[np.float32]  # [P] metres
    cell: tuple[Ints, Ints, Ints]  # [P] each: the piece of space looked at
    worth: NDArray[np.float32]  # [P]

    @classmethod
    def at(cls, around: Surroundings, eye: Floats) -> Panorama:
        """Look around from a place, in four coarse pictures that overlap a little."""
        side, focal = 44, 20.0  # 95 degrees
        k = np.array([[focal, 0, (side - 1) / 2], [0, focal, (side - 1) / 2], [0, 0, 1]])
        rays, depths, solids = [], [], []
        for yaw in np.pi / 2 * np.arange(4):
            camera = Camera(side, side, k, pose_of(eye, float(yaw), 0.3))
            depth, solid = cast(around.solids, camera)
            seen = np.flatnonzero(depth > 0)
            rays.append(camera.rays()[seen] @ camera.T_world_camera[:3, :3].T.astype(np.float32))
            depths.append(depth.reshape(-1)[seen])
            solids.append(solid.reshape(-1)[seen])
        ray, solid = np.concatenate(rays), np.concatenate(solids)
        length = np.linalg.norm(ray, axis=1)
        distance = np.concatenate(depths) * length
        place = eye + ray * np.concatenate(depths)[:, None]
        limit = np.ceil(np.array(around.size) / GRID_M).astype(int) + 1
        cell = np.clip((place / GRID_M).astype(int) + 1, 0, limit)
        _, which, hits = np.unique(
            np.ravel_multi_index(tuple(cell.T), limit + 1), return_inverse=True, return_counts=True
        )
        owner = around.owner[solid]
        interest = np.where(owner >= 0, np.append(around.interest, 0)[owner], SHELL)
        near = np.clip((distance - 0.3) / 0.4, 0.1, 1) * np.clip(1.5 - distance / 4.5, 0.3, 1)
        worth = (interest * near / hits[which]).astype(np.float32)
        return cls(ray / length[:, None], distance, (cell[:, 0], cell[:, 1], cell[:, 2]), worth)

    def best_direction(
        self, seen: NDArray[np.float32], yaw: float | None, tangents: tuple[float, float]
    ) -> tuple[float, float]:
        """Return the yaw and pitch that show most of what was seen least; not far from a yaw."""
        worth = self.worth * FADING ** seen[self.cell]
        best, most = (0.0, 0.3), -1.0
        for candidate in YAWS:
            turn = 0.0 if yaw is None else abs((candidate - yaw + np.pi) % (2 * np.pi) - np.pi)
            if turn > LONGEST_TURN:
                continue
            for pitch in PITCHES:
                value = float(worth[self._framed(candidate, pitch, tangents)].sum())
                value *= 1 - LAZINESS * turn / LONGEST_TURN
                if value > most:
                    best, most = (float(candidate), float(pitch)), value
        return best

    def mark_seen(
        self,
        seen: NDArray[np.float32],
        yaw: float,
        pitch: float,
        tangents: tuple[float, float],
    ) -> None:
        """Count what a view shows: well seen from near, half from afar."""
        framed = np.flatnonzero(self._framed(yaw, pitch, tangents))
        x, y, z = (axis[framed] for axis in self.cell)
        well = np.where(self.distance[framed] < 2.5, np.float32(1), np.float32(FAR_LOOK))
        before = seen[x, y, z]
        seen[x, y, z] = before + well

    def _framed(self, yaw: float, pitch: float, tangents: tuple[float, float]) -> Mask:
        own = self.direction @ pose_of(np.zeros(3), yaw, pitch)[:3, :3].astype(np.float32)
        z = own[:, 2] * 0.95
        inside = (np.abs(own[:, 0]) < tangents[0] * z) & (np.abs(own[:, 1]) < tangents[1] * z)
        return np.asarray(inside)


def pose_of(eye: Floats, yaw: float, pitch: float, roll: float = 0.0) -> Floats:
    """Return the pose [4, 4] of a camera that looks along a yaw and so much down."""
    out = np.array([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), -np.sin(pitch)])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(out, right), out], axis=1) @ p.turn('z', roll)
    pose[:3, 3] = eye
    return pose
