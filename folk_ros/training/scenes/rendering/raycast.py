"""
Ray casting of posed solids: all (solid, pixel) pairs inside projected boxes, a few at a time.

Rays of a camera are o + t d with d_z = 1 in its frame, so t is the depth of a depth camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.rendering.primitives import (
    BOX,
    ELLIPSOID,
    FIRM,
    FRUSTUM,
    Part,
    SOFT,
    UNIT_CORNERS,
)

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

NEAR_M = 0.05
CHUNK_PAIRS = 1 << 16  # pairs worked on at once: what fits the processor's cache
EDGES = np.array([(a, b) for a in range(8) for b in range(a) if (a ^ b) in (1, 2, 4)])  # [12, 2]


@dataclass(frozen=True)
class Solids:
    """Many parts as arrays: unit coordinates are `to_unit @ (world - centre)`."""

    kind: NDArray[np.int64]  # [P]
    centre: NDArray[np.float64]  # [P, 3]
    half: NDArray[np.float64]  # [P, 3]
    rotation: NDArray[np.float64]  # [P, 3, 3]
    taper: Floats  # [P]
    caps: NDArray[np.int64]  # [P]

    @property
    def to_unit(self) -> NDArray[np.float64]:
        """Return the matrices [P, 3, 3] from world to unit coordinates, without the shift."""
        return np.swapaxes(self.rotation, 1, 2) / self.half[:, :, None]


class Seer(Protocol):
    """What looks at solids along a grid of rays: a camera, a scanner."""

    @property
    def width(self) -> int:
        """Columns of the grid."""

    @property
    def height(self) -> int:
        """Rows of the grid."""

    @property
    def T_world_camera(self) -> NDArray[np.float64]:
        """Pose [4, 4]."""

    def rays(self) -> Floats:
        """Return ray directions [H * W, 3] in its own frame."""

    def boxes(self, solids: Solids) -> Ints:
        """Return (column, row, width, height) [P, 4] of the rays that may meet each solid."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera; optical frame, pixel centres at whole numbers."""

    width: int
    height: int
    intrinsics: NDArray[np.float64]  # [3, 3]
    T_world_camera: NDArray[np.float64]  # [4, 4]

    def rays(self) -> Floats:
        """Return ray directions [H * W, 3] in the camera frame, with z = 1."""
        v, u = np.mgrid[0 : self.height, 0 : self.width].reshape(2, -1)
        k = self.intrinsics
        x, y = (u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1]
        return np.stack([x, y, np.ones_like(x)], axis=1).astype(np.float32)

    def boxes(self, solids: Solids) -> Ints:
        """Return (column, row, width, height) [P, 4] of the pixels each solid may cover."""
        return screen_boxes(solids, self)


def pack(parts: Sequence[Part]) -> Solids:
    """Turn parts into arrays."""
    return Solids(
        kind=np.array([p.kind for p in parts]),
        centre=np.stack([p.centre for p in parts]),
        half=np.stack([p.half for p in parts]),
        rotation=np.stack([p.rotation for p in parts]),
        taper=np.array([p.taper for p in parts], np.float32),
        caps=np.array([p.caps for p in parts]),
    )


def cast(solids: Solids, camera: Seer) -> tuple[Floats, NDArray[np.int32]]:
    """
    Return the solid seen first along each ray [H, W] (-1 none), behind its depth [H, W] (0 none).

    Depth is in lengths of the rays: metres along the optical axis for a camera.
    """
    R, o = camera.T_world_camera[:3, :3], camera.T_world_camera[:3, 3]
    to_unit = solids.to_unit
    direction = (to_unit @ R).astype(np.float32)  # [P, 3, 3] camera ray to unit space
    origin = np.einsum('pij,pj->pi', to_unit, o - solids.centre).astype(np.float32)  # [P, 3]
    boxes = camera.boxes(solids)
    rays = camera.rays()
    nearest = np.full(camera.width * camera.height, np.iinfo(np.int64).max)
    for kind in (BOX, FRUSTUM, ELLIPSOID, SOFT, FIRM):
        rows = np.flatnonzero((solids.kind == kind) & (boxes[:, 2] > 0) & (boxes[:, 3] > 0))
        for chunk in _chunks(rows, boxes[rows, 2] * boxes[rows, 3]):
            solid, pixel = _pairs(chunk, boxes, camera.width)
            o_unit, d_unit = _unit_rays(origin, direction, rays, solid, pixel)
            t = _intersect(kind, o_unit, d_unit, solids.taper[solid], solids.caps[solid])
            hit = np.flatnonzero(np.isfinite(t) & (t > NEAR_M))
            # positive float32 bits sort like the floats: one integer holds depth and solid
            key = (t[hit].view(np.int32).astype(np.int64) << 32) | solid[hit]
            np.minimum.at(nearest, pixel[hit], key)
    seen = nearest != np.iinfo(np.int64).max
    depth = np.where(seen, (nearest >> 32).astype(np.int32).view(np.float32), np.float32(0))
    index = np.where(seen, nearest & 0xFFFFFFFF, -1).astype(np.int32)
    shape = (camera.height, camera.width)
    return depth.astype(np.float32).reshape(shape), index.reshape(shape)


def screen_boxes(solids: Solids, camera: Camera) -> Ints:
    """Return (column, row, width, height) [P, 4] of the pixels each solid may cover."""
    R, o = camera.T_world_camera[:3, :3], camera.T_world_camera[:3, 3]
    offsets = (UNIT_CORNERS[None] * solids.half[:, None]) @ np.swapaxes(solids.rotation, 1, 2)
    corners = (offsets + solids.centre[:, None] - o) @ R  # [P, 8, 3] camera frame
    a, b = corners[:, EDGES[:, 0]], corners[:, EDGES[:, 1]]  # [P, 12, 3]
    za, zb = a[..., 2], b[..., 2]
    crossing = (za > NEAR_M) != (zb > NEAR_M)
    share = np.where(crossing, (NEAR_M - za) / np.where(crossing, zb - za, 1.0), 0.0)
    points = np.concatenate([corners, a + share[..., None] * (b - a)], axis=1)  # [P, 20, 3]
    valid = np.concatenate([corners[..., 2] > NEAR_M, crossing], axis=1)
    z = np.where(valid, np.maximum(points[..., 2], NEAR_M), 1.0)
    k = camera.intrinsics
    uv = points[..., :2] / z[..., None] * (k[0, 0], k[1, 1]) + (k[0, 2], k[1, 2])
    low = np.where(valid[..., None], uv, np.inf).min(1)
    high = np.where(valid[..., None], uv, -np.inf).max(1)
    limit = np.array([camera.width - 1, camera.height - 1])
    first = np.clip(np.floor(low), 0, limit + 1)
    last = np.clip(np.ceil(high), -1, limit)
    return np.concatenate([first, np.maximum(last - first + 1, 0)], axis=1).astype(np.int64)


def _chunks(rows: Ints, areas: Ints) -> list[Ints]:
    groups = np.cumsum(areas) // CHUNK_PAIRS
    return [g for g in np.split(rows, np.flatnonzero(np.diff(groups)) + 1) if len(g)]


def _pairs(rows: Ints, boxes: Ints, image_width: int) -> tuple[Ints, Ints]:
    """List all (solid, pixel) of the given solids' screen boxes."""
    column, row, width, height = boxes[rows].T
    area = width * height
    which = np.repeat(np.arange(len(rows)), area)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(area) - area, area)
    down, across = np.divmod(offset, width[which])
    return rows[which], (row[which] + down) * image_width + column[which] + across


def _unit_rays(
    origin: Floats, direction: Floats, rays: Floats, solid: Ints, pixel: Ints
) -> tuple[Floats, Floats]:
    x, y, z = rays[pixel].T
    d = direction[solid]  # [M, 3, 3]
    d_unit = d[:, :, 0] * x[:, None] + d[:, :, 1] * y[:, None] + d[:, :, 2] * z[:, None]
    return np.ascontiguousarray(origin[solid].T), np.ascontiguousarray(d_unit.T)


def _intersect(kind: int, o: Floats, d: Floats, taper: Floats, caps: Ints) -> Floats:
    """Return ray parameters [M] of the first hit of unit shapes, inf where missed."""
    with np.errstate(divide='ignore', invalid='ignore', over='ignore'):
        if kind == BOX:
            enter, leave = _slabs(o, d)
            return np.where(enter <= leave, enter, np.inf).astype(np.float32)
        if kind in (SOFT, FIRM):
            return _hit_rounded(o, d, firm=kind == FIRM)
        # near the solid, squares of distances keep their digits in single precision
        shift = -(o * d).sum(0) / (d * d).sum(0)
        o = o + shift * d
        if kind == ELLIPSOID:
            return _hit_sphere(o, d) + shift
        return _hit_frustum(o, d, taper, caps) + shift


def _slabs(o: Floats, d: Floats) -> tuple[Floats, Floats]:
    d = np.where(np.abs(d) < 1e-9, np.float32(1e-9), d)
    one, two = (-1 - o) / d, (1 - o) / d
    return np.minimum(one, two).max(0), np.maximum(one, two).min(0)


def _hit_sphere(o: Floats, d: Floats) -> Floats:
    a, c = (d * d).sum(0), (o * o).sum(0) - 1  # o is nearest to the centre: no linear term
    return np.where(c <= 0, -np.sqrt(np.maximum(-c, 0) / a), np.inf).astype(np.float32)


def _hit_rounded(o: Floats, d: Floats, firm: bool) -> Floats:
    """
    Solve x^n + y^n + z^n = 1, n = 4 or 8, by Newton steps from where the ray enters the unit box.

    The left side is convex along a ray, so steps from outside never overshoot the first root.
    """
    t_hit = np.full(o.shape[1], np.inf, np.float32)
    enter, leave = _slabs(o, d)
    rows = np.flatnonzero(enter <= leave)
    o, d, t = o[:, rows], d[:, rows], enter[rows]
    for _ in range(12 if firm else 9):
        q = o + t * d
        value, slope = _power_sum(q, d, firm)
        step = np.where(slope < -1e-12, -value / slope, 0)
        t = t + np.where(value > 0, step, 0)
    value, _ = _power_sum(o + t * d, d, firm)
    good = np.abs(value) < 0.03
    t_hit[rows[good]] = t[good]
    return t_hit


def _power_sum(q: Floats, d: Floats, firm: bool) -> tuple[Floats, Floats]:
    """Return x^n + y^n + z^n - 1 and its slope along d."""
    square = q * q
    if firm:
        seventh = square * square * square * q
        return (seventh * q).sum(0) - 1, 8 * (seventh * d).sum(0)
    cube = square * q
    return (cube * q).sum(0) - 1, 4 * (cube * d).sum(0)


def _hit_frustum(o: Floats, d: Floats, taper: Floats, caps: Ints) -> Floats:
    mean, slope = (1 + taper) / 2, (taper - 1) / 2  # radius = mean + slope z
    r = mean + slope * o[2]
    a = d[0] * d[0] + d[1] * d[1] - (slope * d[2]) ** 2
    b = o[0] * d[0] + o[1] * d[1] - slope * d[2] * r
    c = o[0] * o[0] + o[1] * o[1] - r * r
    root = np.sqrt(b * b - a * c)  # NaN where the side is missed
    a = np.where(np.abs(a) < 1e-9, np.float32(1e-9), a)
    best = np.full(o.shape[1], np.inf, np.float32)
    for t in ((-b - root) / a, (-b + root) / a):
        inside = np.abs(o[2] + t * d[2]) <= 1  # False for NaN
        best = np.where(inside & (t < best), t, best)
    for sign, bit, radius in ((-1, 1, np.float32(1)), (1, 2, taper)):
        t = (sign - o[2]) / d[2]
        x, y = o[0] + t * d[0], o[1] + t * d[1]
        inside = ((caps & bit) > 0) & (x * x + y * y <= radius * radius)
        best = np.where(inside & (t < best), t, best)
    return best.astype(np.float32)
