"""From solids seen by a camera to a colour picture: surface points, patterns, light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.rendering.patterns import paint, Surface
from folk_ros.training.scenes.rendering.primitives import BOX, FIRM, FRUSTUM, Part, SOFT, WOOD
from folk_ros.training.scenes.rendering.raycast import Camera, Solids
from folk_ros.training.scenes.rendering.wear import worn

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Looks:
    """The materials of many parts as arrays, row for row with `Solids`."""

    colour: Floats  # [P, 3]
    accent: Floats  # [P, 3]
    pattern: NDArray[np.int64]  # [P]
    period: Floats  # [P] metres
    gloss: Floats  # [P]
    wear: Floats  # [P]
    seed: NDArray[np.uint32]  # [P]


@dataclass(frozen=True)
class ShadowMap:
    """What a lamp sees: points farther than its depth image lie in shadow."""

    camera: Camera  # at the lamp, looking down
    depth: Floats  # [H, W] metres

    def share(self, world: Floats) -> Floats:
        """Return how much of the lamp reaches each point [M, 3]: 0 none, 1 all."""
        pose = self.camera.T_world_camera
        own = (world - pose[:3, 3].astype(np.float32)) @ pose[:3, :3].astype(np.float32)
        z = np.maximum(own[:, 2], 0.05)
        k = self.camera.intrinsics
        u, v = own[:, 0] / z * k[0, 0] + k[0, 2], own[:, 1] / z * k[1, 1] + k[1, 2]
        bias = 0.03 + 0.015 * z
        lit = np.zeros(len(world), np.float32)
        for du, dv in ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)):  # soft borders
            column = np.clip(np.rint(u + du), 0, self.camera.width - 1).astype(np.int64)
            row = np.clip(np.rint(v + dv), 0, self.camera.height - 1).astype(np.int64)
            lit += z <= self.depth[row, column] + bias
        inside = (
            (own[:, 2] > 0.1) & (np.abs(u - k[0, 2]) < k[0, 2]) & (np.abs(v - k[1, 2]) < k[1, 2])
        )
        return np.where(inside, 0.15 + 0.85 * lit / 4, 1).astype(np.float32)


@dataclass(frozen=True)
class Light:
    """A lamp (at a place) or daylight (from a direction: `place` far away)."""

    place: NDArray[np.float64]  # [3] world, metres
    colour: NDArray[np.float64]  # [3] brightness at the surface that faces it
    reach_m: float  # distance at which a lamp has fallen to half; inf for daylight
    shadow: ShadowMap | None = None


def pack_looks(parts: Sequence[Part]) -> Looks:
    """Turn the materials of parts into arrays."""
    materials = [part.material for part in parts]
    return Looks(
        colour=np.array([m.colour for m in materials], np.float32),
        accent=np.array([m.accent for m in materials], np.float32),
        pattern=np.array([m.pattern for m in materials]),
        period=np.array([m.period_m for m in materials], np.float32),
        gloss=np.array([m.gloss for m in materials], np.float32),
        wear=np.array([m.wear for m in materials], np.float32),
        seed=np.array([m.seed for m in materials], np.int64).astype(np.uint32),
    )


def shade(
    solids: Solids,
    looks: Looks,
    camera: Camera,
    seen: tuple[Floats, NDArray[np.int32]],
    lights: Sequence[Light],
) -> tuple[Floats, Floats]:
    """
    Light what `cast` saw (depth, solid), both [H, W].

    Returns linear colour [H, W, 3], about 0 to 1, and the cosine between surface and ray [H, W].
    """
    depth, index = seen[0].reshape(-1), seen[1].reshape(-1)
    pixels = np.flatnonzero(index >= 0)
    solid = index[pixels]
    R, o = camera.T_world_camera[:3, :3], camera.T_world_camera[:3, 3]
    rays = (camera.rays()[pixels] @ R.T).astype(np.float32)  # [M, 3] world
    world = rays * depth[pixels, None] + o.astype(np.float32)
    to_unit = solids.to_unit.astype(np.float32)[solid]
    unit = np.einsum('mij,mj->mi', to_unit, world - solids.centre[solid].astype(np.float32))
    normal_unit = unit_normals(solids, solid, unit)
    normal = np.einsum('mij,mi->mj', to_unit, normal_unit)
    normal /= length(normal)[:, None] + 1e-12
    view = rays / length(rays)[:, None]
    facing = -dot(normal, view)
    normal = np.where(facing[:, None] < 0, -normal, normal)  # the inside of open shells
    surface = surface_points(solids, looks, solid, unit, normal_unit)
    rgb = worn(paint(surface, looks.pattern[solid]), surface, looks.wear[solid])
    rgb = _lit(rgb, looks.gloss[solid], world, normal, view, lights)
    picture = np.zeros((len(index), 3), np.float32)
    cosine = np.zeros(len(index), np.float32)
    picture[pixels], cosine[pixels] = rgb, np.abs(facing)
    return picture.reshape(*seen[0].shape, 3), cosine.reshape(seen[0].shape)


def unit_normals(solids: Solids, solid: NDArray[np.int32], unit: Floats) -> Floats:
    """Return normals [M, 3] of unit shapes at points on them (not of unit length)."""
    kind = solids.kind[solid][:, None]
    size = np.abs(unit)
    largest = np.maximum(np.maximum(size[:, 0], size[:, 1]), size[:, 2])
    face = np.where(size >= largest[:, None], np.sign(unit), 0)
    taper = solids.taper[solid]
    radius = (1 + taper) / 2 + (taper - 1) / 2 * unit[:, 2]
    side = np.stack([unit[:, 0], unit[:, 1], radius * (1 - taper) / 2], 1)
    off_side = np.abs(np.hypot(unit[:, 0], unit[:, 1]) - radius) / np.maximum(radius, 1e-3)
    at_cap = (1 - size[:, 2] < off_side)[:, None]
    cap = np.stack([0 * taper, 0 * taper, np.sign(unit[:, 2])], 1)
    cube = unit * unit * unit
    round_ = np.where(kind == SOFT, cube, np.where(kind == FIRM, cube * cube * unit, unit))
    flat = np.where(kind == BOX, face, np.where(at_cap, cap, side))
    return np.where((kind == BOX) | (kind == FRUSTUM), flat, round_).astype(np.float32)


def surface_points(
    solids: Solids, looks: Looks, solid: NDArray[np.int32], unit: Floats, normal: Floats
) -> Surface:
    """Lay a flat coordinate system on each face, upright and readable from the front (+x)."""
    half = solids.half[solid].astype(np.float32)
    metres = unit * half
    axis = np.abs(normal).argmax(1)
    right = np.where(axis == 1, 0, 1)  # side faces run along x, all others along y
    up = np.where(axis == 2, 0, 2)
    sign = np.where(axis == 2, np.float32(-1), np.float32(1))
    rows = np.arange(len(solid))
    u, v = metres[rows, right], sign * metres[rows, up]
    s, t = unit[rows, right], sign * unit[rows, up]
    wrapped = (solids.kind[solid] == FRUSTUM) & (axis != 2)
    u = np.where(wrapped, np.arctan2(unit[:, 1], unit[:, 0]) * half[:, 0], u)
    grain = (looks.pattern[solid] == WOOD) & (half[rows, right] > half[rows, up]) & ~wrapped
    u, v = np.where(grain, v, u), np.where(grain, u, v)
    return Surface(
        u=u, v=v, s=s, t=t,
        colour=looks.colour[solid], accent=looks.accent[solid],
        period=looks.period[solid], seed=looks.seed[solid],
    )  # fmt: skip


def _lit(
    rgb: Floats,
    gloss: Floats,
    world: Floats,
    normal: Floats,
    view: Floats,
    lights: Sequence[Light],
) -> Floats:
    total = (0.4 + 0.1 * normal[:, 2])[:, None] * rgb  # light from all over the room
    for light in lights:
        to_light = light.place.astype(np.float32) - world
        distance = length(to_light)[:, None]
        to_light = to_light / distance
        fall = 1 / (1 + (distance / np.float32(light.reach_m)) ** 2)
        if light.shadow is not None:
            fall = fall * light.shadow.share(world)[:, None]
        cosine = np.clip(dot(normal, to_light), 0, 1)[:, None]
        middle = to_light - view
        middle /= length(middle)[:, None] + 1e-9
        shine = _highlight(np.clip(dot(normal, middle), 0, 1))[:, None] * gloss[:, None] * 0.6
        total = total + fall * light.colour.astype(np.float32) * (rgb * cosine + shine)
    return total


def _highlight(cosine: Floats) -> Floats:
    """Return cosines [M] to the 24th power, without the slow power function."""
    third = cosine * cosine * cosine
    sixth = third * third
    twelfth = sixth * sixth
    return twelfth * twelfth


def dot(a: Floats, b: Floats) -> Floats:
    """Return dot products [M] of vectors [M, 3]; sums over short rows are slow in NumPy."""
    return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]


def length(a: Floats) -> Floats:
    """Return the lengths [M] of vectors [M, 3]."""
    return np.sqrt(dot(a, a))
