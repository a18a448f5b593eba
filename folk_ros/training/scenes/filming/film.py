"""Filming a furnished room: what an RGB-D camera records from poses along a walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.filming.sensor import drift, Eye, measure, Reflection, SensorConfig
from folk_ros.training.scenes.rendering.raycast import Camera, cast, Solids
from folk_ros.training.scenes.rendering.shading import Light, Looks, shade
from folk_ros.training.scenes.views import View

Floats = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Stage:
    """A furnished room, ready to be seen."""

    solids: Solids
    looks: Looks
    owner: NDArray[np.int32]  # [P] instance of each solid, -1 for the room's shell
    lights: list[Light]


@dataclass(frozen=True)
class Lens:
    """A pinhole camera without a place."""

    width: int
    height: int
    field_of_view_deg: float  # across

    @property
    def tangents(self) -> tuple[float, float]:
        """Tangents of half the opening, across and down."""
        across = float(np.tan(np.deg2rad(self.field_of_view_deg) / 2))
        return across, across * self.height / self.width

    def at(self, pose: NDArray[np.float64]) -> Camera:
        """Put the camera at a pose [4, 4]."""
        focal = self.width / 2 / self.tangents[0]
        k = np.array(
            [[focal, 0, (self.width - 1) / 2], [0, focal, (self.height - 1) / 2], [0, 0, 1]]
        )
        return Camera(self.width, self.height, k, pose)


def film(
    rng: Rng, stage: Stage, lens: Lens, poses: Sequence[NDArray[np.float64]], config: SensorConfig
) -> list[View]:
    """Take one view at each pose [4, 4]; the views tell where the camera believes to be."""
    eye = Eye.of(rng, config)
    errors = drift(rng, len(poses), config)
    views = []
    for pose, error in zip(poses, errors, strict=True):
        view = take_view(rng, stage, lens.at(pose), eye, config)
        views.append(replace(view, T_world_camera=(pose @ error).astype(np.float32)))
    return views


def take_view(rng: Rng, stage: Stage, camera: Camera, eye: Eye, config: SensorConfig) -> View:
    """Photograph and measure the room once."""
    depth, solid = cast(stage.solids, camera)
    light, cosine = shade(stage.solids, stage.looks, camera, (depth, solid), stage.lights)
    gloss = np.where(solid >= 0, stage.looks.gloss[solid], np.float32(0))
    return View(
        rgb=eye.photograph(rng, softened(stage, camera, light), config),
        depth=measure(rng, depth, Reflection(cosine, gloss, light), config),
        intrinsics=camera.intrinsics.astype(np.float32),
        T_world_camera=camera.T_world_camera.astype(np.float32),
        instance=np.where(solid >= 0, stage.owner[solid], -1).astype(np.int32),
    )


def softened(stage: Stage, camera: Camera, light: Floats) -> Floats:
    """Return an image [H, W, 3] without jagged edges: each pixel also looks at its corners."""
    k = camera.intrinsics.copy()
    k[:2, 2] += 0.5
    corners = Camera(camera.width + 1, camera.height + 1, k, camera.T_world_camera)
    other, _ = shade(stage.solids, stage.looks, corners, cast(stage.solids, corners), stage.lights)
    around = other[:-1, :-1] + other[1:, :-1] + other[:-1, 1:] + other[1:, 1:]
    return np.asarray(light / 2 + around / 8, np.float32)
